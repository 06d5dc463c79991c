"""The last requests of a test, in a few lines for its report."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.redaction import redact
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import Journal

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
    lines = [f"({before} before these)"] if before else []
    for exchange in exchanges:
        request, problem = exchange.request, exchange.decision
        words = [
            f"#{exchange.number} {request.method} {request.path} {exchange.status or 'no answer'}",
            *([problem.type.code] if isinstance(problem, Problem) and exchange.status else []),
            f"[{exchange.rule.name}; {exchange.rule.clause}]",
            *(f"fault: {fault.action} {fault.at} ({fault.id})" for fault in exchange.faults),
            *([f"hint: {exchange.hint}"] if exchange.hint else []),
        ]
        line = redact(" ".join(words))
        lines.append(line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…")
    return "\n".join(lines)
