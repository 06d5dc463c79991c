"""Whatever is seen counts: what an accepted request shows against a clause, whichever case sent it."""

from __future__ import annotations

import pytest

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.tokens import Credential, TokenState, forge_credential
from paylera_conformance.run.contradictions import Contradictions
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Audience

SERVICE = Credential(Secret("sk_sandbox_service", "service"), id="tok_1")
ADMIN = Credential(Secret("sk_sandbox_admin", "admin"), Audience.ADMIN, id="tok_2")
CUSTOMER = Credential(Secret("sk_sandbox_customer", "customer"), Audience.CUSTOMER, id="tok_3")
REVOKED = Credential(Secret("sk_sandbox_revoked", "revoked"), state=TokenState.REVOKED)
EXPIRED = Credential(Secret("sk_sandbox_expired", "expired"), state=TokenState.EXPIRED)
LIST = Request("GET", "/v1/customers")
CREATE = Request("POST", "/v1/customers", SERVICE, key="k", body=b"{}")


def exchange(request: Request, status: int = 200, *, second: int = 0) -> Exchange:
    """A request that was answered in a minute's second."""
    at = f"2026-04-01T10:00:{second:02d}.000+00:00"
    return Exchange(request, f"http://target.test{request.path}", (), Response(status, ()), at=at, seconds=0.1)


def found(*exchanges: Exchange) -> list[str]:
    """The clauses that exchanges violate."""
    return [clause for clause, _ in Contradictions().find(exchanges)]


WRONG = {
    "no credential": (LIST, "credential.missing"),
    "a forgery": (LIST.by(forge_credential("sk_sandbox_forged", "forged")), "token.unknown"),
    "a revoked token": (LIST.by(REVOKED), "token.revoked"),
    "an expired secret": (LIST.by(EXPIRED), "rotation.grace-ends"),
    "a service on the Admin API": (Request("GET", "/v1/admin/actors", SERVICE), "audience.admin-api-needs-admin"),
    "a customer who writes": (CREATE.by(CUSTOMER), "audience.customer-cannot-write"),
    "no key": (CREATE.with_key(None), "idempotency.required"),
}


@pytest.mark.parametrize(("request_", "clause"), WRONG.values(), ids=WRONG)
def test_acceptance_of_what_must_be_refused_is_a_violation(request_: Request, clause: str) -> None:
    """Whatever it was sent for."""
    assert found(exchange(request_)) == [clause]


@pytest.mark.parametrize("request_", [row[0] for row in WRONG.values()], ids=WRONG)
def test_refusal_is_none(request_: Request) -> None:
    """That is what was to come."""
    assert found(exchange(request_, 401)) == []


RIGHT = {
    "a service": LIST.by(SERVICE),
    "a write": CREATE,
    "an admin": Request("GET", "/v1/admin/actors", ADMIN),
    "a customer who reads": LIST.by(CUSTOMER),
    "a token in the query": LIST.at("/v1/customers?access_token=sk_sandbox_service"),
    "no operation": Request("GET", "/openapi/v1.json"),
}


@pytest.mark.parametrize("request_", RIGHT.values(), ids=RIGHT)
def test_acceptance_of_what_may_be_accepted_is_none(request_: Request) -> None:
    """And a token elsewhere than in its header is another clause's business."""
    assert found(exchange(request_)) == []


REVOCATION = Request("DELETE", "/v1/admin/api-tokens/tok_1", ADMIN)


def test_token_that_works_after_its_revocation_is_a_violation() -> None:
    """The evidence of one case holds against the clause of another."""
    used, revoked, again = exchange(LIST.by(SERVICE)), exchange(REVOCATION, 204, second=1), LIST.by(SERVICE)
    assert found(used, revoked, exchange(again, second=2)) == ["revocation.immediate"]


def test_use_that_began_before_the_revocation_was_answered_is_none() -> None:
    """Two requests that were under way at once have no order."""
    assert found(exchange(REVOCATION, 204, second=1), exchange(LIST.by(SERVICE), second=1)) == []


def test_revocation_that_was_refused_ends_nothing() -> None:
    """Its token works on."""
    assert found(exchange(REVOCATION, 403), exchange(LIST.by(SERVICE), second=5)) == []


def test_revocation_is_remembered_from_case_to_case() -> None:
    """Listed tokens are used by many cases."""
    contradictions = Contradictions()
    assert list(contradictions.find([exchange(REVOCATION, 204)])) == []
    assert [clause for clause, _ in contradictions.find([exchange(LIST.by(SERVICE), second=9)])] == [
        "revocation.immediate"
    ]
