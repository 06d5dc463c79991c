"""The terminal summary of a run: the verdict with its reasons, and every clause, group by group."""

from __future__ import annotations

import textwrap
from io import StringIO
from typing import Final

import pytest
from rich.console import Console
from rich.text import Text

from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.reports.model import PAGE_NAME, SIGNS, RunReport, group_by_reason
from paylera_fixtures.clauses import GROUPS, Level

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
_PIPED_WIDTH: Final = 80


def print_summary(report: RunReport, terminal: pytest.TerminalReporter) -> None:
    """Print the summary of a run where pytest prints: as wide as a terminal is, and in colour where pytest has any."""
    writer = terminal.config.get_terminal_writer()
    width = writer.fullwidth if terminal.isatty else _PIPED_WIDTH
    text = StringIO()
    Summary(report, Console(file=text, width=width, force_terminal=writer.hasmarkup)).print()
    # Line by line: where the output cannot show a character, pytest escapes all of what it was given at once.
    for line in text.getvalue().split("\n")[:-1]:
        terminal.write_line(line)


class Summary:
    """Writes the summary of a run to a console, at the console's width.

    Every line is a `Text`, so that no bracket in what a target said is taken for rich's markup.
    """

    def __init__(self, report: RunReport, console: Console) -> None:
        self._report = report
        self._console = console

    def print(self) -> None:
        """Print the whole summary."""
        report = self._report
        self._line()
        for finding in report.facts.other_findings:
            self._wrapped(f"{finding.label}: {finding.text}", style="yellow")
        if not report.facts.trouble:
            self._violations()
            self._groups()
            self._unproven()
            self._section("Known failures", [f"{item.standing}: {item.message}" for item in report.known], "yellow")
            self._section("Left behind at the target", report.left_behind, "dim")
        self._verdict()

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def _wrapped(self, text: str, indent: str = "", style: str = "") -> None:
        """Text whose further lines stand two columns further in; a long word, as a URL is, stays whole."""
        lines = textwrap.fill(
            text,
            self._console.width,
            initial_indent=indent,
            subsequent_indent=indent + "  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        self._line((lines, style))

    def _section(self, title: str, lines: list[str], style: str) -> None:
        if lines:
            self._line()
            self._line((title, "bold"))
        for line in lines:
            self._wrapped(line, "  ", style)

    def _violations(self) -> None:
        """The evidence of each violated clause: its worst case in full, and how many more there are."""
        violated = self._report.violated_clauses
        for row in violated[:_FAILURES_SHOWN]:
            cases = [case for case in self._report.cases_of(row.id) if case.outcome is row.outcome]
            title = f"{SIGNS[row.outcome]} {row.outcome.upper()} {cases[0].case}"
            self._line((title, _STYLES.get(row.outcome, _OTHER_OUTCOME)))
            for line in cases[0].message.splitlines():
                self._line(f"  {line}")
            if len(cases) > 1:
                self._wrapped(f"and {len(cases) - 1} more of its cases: see {PAGE_NAME} (--report DIR)", "  ")
            self._line()
        if len(violated) > _FAILURES_SHOWN:
            self._wrapped(f"… and {len(violated) - _FAILURES_SHOWN} more clauses: see {PAGE_NAME} (--report DIR)")
            self._line()

    def _groups(self) -> None:
        for group, rows in self._report.groups():
            self._line((f"{group:<12}", "bold"), (f" {GROUPS[group]}", "dim"))
            for outcome in reversed(Outcome):
                for level in Level:
                    self._clauses(outcome, level, [row for row in rows if (row.outcome, row.level) == (outcome, level)])

    def _clauses(self, outcome: Outcome, level: Level, rows: list[ClauseResult]) -> None:
        """The clauses of one outcome and level, several to a line; what passed needs no word."""
        passed = outcome is Outcome.PASS
        style = _STYLES.get(outcome, _OTHER_OUTCOME)
        names = "  ".join(row.id.partition(".")[2] for row in rows)
        text = names if passed or not rows else f"{outcome} ({level}): {names}"
        for number, line in enumerate(textwrap.wrap(text, self._console.width - 6, break_on_hyphens=False)):
            self._line((f"  {SIGNS[outcome] if number == 0 else ' '} ", style), (line, "" if passed else style))

    def _unproven(self) -> None:
        """What is unproven, and why: clauses with one reason stand together."""
        by_reason = group_by_reason(row for row in self._report.unproven_clauses if row.cases)
        untouched = sum(not row.cases for row in self._report.results)
        if by_reason or untouched:
            self._line()
            self._line(("Unproven, and why", "bold"))
        for reason, rows in by_reason.items():
            self._wrapped(reason, "  ")
            self._wrapped("  ".join(row.id for row in rows), "      ", "dim")
        if untouched:
            self._wrapped(f"not-run: {untouched} clauses of which no case was selected, listed above", "  ")

    def _verdict(self) -> None:
        report, facts = self._report, self._report.facts
        self._line()
        style = _STYLES.get(report.verdict, _OTHER_VERDICT)
        self._line((str(report.verdict), style), f"  {facts.target}, profile {facts.profile}, mode {facts.mode}")
        self._wrapped(report.reason, "  ")
        cost = f"{report.requests} requests in {facts.seconds:.1f} s"
        self._line((f"  {cost}, seed {facts.seed}, exit {report.exit_code}", "dim"))
