"""The journal: what was asked and answered, and waiting for it. The mock's own calls, answered without a lock."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.explain.trace import trace_entry, trace_json
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import Attempt, chains
from paylera_mock.journal.view import route_of, shown, token_names

_LONGEST_WAIT_SECONDS: Final = 30.0
_PAGE: Final = 100

_FILTERS: Final[dict[str, Callable[[JournalEntry, str], bool]]] = {
    "method": lambda exchange, text: exchange.request.method == text.upper(),
    "path": lambda exchange, text: exchange.request.path == text,
    "route": lambda exchange, text: text in {route_of(exchange), exchange.request.path},
    "status": lambda exchange, text: _has_status(exchange.answer.status, text),
    "rule": lambda exchange, text: exchange.rule.name == text,
    "clause": lambda exchange, text: exchange.rule.clause == text,
    "token": lambda exchange, text: text in token_names(exchange),
    "key": lambda exchange, text: exchange.request.idempotency_key == text,
}
_COUNTS: Final = ("after", "limit", "wait")


def _has_status(status: int, text: str) -> bool:
    """`404`, or a class of them as `4xx`."""
    return str(status) == text or (text.endswith("xx") and str(status)[0] == text[0])


def list_exchanges(call: ControlRequest) -> Outcome:
    """`GET C/journal`: the exchanges that pass the filters of the query, the oldest first.

    `after`: only those with a higher number; `limit`: only the last so many; `wait`: where there is none yet, so many
    seconds for one.
    """
    unknown = sorted(set(call.query) - set(_FILTERS) - set(_COUNTS))
    if unknown:
        raise BadMemberError(unknown[0], f"There is no such filter: there are {', '.join((*_FILTERS, *_COUNTS))}.")
    journal = call.namespace.journal
    limit = _count(call, "limit", _PAGE, max(_PAGE, journal.size))
    wait = _count(call, "wait", 0, _LONGEST_WAIT_SECONDS)
    if wait:
        journal.wait(lambda: bool(_found(call)), wait)
    found = _found(call)
    attempts = chains(journal.exchanges())
    last = found[len(found) - min(limit, len(found)) :]
    shown_ones = [shown(exchange, attempts.get(exchange.number, Attempt())) for exchange in last]
    body = {"data": shown_ones, "matched": len(found), "count": journal.count, "dropped": journal.dropped}
    return Reply(HTTPStatus.OK, body)


def _found(call: ControlRequest) -> list[JournalEntry]:
    after = _count(call, "after", 0, 2**53)
    wanted = [(_FILTERS[name], text) for name, text in call.query.items() if name in _FILTERS]
    return [
        exchange
        for exchange in call.namespace.journal.exchanges()
        if exchange.number > after and all(fits(exchange, text) for fits, text in wanted)
    ]


def _count(call: ControlRequest, name: str, default: int, highest: float) -> int:
    text = call.query.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or int(text) > highest:
        raise BadMemberError(name, f"This must be a whole number from 0 to {highest:.0f}.")
    return int(text)


def get_exchange(call: ControlRequest) -> Outcome:
    """`GET C/journal/{number}`: one exchange, with the trace of its checks."""
    text = call.identifier
    found = call.namespace.journal.named(int(text)) if text.isascii() and text.isdecimal() else None
    if found is None:
        return problems.not_found("exchange")
    attempt = chains(call.namespace.journal.exchanges()).get(found.number, Attempt())
    return Reply(HTTPStatus.OK, shown(found, attempt) | {"ladder": trace_json(trace_entry(found))})


def clear_journal(call: ControlRequest) -> Outcome:
    """`DELETE C/journal`: forget what was, and number from 1 again."""
    call.namespace.journal.clear()
    return Reply(HTTPStatus.NO_CONTENT)


CALLS: Final[Table] = MappingProxyType(
    {
        "journal": {"GET": list_exchanges, "DELETE": clear_journal},
        "journal/{id}": {"GET": get_exchange},
    }
)
