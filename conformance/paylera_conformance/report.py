"""Writes what a run found: `results.json`, whole whatever happened."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paylera_conformance.doctor import Finding
from paylera_conformance.known import Judged, known_to_json
from paylera_conformance.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.scoreboard import CaseResult, Scoreboard
from paylera_conformance.settings import Settings
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import BY_ID, CONTRACT_VERSION

SCHEMA: Final = 1
RESULTS_NAME: Final = "results.json"


@dataclass(frozen=True)
class RunReport:
    """A run, ended: what it was told, what came of each clause, and the verdict.

    `trouble` says why there is no verdict, where there is none; `findings` is what the doctor saw before; `known` is
    the list of known failures, each judged.
    """

    settings: Settings
    run_id: str
    verdict: Verdict
    exit_code: int
    results: list[ClauseResult]
    scoreboard: Scoreboard
    seconds: float
    trouble: str = ""
    findings: Sequence[Finding] = ()
    known: Sequence[Judged] = ()

    def cases_of(self, clause_id: str) -> list[CaseResult]:
        """The cases of a clause, the worst first."""
        return sorted(self.scoreboard.cases.get(clause_id, []), key=lambda case: case.outcome.rank)


def to_json(report: RunReport) -> dict[str, Any]:
    """The report as JSON values; no secret is in it."""
    settings = report.settings
    return {
        "schema": SCHEMA,
        "suite_version": VERSION,
        "contract_version": CONTRACT_VERSION,
        "run_id": report.run_id,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "trouble": report.trouble,
        "findings": [{"label": finding.label, "text": finding.text} for finding in report.findings],
        "profile": settings.profile.value,
        "readings": dict(settings.readings),
        "mode": str(settings.mode),
        "strict": settings.strict,
        "driver": settings.driver,
        "target": settings.url,
        "environment": settings.environment.value,
        "seed": settings.seed,
        "requests": report.scoreboard.requests,
        "seconds": round(report.seconds, 3),
        "known_failures": known_to_json(report.known),
        "clauses": [_clause(report, result) for result in report.results],
    }


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    clause = BY_ID[result.id]
    return {
        "id": result.id,
        "outcome": result.outcome.value,
        "level": result.level.value,
        "message": result.message,
        "source": clause.source.value,
        "section": clause.section,
        "says": clause.says,
        "cases": [_case(case) for case in report.cases_of(result.id)],
    }


def _case(case: CaseResult) -> dict[str, Any]:
    members = {"case": case.case, "outcome": case.outcome.value, "message": case.message, "requests": case.requests}
    return {**members, "dropped": True} if case.dropped else members


def write_report(report: RunReport, directory: str) -> Path:
    """Write `results.json` into a directory, made if need be, all at once or not at all."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULTS_NAME
    draft = folder / f".{RESULTS_NAME}.{os.getpid()}"
    draft.write_text(json.dumps(to_json(report), indent=2, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(path)
    return path


def unproven(report: RunReport) -> list[ClauseResult]:
    """The clauses of which nothing was shown, whether bar or not."""
    proven = {Outcome.PASS, Outcome.WARN, Outcome.FAIL}
    return [result for result in report.results if result.outcome not in proven]
