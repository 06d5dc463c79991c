"""`summary.md`: what a reader of a pull request must know, for the summary of a CI step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from paylera_conformance.model.outcomes import ClauseResult, Outcome
from paylera_conformance.reports.model import RunReport, group_of, left_behind, reasons, unproven
from paylera_fixtures.clauses import BY_ID, GROUPS, Level

SUMMARY_NAME: Final = "summary.md"
_SHOWN: Final = 30
"""Violations shown in full: a step's summary may hold 1 MiB."""

_ACTIVE: Final = re.compile(r"[\\`*_{}\[\]()<>#+!|~&-]")
"""What could mean something in Markdown."""

_COLUMNS: Final[tuple[tuple[str, frozenset[Outcome]], ...]] = (
    ("pass", frozenset({Outcome.PASS})),
    ("fail", frozenset({Outcome.FAIL})),
    ("warn", frozenset({Outcome.WARN})),
    ("pending", frozenset({Outcome.PENDING})),
    ("unproven", frozenset(Outcome) - {Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.PENDING}),
)


def summary_markdown(report: RunReport) -> str:
    """The page."""
    sections = (_head, _groups, _violations, _open, _known, _left, _foot)
    return "\n".join(line for section in sections for line in section(report)) + "\n"


def plain(text: str) -> str:
    """Text of a target's, with nothing in it that Markdown would act upon."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def fenced(text: str) -> str:
    """Text as it is, in a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _head(report: RunReport) -> Iterator[str]:
    facts = report.facts
    yield f"## Paylera conformance: {report.verdict}"
    yield ""
    yield f"{plain(facts.target)}, profile **{facts.profile}**, mode {facts.mode}, exit code {report.exit_code}"
    if facts.trouble:
        yield f"\n> {plain(facts.trouble)}"
    for finding in facts.findings:
        if finding.text != facts.trouble:
            yield f"\n> **{finding.label}** {plain(finding.text)}"
    yield ""


def _groups(report: RunReport) -> Iterator[str]:
    yield "Clauses by group, each number `must` / `should`:\n"
    yield "| group | " + " | ".join(name for name, _ in _COLUMNS) + " |"
    yield "|---|" + "---|" * len(_COLUMNS)
    for group in GROUPS:
        rows = [result for result in report.results if group_of(result) == group]
        if rows:
            yield f"| {group} | " + " | ".join(_count(rows, outcomes) for _, outcomes in _COLUMNS) + " |"
    yield f"| **all** | {' | '.join(_count(report.results, outcomes) for _, outcomes in _COLUMNS)} |"
    yield ""


def _count(rows: list[ClauseResult], outcomes: frozenset[Outcome]) -> str:
    musts, shoulds = (
        sum(row.outcome in outcomes and row.level is level for row in rows) for level in (Level.MUST, Level.SHOULD)
    )
    return f"{musts} / {shoulds}" if musts or shoulds else ""


def _violations(report: RunReport) -> Iterator[str]:
    told = [row for row in report.results if row.outcome in {Outcome.FAIL, Outcome.WARN, Outcome.ERROR}]
    if not told:
        return
    yield "### What is wrong"
    yield ""
    for row in sorted(told, key=lambda row: row.outcome.rank)[:_SHOWN]:
        case = report.cases_of(row.id)[0]
        title = f"<b>{row.outcome}</b> ({row.level}) <code>{row.id}</code>: {plain(row.message)}"
        yield f"<details><summary>{title}</summary>"
        yield f"\n{plain(BY_ID[row.id].says)}\n"
        yield fenced(case.message)
        yield "\n</details>\n"
    if len(told) > _SHOWN:
        yield f"… and {len(told) - _SHOWN} more: see report.html.\n"


def _open(report: RunReport) -> Iterator[str]:
    rows = unproven(report)
    if not rows:
        return
    yield f"<details><summary>{len(rows)} clauses of which nothing was shown, and why</summary>\n"
    for reason, together in reasons(rows).items():
        yield f"- {plain(reason)}: " + ", ".join(f"`{row.id}`" for row in together)
    yield "\n</details>\n"


def _known(report: RunReport) -> Iterator[str]:
    if report.known:
        yield "### Known failures\n"
    for item in report.known:
        yield f"- **{item.standing}** {plain(item.told)}"
    if report.known:
        yield ""


def _left(report: RunReport) -> Iterator[str]:
    left = left_behind(report)
    if left:
        yield "### Left behind at the target\n"
        yield from (f"- {plain(name)}" for name in left)
        yield ""


def _foot(report: RunReport) -> Iterator[str]:
    facts = report.facts
    cost = f"{report.scoreboard.requests} requests in {facts.seconds:.1f} s, seed {facts.seed}"
    left = f", cases left out by {plain(' '.join(facts.selection))}" if facts.selection else ""
    yield f"<sub>Run {plain(facts.run_id)}, {facts.ended_at}, {cost}{left}. Suite {facts.suite_version}, contract"
    yield f"{facts.contract_version}.</sub>"
