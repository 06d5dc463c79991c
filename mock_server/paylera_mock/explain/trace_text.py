"""An explanation as people read it: the ladder, and below it the verdict. All of it fits 80 columns.

What a line means is said by its mark and its word; colour only helps.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

import click

from paylera_mock.explain.trace import CHOSEN, CheckOutcome

_COLUMNS: Final = 80
_CHECK_COLUMNS: Final = 24
_WORD_COLUMNS: Final = 8
_INDENT: Final = " " * (2 + 2 + _WORD_COLUMNS + 1)
_LABEL_COLUMNS: Final = 10
_FIRST_REFUSAL: Final = 400


@dataclass(frozen=True, slots=True)
class OutcomeStyle:
    """How an outcome looks: a mark, the mark where the terminal has no such symbol, a word, and a style."""

    mark: str
    plain: str
    word: str
    style: Mapping[str, Any]


_LOOKS: Final[Mapping[str, OutcomeStyle]] = MappingProxyType(
    {
        CheckOutcome.PASSED: OutcomeStyle("✓", "+", "passed", {"fg": "green"}),
        CheckOutcome.DECIDED: OutcomeStyle("✓", "+", "decided", {"fg": "green", "bold": True}),
        CheckOutcome.REFUSED: OutcomeStyle("✗", "x", "refused", {"fg": "red", "bold": True}),
        CheckOutcome.NOT_APPLICABLE: OutcomeStyle("·", "-", "no case", {"dim": True}),
        CheckOutcome.NOT_REACHED: OutcomeStyle("·", "-", "not yet", {"dim": True}),
    }
)


def has_symbols(encoding: str) -> bool:
    """Whether the marks can be written in an encoding."""
    try:
        "".join(look.mark for look in _LOOKS.values()).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def explanation_text(headline: str, explanation: Mapping[str, Any], *, symbols: bool = True) -> str:
    """The whole text. `headline`: the request; `explanation`: what `POST explain` answers. Coloured."""
    steps = explanation["ladder"]
    lines = [click.style(headline, bold=True), ""]
    for outcome, run in groupby(steps, key=itemgetter("outcome")):
        if outcome in {CheckOutcome.NOT_APPLICABLE, CheckOutcome.NOT_REACHED}:
            lines += _names(_LOOKS[outcome], [step["check"] for step in run], symbols=symbols)
        else:
            lines += [line for step in run for line in _rung(step, symbols=symbols)]
    return "\n".join([*lines, "", *_verdict(explanation)])


def _rung(step: Mapping[str, Any], *, symbols: bool) -> Iterator[str]:
    look = _LOOKS[step["outcome"]]
    head = _head(look, step["check"], symbols=symbols)
    if step["outcome"] == CheckOutcome.REFUSED:
        yield head.rstrip()
        yield from _labelled("expected", step["expected"])
        yield from _labelled("got", step["got"])
        chosen = ", by this project's choice" if step["source"] == CHOSEN else ""
        yield from _labelled("clause", f"{step['clause']}{chosen}")
        return
    room = _COLUMNS - len(_INDENT) - _CHECK_COLUMNS
    said = textwrap.wrap(_said(step), room, break_on_hyphens=False) or [""]
    yield f"{head}{said[0]}"
    for line in said[1:]:
        yield f"{_INDENT}{' ' * _CHECK_COLUMNS}{line}"


def _said(step: Mapping[str, Any]) -> str:
    """What there is to tell of a check that let pass: what was found, and where that says little, what was wanted."""
    return str(step["got"] or step["expected"])


def _head(look: OutcomeStyle, check: str, *, symbols: bool) -> str:
    mark = click.style(f"{look.mark if symbols else look.plain} {look.word:<{_WORD_COLUMNS}}", **look.style)
    return f"  {mark} {f'{check:<{_CHECK_COLUMNS}}' if check else ''}"


def _labelled(label: str, text: str) -> Iterator[str]:
    if not text:
        return
    indent = f"{_INDENT}  {'':<{_LABEL_COLUMNS}}"
    wrapped = textwrap.fill(text, _COLUMNS, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    yield f"{_INDENT}  {click.style(f'{label:<{_LABEL_COLUMNS}}', dim=True)}{wrapped.removeprefix(indent)}"


def _names(look: OutcomeStyle, checks: list[str], *, symbols: bool) -> Iterator[str]:
    """Checks of which no more is told than their names, in as few lines as that takes."""
    first, *more = textwrap.wrap(", ".join(checks), _COLUMNS - len(_INDENT), break_on_hyphens=False)
    yield f"{_head(look, '', symbols=symbols)}{click.style(first, dim=True)}"
    for line in more:
        yield f"{_INDENT}{click.style(line, dim=True)}"


def _verdict(explanation: Mapping[str, Any]) -> Iterator[str]:
    verdict = explanation["verdict"]
    refused = verdict["status"] >= _FIRST_REFUSAL
    word = click.style("REFUSED" if refused else "ACCEPTED", fg="red" if refused else "green", bold=True)
    code = f" {verdict['problem']}" if verdict["problem"] else ""
    yield f"{word} {verdict['status']}{code}, decided by {verdict['rule']}"
    for text in (explanation["would_be"], explanation["hint"]):
        if text:
            yield from textwrap.wrap(text, _COLUMNS, break_on_hyphens=False)
