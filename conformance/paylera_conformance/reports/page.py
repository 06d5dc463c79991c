"""`report.html`: one page without network, for people: filters, and what was sent, wanted and got side by side.

What did not pass stands in the page as text; all evidence beside it as JSON, which the page's script draws when asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.reports.frame import embedded, render
from paylera_conformance.reports.model import SIGNS, RunReport, because, group_of, left_behind
from paylera_fixtures.clauses import BY_ID, GROUPS

PAGE_NAME: Final = "report.html"

TONES: Final = {outcome.value: "open" for outcome in Outcome} | {
    Outcome.PASS.value: "good",
    Outcome.FAIL.value: "bad",
    Outcome.ERROR.value: "bad",
    Outcome.PENDING.value: "later",
    Outcome.UNOBSERVABLE.value: "none",
}
"""The colour of each outcome, by its name in the style sheet; the word always stands beside it."""

_VERDICT_TONES: Final = {
    Verdict.CONFORMANT: "good",
    Verdict.WITH_FINDINGS: "good",
    Verdict.PENDING: "later",
    Verdict.NON_CONFORMANT: "bad",
    Verdict.NO_VERDICT: "bad",
}


def page(report: RunReport) -> str:
    """The page."""
    return render(
        "report.html.j2", styles=["base.css", "report.css"], script="report.js", report=report, facts=report.facts,
        because=report.facts.trouble or because(report), verdict_tone=_VERDICT_TONES.get(report.verdict, "open"),
        told=_told(report), notes=_notes(report), signs={key.value: sign for key, sign in SIGNS.items()}, tone=TONES,
        outcomes=_tally(report.results), levels=sorted(Counter(row.level.value for row in report.results).items()),
        groups=[group for name in GROUPS if (group := _group(report, name))["clauses"]],
    )  # fmt: skip


def _told(report: RunReport) -> list[tuple[str, str]]:
    """The facts of the run, each with its name."""
    facts = report.facts
    rows = [
        ("Profile", f"{facts.profile}, strict" if facts.strict else str(facts.profile)),
        ("Readings", ", ".join(f"{name} = {value}" for name, value in facts.readings.items())),
        ("Environment", str(facts.environment)),
        ("Mode, driver", f"{facts.mode}, {facts.driver}"),
        ("Time (UTC)", f"{_moment(facts.started_at)} to {_moment(facts.ended_at)}"),
        ("Cost", f"{report.scoreboard.requests} requests, {facts.seconds:.1f} s"),
        ("Run, seed", f"{facts.run_id}, {facts.seed}"),
        ("Suite, contract", f"{facts.suite_version}, {facts.contract_version}"),
        ("Exit code", str(report.exit_code)),
    ]
    return rows + ([("Cases left out by", " ".join(facts.selection))] if facts.selection else [])


def _moment(text: str) -> str:
    return text[:19].replace("T", " ") or "unknown"


def _notes(report: RunReport) -> list[tuple[str, str, str]]:
    """What else its reader must know, each with a label and a tone."""
    facts = report.facts
    return [
        *((finding.label, finding.text, "open") for finding in facts.findings if finding.text != facts.trouble),
        *((f"known: {item.standing}", item.told, "open") for item in report.known),
        *(("left behind", name, "none") for name in left_behind(report)),
    ]


def _tally(results: Iterable[ClauseResult]) -> list[tuple[str, int]]:
    counts = Counter(result.outcome for result in results)
    return [(outcome.value, counts[outcome]) for outcome in Outcome if counts[outcome]]


def _group(report: RunReport, name: str) -> dict[str, Any]:
    rows = [result for result in report.results if group_of(result) == name]
    return {
        "name": name,
        "title": GROUPS[name],
        "tally": _tally(rows),
        "clauses": [_clause(report, row) for row in sorted(rows, key=lambda row: row.outcome.rank)],
    }


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    clause = BY_ID[result.id]
    cases = report.cases_of(result.id)
    said = (clause.id, clause.says, clause.section, result.message, *(case.case for case in cases))
    return {
        "id": result.id,
        "outcome": result.outcome.value,
        "level": result.level.value,
        "message": result.message,
        "says": clause.says,
        "source": clause.source.value,
        "section": clause.section,
        "time_evidence": report.time_evidence(result.id),
        "cases": len(cases),
        "words": " ".join(said).lower(),
        "evidence_text": cases[0].message if cases else "",
        "evidence": embedded([_case(case) for case in cases]),
    }


def _case(case: CaseResult) -> dict[str, Any]:
    names = ("case", "headline", "change", "wanted", "got", "hint", "dropped", "requests", "seconds", "time_evidence")
    members = {name: getattr(case, name) for name in names}
    return {**members, "outcome": case.outcome.value, "exchanges": list(case.exchanges)}
