"""`results.json`: what came of each clause, and the verdict, for programs to read."""

from __future__ import annotations

from typing import Any, Final

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ClauseResult
from paylera_conformance.reports.model import RunReport, left_behind
from paylera_conformance.verdict.known_failures import known_to_json
from paylera_fixtures.clauses import BY_ID

SCHEMA: Final = 1
RESULTS_NAME: Final = "results.json"


def to_json(report: RunReport) -> dict[str, Any]:
    """The report as JSON values, in the shape of `schema.results_schema`; no secret is in it."""
    facts = report.facts
    return {
        "schema": SCHEMA,
        "suite_version": facts.suite_version,
        "contract_version": facts.contract_version,
        "run_id": facts.run_id,
        "started_at": facts.started_at,
        "ended_at": facts.ended_at,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "trouble": facts.trouble,
        "findings": [{"label": finding.label, "text": finding.text} for finding in facts.findings],
        "left_behind": left_behind(report),
        "profile": facts.profile.value,
        "readings": dict(facts.readings),
        "mode": facts.mode,
        "strict": facts.strict,
        "driver": facts.driver,
        "target": facts.target,
        "environment": facts.environment.value,
        "selection": list(facts.selection),
        "seed": facts.seed,
        "requests": report.scoreboard.requests,
        "seconds": round(facts.seconds, 3),
        "known_failures": known_to_json(report.known),
        "clauses": [_clause(report, result) for result in report.results],
    }


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    clause = BY_ID[result.id]
    evidence = report.time_evidence(result.id)
    return {
        "id": result.id,
        "outcome": result.outcome.value,
        "level": result.level.value,
        "message": result.message,
        "source": clause.source.value,
        "section": clause.section,
        "says": clause.says,
        **({} if evidence is None else {"time_evidence": evidence}),
        "cases": [_case(case) for case in report.cases_of(result.id)],
    }


def _case(case: CaseResult) -> dict[str, Any]:
    members = {
        "case": case.case,
        "outcome": case.outcome.value,
        "message": case.message,
        "requests": case.requests,
        "seconds": case.seconds,
    }
    return {**members, "dropped": True} if case.dropped else members
