"""What clients did wrong, and which clauses they have covered: the mock's own calls, answered without a lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType, structs

from paylera_mock.control.request import ControlRequest, Cursor, ScopeQuery, position
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.findings.collector import FindingCollector
from paylera_mock.findings.coverage import CoverageReport, report_coverage
from paylera_mock.findings.table import FindingHistory, FindingReport, report_findings

_LOOKED_AT: Final = 200
"""Namespaces that are looked at for one page."""


class FindingQuery(ScopeQuery):
    """With `limit`, one page of the findings: it ends with the namespace in which there are so many.

    `cursor`: the `next_cursor` of the page before.
    """

    limit: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    cursor: Cursor = UNSET


class FindingPage(FindingReport):
    """The findings of a page, the worst first, and what the next page begins with; `null` where there is none."""

    next_cursor: int | None = None


def read_findings(call: ControlRequest, query: FindingQuery) -> FindingPage:
    """`GET C/findings`: the findings of the namespace; with `?scope=all` those of all there are or were, in pages.

    Raises `InvalidInputError` for a page where there are none.
    """
    if query.limit is not UNSET:
        return _read_page(call, query, query.limit)
    if query.cursor is not UNSET:
        raise InvalidInputError("limit", "this is missing: a cursor goes with the limit of its page")
    report = report_findings(finding for store in _stores(call, query) for finding in store.findings())
    return FindingPage(**structs.asdict(report))


def _read_page(call: ControlRequest, query: FindingQuery, limit: int) -> FindingPage:
    """A page of all findings: this namespace, then the others, the newest first, at last those that are no more."""
    if not call.means_all(query):
        raise InvalidInputError("limit", "pages are for scope=all: without it there are few findings")
    found = [] if query.cursor is not UNSET else next(_stores(call, query)).findings()
    before = position(query.cursor)
    for namespace in islice(call.namespaces.newest_first(before=before), _LOOKED_AT):
        if len(found) >= limit:
            break
        found += namespace.collector.findings()
        before = namespace.number
    if next(call.namespaces.newest_first(before=before), None) is not None:
        return FindingPage(**structs.asdict(report_findings(found)), next_cursor=before)
    return FindingPage(**structs.asdict(report_findings([*found, *call.namespaces.history.findings()])))


def clear_findings(call: ControlRequest, query: ScopeQuery) -> None:
    """`DELETE C/findings`: forget the findings."""
    for store in _stores(call, query):
        store.clear_findings()


def read_coverage(call: ControlRequest, query: ScopeQuery) -> CoverageReport:
    """`GET C/coverage`: the clauses that the clients of the namespace covered; with `?scope=all` those of all."""
    counts: Counter[str] = Counter()
    for store in _stores(call, query):
        counts.update(store.clause_counts())
    return report_coverage(counts)


def _stores(call: ControlRequest, query: ScopeQuery) -> Iterator[FindingCollector | FindingHistory]:
    """What keeps the findings that are meant. Raises `InvalidInputError` where a namespace asks for all of them."""
    is_all = call.means_all(query)
    yield call.namespace.collector
    if is_all:
        yield from (namespace.collector for namespace in call.namespaces)
        yield call.namespaces.history
