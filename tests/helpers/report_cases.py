"""What the tests of the reports share: a run in which every outcome occurs, and a target that writes hostile bodies."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from msgspec.structs import replace

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.model.outcomes import TARGET, Outcome, PreflightFinding
from paylera_conformance.reports.model import RunFacts
from paylera_conformance.verdict.known_failures import KnownFailure
from paylera_fixtures.clauses import CONTRACT_VERSION
from paylera_fixtures.vocabulary import Environment, Profile, readings_for

EVIL: Final = "</script><script>evil()</script><img src=x onerror=evil()>]]>\x00\x1b[2J\u202egnp`'\"&amp;"
"""What a hostile server may write wherever it can write anything."""

PLAIN_FACTS: Final = RunFacts(
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
    selection=(),
    trouble="",
)
"""A run of which there is nothing to say."""

FACTS: Final = replace(
    PLAIN_FACTS,
    selection=("--maxfail=9",),
    findings=(PreflightFinding(TARGET, f"the target says {EVIL}"),),
    known=(KnownFailure("problem.type-uri", "being mended", "https://issues.test/1", date(2099, 1, 1)),),
)
"""A run with all that can be said of one, part of it by a hostile target."""

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
        curl="curl -i http://target.test" if deciding else "",
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
