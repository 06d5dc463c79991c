"""The terminal summary of a run: the verdict with its reasons, and every clause, group by group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from paylera_conformance.model.outcomes import Outcome, Verdict
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import PAGE_NAME, SIGNS, RunReport, group_by_reason
from paylera_fixtures.clauses import GROUPS, Level
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
_FAILURES_SHOWN: Final = 12


def print_summary(report: RunReport, terminal: pytest.TerminalReporter) -> None:
    """Print the summary of a run where pytest prints: as wide as a terminal is, and in colour where pytest has any."""
    writer = terminal.config.get_terminal_writer()
    width = writer.fullwidth if terminal.isatty else PIPED_COLUMNS
    for text in render_lines(summary_lines(report), width=width, styled=writer.hasmarkup):
        # Line by line: where the output cannot show a character, pytest escapes all of what it was given at once.
        for line in text.split("\n"):
            terminal.write_line(line)


def summary_lines(report: RunReport) -> Iterator[Line]:
    """The whole summary, the verdict at its end."""
    facts = report.facts
    yield Line()
    for finding in facts.other_findings:
        yield Line(f"{finding.label}: {finding.text}", style="yellow", indent=2)
    if not facts.trouble:
        yield from _violations(report)
        yield from _groups(report)
        yield from _matrix(report)
        yield from _unproven(report)
        yield from _section("Known failures", [f"{item.standing}: {item.message}" for item in report.known], "yellow")
        yield from _section("Left behind at the target", report.left_behind, "dim")
    yield Line()
    verdict = (str(report.verdict), _STYLES.get(report.verdict, _OTHER_VERDICT))
    yield Line(first=[verdict, (f"  {facts.target}, profile {facts.profile}, mode {facts.mode}", "")])
    yield Line(report.reason, first="  ", indent=4)
    cost = f"{report.requests} requests in {facts.seconds:.1f} s"
    yield Line(first=[(f"  {cost}, seed {facts.seed}, exit {report.exit_code}", "dim")])


def _section(title: str, lines: list[str], style: str) -> Iterator[Line]:
    if lines:
        yield Line()
        yield Line(first=[(title, "bold")])
    for line in lines:
        yield Line(line, first="  ", style=style, indent=4)


def _violations(report: RunReport) -> Iterator[Line]:
    """The evidence of each violated clause: its worst case in full, and how many more there are."""
    violated = report.violated_clauses
    for row in violated[:_FAILURES_SHOWN]:
        cases = [case for case in report.cases_of(row.id) if case.outcome is row.outcome]
        title = f"{SIGNS[row.outcome]} {row.outcome.upper()} {cases[0].case}"
        yield Line(first=[(title, _STYLES.get(row.outcome, _OTHER_OUTCOME))])
        yield from (Line(first=f"  {line}") for line in cases[0].message.splitlines())
        if len(cases) > 1:
            yield Line(f"and {len(cases) - 1} more of its cases: see {PAGE_NAME} (--report DIR)", first="  ", indent=4)
        yield Line()
    if len(violated) > _FAILURES_SHOWN:
        yield Line(f"… and {len(violated) - _FAILURES_SHOWN} more clauses: see {PAGE_NAME} (--report DIR)", indent=2)
        yield Line()


def _groups(report: RunReport) -> Iterator[Line]:
    """Every clause under its group, several of one outcome and level to a line; what passed needs no word."""
    for group, rows in report.groups():
        yield Line(GROUPS[group], first=[(f"{group:<12} ", "bold")], style="dim")
        for outcome in reversed(Outcome):
            style = _STYLES.get(outcome, _OTHER_OUTCOME)
            for level in Level:
                names = "  ".join(
                    row.id.partition(".")[2] for row in rows if (row.outcome, row.level) == (outcome, level)
                )
                if names and outcome is Outcome.PASS:
                    yield Line(names, first=[(f"  {SIGNS[outcome]} ", style)])
                elif names:
                    yield Line(f"{outcome} ({level}): {names}", first=[(f"  {SIGNS[outcome]} ", style)], style=style)


def _matrix(report: RunReport) -> Iterator[Line]:
    """How much was looked at, and on how many operations each rule was."""
    picture = MatrixPicture(report)
    if picture.rows:
        yield Line()
        yield Line(first=[("On every operation", "bold")])
        yield Line(str(picture.looked_at), first="  ", indent=4, style="dim")
        yield Line("; ".join(picture.sentences()), first="  ", indent=4)


def _unproven(report: RunReport) -> Iterator[Line]:
    """What is unproven, and why: clauses with one reason stand together."""
    by_reason = group_by_reason(row for row in report.unproven_clauses if row.cases)
    without_case = sum(not row.cases for row in report.results)
    if by_reason or without_case:
        yield Line()
        yield Line(first=[("Unproven, and why", "bold")])
    for reason, rows in by_reason.items():
        yield Line(reason, first="  ", indent=4)
        yield Line("  ".join(row.id for row in rows), first="      ", style="dim", indent=8)
    if without_case:
        text = f"not-run: {without_case} clauses of which no case was selected, listed above"
        yield Line(text, first="  ", indent=4)
