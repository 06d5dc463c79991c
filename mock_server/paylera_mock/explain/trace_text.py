"""An explanation as people read it: the trace, and below it the verdict. All of it fits 80 columns.

What a line means is said by its mark and its word; colour only helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from paylera_fixtures.terminal import Line
from paylera_mock.explain.trace import CHOSEN, CheckOutcome

_WORD_COLUMNS: Final = 8
_CHECK_COLUMNS: Final = 24
_LABEL_COLUMNS: Final = 10
_INDENT: Final = 2 + 2 + _WORD_COLUMNS + 1


class OutcomeStyle(NamedTuple):
    """How an outcome looks: a mark, a word, and a style."""

    mark: str
    word: str
    style: str


_STYLES: Final[Mapping[str, OutcomeStyle]] = {
    CheckOutcome.PASSED: OutcomeStyle("✓", "passed", "green"),
    CheckOutcome.DECIDED: OutcomeStyle("✓", "decided", "bold green"),
    CheckOutcome.REFUSED: OutcomeStyle("✗", "refused", "bold red"),
    CheckOutcome.NOT_APPLICABLE: OutcomeStyle("·", "no case", "dim"),
    CheckOutcome.NOT_REACHED: OutcomeStyle("·", "not yet", "dim"),
}


def explanation_lines(headline: str, explanation: Mapping[str, Any]) -> Iterator[Line]:
    """The whole text. `headline`: the request; `explanation`: what `POST explain` answers."""
    yield Line(first=[(headline, "bold")])
    yield Line()
    for outcome, checks in groupby(explanation["ladder"], key=itemgetter("outcome")):
        style = _STYLES[outcome]
        mark = (f"  {style.mark} {style.word:<{_WORD_COLUMNS}} ", style.style)
        if outcome in {CheckOutcome.NOT_APPLICABLE, CheckOutcome.NOT_REACHED}:
            # As few lines as the names take.
            yield Line(", ".join(check["check"] for check in checks), first=[mark], style="dim")
        elif outcome == CheckOutcome.REFUSED:
            for check in checks:
                yield from _refusal_lines(mark, check)
        else:
            for check in checks:
                yield Line(check["got"] or check["expected"], first=[mark, (f"{check['check']:<{_CHECK_COLUMNS}}", "")])
    yield Line()
    yield from _verdict_lines(explanation)


def _refusal_lines(mark: tuple[str, str], check: Mapping[str, Any]) -> Iterator[Line]:
    yield Line(first=[mark, (check["check"], "")])
    chosen = ", by this project's choice" if check["source"] == CHOSEN else ""
    rows = {"expected": check["expected"], "got": check["got"], "clause": f"{check['clause']}{chosen}"}
    for label, text in rows.items():
        if text:
            yield Line(text, first=[(f"{'':<{_INDENT + 2}}{label:<{_LABEL_COLUMNS}}", "dim")])


def _verdict_lines(explanation: Mapping[str, Any]) -> Iterator[Line]:
    verdict = explanation["verdict"]
    is_refused = verdict["status"] >= HTTPStatus.BAD_REQUEST
    word = ("REFUSED", "bold red") if is_refused else ("ACCEPTED", "bold green")
    code = f" {verdict['problem']}" if verdict["problem"] else ""
    yield Line(f"{verdict['status']}{code}, decided by {verdict['rule']}", first=[word, (" ", "")], indent=0)
    yield from (Line(text) for text in (explanation["would_be"], explanation["hint"]) if text)
