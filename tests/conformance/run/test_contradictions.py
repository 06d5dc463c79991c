"""Whatever is seen counts: what an accepted request shows against a clause, whichever case sent it."""

from __future__ import annotations

import json
from typing import Any

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
OLD, NEW, RELEASED = "2025-10-01", "2026-04-01", "2027-01-01"
LIST = Request("GET", "/v1/customers")
CREATE = Request("POST", "/v1/customers", SERVICE, key="k", body=b"{}")


USUAL = (
    ("Content-Type", "application/problem+json"),
    ("WWW-Authenticate", 'Basic realm="console", Bearer'),
    ("X-RateLimit-Limit", "1000"),
    ("X-RateLimit-Remaining", "999"),
    ("X-RateLimit-Reset", "1775037600"),
)
"""What answers have besides the version."""


def exchange(request: Request, status: int = 200, *, second: int = 0, base: str = "http://target.test") -> Exchange:
    """A request that was answered in a minute's second."""
    at, headers = f"2026-04-01T10:00:{second:02d}.000+00:00", (*USUAL, ("Paylera-Version", NEW))
    return Exchange(request, f"{base}{request.path}", (), Response(status, headers), at=at, seconds=0.1)


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


def test_exchanges_are_taken_in_the_order_of_sending() -> None:
    """A cell of the matrix has what it shares with others behind its own."""
    before, after = exchange(LIST.by(SERVICE), second=1), exchange(LIST.by(SERVICE), second=9)
    revocation = exchange(REVOCATION, 204, second=5)
    assert (found(revocation, before), found(after, revocation)) == ([], ["revocation.immediate"])


def test_token_of_another_namespace_is_another() -> None:
    """Where ids are counted, its first token has the same."""
    assert found(exchange(REVOCATION, 204), exchange(LIST.by(SERVICE), second=9, base="http://target.test/ns/2")) == []


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


def answer(
    request: Request,
    status: int = 200,
    *,
    body: bytes = b"",
    version: str = NEW,
    base: str = "http://a.test",
    headers: tuple[tuple[str, str], ...] = (),
    lacks: str = "",
) -> Exchange:
    """A request and its answer, as they went over the wire: with `headers` besides, and without `lacks`."""
    sent = (*request.headers, *([("Idempotency-Key", request.key)] if request.key else []))
    usual = {**dict(USUAL), "Paylera-Version": version, **dict(headers)}
    usual.pop(lacks, None)
    return Exchange(request, f"{base}{request.path}", sent, Response(status, tuple(usual.items()), body))


READ = LIST.by(SERVICE)
ROTATED_SERVICE = SERVICE.with_secret("sk_sandbox_rotated", "service rotated")

OTHER_VERSION = {
    "a default that moved": ([answer(READ, version=OLD), answer(READ, version=NEW)], "version.default"),
    "a pin that moved it": (
        [answer(READ.with_version(NEW), version=NEW), answer(READ, version=OLD), answer(READ, version=NEW)],
        "version.default",
    ),
    "a rotation that moved it": (
        [answer(READ, version=OLD), answer(READ.by(ROTATED_SERVICE), version=NEW)],
        "version.rotation-keeps",
    ),
    "a pin that is not heeded": (
        [answer(READ, version=OLD), answer(READ.by(ADMIN), version=NEW), answer(READ.with_version(OLD), version=NEW)],
        "version.pinned",
    ),
    "a pin that was not heeded before the version was seen": (
        [answer(READ.with_version(OLD), version=NEW), answer(READ.by(ADMIN), version=OLD)],
        "version.pinned",
    ),
}


@pytest.mark.parametrize(("exchanges", "clause"), OTHER_VERSION.values(), ids=OTHER_VERSION)
def test_another_version_than_asked_for_is_a_violation(exchanges: list[Exchange], clause: str) -> None:
    """Each answer says which version it is of."""
    assert found(*exchanges) == [clause]


ENDING = (("Deprecation", "@1775037600"), ("Sunset", "Fri, 01 Jan 2027 00:00:00 GMT"))

SAME_VERSION = {
    "announced from some day on": [
        answer(READ, version=OLD),
        answer(READ, version=OLD, headers=ENDING),
        answer(READ.by(ADMIN), version=NEW),
        answer(READ, version=OLD, base="http://b.test"),
    ],
    "announced since it was replayed": [
        answer(CREATE, 201, version=OLD),
        answer(READ, version=OLD, headers=ENDING),
        answer(CREATE, 201, version=OLD),
    ],
    "a refusal": [answer(READ, version=OLD), answer(READ, 404, version=NEW)],
    "another token": [answer(READ, version=OLD), answer(READ.by(ADMIN), version=NEW)],
    "the same secret elsewhere": [answer(READ, version=OLD), answer(READ, version=NEW, base="http://b.test")],
    "a version that is none": [answer(READ, version=NEW), answer(READ.with_version("latest"), version=NEW)],
    "a replay of a pinned request": [
        answer(CREATE, 201, version=NEW),
        answer(CREATE.with_key("other").with_version(OLD), 201, version=OLD),
        answer(CREATE.with_key("other"), 201, version=OLD),
    ],
}


@pytest.mark.parametrize("exchanges", SAME_VERSION.values(), ids=SAME_VERSION)
def test_version_that_may_be_is_none(exchanges: list[Exchange]) -> None:
    """A right server is not failed for what looks alike."""
    assert found(*exchanges) == []


LACKING = {
    "no echo": (
        [answer(READ, lacks="Paylera-Version", headers=ENDING), answer(READ, lacks="Paylera-Version")],
        "version.echo",
    ),
    "no rate": ([answer(CREATE, 201, lacks="X-RateLimit-Reset")], "rate-limit.headers"),
    "no end of an old version": (
        [answer(READ, version=OLD, headers=ENDING), answer(CREATE, 201, version=OLD, headers=ENDING[:1])],
        "version.old-announced",
    ),
}


@pytest.mark.parametrize(("exchanges", "clause"), LACKING.values(), ids=LACKING)
def test_answer_without_what_every_answer_has_is_a_violation(exchanges: list[Exchange], clause: str) -> None:
    """On whatever operation."""
    assert found(*exchanges) == [clause]


def test_version_of_another_case_is_none() -> None:
    """Each may have a target of its own, in which the same secret is another token's."""
    contradictions = Contradictions()
    assert list(contradictions.find([answer(READ, version=OLD)])) == []
    assert list(contradictions.find([answer(READ, version=NEW)])) == []


def problem(status: int, /, **members: object) -> bytes:
    """The body of an error, with some members that are other; one that is `None` is left out."""
    whole = {"type": "https://errors.test/a", "title": "A", "status": status, "problem": "auth.invalid_token"}
    return json.dumps({name: value for name, value in {**whole, **members}.items() if value is not None}).encode()


UNLIKE_A_PROBLEM = {
    "declared as JSON": ({"headers": (("Content-Type", "application/json"),)}, "problem.media-type"),
    "no challenge": ({"lacks": "WWW-Authenticate"}, "credential.challenge"),
    "a challenge of others": ({"headers": (("WWW-Authenticate", "Basic"),)}, "credential.challenge"),
    "no echo": ({"lacks": "Paylera-Version"}, "version.echo"),
}


@pytest.mark.parametrize(("members", "clause"), UNLIKE_A_PROBLEM.values(), ids=UNLIKE_A_PROBLEM)
def test_error_of_the_guide_without_its_headers_is_a_violation(members: dict[str, Any], clause: str) -> None:
    """As on a part of the API that answers by itself."""
    assert found(answer(READ, 401, body=problem(401), **members)) == [clause]


FLAWED = {
    "no type": problem(401, type=None),
    "a title that is no text": problem(401, title=7),
    "the status of another": problem(403),
    "a status in words": problem(401, status="401"),
    "a status that is true": problem(401, status=True),
}


@pytest.mark.parametrize("body", FLAWED.values(), ids=FLAWED)
def test_flawed_error_of_the_guide_is_a_violation(body: bytes) -> None:
    """Wherever it is seen, on whatever path."""
    assert found(answer(READ.at("/nowhere"), 401, body=body)) == ["problem.members"]


FLAWLESS = {
    "whole": answer(READ, 401, body=problem(401)),
    "another code": answer(READ, 404, body=b'{"problem": "route.not_found"}'),
    "to HEAD": answer(Request("HEAD", "/v1/customers"), 401, body=problem(403)),
    "no JSON": answer(READ, 401, body=b"auth.invalid_token"),
    "as deep as it gets": answer(READ, 401, body=b"[" * 100_000),
    "too large to be looked at": answer(READ, 401, body=problem(403, detail="x" * 300_000)),
}


@pytest.mark.parametrize("exchange_", FLAWLESS.values(), ids=FLAWLESS)
def test_other_error_is_none(exchange_: Exchange) -> None:
    """What the guide does not name may look as it likes, and a hostile body costs nothing."""
    assert found(exchange_) == []


ISSUED = "sk_sandbox_Issued0000Issued0000Issued00"
ISSUE = Request("POST", "/v1/admin/api-tokens", ADMIN, key="create")
ROTATE = Request("POST", "/v1/admin/api-tokens/tok_1/rotate", ADMIN, key="rotate")
READ_LOG = Request("GET", "/v1/admin/audit-log", ADMIN)
SECRET = json.dumps({"id": "tok_9", "secret": ISSUED}).encode()
TOLD = json.dumps({"data": [{"note": f"tok_9 has got {ISSUED}."}]}).encode()

DISCLOSED = {
    "a new token's": ([answer(ISSUE, 201, body=SECRET), answer(READ_LOG, body=TOLD)], "credential.not-disclosed"),
    "a rotated token's": ([answer(ROTATE, body=SECRET), answer(READ_LOG, body=TOLD)], "rotation.secret-once"),
    "in an error": ([answer(ROTATE, body=SECRET), answer(READ_LOG, 404, body=TOLD)], "rotation.secret-once"),
    "to whom has it": (
        [answer(ROTATE, body=SECRET), answer(LIST.by(SERVICE.with_secret(ISSUED, "own")), body=TOLD)],
        "credential.not-disclosed",
    ),
}


@pytest.mark.parametrize(("exchanges", "clause"), DISCLOSED.values(), ids=DISCLOSED)
def test_secret_in_another_answer_is_a_violation(exchanges: list[Exchange], clause: str) -> None:
    """The answer that issues it is the only one to hold it."""
    assert found(*exchanges) == [clause]


UNDISCLOSED = {
    "a replay": [answer(ROTATE, body=SECRET), answer(ROTATE, body=SECRET)],
    "a hint": [answer(ROTATE, body=SECRET), answer(READ_LOG, body=b'{"hint": "sk_sandbox_...ed00"}')],
    "a secret that was never issued": [answer(READ_LOG, body=TOLD)],
    "deep JSON that begins with one": [answer(ROTATE, body=b'["sk_sandbox_' + b"[" * 100_000)],
}


@pytest.mark.parametrize("exchanges", UNDISCLOSED.values(), ids=UNDISCLOSED)
def test_secret_where_it_belongs_is_none(exchanges: list[Exchange]) -> None:
    """A replay is the answer that issued it, once more."""
    assert found(*exchanges) == []


def test_secret_is_remembered_from_case_to_case() -> None:
    """A log is read long after what it holds was done."""
    contradictions = Contradictions()
    assert list(contradictions.find([answer(ROTATE, body=SECRET)])) == []
    assert [clause for clause, _ in contradictions.find([answer(READ_LOG, body=TOLD)])] == ["rotation.secret-once"]
