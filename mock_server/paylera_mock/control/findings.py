"""What clients did wrong, and which clauses they have covered: the mock's own calls, answered without a lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from paylera_mock.control.request import ControlRequest
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.findings.collector import FindingCollector
from paylera_mock.findings.coverage import CoverageReport, report_coverage
from paylera_mock.findings.table import FindingHistory, FindingReport, report_findings


class ScopeQuery(Struct, forbid_unknown_fields=True):
    """Whether only this namespace is meant, or every one there is or was."""

    scope: Literal["own", "all"] = "own"


def read_findings(call: ControlRequest, query: ScopeQuery) -> FindingReport:
    """`GET C/findings`: the findings of the namespace; with `?scope=all` those of every namespace there is or was."""
    return report_findings(finding for store in _stores(call, query) for finding in store.findings())


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
    if query.scope == "all" and call.namespace.id is not None:
        raise InvalidInputError("scope", "ask the default namespace for all: /_mock, without /ns")
    yield call.namespace.collector
    if query.scope == "all":
        yield from (namespace.collector for namespace in call.namespaces)
        yield call.namespaces.history
