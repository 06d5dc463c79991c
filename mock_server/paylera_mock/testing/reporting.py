"""The last requests of a test, in a few lines for its report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from paylera_fixtures.redaction import redact
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import Journal, JournalEntry

LAST: Final = 10
"""Requests that are shown."""

COLUMNS: Final = 100
"""Characters of a line: what is longer ends in an ellipsis."""


def last_requests(journal: Journal) -> str:
    """One line for each of the last requests, the oldest first, without a secret."""
    exchanges = journal.entries()[-LAST:]
    if not exchanges:
        return "none: the client under test has sent no request to this fake"
    before = exchanges[0].number - 1
    head = [f"({before} before these)"] if before else []
    return "\n".join([*head, *map(_line, exchanges)])


def _line(exchange: JournalEntry) -> str:
    line = redact(" ".join(_words(exchange)))
    return line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"


def _words(exchange: JournalEntry) -> Iterator[str]:
    request, answer, decision = exchange.request, exchange.answer, exchange.decision
    yield f"#{exchange.number} {request.method} {request.path} {answer.status}"
    if isinstance(decision, Problem):
        yield decision.type.code
    yield f"[{exchange.rule.name}; {exchange.rule.clause}]"
    yield from (f"fault: {fault.action} {fault.at} ({fault.id})" for fault in exchange.faults)
    if exchange.hint:
        yield f"hint: {exchange.hint}"
