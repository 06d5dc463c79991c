"""Cases in which a changed request stands between accepted ones and time is moved, at a hostile target."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from helpers.report_cases import EVIL, case_of
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import AnswerRecord, CredentialNote, ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.model.tokens import TokenState
from paylera_fixtures.vocabulary import Audience, Environment

BODY: Final = '{"email": "ada-3f9c@example.com", "name": "Ada", "lines": [{"quantity": "7"}]}'
GET: Final[dict[str, Any]] = {"method": "GET", "body": None}


def sent(second: float = 0, status: int = 200, *, by: str | None = "good #1111", **members: Any) -> ExchangeRecord:
    """A request by a token, and its answer; `second` of the minute by the suite's clock."""
    headers = {
        "User-Agent": "okhttp/5.1.0",
        "Authorization": f"Bearer ‹{by}›" if by else None,
        **members.pop("headers", {}),
    }
    record = ExchangeRecord(
        method="POST",
        url="http://target.test/v1/customers",
        role=f"‹{by}›" if by else None,
        headers=tuple((name, value) for name, value in headers.items() if value is not None),
        body=BODY,
        answer=AnswerRecord(status, (("X-Evil", EVIL),), EVIL),
        at=f"2026-11-24T10:00:{second:06.3f}+00:00",
        seconds=0.01,
    )
    return replace(record, **members)


def move(second: float, seconds: float = 86401, **members: Any) -> ExchangeRecord:
    """A move of the target's clock."""
    url = "http://target.test/_mock/clock/advance"
    answer = AnswerRecord(200, (), '{"now": "2026-11-25T10:00:01+00:00"}')
    given = {"url": url, "by": None, "body": f'{{"seconds": {seconds}}}', "answer": answer} | members
    return sent(second, **given)


def rotated_case(**members: Any) -> CaseResult:
    """An old secret that is accepted a day later, where its successor is before and after it."""
    then: dict[str, Any] = {"target_time": "2026-11-25T10:00:02+00:00", **GET}
    hostile = {"url": f"http://target.test/v1/customers?q={EVIL}", **then}
    exchanges = (
        sent(1, by="old #2222", target_time="2026-11-24T10:00:01+00:00", **GET),
        sent(3, by="new #3333", **hostile),
        sent(4, by="old #2222", deciding=True, curl="curl -i http://target.test", **hostile),
        sent(5, by="new #3333", **hostile),
    )
    notes = tuple(
        CredentialNote(
            label=f"‹{name}›",
            audience=Audience.SERVICE,
            scopes=("customers:read",),
            aal=1,
            environment=Environment.SANDBOX,
            state=TokenState.ACTIVE,
            id="tok_1",
        )
        for name in ("new #3333", "old #2222")
    )
    kept: dict[str, Any] = {"exchanges": exchanges, "control_calls": (move(2),), "credentials": notes}
    kept |= {"time_evidence": "moved clock", **members}
    return case_of("rotation.grace-ends", Outcome.FAIL, **kept)


def mismatched_case(**members: Any) -> CaseResult:
    """Another body that is accepted under a used key."""
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "sub-create:ada"}}
    other = BODY.replace('"Ada"', '"ada"')
    exchanges = (sent(1, 201, **key), sent(2, 201, body=other, deciding=True, **key))
    return case_of("idempotency.body-mismatch", Outcome.WARN, **{"exchanges": exchanges, **members})
