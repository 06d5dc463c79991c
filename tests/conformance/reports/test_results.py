"""`results.json` is what its published schema says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from helpers.suite import run_suite
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.repeat import Scripts
from paylera_conformance.reports.results import results_json, results_schema
from paylera_fixtures.clauses import CLAUSES


def errors_of(results: object) -> list[str]:
    """What the schema has against a document."""
    validator = jsonschema_rs.validator_for(results_schema(), validate_formats=True)
    return [error.message for error in validator.iter_errors(results)]


def test_schema_is_one() -> None:
    """Of draft 2020-12."""
    jsonschema_rs.meta.validate(results_schema())


@pytest.mark.parametrize("name", ["mixed", "green"])
def test_results_are_valid(request: pytest.FixtureRequest, name: str) -> None:
    """Whatever came of the run."""
    assert errors_of(results_json(request.getfixturevalue(name), Scripts())) == []


def test_results_without_a_verdict_are_valid(make_report: Callable[..., RunReport]) -> None:
    """A target that was not reached has results too."""
    assert errors_of(results_json(make_report([], trouble="no answer", trouble_exit=13), Scripts())) == []


def test_every_member_is_in_the_schema(mixed: RunReport) -> None:
    """What is written is documented."""
    assert set(results_json(mixed, Scripts())) <= set(results_schema()["properties"])


FLAWS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no-verdict": lambda results: results.pop("verdict"),
    "other-verdict": lambda results: results.update(verdict="FINE"),
    "other-outcome": lambda results: results["clauses"][0].update(outcome="fine"),
    "other-clause": lambda results: results["clauses"][0].update(id="credential.fine"),
    "other-evidence": lambda results: results["clauses"][0].update(time_evidence="fine"),
    "other-schema": lambda results: results.update(schema=2),
    "no-time": lambda results: results.update(started_at="yesterday"),
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
def test_flaw_is_seen(mixed: RunReport, flaw: Callable[[dict[str, Any]], object]) -> None:
    """The schema says more than that there is some JSON."""
    results = json.loads(json.dumps(results_json(mixed, Scripts())))
    flaw(results)
    assert errors_of(results) != []


def test_program_prints_the_schema(tmp_path: Path) -> None:
    """For whoever reads results without Python."""
    assert json.loads(run_suite(tmp_path, "schema").output) == results_schema()


EVIDENCE = {
    "rotation.grace-holds": "wall clock",
    "rotation.again": "moved clock",
    "version.echo": "moved clock",
    "rotation.grace-ends": "none",
    "scope.granted": None,
}


@pytest.mark.parametrize(("clause", "evidence"), EVIDENCE.items())
def test_time_evidence_is_told(mixed: RunReport, clause: str, evidence: str | None) -> None:
    """How time passed for a clause; `none` where one that is about time was not shown, nothing for the others."""
    row = next(row for row in results_json(mixed, Scripts())["clauses"] if row["id"] == clause)
    assert row.get("time_evidence") == evidence


def test_moved_clock_outweighs_the_wall_clock(
    make_report: Callable[..., RunReport], make_case: Callable[..., Any]
) -> None:
    """The weakest ground that a clause rests on is its grade."""
    cases = [
        make_case("rotation.again", Outcome.PASS, f"test_it[{grade}]", time_evidence=grade)
        for grade in ("wall clock", "moved clock", "")
    ]
    assert make_report(cases).time_evidence("rotation.again") == "moved clock"


def test_clause_about_time_always_has_evidence(make_report: Callable[..., RunReport]) -> None:
    """Even where nothing ran."""
    report = make_report([])
    assert {report.time_evidence(clause.id) for clause in CLAUSES if clause.needs_time} == {"none"}
