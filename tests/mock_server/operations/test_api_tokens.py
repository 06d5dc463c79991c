"""A token's life: made, rotated, revoked; and what is never told of it."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import uuid4

import pytest

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN, TokenStatus
from paylera_fixtures.vocabulary import Environment

CUSTOMERS: Final = "/v1/customers"
TOKENS: Final = "/v1/admin/api-tokens"
DAY: Final = 24 * 60 * 60
OK: Final = (200, None)
EXPIRED: Final = (401, "auth.expired_token")
INVALID: Final = (401, "auth.invalid_token")


def read(fake: Fake, secret: str) -> tuple[int, str | None]:
    """What comes of a read with a secret."""
    answer = fake.call("GET", CUSTOMERS, secret)
    return answer.status_code, (answer.json or {}).get("problem")


def create(fake: Fake, maker: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """Make a token through the Admin API."""
    asked = {"audience": "service", "scopes": ["customers:read"], **body}
    answer = fake.call("POST", TOKENS, maker, key=str(uuid4()), json=asked)
    return answer.status_code, answer.json or {}


@pytest.mark.parametrize("known", WELL_KNOWN, ids=lambda known: f"{known.environment}-{known.name}")
def test_a_well_known_token_is_what_it_is_called(default: Fake, known: Any) -> None:
    """The table of well-known tokens is true of the default namespace."""
    expected = {
        TokenStatus.ACTIVE: OK,
        TokenStatus.GRACE: OK,
        TokenStatus.EXPIRED: EXPIRED,
        TokenStatus.REVOKED: INVALID,
    }[known.state]
    answer = default.call("GET", CUSTOMERS, known.secret, live=known.environment is Environment.LIVE)
    code = (answer.json or {}).get("problem")
    assert (answer.status_code, code) == expected or code == "auth.scope_required"


def test_the_well_known_grace_ends_when_the_clock_is_moved(default: Fake) -> None:
    """The default namespace's clock runs, and can be advanced."""
    default.advance(DAY)
    old = next(token.secret for token in WELL_KNOWN if token.state is TokenStatus.GRACE)
    assert read(default, old) == EXPIRED


@pytest.mark.parametrize(("environment", "live"), [("sandbox", False), ("live", True)])
def test_an_issued_secret_has_the_form(fake: Fake, environment: str, *, live: bool) -> None:
    """Prefix of its environment and 32 characters (clauses token.format, token.length)."""
    token, admin = fake.token("*", environment=environment), fake.admin(environment=environment)
    answer = fake.call("POST", f"{TOKENS}/{token['id']}/rotate", admin, live=live)
    assert re.fullmatch(rf"sk_{environment}_[A-Za-z0-9]{{32}}", (answer.json or {})["secret"])


def test_a_rotation_answers_with_a_new_secret(fake: Fake) -> None:
    """Clause rotation.new-secret."""
    token = fake.token("*")
    rotated = fake.rotate(token["id"], fake.admin())
    assert (rotated["id"], rotated["secret"] == token["secret"]) == (token["id"], False)


@pytest.mark.parametrize("seconds", [0, DAY - 1, DAY + 1, 30 * DAY])
def test_the_new_secret_works_from_then_on(fake: Fake, seconds: float) -> None:
    """At once, and after the grace (clause rotation.new-works)."""
    rotated = fake.rotate(fake.token("*")["id"], fake.admin())
    fake.advance(seconds)
    assert read(fake, rotated["secret"]) == OK


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, OK), (DAY / 2, OK), (DAY - 1, OK), (DAY, EXPIRED), (DAY + 1, EXPIRED), (2 * DAY, EXPIRED)],
)
def test_the_old_secret_has_a_day(fake: Fake, seconds: float, expected: tuple[int, str | None]) -> None:
    """Clauses rotation.grace-holds and rotation.grace-ends."""
    token = fake.token("*")
    fake.rotate(token["id"], fake.admin())
    fake.advance(seconds)
    assert read(fake, token["secret"]) == expected


def test_each_secret_ends_a_day_after_its_own_rotation(fake: Fake) -> None:
    """Clause rotation.again."""
    token, admin = fake.token("*"), fake.admin()
    second = fake.rotate(token["id"], admin)
    fake.advance(DAY / 2)
    third = fake.rotate(token["id"], admin)
    fake.advance(DAY / 2)
    secrets = (token["secret"], second["secret"], third["secret"])
    assert [read(fake, secret) for secret in secrets] == [EXPIRED, OK, OK]


def test_a_rotation_keeps_the_grants(fake: Fake) -> None:
    """Audience, scopes, assurance (clause rotation.keeps-grants) and version (clause version.rotation-keeps)."""
    token = fake.token("customers:read", audience="admin", aal=2)
    fake.release("2027-01-01")
    rotated = fake.rotate(token["id"], fake.admin())
    kept = ("audience", "scopes", "aal", "environment", "default_version")
    assert {member: rotated[member] for member in kept} == {member: token[member] for member in kept}


WEAK: Final = {"audience": "admin", "scopes": ["customers:read"], "aal": 1}
STRONGER: Final = {
    "scope": {"audience": "service", "scopes": ["customers:write"]},
    "wildcard": {"audience": "service", "scopes": ["*"]},
    "AAL2": {"audience": "admin", "scopes": ["customers:read"], "aal": 2},
}
"""Tokens that have more than the weak one."""


@pytest.mark.parametrize("stronger", STRONGER.values(), ids=STRONGER)
def test_a_rotation_gives_no_more_than_the_rotator_has(fake: Fake, stronger: dict[str, Any]) -> None:
    """It is refused as the making of such a token is, and nothing changes (clause rotation.no-escalation)."""
    weak, token = (fake.control("POST", "tokens", **grant).json or {} for grant in (WEAK, stronger))
    refused = fake.call("POST", f"{TOKENS}/{token['id']}/rotate", weak["secret"])
    shown = fake.call("GET", f"{TOKENS}/{token['id']}", weak["secret"]).json or {}
    made = create(fake, weak["secret"], **stronger)
    problem = (refused.json or {})["problem"]
    assert (refused.status_code, problem, shown["rotated_at"]) == (made[0], made[1]["problem"], None)
    assert (refused.status_code, problem) == (403, "auth.grant_exceeded")


def test_a_token_that_has_more_can_be_revoked(fake: Fake) -> None:
    """Whoever revokes gets nothing by it, and a leak must not wait for somebody with a second factor."""
    token = fake.token("*", audience="admin", aal=2)
    weaker = fake.secret("customers:read", audience="admin")
    assert fake.call("DELETE", f"{TOKENS}/{token['id']}", weaker).status_code == 204


def test_a_rotation_is_not_cacheable(fake: Fake) -> None:
    """Clause rotation.not-cacheable."""
    answer = fake.call("POST", f"{TOKENS}/{fake.token('*')['id']}/rotate", fake.admin())
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_revocation_is_immediate(fake: Fake) -> None:
    """The next request is refused (clause revocation.immediate)."""
    token = fake.token("*")
    before = read(fake, token["secret"])
    revoked = fake.call("DELETE", f"{TOKENS}/{token['id']}", fake.admin())
    assert (before, revoked.status_code, revoked.data, read(fake, token["secret"])) == (OK, 204, b"", INVALID)


def test_a_revocation_ends_the_grace(fake: Fake) -> None:
    """Clause revocation.covers-grace."""
    token, admin = fake.token("*"), fake.admin()
    fake.rotate(token["id"], admin)
    fake.call("DELETE", f"{TOKENS}/{token['id']}", admin)
    assert read(fake, token["secret"]) == INVALID


def test_a_revocation_touches_no_other_token(fake: Fake) -> None:
    """Clause revocation.only-target."""
    other = fake.secret()
    fake.call("DELETE", f"{TOKENS}/{fake.token('*')['id']}", fake.admin())
    assert read(fake, other) == OK


@pytest.mark.parametrize(("method", "suffix"), [("POST", "/rotate"), ("DELETE", "")])
def test_what_is_revoked_is_gone(fake: Fake, method: str, suffix: str) -> None:
    """Rotating or revoking it again is 404 (clauses rotation.revoked-stays, revocation.unknown-id)."""
    path, admin = f"{TOKENS}/{fake.token('*')['id']}", fake.admin()
    fake.call("DELETE", path, admin)
    assert fake.call(method, path + suffix, admin).status_code == 404


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("POST", "/rotate"), ("DELETE", "")])
@pytest.mark.parametrize("whose", ["nobody", "tenant", "environment"])
def test_a_token_of_others_does_not_exist(fake: Fake, whose: str, method: str, suffix: str) -> None:
    """An unknown id, another tenant's and another environment's are the same 404 (clause token.one-tenant)."""
    ids = {
        "nobody": "tok_x",
        "tenant": fake.token("*", tenant_id=fake.tenant())["id"],
        "environment": fake.token("*", environment="live")["id"],
    }
    assert fake.call(method, f"{TOKENS}/{ids[whose]}{suffix}", fake.admin()).status_code == 404


def test_tokens_are_read_without_their_secret(fake: Fake) -> None:
    """Neither the list nor the object shows one (clause rotation.secret-once)."""
    admin = fake.admin()
    token = fake.token("*")
    rotated = fake.rotate(token["id"], admin)
    texts = [fake.call("GET", path, admin).text for path in (TOKENS, f"{TOKENS}/{token['id']}")]
    secrets = (admin, token["secret"], rotated["secret"])
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_token_object_says_how_it_stands(fake: Fake) -> None:
    """When it was rotated, and when the old secret ends."""
    token, admin = fake.token("*"), fake.admin()
    fake.rotate(token["id"], admin)
    shown = fake.call("GET", f"{TOKENS}/{token['id']}", admin).json or {}
    fake.advance(DAY)
    later = fake.call("GET", f"{TOKENS}/{token['id']}", admin).json or {}
    ends = "previous_secret_expires_at"
    assert (shown[ends] > shown["rotated_at"], later["rotated_at"], later[ends]) == (True, shown["rotated_at"], None)


def test_a_token_can_be_made_through_the_api(fake: Fake) -> None:
    """201, with the secret, which works at once, and with the default version of now."""
    fake.release("2027-01-01")
    status, token = create(fake, fake.admin())
    assert (status, token["default_version"], read(fake, token["secret"])) == (201, "2027-01-01", OK)


def test_a_maker_gives_no_scope_it_lacks(fake: Fake) -> None:
    """Clause token.no-escalation."""
    status, body = create(fake, fake.secret("customers:read", audience="admin"), scopes=["customers:write"])
    assert (status, body["problem"]) == (403, "auth.grant_exceeded")


def test_a_maker_without_the_wildcard_gives_none(fake: Fake) -> None:
    """Clause token.no-escalation."""
    status, body = create(fake, fake.secret("customers:read", audience="admin"), scopes=["*"])
    assert (status, body["problem"]) == (403, "auth.grant_exceeded")


def test_a_maker_gives_what_it_has(fake: Fake) -> None:
    """A scope of one's own may be given on."""
    assert create(fake, fake.secret("customers:read", audience="admin"))[0] == 201


def test_a_maker_without_aal2_gives_none(fake: Fake) -> None:
    """Clause token.no-escalation."""
    status, body = create(fake, fake.admin(aal=1), aal=2)
    assert (status, body["problem"]) == (403, "auth.grant_exceeded")


def test_a_maker_gives_no_other_environment(fake: Fake) -> None:
    """A token is bound to one environment, and so are those it makes."""
    status, body = create(fake, fake.admin(), environment="live")
    assert (status, body["problem"]) == (403, "auth.grant_exceeded")


@pytest.mark.parametrize("scope", ["everything", "customers:READ", "invoices:read"])
def test_an_unknown_scope_is_refused(fake: Fake, scope: str) -> None:
    """Also one that only the reference's profile has."""
    status, body = create(fake, fake.admin(), scopes=[scope])
    assert (status, body["errors"][0]["code"]) == (422, "scope.unknown")


def test_the_reference_knows_more_scopes(reference: Fake) -> None:
    """The reference lists 18."""
    assert create(reference, reference.admin(), scopes=["invoices:read"])[0] == 201


def test_a_customer_token_names_its_customer(fake: Fake) -> None:
    """Without one, and with another tenant's, it is refused."""
    admin = fake.admin()
    foreign = (fake.control("POST", "customers", tenant_id=fake.tenant()).json or {})["id"]
    own = (fake.control("POST", "customers").json or {})["id"]
    statuses = [
        create(fake, admin, audience="customer")[0],
        create(fake, admin, audience="customer", customer_id=foreign)[0],
        create(fake, admin, audience="customer", customer_id=own)[0],
    ]
    assert statuses == [422, 422, 201]


def test_no_answer_tells_a_secret(fake: Fake) -> None:
    """A token in the path of a request is not repeated (clause credential.not-disclosed)."""
    secret = fake.secret()
    answers = [fake.call("GET", f"/v1/customers/{secret}", by) for by in (None, secret)]
    assert not [answer for answer in answers if secret in answer.text + str(answer.headers)]


def test_of_a_secret_only_the_digest_is_kept(fake: Fake) -> None:
    """Nothing that can be reached from the namespace holds a secret whole."""
    admin = fake.admin()
    token = fake.token("*")
    fake.call("POST", f"{TOKENS}/{token['id']}/rotate", admin, key="k")
    shell = fake.client.application.extensions["paylera_mock"]  # type: ignore[attr-defined]
    state = shell.namespaces.find(fake.base.removeprefix("/ns/")).state
    kept = repr([vars(state.tokens), vars(state.idempotency), vars(state.store)])
    assert ("sk_sandbox_" in kept, token["secret"] in kept) == (False, False)
