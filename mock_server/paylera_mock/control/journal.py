"""The journal: what was requested and answered, and waiting for it. The mock's own calls, answered without a lock."""

from __future__ import annotations

import re
from collections.abc import Callable
from heapq import nlargest
from operator import itemgetter
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from paylera_mock.control.request import ControlRequest, Cursor, ScopeQuery
from paylera_mock.control.targets import check_clause, check_method, check_route, check_rule, check_token
from paylera_mock.core import problems
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.explain.trace import TracedCheck, trace_entry
from paylera_mock.journal.recorder import Journal, JournalEntry
from paylera_mock.journal.retries import Attempt
from paylera_mock.journal.view import EntryView, token_names, view_entry
from paylera_mock.namespaces.namespace import Namespace

_PAGE: Final = 100
_AT_THE_SAME_TIME: Final = 64
"""So many exchanges may end at the same time, and be remembered in another order than that of their numbers."""


_STATUS: Final = "a status from 200 to 599, as in 404, or a class of them, as in 4xx"


class JournalQuery(ScopeQuery):
    """Which exchanges are listed: all filters must fit.

    - `status`: `404`, or a class of them as `4xx`; `token`: an id or a name;
    - `after`: only those with a higher number; `limit`: only the last so many; `cursor`: of those before a page;
    - `wait`: for so many seconds until there is one.
    """

    method: str | UnsetType = UNSET
    path: str | UnsetType = UNSET
    route: str | UnsetType = UNSET
    status: Annotated[str, Meta(pattern="^[2-5](?:xx|[0-9]{2})$", description=_STATUS)] | UnsetType = UNSET
    rule: str | UnsetType = UNSET
    clause: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    key: str | UnsetType = UNSET
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=0)] = _PAGE
    cursor: Cursor = UNSET
    wait: Annotated[int, Meta(ge=0, le=30)] = 0

    def fits(self, entry: JournalEntry) -> bool:
        """Whether an exchange passes every filter."""
        status = str(entry.status)
        return (
            entry.number > self.after
            and (self.cursor is UNSET or entry.number < self.cursor)
            and (self.method is UNSET or self.method.upper() == entry.request.method)
            and self.path in {UNSET, entry.request.path}
            and self.route in {UNSET, entry.request.path, entry.request.route}
            and self.status in {UNSET, status, f"{status[0]}xx"}
            and self.rule in {UNSET, entry.rule.name}
            and self.clause in {UNSET, entry.rule.clause}
            and (self.token is UNSET or self.token in token_names(entry))
            and self.key in {UNSET, entry.request.idempotency_key}
        )


class EntryList(Struct):
    """The last of the exchanges that match, and how many match, were made, and were forgotten.

    - `cleared`: how often the journal was made to forget everything, and to number from 1 again;
    - `next_cursor`: of the page before this one.
    """

    data: list[EntryView]
    matched: int
    count: int
    dropped: int
    cleared: int
    next_cursor: int | None = None


class TracedEntry(EntryView, kw_only=True):
    """An exchange with every check that it went through."""

    ladder: list[TracedCheck]


def list_exchanges(call: ControlRequest, query: JournalQuery) -> EntryList:
    """`GET C/journal`: the exchanges that pass the filters of the query, the oldest first.

    With `?scope=all` those of every namespace there is, each with its namespace. Raises `InvalidInputError` for a limit
    beyond what the journal holds, where a namespace asks for all, and for a method, a route, a token, a rule or a
    clause that does not exist, of which every list would be empty.
    """
    namespaces = [call.namespace, *(call.namespaces if call.means_all(query) else ())]
    check_method("method", query.method)
    check_route("route", query.route, namespaces)
    check_token("token", query.token, namespaces)
    check_rule("rule", query.rule, namespaces)
    check_clause("clause", query.clause, namespaces)
    if query.scope == "all":
        return _list_all(namespaces, query)
    journal = call.namespace.journal
    most = max(_PAGE, journal.size)
    if query.limit > most:
        raise InvalidInputError("limit", f"this must be a whole number from 0 to {most}")
    if query.wait:
        journal.wait_for(_make_condition(journal, query), query.wait)
    matched, last = _find_last(call.namespace, query)
    data = _view_entries(call.namespace, last)
    next_cursor = data[0].number if data and matched > len(data) else None
    return EntryList(data, matched, journal.count, journal.dropped_count, journal.cleared_count, next_cursor)


def _find_last(namespace: Namespace, query: JournalQuery) -> tuple[int, list[JournalEntry]]:
    """How many exchanges of a namespace pass the filters, and the last of them."""
    fitting = [entry for entry in namespace.journal.entries() if query.fits(entry)]
    return len(fitting), fitting[max(0, len(fitting) - query.limit) :]


def _view_entries(namespace: Namespace, entries: list[JournalEntry]) -> list[EntryView]:
    """Exchanges of a namespace, each with its place among the attempts at one thing."""
    places = namespace.attempts.places(namespace.journal.entries()) if entries else {}
    return [view_entry(each, places.get(each.number, Attempt())) for each in entries]


def _make_condition(journal: Journal, query: JournalQuery) -> Callable[[], bool]:
    """Whether an exchange passes the filters. It is asked after each exchange, and looks at the new ones alone."""
    seen = 0

    def has_come() -> bool:
        nonlocal seen
        count, before = journal.count, seen
        seen = count
        return any(map(query.fits, journal.newest(max(0, count - before) + _AT_THE_SAME_TIME)))

    return has_come


def _list_all(namespaces: list[Namespace], query: JournalQuery) -> EntryList:
    """The last exchanges of all namespaces, in the order in which they came."""
    for name, given in (("wait", query.wait), ("cursor", query.cursor is not UNSET)):
        if given:
            raise InvalidInputError(name, "this goes with one namespace only")
    found: list[tuple[JournalEntry, Namespace]] = []
    matched = count = dropped = 0
    for namespace in namespaces:
        fitting, last = _find_last(namespace, query)
        found += [(entry, namespace) for entry in last]
        matched += fitting
        count += namespace.journal.count
        dropped += namespace.journal.dropped_count
    # Only what is listed is worked out: there may be thousands of namespaces.
    listed: dict[Namespace, list[JournalEntry]] = {}
    for entry, namespace in nlargest(query.limit, found, key=lambda each: each[0].began):
        listed.setdefault(namespace, []).append(entry)
    dated: list[tuple[float, EntryView]] = []
    for namespace, entries in listed.items():
        for entry, view in zip(entries, _view_entries(namespace, entries), strict=True):
            view.namespace = namespace.id
            dated.append((entry.began, view))
    data = [view for _, view in sorted(dated, key=itemgetter(0))]
    return EntryList(data, matched, count, dropped, namespaces[0].journal.cleared_count)


def get_exchange(call: ControlRequest) -> TracedEntry:
    """`GET C/journal/{id}`: one exchange, with every check that it went through.

    Raises `RefusedError` where the journal has no such number.
    """
    journal, text = call.namespace.journal, call.identifier
    entry = journal.get(int(text)) if re.fullmatch("[0-9]{1,18}", text) else None
    if entry is None:
        raise RefusedError(problems.not_found("exchange"))
    place = call.namespace.attempts.places(journal.entries()).get(entry.number, Attempt())
    view = view_entry(entry, place)
    ladder = trace_entry(entry)
    return TracedEntry(**structs.asdict(view), ladder=ladder)


def clear_journal(call: ControlRequest) -> None:
    """`DELETE C/journal`: forget what was, and number from 1 again. Findings name none of these exchanges any more."""
    call.namespace.journal.clear()
    call.namespace.collector.forget_exchanges()
