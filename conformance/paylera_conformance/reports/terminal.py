"""The terminal summary of a run: the verdict with its reasons, and every clause, group by group."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final, Protocol

from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.reports.model import SIGNS, RunReport, because, left_behind, reasons, unproven
from paylera_conformance.reports.page import PAGE_NAME
from paylera_fixtures.clauses import BY_ID, GROUPS, Level

_COLOURS: Final = {
    Outcome.PASS: {"green": True},
    Outcome.FAIL: {"red": True, "bold": True},
    Outcome.ERROR: {"red": True},
    Outcome.UNOBSERVABLE: {"light": True},
}
_OTHER_COLOUR: Final = {"yellow": True}

_VERDICT_COLOURS: Final = {
    Verdict.CONFORMANT: {"green": True, "bold": True},
    Verdict.WITH_FINDINGS: {"green": True, "bold": True},
    Verdict.WITH_KNOWN_FINDINGS: {"yellow": True, "bold": True},
    Verdict.KNOWN_FAILURES_ONLY: {"yellow": True, "bold": True},
    Verdict.PENDING: {"yellow": True, "bold": True},
    Verdict.NOT_FULLY_VERIFIED: {"yellow": True, "bold": True},
    Verdict.NON_CONFORMANT: {"red": True, "bold": True},
    Verdict.NO_VERDICT: {"red": True, "bold": True},
}
_WIDTH: Final = 80
_FAILURES_SHOWN: Final = 12


class Terminal(Protocol):
    """What the summary needs of pytest's terminal reporter."""

    def write(self, content: str, **markup: bool) -> None:
        """Write without a line break."""

    def write_line(self, line: str, **markup: bool) -> None:
        """Write a line."""


def print_summary(report: RunReport, terminal: Terminal) -> None:
    """Print the whole summary."""
    terminal.write_line("")
    for finding in report.facts.findings:
        if finding.text != report.facts.trouble:
            terminal.write_line(_wrapped(f"{finding.label}: {finding.text}", ""), yellow=True)
    if report.facts.trouble:
        _print_verdict(report, terminal)
        return
    _print_messages(report, terminal)
    _print_groups(report.results, terminal)
    _print_open(report, terminal)
    _print_known(report, terminal)
    _print_left_behind(report, terminal)
    _print_verdict(report, terminal)


def _print_messages(report: RunReport, terminal: Terminal) -> None:
    """The evidence of each violated clause: its worst case in full, and how many more there are."""
    told = [result for result in report.results if result.outcome in {Outcome.FAIL, Outcome.WARN, Outcome.ERROR}]
    for result in told[:_FAILURES_SHOWN]:
        sign, colour = _signed(result.outcome)
        cases = [case for case in report.cases_of(result.id) if case.outcome is result.outcome]
        terminal.write_line(f"{sign} {result.outcome.upper()} {cases[0].case}", **colour)
        for line in cases[0].message.splitlines():
            terminal.write_line(f"  {line}")
        if len(cases) > 1:
            terminal.write_line(f"  and {len(cases) - 1} more of its cases: see {PAGE_NAME} (--report DIR)")
        terminal.write_line("")
    if len(told) > _FAILURES_SHOWN:
        terminal.write_line(f"… and {len(told) - _FAILURES_SHOWN} more clauses: see {PAGE_NAME} (--report DIR)\n")


def _print_groups(results: Iterable[ClauseResult], terminal: Terminal) -> None:
    results = list(results)
    for group, title in GROUPS.items():
        rows = [result for result in results if BY_ID[result.id].group == group]
        if not rows:
            continue
        terminal.write(f"{group:<12}", bold=True)
        terminal.write_line(f" {title}", light=True)
        for outcome in reversed(Outcome):
            for level in Level:
                _print_rows([row for row in rows if (row.outcome, row.level) == (outcome, level)], terminal)


def _print_rows(rows: list[ClauseResult], terminal: Terminal) -> None:
    """The clauses of one outcome and level, several to a line; what passed needs no word."""
    if not rows:
        return
    outcome = rows[0].outcome
    sign, colour = _signed(outcome)
    word = "" if outcome is Outcome.PASS else f"{outcome} ({rows[0].level}): "
    names = word + "  ".join(row.id.partition(".")[2] for row in rows)
    for number, line in enumerate(textwrap.wrap(names, _WIDTH - 6, break_on_hyphens=False)):
        terminal.write(f"  {sign if number == 0 else ' '} ", **colour)
        terminal.write_line(line, **({} if outcome is Outcome.PASS else colour))


def _print_open(report: RunReport, terminal: Terminal) -> None:
    """What is unproven, and why: clauses with one reason stand together."""
    told = reasons(result for result in unproven(report) if result.cases)
    untouched = sum(not result.cases for result in report.results)
    if not told and not untouched:
        return
    terminal.write_line("")
    terminal.write_line("Unproven, and why", bold=True)
    for reason, rows in told.items():
        terminal.write_line(_wrapped(reason, "  "))
        terminal.write_line(_wrapped("  ".join(row.id for row in rows), "      "), light=True)
    if untouched:
        terminal.write_line(f"  not-run: {untouched} clauses of which no case was selected, listed above")


def _print_known(report: RunReport, terminal: Terminal) -> None:
    """Every entry of the list of known failures, and what is to be done about those that are stale."""
    if report.known:
        terminal.write_line("")
        terminal.write_line("Known failures", bold=True)
    for item in report.known:
        terminal.write_line(_wrapped(f"{item.standing}: {item.told}", "  "), yellow=True)


def _print_left_behind(report: RunReport, terminal: Terminal) -> None:
    """What the run made at the target and could not remove: somebody may want to."""
    left = left_behind(report)
    if left:
        terminal.write_line("")
        terminal.write_line("Left behind at the target", bold=True)
    for name in left:
        terminal.write_line(_wrapped(name, "  "), light=True)


def _print_verdict(report: RunReport, terminal: Terminal) -> None:
    facts = report.facts
    terminal.write_line("")
    terminal.write(f"{report.verdict}", **_VERDICT_COLOURS[report.verdict])
    terminal.write_line(f"  {facts.target}, profile {facts.profile}, mode {facts.mode}")
    terminal.write_line(_wrapped(facts.trouble or because(report), "  "))
    cost = f"{report.scoreboard.requests} requests in {facts.seconds:.1f} s"
    terminal.write_line(f"  {cost}, seed {facts.seed}, exit {report.exit_code}", light=True)


def _signed(outcome: Outcome) -> tuple[str, dict[str, bool]]:
    """The sign of an outcome and its colour; the word stands beside every sign but a pass's."""
    return SIGNS[outcome], _COLOURS.get(outcome, _OTHER_COLOUR)


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
