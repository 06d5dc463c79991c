"""The last requests of a test, in a few lines for its report."""

from __future__ import annotations

import shutil
from typing import Final

from paylera_fixtures.redaction import redact
from paylera_fixtures.terminal import Line, render_lines
from paylera_mock.core.problems import Problem
from paylera_mock.journal.recorder import Journal, JournalEntry

LAST: Final = 10
"""Requests that are shown."""

_FEWEST_COLUMNS: Final = 40
"""Of what is narrower nothing can be read."""


def last_requests(journal: Journal, *, after: int = 0) -> str:
    """One paragraph for each of the last requests, the oldest first, without a secret, as wide as the terminal.

    `after`: the number of the last request that is none of this test's.
    """
    after = after if after <= journal.count else 0  # the test has cleared the journal
    exchanges = [entry for entry in journal.entries() if entry.number > after][-LAST:]
    if not exchanges:
        return "none: the client under test has sent no request to this fake"
    before = exchanges[0].number - 1 - after
    texts = [f"({before} before these)"] if before else []
    texts += [_describe(exchange) for exchange in exchanges]
    # Without a terminal, as in a worker of pytest-xdist, it is 80.
    width = max(_FEWEST_COLUMNS, shutil.get_terminal_size().columns)
    return "\n".join(render_lines((Line(text, indent=4) for text in texts), width=width, styled=False))


def _describe(exchange: JournalEntry) -> str:
    request, problem = exchange.request, exchange.decision
    words = [
        f"#{exchange.number} {request.method} {request.path} {exchange.status or 'no answer'}",
        *([problem.type.code] if isinstance(problem, Problem) and exchange.status else []),
        f"[{exchange.rule.name}; {exchange.rule.clause}]",
        *(f"fault: {fault.action} {fault.at} ({fault.id})" for fault in exchange.faults),
        *([f"hint: {exchange.hint}"] if exchange.hint else []),
    ]
    return redact(" ".join(words))
