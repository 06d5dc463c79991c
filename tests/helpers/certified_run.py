"""A run that reaches every level, made up, and the suite that would have made it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import replace

from paylera_conformance.model.case_results import CaseResult, PassedTime
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunFacts
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
    )


def case_of(clause: str, name: str, **members: Any) -> CaseResult:
    """A case that passed, with what it sent."""
    time_evidence: PassedTime = "wall clock" if BY_ID[clause].needs_time else ""
    passed = CaseResult(
        clause, name, Outcome.PASS, planned=len(CASES), requests=1, exchanges=(evidence(),), time_evidence=time_evidence
    )
    return replace(passed, **members)


def all_cases() -> list[CaseResult]:
    """Every case of every clause."""
    return [case_of(clause.id, name) for clause in CLAUSES for name in CASES]


def facts_of(profile: Profile = Profile.GUIDE, **members: Any) -> RunFacts:
    """What a run was told that reaches every level of its profile."""
    given: dict[str, Any] = {"run_id": "run1", "target": URL, "environment": Environment.SANDBOX, "profile": profile}
    given |= {"readings": readings_for(profile), "mode": "full", "driver": "static", "suite_version": "1.0"}
    given |= {"suite_sha256": "5" * 64, "started_at": ENDED, "ended_at": ENDED, "seconds": 1.0, "strict": False}
    given |= {"seed": 7, "contract_version": CONTRACT_VERSION, "selection": (), "trouble": "", "origins": (URL,)}
    return RunFacts(**{**given, **members})
