"""An explanation as people read it: the trace, and below it the verdict. All of it fits 80 columns.

What a line means is said by its mark and its word; colour only helps.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import click

from paylera_mock.explain.trace import CHOSEN, CheckOutcome

PIPED_COLUMNS: Final = 80
_WORD_COLUMNS: Final = 8
_CHECK_COLUMNS: Final = 24
_LABEL_COLUMNS: Final = 10
_INDENT: Final = 2 + 2 + _WORD_COLUMNS + 1


class OutcomeStyle(NamedTuple):
    """How an outcome looks: a mark, the mark where the terminal has no such symbol, a word, and a style."""

    mark: str
    plain: str
    word: str
    style: Mapping[str, Any]


_STYLES: Final[Mapping[str, OutcomeStyle]] = {
    CheckOutcome.PASSED: OutcomeStyle("✓", "+", "passed", {"fg": "green"}),
    CheckOutcome.DECIDED: OutcomeStyle("✓", "+", "decided", {"fg": "green", "bold": True}),
    CheckOutcome.REFUSED: OutcomeStyle("✗", "x", "refused", {"fg": "red", "bold": True}),
    CheckOutcome.NOT_APPLICABLE: OutcomeStyle("·", "-", "no case", {"dim": True}),
    CheckOutcome.NOT_REACHED: OutcomeStyle("·", "-", "not yet", {"dim": True}),
}


def has_symbols(encoding: str) -> bool:
    """Whether the marks can be written in an encoding."""
    try:
        "".join(style.mark for style in _STYLES.values()).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def explanation_text(
    headline: str, explanation: Mapping[str, Any], *, columns: int = PIPED_COLUMNS, symbols: bool = True
) -> str:
    """The whole text, coloured. `headline`: the request; `explanation`: what `POST explain` answers."""
    lines = [click.style(headline, bold=True), ""]
    for outcome, checks in groupby(explanation["ladder"], key=itemgetter("outcome")):
        style = _STYLES[outcome]
        mark = click.style(f"{style.mark if symbols else style.plain} {style.word:<{_WORD_COLUMNS}}", **style.style)
        if outcome in {CheckOutcome.NOT_APPLICABLE, CheckOutcome.NOT_REACHED}:
            # As few lines as the names take.
            names = ", ".join(check["check"] for check in checks)
            lines += _hang(f"  {mark} ", names, indent=_INDENT, columns=columns, dim=True)
        else:
            lines += (line for check in checks for line in _check_lines(f"  {mark} ", check, columns))
    return "\n".join([*lines, "", *_verdict_lines(explanation, columns)])


def _check_lines(head: str, check: Mapping[str, Any], columns: int) -> Iterator[str]:
    if check["outcome"] != CheckOutcome.REFUSED:
        text = check["got"] or check["expected"]
        yield from _hang(
            f"{head}{check['check']:<{_CHECK_COLUMNS}}", text, indent=_INDENT + _CHECK_COLUMNS, columns=columns
        )
        return
    yield f"{head}{check['check']}"
    chosen = ", by this project's choice" if check["source"] == CHOSEN else ""
    rows = {"expected": check["expected"], "got": check["got"], "clause": f"{check['clause']}{chosen}"}
    for label, text in rows.items():
        if text:
            styled = click.style(f"{label:<{_LABEL_COLUMNS}}", dim=True)
            yield from _hang(f"{'':<{_INDENT + 2}}{styled}", text, indent=_INDENT + 2 + _LABEL_COLUMNS, columns=columns)


def _hang(head: str, text: str, *, indent: int, columns: int, dim: bool = False) -> Iterator[str]:
    """A text behind a head that is `indent` columns wide; its further lines stand below its first."""
    for number, line in enumerate(textwrap.wrap(text, columns - indent, break_on_hyphens=False) or [""]):
        yield (" " * indent if number else head) + (click.style(line, dim=True) if dim else line)


def _verdict_lines(explanation: Mapping[str, Any], columns: int) -> Iterator[str]:
    verdict = explanation["verdict"]
    is_refused = verdict["status"] >= HTTPStatus.BAD_REQUEST
    word = click.style("REFUSED" if is_refused else "ACCEPTED", fg="red" if is_refused else "green", bold=True)
    code = f" {verdict['problem']}" if verdict["problem"] else ""
    yield f"{word} {verdict['status']}{code}, decided by {verdict['rule']}"
    for text in (explanation["would_be"], explanation["hint"]):
        if text:
            yield from textwrap.wrap(text, columns, break_on_hyphens=False)
