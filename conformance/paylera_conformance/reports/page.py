"""`report.html`: one file that loads nothing, for people: filters, and what was sent, wanted and got side by side.

What did not pass stands in the page as text, and before all else. The evidence is compressed JSON, each exchange once,
which the page's script draws when a case is opened.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.reports.causes import main_causes
from paylera_conformance.reports.evidence import packed_evidence
from paylera_conformance.reports.frame import render
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import SIGNS, RunReport
from paylera_conformance.reports.repeat import Scripts
from paylera_conformance.reports.results import RESULTS_NAME
from paylera_fixtures.clauses import BY_ID, GROUPS

_TONES: Final = dict.fromkeys(Outcome, "open") | {
    Outcome.PASS: "good",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "bad",
    Outcome.PENDING: "later",
    Outcome.UNOBSERVABLE: "none",
}
"""The colour of each outcome, by its name in the style sheet; the word always stands beside it."""

_VERDICT_TONES: Final = {
    Verdict.CONFORMANT: "good",
    Verdict.WITH_FINDINGS: "good",
    Verdict.PENDING: "later",
    Verdict.NON_CONFORMANT: "bad",
    Verdict.NO_VERDICT: "bad",
}
_OPERATIONS: Final = re.compile(r"^(on \d+ of \d+ operations) \([^:]*\)(?=: )")
_LEFT_SHOWN: Final = 5
"""So many of the things that were left behind are named."""


def page(report: RunReport, scripts: Scripts) -> str:
    """The page. `scripts`: those that repeat violations."""
    facts = report.facts
    notes = [(finding.label, finding.text, "open") for finding in facts.other_findings]
    notes += [(f"known: {item.standing}", item.message, "open") for item in report.known]
    left = report.left_behind
    more = f" and {len(left) - _LEFT_SHOWN} more, see {RESULTS_NAME}" if len(left) > _LEFT_SHOWN else ""
    notes += [("left behind", f"{len(left)} objects: {'; '.join(left[:_LEFT_SHOWN])}{more}", "none")] * bool(left)
    matrix, wrong = MatrixPicture(report), report.violated_clauses
    return render(
        "report.html.j2",
        styles=["report.css"],
        script="report.js",
        report=report,
        causes=main_causes(report),
        verdict_tone=_VERDICT_TONES.get(report.verdict, "open"),
        facts=_facts_by_name(report),
        notes=notes,
        signs=SIGNS,
        tone=_TONES,
        outcomes=_count_outcomes(report.results),
        levels=sorted(Counter(row.level for row in report.results).items()),
        matrix=matrix,
        evidence=packed_evidence(report, matrix, scripts),
        wrong=[_clause(report, row) for row in sorted(wrong, key=lambda row: (row.outcome.rank, row.level))],
        groups=[
            (
                group,
                GROUPS[group],
                _count_outcomes(rows),
                [_clause(report, row) for row in sorted(rows, key=lambda row: row.outcome.rank) if row not in wrong],
            )
            for group, rows in report.groups()
        ],
    )


def _facts_by_name(report: RunReport) -> dict[str, str]:
    facts = report.facts
    started, ended = (text[:19].replace("T", " ") or "unknown" for text in (facts.started_at, facts.ended_at))
    named = {
        "Profile": f"{facts.profile}, strict" if facts.strict else str(facts.profile),
        "Readings": ", ".join(f"{name} = {value}" for name, value in facts.readings.items()),
        "Environment": str(facts.environment),
        "Mode, driver": f"{facts.mode}, {facts.driver}",
        "Time (UTC)": f"{started} to {ended}",
        "Cost": f"{report.requests} requests, {facts.seconds:.1f} s",
        "Run, seed": f"{facts.run_id}, {facts.seed}",
        "Suite, contract": f"{facts.suite_version}, {facts.contract_version}",
        "Exit code": str(report.exit_code),
    }
    return named | ({"Cases left out by": " ".join(facts.selection)} if facts.selection else {})


def _count_outcomes(results: Iterable[ClauseResult]) -> list[tuple[Outcome, int]]:
    counts = Counter(result.outcome for result in results)
    return sorted(counts.items(), key=lambda item: item[0].rank)


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    clause, cases = BY_ID[result.id], report.cases_of(result.id)
    return {
        "result": result,
        "told": _OPERATIONS.sub(r"\1", result.message),  # in the one line that there is at first
        "clause": clause,
        "time_evidence": report.time_evidence(result.id),
        "cases": cases,
    }
