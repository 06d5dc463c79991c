"""What was refused, and how much was asked for at all: the mock's own call, answered without a lock."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, structs

from paylera_mock.control.request import ControlRequest, Cursor, ScopeQuery
from paylera_mock.findings.refusals import RefusalTable, RefusalView


class RefusalQuery(ScopeQuery):
    """Which namespaces are meant, and which page: the last so many kinds, or with a cursor those before."""

    limit: Annotated[int, Meta(ge=0, le=1000)] = 100
    cursor: Cursor = UNSET


class RefusalReport(Struct):
    """The kinds of refused calls, the latest last; how many there were, and how many requests in all."""

    data: list[RefusalView]
    kinds: int
    requests: int
    next_cursor: int | None


def read_refusals(call: ControlRequest, query: RefusalQuery) -> RefusalReport:
    """`GET C/refusals`: the refused calls of the namespace with their hints; with `?scope=all` those of every one.

    Raises `InvalidInputError` where a namespace asks for all of them.
    """
    table, requests = RefusalTable(), 0
    sources = [call.namespace.collector]
    if call.means_all(query):
        table.merge(call.namespaces.history.refusals())
        requests += call.namespaces.history.requests
        sources = [*(namespace.collector for namespace in call.namespaces), call.namespace.collector]
    for collector in sources:
        table.merge(collector.refusals())
        requests += collector.requests
    found = table.items()
    end = len(found) if query.cursor is UNSET else min(query.cursor, len(found))
    start = max(0, end - query.limit)
    data = [RefusalView(**structs.asdict(refusal), count=count) for refusal, count in found[start:end]]
    return RefusalReport(data, len(found), requests, start or None)
