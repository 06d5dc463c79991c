"""Turns what a case saw into text that its reader can act on; no secret gets in.

A failure reads: clause and level; what the source says; the one change; sent, wanted, got; a hint; a curl line.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import CaseEnd, Violation
from paylera_fixtures.clauses import Clause, Level
from paylera_fixtures.redaction import Redactor

BODY_SHOWN: Final = 600
"""Characters of a body that a message shows."""

_UNTOLD: Final = frozenset({"user-agent", "accept", "host"})


def explain(end: CaseEnd, clause: Clause, level: Level, redactor: Redactor) -> str:
    """The whole message of a case that did not pass, redacted."""
    lines = list(_violation(end, clause, level)) if isinstance(end, Violation) else [end.reason]
    if end.exchange is not None:
        lines.extend(_exchange(end.exchange, redactor))
    # Line by line, since what the target answered may stand in any of them.
    return "\n".join(printable(line) for line in redactor.redact("\n".join(lines)).split("\n"))


def headline(end: CaseEnd, redactor: Redactor) -> str:
    """The same in one line."""
    text = f"wanted {end.wanted}; got {end.got}" if isinstance(end, Violation) else end.reason
    if isinstance(end, Violation) and end.change:
        text = f"{end.change}: {text}"
    return printable(redactor.redact(" ".join(text.split())))


def parts(end: CaseEnd | None, redactor: Redactor) -> dict[str, Any]:
    """`change`, `wanted`, `got` and `hint` of a violation, each in one line; empty for everything else."""
    names = ("change", "wanted", "got", "hint")
    texts = [str(getattr(end, name)) if isinstance(end, Violation) else "" for name in names]
    return {name: printable(redactor.redact(" ".join(text.split()))) for name, text in zip(names, texts, strict=True)}


def _violation(end: Violation, clause: Clause, level: Level) -> Iterator[str]:
    yield f"{clause.id} ({level})"
    yield f"says    {clause.says}"
    yield f"source  {clause.section}"
    if end.change:
        yield f"change  {end.change} (but for this, the request is one that the target accepts)"
    yield f"wanted  {end.wanted}"
    yield f"got     {end.got}"
    if end.hint:
        yield f"hint    {end.hint}"


def _exchange(exchange: Exchange, redactor: Redactor) -> Iterator[str]:
    request, response = exchange.request, exchange.response
    yield f"sent    {request.method} {exchange.url}"
    for name, value in exchange.sent:
        if name.lower() not in _UNTOLD:
            yield f"        {name}: {printable(value)}"
    if request.body:
        yield f"        {_body(request.body, redactor)}"
    yield f"answer  {response.status}"
    for name, value in response.headers:
        yield f"        {name}: {printable(value)}"
    if response.body:
        yield f"        {_body(response.body, redactor)}"
    yield f"repeat  {curl(exchange)}"


def curl(exchange: Exchange) -> str:
    """A command line that sends the same; the token stands as `$TOKEN`."""
    words = ["curl", "-i"]
    if exchange.request.method != "GET":
        words += ["-X", exchange.request.method]
    words.append(shlex.quote(exchange.url))
    for name, value in exchange.sent:
        if exchange.request.token is not None and name == exchange.request.carrier:
            # In double quotes, so that the shell puts the token in; what else means something to it there is escaped.
            written = re.sub(r'([\\"`$])', r"\\\1", exchange.request.credential)
            words += ["-H", f'"{name}: {written.replace("{}", "$TOKEN")}"']
        elif name.lower() not in {"user-agent", "accept", "host"}:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if exchange.request.body:
        words += ["--data-binary", shlex.quote(exchange.request.body.decode("utf-8", "backslashreplace"))]
    return " ".join(words)


def _body(body: bytes, redactor: Redactor) -> str:
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "backslashreplace")
    # Redacted before it is cut, since half a secret is none that a redactor knows.
    text = printable(redactor.redact(text))
    return text if len(text) <= BODY_SHOWN else f"{text[:BODY_SHOWN]}… ({len(body)} bytes)"


def printable(text: str) -> str:
    """The text without characters that could move a terminal's cursor."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
