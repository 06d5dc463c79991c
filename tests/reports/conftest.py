"""What the tests of the reports share: a run in which every outcome occurs, and a target that writes hostile bodies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.model.outcomes import TARGET, Outcome, PreflightFinding
from paylera_conformance.reports.model import RunFacts, RunReport, report_on
from paylera_conformance.verdict.known_failures import KnownFailure
from paylera_fixtures.clauses import CONTRACT_VERSION, clauses_of
from paylera_fixtures.vocabulary import Environment, Profile, readings_for

EVIL: Final = "</script><script>evil()</script><img src=x onerror=evil()>]]>\x00\x1b[2J\u202egnp`'\"&amp;"
"""What a hostile server may write wherever it can write anything."""

FACTS: Final = RunFacts(
    run_id="run1",
    target="http://target.test",
    environment=Environment.SANDBOX,
    profile=Profile.GUIDE,
    readings=readings_for(Profile.GUIDE),
    mode="full",
    driver="static",
    strict=False,
    seed=7,
    suite_version="1.0",
    contract_version=CONTRACT_VERSION,
    started_at="2026-11-24T10:00:00+00:00",
    ended_at="2026-11-24T10:00:01+00:00",
    seconds=1.25,
    selection=("--maxfail=9",),
    findings=(PreflightFinding(TARGET, f"the target says {EVIL}"),),
    trouble="",
    known=(KnownFailure("problem.type-uri", "being mended", "https://issues.test/1", date(2099, 1, 1)),),
)

# A run in which every outcome occurs; the others pass.
SPECIAL: Final = {
    "scope.required": Outcome.FAIL,
    "token.unknown": Outcome.ERROR,
    "credential.missing": Outcome.BLOCKED,
    "audience.admin-accepted": Outcome.BLOCKED,
    "rotation.grace-ends": Outcome.PENDING,
    "revocation.immediate": Outcome.NOT_RUN,
    "aal2.required": Outcome.INAPPLICABLE,
    "acting-as.audited": Outcome.UNOBSERVABLE,
    "problem.media-type": Outcome.WARN,
    "problem.type-uri": Outcome.WARN,
}
GRADES: Final = {"rotation.grace-holds": "wall clock", "rotation.again": "moved clock", "version.echo": "moved clock"}


def exchange(status: int = 200, body: str = EVIL, *, deciding: bool = False) -> ExchangeRecord:
    """An exchange as a raw run has it."""
    return ExchangeRecord(
        method="POST",
        url=f"http://target.test/v1/customers?q={EVIL}",
        role="‹everything #3f9c›",
        headers=(("Authorization", "Bearer ‹everything #3f9c›"), ("Content-Type", "application/json")),
        body='{"name": "Ada"}',
        answer=AnswerRecord(status, (("X-Evil", EVIL), ("Content-Type", "text/html")), body),
        at="2026-11-24T10:00:00.500+00:00",
        seconds=0.0123,
        curl="curl -i http://target.test",
        deciding=deciding,
    )


def case_of(clause: str, outcome: Outcome, name: str = "", **members: Any) -> CaseResult:
    """A case with three exchanges, the second of which decided."""
    kept = (exchange(), exchange(401, deciding=True), exchange(500, '{"data": []}'))
    case = CaseResult(clause, name or f"test_it[{clause}]", outcome, requests=3, seconds=0.25, exchanges=kept)
    case = replace(case, time_evidence=GRADES.get(clause, ""))
    if outcome is Outcome.PASS:
        return replace(case, **members)
    said: dict[str, Any] = {"headline": f"{outcome} of {clause}: {EVIL}", "message": f"{clause}\ngot {EVIL}"}
    parts: dict[str, Any] = {
        "change": "no header",
        "wanted": "401 auth.missing_token",
        "got": f"200 {EVIL}",
        "hint": "look again",
    }
    return replace(case, **said, **(parts if outcome in {Outcome.FAIL, Outcome.WARN} else {}), **members)


@pytest.fixture(scope="session")
def make_report() -> Callable[..., RunReport]:
    """Makes reports of cases; further arguments replace facts of the run."""

    def make(cases: Sequence[CaseResult] = (), **facts: Any) -> RunReport:
        return report_on(replace(FACTS, **facts), cases)

    return make


@pytest.fixture(scope="session")
def make_case() -> Callable[..., CaseResult]:
    """Makes cases."""
    return case_of


@pytest.fixture(scope="session")
def special() -> Mapping[str, Outcome]:
    """What became of the clauses that did not pass in `mixed`."""
    return SPECIAL


@pytest.fixture(scope="session")
def evil() -> str:
    """What the hostile target writes."""
    return EVIL


@pytest.fixture(scope="session")
def mixed(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which every outcome occurs."""
    cases = [case_of(row.id, SPECIAL.get(row.id, Outcome.PASS)) for row in clauses_of(Profile.GUIDE)]
    dropped = case_of("scope.granted", Outcome.INAPPLICABLE, "test_it[dropped]", dropped=True)
    left = case_of("scope.granted", Outcome.PASS, "test_it[left]", left_behind=("customer cus_1",))
    return make_report([*cases, dropped, left])


@pytest.fixture(scope="session")
def green(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which everything passes."""
    cases = [case_of(row.id, Outcome.PASS) for row in clauses_of(Profile.GUIDE)]
    return make_report(cases, known=(), selection=(), findings=())


@pytest.fixture(scope="session")
def run_program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `paylera-conformance` in a folder, cut off from the settings of whoever runs the tests."""

    def run(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
        command = [sys.executable, "-m", "paylera_conformance", *arguments]
        return subprocess.run(
            command, cwd=cwd, env={**inherited, **env}, text=True, capture_output=True, timeout=120, check=False
        )

    return run


@pytest.fixture(scope="session")
def read_json() -> Callable[[Path], Any]:
    """Reads a file of JSON."""
    return lambda path: json.loads(path.read_text("utf-8"))
