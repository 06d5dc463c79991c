"""Coverage: each clause that a client can meet is met by what the report says to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy
from paylera_mock.findings.coverage import SITUATIONS
from paylera_mock.pipeline.rules import FAULT, RULES

CUSTOMERS = "/v1/customers"
TOKENS = "/v1/admin/api-tokens"
ADA = {"email": "ada.new@example.com"}
KEYS = {token.name: token.secret for token in WELL_KNOWN if token.environment == "sandbox"}
ALL, ADMIN, ADMIN_1 = KEYS["serviceall"], KEYS["adminaal2"], KEYS["adminaal1"]
DAY = 86_400


def reads(name: str, path: str = CUSTOMERS, **headers: str) -> Callable[[Fake], Any]:
    """A read by a well-known token."""
    sent = {header.replace("_", "-"): value for header, value in headers.items()}
    return lambda fake: fake.call("GET", path, KEYS[name], headers=sent)


def writes(name: str, key: str | None = "key", body: dict[str, str] | None = None) -> Callable[[Fake], Any]:
    """The making of a customer by a well-known token."""
    return lambda fake: fake.call("POST", CUSTOMERS, KEYS[name], key=key, json=body or ADA)


def cancels(name: str) -> Callable[[Fake], Any]:
    """The cancelling of a payment by a well-known token."""

    def act(fake: Fake) -> None:
        payment = fake.made("payment", status="requires_action")
        fake.call("POST", f"/v1/payments/{payment}/cancel", KEYS[name], key="key")

    return act


def then(*acts: Callable[[Fake], Any]) -> Callable[[Fake], Any]:
    """One after the other."""
    return lambda fake: [act(fake) for act in acts]


def with_token(act: Callable[[Fake, dict[str, Any]], Any]) -> Callable[[Fake], Any]:
    """Something done with a token made for it."""
    return lambda fake: act(fake, fake.token("*"))


def revokes(fake: Fake, token: dict[str, Any]) -> None:
    """A token, and uses it."""
    fake.call("DELETE", f"{TOKENS}/{token['id']}", ADMIN)
    fake.call("GET", CUSTOMERS, token["secret"])


def faults(**fault: Any) -> Callable[[Fake], Any]:
    """Arms a fault."""
    return lambda fake: fake.control("POST", "faults", action="answer", **fault)


def makes_token(fake: Fake) -> None:
    """By the API."""
    fake.call("POST", TOKENS, ADMIN, key="key", json={"name": "x", "audience": "service", "scopes": ["*"]})


def sees_another_customer(fake: Fake) -> None:
    """As a customer does not."""
    other = fake.control("POST", "customers").json or {}
    fake.call("GET", f"{CUSTOMERS}/{other['id']}", KEYS["customerada"])


MEETS: dict[str, Callable[[Fake], Any]] = {
    "credential.accepted": reads("serviceall"),
    "credential.missing": lambda fake: fake.call("GET", CUSTOMERS),
    "credential.malformed": lambda fake: fake.call("GET", CUSTOMERS, headers={"Authorization": "Token x"}),
    "token.unknown": lambda fake: fake.call("GET", CUSTOMERS, "sk_sandbox_never"),
    "token.wrong-environment": lambda fake: fake.call("GET", CUSTOMERS, ALL, live=True),
    "token.revoked": reads("revoked"),
    "token.one-tenant": reads("othertenant", f"{CUSTOMERS}/cus_ada"),
    "audience.admin-api-needs-admin": reads("serviceall", TOKENS),
    "audience.admin-accepted": reads("adminaal1", TOKENS),
    "audience.admin-on-public-api": reads("adminaal1"),
    "audience.customer-reads-own": reads("customerada"),
    "audience.customer-cannot-write": writes("customerada"),
    "audience.customer-sees-only-own": sees_another_customer,
    "scope.required": reads("servicenoscope"),
    "scope.granted": reads("serviceread"),
    "scope.wildcard": reads("serviceall"),
    "aal2.required": cancels("adminaal1"),
    "aal2.satisfied": cancels("adminaal2"),
    "idempotency.required": writes("serviceall", None),
    "idempotency.replay": then(writes("serviceall"), writes("serviceall")),
    "idempotency.replay-error": then(*[writes("serviceall", body={"email": "none"})] * 2),
    "idempotency.body-mismatch": then(writes("serviceall"), writes("serviceall", body={"email": "b@example.com"})),
    "idempotency.key-too-long": writes("serviceall", "k" * 256),
    "idempotency.lifetime": then(writes("serviceall"), lambda fake: fake.advance(DAY), writes("serviceall")),
    "version.pinned": reads("serviceall", Paylera_Version="2026-04-01"),
    "version.default": reads("serviceall"),
    "version.old-announced": reads("serviceall", Paylera_Version="2025-10-01"),
    "version.unknown": reads("serviceall", Paylera_Version="1999-01-01"),
    "version.new-token-current": makes_token,
    "rotation.new-secret": with_token(lambda fake, token: fake.rotate(token["id"], ADMIN)),
    "rotation.new-works": reads("rotatednew"),
    "rotation.grace-holds": reads("rotatedold"),
    "rotation.grace-ends": reads("expired"),
    "revocation.immediate": with_token(revokes),
    "acting-as.known-actor": reads("serviceall", X_Paylera_Acting_As="actor_ada"),
    "acting-as.unknown-actor": reads("serviceall", X_Paylera_Acting_As="actor_nobody"),
    "acting-as.audited": reads("adminaal2", "/v1/admin/audit-log"),
    "problem.unknown-route": reads("serviceall", "/v1/nothing"),
    "problem.members-everywhere": reads("serviceall", f"{CUSTOMERS}/cus_none"),
    "pagination.envelope": reads("serviceall"),
    "pagination.walk": lambda fake: fake.call(
        "GET",
        f"{CUSTOMERS}?limit=1&cursor={(fake.call('GET', f'{CUSTOMERS}?limit=1', ALL).json or {})['next_cursor']}",
        ALL,
    ),
    "rate-limit.refusal": then(faults(retry_after=1), reads("serviceall")),
}


def report(fake: Fake, query: str = "") -> dict[str, Any]:
    """The coverage of a namespace."""
    return dict(fake.client.get(f"{fake.control_base}/coverage{query}").json or {})


def met(fake: Fake) -> dict[str, int]:
    """The clauses that were met, each with how often."""
    return {row["clause"]: row["times"] for row in report(fake)["clauses"] if row["met"]}


def test_nothing_is_met_at_first(fake: Fake) -> None:
    """And all is listed."""
    found = report(fake)
    assert (found["met"], found["percent"], found["of"]) == (0, 0.0, len(found["clauses"]))


@pytest.mark.parametrize("clause", dict.fromkeys(situation.clause for situation in SITUATIONS))
def test_a_clause_is_met_as_the_report_says(default: Fake, clause: str) -> None:
    """Once it is, and not before."""
    before = met(default)
    MEETS[clause](default)
    assert (before, clause in met(default)) == ({}, True)


def test_the_limits_themselves_count_too(default: Fake) -> None:
    """Not only a fault that says so."""
    default.control("POST", "clock", running=False)
    default.control("POST", "rate-limits", enforced=True)
    for _ in range(101):
        reads("serviceall")(default)
    assert met(default)["rate-limit.refusal"] == 1


def test_meeting_everything_is_a_hundred_percent(default: Fake) -> None:
    """Over all that was reset on the way."""
    for act in MEETS.values():
        act(default)
        default.control("POST", "reset")
    found = report(default, "?scope=all")
    assert (found["percent"], found["met"]) == (100.0, len(MEETS))


def test_a_row_says_what_and_how(fake: Fake) -> None:
    """The contract's sentence, and the way to it."""
    assert report(fake)["clauses"][1] == {
        "clause": "credential.missing",
        "met": False,
        "times": 0,
        "says": BY_ID["credential.missing"].says,
        "how": "Send a request without Authorization.",
    }


def test_what_a_test_met_before_a_reset_counts_for_all(default: Fake) -> None:
    """A run is judged as a whole."""
    reads("revoked")(default)
    default.control("POST", "reset")
    assert (met(default), report(default, "?scope=all")["met"]) == ({}, 1)


def test_the_key_lifetime_is_that_of_the_policy(default: Fake) -> None:
    """Where keys are remembered for a minute, a minute later is late enough."""
    fake = type(default)(Client(create_app(Policy(key_lifetime_seconds=60))))
    then(writes("serviceall"), lambda fake: fake.advance(60), writes("serviceall"))(fake)
    assert met(fake)["idempotency.lifetime"] == 1


def test_situations_name_rules_that_there_are() -> None:
    """A rule of another name would never decide."""
    known = {*RULES, FAULT, None}
    assert [situation.clause for situation in SITUATIONS if situation.rule not in known] == []


def test_a_refusal_that_a_fault_made_up_meets_no_other_clause() -> None:
    """The client has met a fault."""
    client = Client(create_app())
    client.post("/_mock/faults", json={"action": "answer", "status": 503})
    client.get(CUSTOMERS, headers={"Authorization": f"Bearer {ALL}"})
    assert (client.get("/_mock/coverage").json or {})["met"] == 0


def test_what_a_mutant_answers_without_a_token_shows_no_clause_about_one() -> None:
    """It replays before it looks at the credential: the namespace can still be deleted, and its coverage be read."""
    fake = Fake(Client(create_app(mutants=["replay-before-authentication"])))
    writes("serviceall")(fake)
    assert fake.call("POST", CUSTOMERS, key="key", json=ADA).status_code == 201
    assert met(fake)["credential.accepted"] == 1
