"""What clients did wrong, and which clauses they have met: the mock's own calls, answered without a lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.findings.catalog import summary
from paylera_mock.findings.collector import FindingCollector
from paylera_mock.findings.coverage import report


def read_findings(call: ControlRequest) -> Outcome:
    """`GET C/findings`: those of the namespace; with `?scope=all` those of every namespace there is or was."""
    found = [finding for collector in _conducts(call) for finding in collector.findings()]
    if _is_of_all(call):
        found += call.namespaces.history.findings()
    return Reply(HTTPStatus.OK, summary(found))


def clear_findings(call: ControlRequest) -> Outcome:
    """`DELETE C/findings`: forget them."""
    for collector in _conducts(call):
        collector.clear_findings()
    if _is_of_all(call):
        call.namespaces.history.clear_findings()
    return Reply(HTTPStatus.NO_CONTENT)


def read_coverage(call: ControlRequest) -> Outcome:
    """`GET C/coverage`: which clauses the clients of the namespace have met; with `?scope=all` those of all."""
    met: Counter[str] = Counter()
    for collector in _conducts(call):
        met.update(collector.met())
    if _is_of_all(call):
        met.update(call.namespaces.history.met())
    return Reply(HTTPStatus.OK, report(met))


def _conducts(call: ControlRequest) -> Iterator[FindingCollector]:
    yield call.namespace.collector
    if _is_of_all(call):
        yield from (namespace.collector for namespace in call.namespaces)


def _is_of_all(call: ControlRequest) -> bool:
    """Whether every namespace is meant. One that is not the default one knows itself alone."""
    unknown = sorted(set(call.query) - {"scope"})
    if unknown:
        raise BadMemberError(unknown[0], "There is no such parameter: there is scope.")
    scope = call.query.get("scope", "own")
    if scope not in {"own", "all"}:
        raise BadMemberError("scope", "This must be own or all.")
    if scope == "all" and call.namespace.id is not None:
        raise BadMemberError("scope", "Ask the default namespace for all: /_mock, without /ns.")
    return scope == "all"


CALLS: Final[Table] = MappingProxyType(
    {
        "findings": {"GET": read_findings, "DELETE": clear_findings},
        "coverage": {"GET": read_coverage},
    }
)
