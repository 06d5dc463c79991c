"""A run that reaches every level, made up, and the suite that would have made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from msgspec.structs import replace

from paylera_conformance.certificate.levels import WALL_CLOCK, Suite
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_fixtures.clauses import BY_ID, CLAUSES, CONTRACT_VERSION
from paylera_fixtures.vocabulary import Environment, Profile, readings_for

URL: Final = "https://api.example"
NOW: Final = datetime(2026, 6, 15, 12, tzinfo=UTC)
ENDED: Final = "2026-06-15T11:00:00+00:00"
CASES: Final = ("test_one", "test_two[a]")
"""The cases that each clause of the made-up suite has."""


def evidence(url: str = URL) -> ExchangeRecord:
    """One exchange, as a raw run keeps it."""
    return ExchangeRecord(
        method="GET",
        url=f"{url}/v1/customers",
        role=None,
        headers=(),
        body=None,
        answer=AnswerRecord(401, (), "{}"),
        at=ENDED,
        seconds=0.0,
        curl="",
    )


def case_of(clause: str, name: str, **members: Any) -> CaseResult:
    """A case that passed, with what it sent."""
    time_evidence = WALL_CLOCK if BY_ID[clause].needs_time else ""
    passed = CaseResult(
        clause, name, Outcome.PASS, planned=len(CASES), requests=1, exchanges=(evidence(),), time_evidence=time_evidence
    )
    return replace(passed, **members)


def all_cases() -> list[CaseResult]:
    """Every case of every clause."""
    return [case_of(clause.id, name) for clause in CLAUSES for name in CASES]


def facts_of(profile: Profile = Profile.GUIDE, **members: Any) -> RunFacts:
    """What a run was told that reaches every level of its profile."""
    facts = RunFacts(
        run_id="run1", target=URL, environment=Environment.SANDBOX, profile=profile, readings=readings_for(profile),
        mode="full", driver="static", strict=False, seed=7, suite_version="1.0", suite_sha256="5" * 64,
        contract_version=CONTRACT_VERSION, started_at=ENDED, ended_at=ENDED, seconds=1.0, selection=(),
        trouble="",
    )  # fmt: skip
    return replace(facts, **members)


@pytest.fixture
def suite() -> Suite:
    """The suite that made the run, with its plan."""
    plan = {clause.id: frozenset(CASES) for clause in CLAUSES}
    return Suite(plan, "1.0", "5" * 64, CONTRACT_VERSION, "c" * 64)


@pytest.fixture
def run_of() -> Callable[..., RunReport]:
    """Makes runs: `changed` gives cases in place of those of the same name, `without` names cases that are missing.

    Further arguments are the run's facts.
    """

    def make(changed: Iterable[CaseResult] = (), without: Iterable[tuple[str, str]] = (), **facts: Any) -> RunReport:
        cases = {(case.clause, case.case): case for case in all_cases()}
        cases |= {(case.clause, case.case): case for case in changed}
        kept = [case for name, case in cases.items() if name not in set(without)]
        return report_on(facts_of(**facts), kept)

    return make


@pytest.fixture
def case() -> Callable[..., CaseResult]:
    """Makes a case: the clause, the name, and what is other than in one that passed."""
    return case_of


@pytest.fixture
def sent_to() -> Callable[[str], ExchangeRecord]:
    """Makes the record of an exchange with a base URL."""
    return evidence


@pytest.fixture
def now() -> datetime:
    """An hour after the run's end."""
    return NOW
