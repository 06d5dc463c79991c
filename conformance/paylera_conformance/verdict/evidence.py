"""Turns what a case saw into text that its reader can act on; no secret gets in.

A failure reads: clause and level; what the source says; the one change; wanted, got; a hint; sent, answer; a curl line.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import CaseEnd, Violation
from paylera_conformance.verdict.shown_body import shown_body
from paylera_fixtures.clauses import Clause, Level
from paylera_fixtures.printable import printable, printable_lines
from paylera_fixtures.redaction import Redactor

BODY_SHOWN: Final = 600
"""Characters of a body that a message shows."""

LINE_SHOWN: Final = 2000
"""Characters of a line that a message shows."""

_REPEAT: Final = "repeat  "
_IN_EVERY_REQUEST: Final = frozenset({"user-agent", "accept", "accept-encoding", "host"})
"""Headers that say nothing about the case; the record of the exchange has them."""


def explain(end: CaseEnd, clause: Clause, level: Level, redactor: Redactor) -> str:
    """The whole message of a case that did not pass, redacted."""
    lines = [end.reason]
    if isinstance(end, Violation):
        lines = [f"{clause.id} ({level})", f"says    {clause.says}", f"source  {clause.section}"]
        if end.change:
            lines.append(f"change  {end.change} (but for this, the request is one that the target accepts)")
        lines += [f"wanted  {end.wanted}", f"got     {end.got}"]
        if end.hint:
            lines.append(f"hint    {end.hint}")
    if end.exchange is not None:
        lines.extend(_exchange_lines(end.exchange, redactor))
    # Line by line, since what the target answered may stand in any of them.
    shown = printable_lines(redactor.redact("\n".join(lines)))
    return "\n".join(line if line.startswith(_REPEAT) else _cut(line) for line in shown.split("\n"))


def headline(end: CaseEnd, redactor: Redactor) -> str:
    """The same in one line."""
    text = end.reason
    if isinstance(end, Violation):
        change = f"{end.change}: " if end.change else ""
        text = f"{change}wanted {end.wanted}; got {end.got}"
    return _one_line(text, redactor)


def parts(end: CaseEnd | None, redactor: Redactor) -> dict[str, Any]:
    """`change`, `wanted`, `got` and `hint` of a violation, each in one line; nothing for everything else."""
    if not isinstance(end, Violation):
        return {}
    return {name: _one_line(getattr(end, name), redactor) for name in ("change", "wanted", "got", "hint")}


def _one_line(text: str, redactor: Redactor) -> str:
    return _cut(printable(redactor.redact(" ".join(text.split()))))


def _cut(line: str) -> str:
    """A line as messages show it: cut after it was redacted, since half a secret is none that a redactor knows."""
    return line if len(line) <= LINE_SHOWN else f"{line[:LINE_SHOWN]}…"


def _exchange_lines(exchange: Exchange, redactor: Redactor) -> Iterator[str]:
    request, response = exchange.request, exchange.response
    sent = [(name, value) for name, value in exchange.sent if name.lower() not in _IN_EVERY_REQUEST]
    yield f"sent    {request.method} {exchange.url}"
    yield from _message_lines(sent, request.body, redactor)
    yield f"answer  {response.status}"
    yield from _message_lines(response.headers, response.body, redactor)
    yield f"{_REPEAT}{curl(exchange)}"


def _message_lines(headers: Iterable[tuple[str, str]], body: bytes | None, redactor: Redactor) -> Iterator[str]:
    for name, value in headers:
        yield f"        {name}: {printable(value)}"
    if body:
        try:
            text = json.dumps(json.loads(body), ensure_ascii=False)
        except (ValueError, RecursionError):
            text = shown_body(body, redactor)
        # Redacted before it is cut, since half a secret is none that a redactor knows.
        text = printable(redactor.redact(text))
        yield f"        {text if len(text) <= BODY_SHOWN else f'{text[:BODY_SHOWN]}… ({len(body)} bytes)'}"


def curl(exchange: Exchange) -> str:
    """A command line that sends the same; the token stands as `$TOKEN`."""
    request = exchange.request
    words = ["curl", "-i", *([] if request.method == "GET" else ["-X", request.method]), shlex.quote(exchange.url)]
    for name, value in exchange.sent:
        if request.token is not None and name == request.carrier:
            # In double quotes, so that the shell puts the token in; what else means something to it there is escaped.
            credential = re.sub(r'([\\"`$])', r"\\\1", request.credential).replace("{}", "$TOKEN")
            words += ["-H", f'"{name}: {credential}"']
        elif name.lower() not in _IN_EVERY_REQUEST:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        words += ["--data-binary", shlex.quote(request.body.decode("utf-8", "backslashreplace"))]
    return " ".join(words)
