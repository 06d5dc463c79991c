"""The terminal summary of a run: its groups, what is unproven and why, and at its end what is wrong, and the verdict.

Where something failed it fits a hundred lines of 80 columns; the reports have all of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import dropwhile
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.reports.causes import find_causes, main_causes
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import PAGE_NAME, SIGNS, RunReport
from paylera_conformance.reports.results import RESULTS_NAME
from paylera_fixtures.clauses import GROUPS
from paylera_fixtures.terminal import PIPED_COLUMNS, Line, render_lines

_STYLES: Final = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "red",
    Outcome.UNOBSERVABLE: "dim",
    Verdict.CONFORMANT: "bold green",
    Verdict.WITH_FINDINGS: "bold green",
    Verdict.NON_CONFORMANT: "bold red",
    Verdict.NO_VERDICT: "bold red",
}
_OTHER_OUTCOME: Final = "yellow"
_OTHER_VERDICT: Final = "bold yellow"
_IN_FULL: Final = 2
_IN_A_LINE: Final = 3
_CAUSES: Final = 7
_CAUSES_BESIDE_MANY: Final = 4
_NAMED: Final = 8
_LISTED: Final = 4
_LINES: Final = 9
_CAUSE: Final = 250
_SHORT: Final = 140
"""So many violations are shown with a case, and in a line; causes, fewer beside many violations; names and rows; lines,
and characters of a line."""

_FIELD: Final = re.compile(r"[a-z]+ +\S")
_TOLD_FROM: Final = 8
"""The column at which a failure's message has its text."""

Locate: TypeAlias = Callable[[str], str]
"""Gives where a file of the report is, by its name."""


def print_summary(report: RunReport, terminal: pytest.TerminalReporter, *, folder: str | None) -> None:
    """Print the summary of a run where pytest prints: as wide as a terminal is, and in colour where pytest has any.

    - `folder`: where the report was written, `None` where there is none.
    """
    writer = terminal.config.get_terminal_writer()
    width = writer.fullwidth if terminal.isatty else PIPED_COLUMNS
    texts = render_lines(summary_lines(report, folder=folder), width=width, styled=writer.hasmarkup)
    # pytest leaves a line blank before this, and one is enough.
    for text in dropwhile(lambda text: not text, texts):
        # Line by line: where the output cannot show a character, pytest escapes all of what it was given at once.
        for line in text.split("\n"):
            terminal.write_line(line)


def _locate(folder: str | None, name: str) -> str:
    return f"{name} (--report DIR)" if folder is None else str(Path(folder) / name)


def summary_lines(report: RunReport, *, folder: str | None = None) -> Iterator[Line]:
    """The whole summary, the verdict at its end."""
    facts, locate = report.facts, partial(_locate, folder)
    if not facts.trouble:
        yield from (Line(cause[:_CAUSE], style="bold yellow", indent=2) for cause in main_causes(report)[:2])
    for finding in facts.other_findings:
        yield Line(f"{finding.label}: {finding.text}", style="yellow", indent=2)
    if not facts.trouble:
        yield from _groups(report)
        yield from _matrix(report)
        yield from _unproven(report, locate)
        yield from _known(report, locate)
        yield from _left_behind(report, locate)
        yield from _violations(report, locate)
    yield Line()
    verdict = (str(report.verdict), _STYLES.get(report.verdict, _OTHER_VERDICT))
    target = f"the embedded fake, {facts.target}" if facts.embedded else facts.target
    yield Line(first=[verdict, (f"  {target}, profile {facts.profile}, mode {facts.mode}", "")])
    yield Line(report.reason, first="  ", indent=4)
    cost = f"{report.requests} requests in {facts.seconds:.1f} s"
    yield Line(first=[(f"  {cost}, seed {facts.seed}, exit {report.exit_code}", "dim")])


def _known(report: RunReport, locate: Locate) -> Iterator[Line]:
    lines = [f"{item.standing}: {item.message}" for item in report.known]
    if lines:
        yield Line()
        yield Line(first=[("Known failures", "bold")])
    for line in lines[:_LISTED]:
        yield Line(line, first="  ", style="yellow", indent=4)
    if len(lines) > _LISTED:
        more = f"… and {len(lines) - _LISTED} more: see {locate(RESULTS_NAME)}"
        yield Line(more, first="  ", style="yellow")


def _shorten(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _left_behind(report: RunReport, locate: Locate) -> Iterator[Line]:
    left = report.left_behind
    if left:
        things = "1 object" if len(left) == 1 else f"{len(left)} objects"
        yield Line()
        yield Line(f"{things} left behind at the target: see {locate(RESULTS_NAME)}", style="dim", indent=2)


def _violations(report: RunReport, locate: Locate) -> Iterator[Line]:
    """Each violated clause, the worst first: some with the worst of their cases, the others in a line."""
    violated = sorted(report.violated_clauses, key=lambda row: (row.outcome.rank, row.level))
    if not violated:
        return
    yield Line()
    yield Line(first=[("What is wrong", "bold")])
    for row in violated[:_IN_FULL]:
        yield from _violation(report, row, locate)
    rest = violated[_IN_FULL:]
    for row in rest[:_IN_A_LINE]:
        style = _STYLES.get(row.outcome, _OTHER_OUTCOME)
        yield Line(_shorten(row.message), first=[(f"  {SIGNS[row.outcome]} {row.outcome} {row.id}: ", style)], indent=6)
    if len(rest) > _IN_A_LINE:
        yield Line(f"… and {len(rest) - _IN_A_LINE} more clauses: see {locate(PAGE_NAME)}", first="  ", indent=4)


def _violation(report: RunReport, row: ClauseResult, locate: Locate) -> Iterator[Line]:
    cases = [case for case in report.cases_of(row.id) if case.outcome is row.outcome]
    worst = cases[0]
    style = _STYLES.get(row.outcome, _OTHER_OUTCOME)
    yield Line(first=[(f"{SIGNS[row.outcome]} {row.outcome.upper()} {worst.case}", style)])
    # Headers and bodies are in the report; what was sent and answered is told without them.
    told = [line for line in worst.message.splitlines() if not line.startswith((" " * _TOLD_FROM, "repeat "))]
    for line in told[:_LINES]:
        name, text = (line[:_TOLD_FROM], line[_TOLD_FROM:]) if _FIELD.match(line) else ("", line)
        yield Line(_shorten(text), first=f"  {name}")
    more = f"; {len(cases) - 1} more of its cases" if len(cases) > 1 else ""
    yield Line(f"evidence, and a script that repeats it: {locate(PAGE_NAME)}{more}", first="  ", style="dim", indent=4)


def _groups(report: RunReport) -> Iterator[Line]:
    """A line for each group: how many of its clauses came to what, those that are violated by name."""
    yield Line()
    for group, rows in report.groups():
        counts = sorted(Counter(row.outcome for row in rows).items(), key=lambda item: item[0].rank)
        worst = counts[0][0]
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts)
        sign = (f" {SIGNS[worst]} ", _STYLES.get(worst, _OTHER_OUTCOME))
        yield Line(f"{told}  {GROUPS[group]}", first=[(f"{group:<12}", "bold"), sign])


def _matrix(report: RunReport) -> Iterator[Line]:
    """How much was looked at, and of which clauses not every operation was shown to keep them."""
    picture = MatrixPicture(report)
    if not picture.rows:
        return
    yield Line()
    yield Line(first=[("On every operation", "bold")])
    yield Line(str(picture.looked_at), first="  ", indent=4, style="dim")
    whole = sum(held == among for held, among in picture.clauses.values())
    yield Line(f"{whole} of {len(picture.clauses)} clauses on all of their operations", first="  ", indent=4)
    together: dict[int, list[str]] = {}
    for clause, (held, among) in picture.clauses.items():
        if held == among:
            together.setdefault(among, []).append(clause)
    for among, clauses in sorted(together.items(), reverse=True):
        yield Line("  ".join(clauses), first=f"  {among} of {among}  ", indent=12, style="dim")
    parts = [f"{clause} {held} of {among}" for clause, (held, among) in picture.clauses.items() if held < among]
    if parts:
        more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
        yield Line("; ".join(parts[:_LISTED]) + more, first="  ", indent=4)


def _unproven(report: RunReport, locate: Locate) -> Iterator[Line]:
    """What is unproven, and why: clauses with one cause stand together."""
    causes = find_causes(report, (row for row in report.unproven_clauses if row.cases))
    outcomes = {row.id: row.outcome for row in report.results}
    without_case = sum(not row.cases for row in report.results)
    if causes or without_case:
        yield Line()
        yield Line(first=[("Unproven, and why", "bold")])
    # Where something is wrong, that needs the room; else it is all there is to be told.
    failed = any(row.outcome is Outcome.FAIL for row in report.results)
    many = len(report.violated_clauses) > _IN_FULL + _IN_A_LINE
    most = _CAUSES_BESIDE_MANY if many else _CAUSES
    shown, named = (most, _NAMED) if failed else (len(causes), len(report.results))
    for cause in causes[:shown]:
        yield Line(f"{outcomes[cause.clauses[0]]}: {_shorten(cause.says)}", first="  ", indent=4)
        more = f"  and {len(cause.clauses) - named} more" if len(cause.clauses) > named else ""
        yield Line("  ".join(cause.clauses[:named]) + more, first="      ", style="dim", indent=8)
    if len(causes) > shown:
        rest = sum(len(cause.clauses) for cause in causes[shown:])
        yield Line(f"… and {rest} more clauses: see {locate(PAGE_NAME)}", first="  ", indent=4)
    if without_case:
        text = f"not-run: {without_case} clauses of which no case was run"
        yield Line(text, first="  ", indent=4)
