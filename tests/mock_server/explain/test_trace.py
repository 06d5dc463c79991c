"""The trace of a request: every check in order, with what it expected and what it got."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

import pytest

from paylera_fixtures.clauses import BY_ID
from paylera_mock.contract import CONTRACT
from paylera_mock.explain.trace import CheckOutcome, trace_checks, trace_entry
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.mutants import all_mutants
from paylera_mock.pipeline.context import Rule
from paylera_mock.pipeline.rules import FAULT, ROUTE_EXISTS, RULES
from paylera_mock.pipeline.stages.text import shorten, time_span

CUSTOMERS: Final = "/v1/customers"
NEW: Final = {"email": "ada@example.com"}
MEMBERS: Final = ["check", "clause", "outcome", "expected", "got", "hint", "source"]


def exchange_of(fake: Any) -> JournalEntry:
    """The last exchange of a fake."""
    namespaces = fake.client.application.extensions["paylera_mock"].namespaces
    namespace = namespaces.find(fake.base.removeprefix("/ns/")) or namespaces.default
    found: JournalEntry = namespace.journal.entries()[-1]
    return found


def steps(fake: Any, method: str, path: str, secret: str | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    """Send a request: its traced checks by the name of the rule."""
    fake.call(method, path, secret, **more)
    return {step.check: asdict(step) for step in trace_entry(exchange_of(fake))}


def seen(step: dict[str, Any]) -> tuple[str, str, str]:
    """How a check ended, what it expected and what it got."""
    return step["outcome"], step["expected"], step["got"]


def test_there_is_a_traced_check_for_each_rule_in_order(fake: Any) -> None:
    """Of an accepted request too."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret())
    assert [(step["check"], step["clause"]) for step in found.values()] == [(rule.name, rule.clause) for rule in RULES]


def test_a_traced_check_has_its_members(fake: Any) -> None:
    """By their names, in this order."""
    found = steps(fake, "GET", CUSTOMERS)
    assert {tuple(step) for step in found.values()} == {tuple(MEMBERS)}


def test_what_comes_after_a_refusal_was_not_reached(fake: Any) -> None:
    """What comes before passed, or had nothing to look at."""
    found = list(steps(fake, "GET", CUSTOMERS, fake.secret("catalog:read")).values())
    place = [step["check"] for step in found].index("scope-granted")
    before = {step["outcome"] for step in found[:place]}
    after = {step["outcome"] for step in found[place + 1 :]}
    assert (before, found[place]["outcome"], after) == ({"passed", "not-applicable"}, "refused", {"not-reached"})


def test_an_acceptance_is_decided_by_the_effect(fake: Any) -> None:
    """It is the last check."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret())
    assert seen(found["effect"]) == ("decided", "the operation happens", "GET /v1/customers")


def test_a_missing_scope_shows_what_is_wanted_and_had(fake: Any) -> None:
    """By the names of the scopes."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret("catalog:read", "plans:read"))
    assert seen(found["scope-granted"]) == ("refused", "the scope customers:read", "catalog:read plans:read")


def test_an_unknown_token_is_shown_by_its_fingerprint(fake: Any) -> None:
    """It has no name, and its secret is not shown."""
    found = steps(fake, "GET", CUSTOMERS, "sk_sandbox_nobody")
    assert seen(found["token-known"])[2].startswith("an unknown one (#")


def test_the_environment_of_the_url_and_of_the_token_are_shown(fake: Any) -> None:
    """Where they are not one."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret(), live=True)
    assert seen(found["right-environment"]) == (
        "refused",
        "a token of live, where the URL leads",
        "a token of sandbox",
    )


def test_a_secret_in_its_grace_shows_its_times(fake: Any) -> None:
    """When it was rotated, when that ends, and how long that is from now."""
    token = fake.token("*")
    now = fake.control("GET", "clock").json["now"]
    fake.rotate(token["id"], fake.admin())
    fake.advance(3600)
    got = seen(steps(fake, "GET", CUSTOMERS, token["secret"])["secret-not-expired"])[2]
    assert (f"rotated at {now}" in got, got.endswith("23 h left")) == (True, True)


def test_a_secret_beyond_its_grace_shows_since_when(fake: Any) -> None:
    """By the length of time."""
    token = fake.token("*")
    fake.rotate(token["id"], fake.admin())
    fake.advance(24 * 3600 + 120)
    found = steps(fake, "GET", CUSTOMERS, token["secret"])["secret-not-expired"]
    assert (found["outcome"], found["got"].endswith("2 min ago")) == ("refused", True)


def test_the_state_of_a_token_is_that_of_the_request(fake: Any) -> None:
    """What happened to it since does not change what was."""
    token = fake.token("*")
    fake.call("GET", CUSTOMERS, token["secret"])
    then = exchange_of(fake)
    fake.call("DELETE", f"/v1/admin/api-tokens/{token['id']}", fake.admin())
    found = {step.check: asdict(step) for step in trace_entry(then)}
    assert seen(found["token-not-revoked"])[2] == "active"


def test_the_rate_shows_limit_and_rest(fake: Any) -> None:
    """And that it is not enforced."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret())["within-rate"]
    assert (found["expected"], found["got"].partition(",")[0], found["got"].endswith("limits are off")) == (
        "at most 100 read requests in 1 s",
        "99 left",
        True,
    )


def test_a_replay_is_recognised(fake: Any) -> None:
    """At one and the same moment too, as time stands still."""
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, key="k", json=NEW)
    found = steps(fake, "POST", CUSTOMERS, secret, key="k", json=NEW)
    assert (
        seen(found["key-with-same-body"])[2],
        found["replayed"]["outcome"],
        "sent again" in found["replayed"]["got"],
    ) == (
        "the same bytes",
        "decided",
        True,
    )


def test_another_body_is_recognised(fake: Any) -> None:
    """As other bytes under the same key."""
    secret = fake.secret()
    fake.call("POST", CUSTOMERS, secret, key="k", json=NEW)
    found = steps(fake, "POST", CUSTOMERS, secret, key="k", json={"email": "grace@example.com"})
    assert (seen(found["key-with-same-body"])[2], found["key-with-same-body"]["outcome"]) == ("other bytes", "refused")


def test_a_long_key_shows_its_length(fake: Any) -> None:
    """Rather than the key."""
    found = steps(fake, "POST", CUSTOMERS, fake.secret(), key="k" * 256, json=NEW)
    assert seen(found["key-bounded"]) == ("refused", "at most 255 visible characters of ASCII", "256 characters")


@pytest.mark.parametrize(
    ("method", "path", "more", "told"),
    [
        ("GET", "/customers", {}, ("route-exists", "Did you mean /v1/customers?")),
        ("GET", "/v1/customers/", {}, ("route-exists", "Did you mean /v1/customers?")),
        ("GET", "/v1/v1/customers", {}, ("route-exists", "Did you mean /v1/customers?")),
        ("GET", "/v1/Customers", {}, ("route-exists", "Did you mean /v1/customers?")),
        ("GET", "/v1/custmers", {}, ("route-exists", "Did you mean /v1/customers?")),
        ("GET", "/api/v1/customers/cus_1", {}, ("route-exists", "Did you mean /v1/customers/{id}?")),
        ("PUT", CUSTOMERS, {}, ("method-allowed", "GET, POST")),
        ("GET", "/v1/admin/actors", {}, ("admin-api-by-admin", "One that would do: operator.")),
        ("POST", CUSTOMERS, {"json": NEW}, ("key-present", "Idempotency-Key")),
        ("GET", CUSTOMERS, {"headers": {"X-Paylera-Acting-As": ""}}, ("actor-known", "leave it out")),
        ("GET", CUSTOMERS, {"headers": {"X-Paylera-Acting-As": "x"}}, ("actor-known", "POST /v1/admin/actors")),
        ("GET", CUSTOMERS, {"headers": {"Paylera-Version": "1"}}, ("version-supported", "2026-04-01")),
        ("POST", CUSTOMERS, {"key": "k", "json": {}}, ("body-fits-schema", "email")),
        ("GET", "/v1/customers/cus_none", {}, ("effect", "no such customer")),
    ],
)
def test_a_refusal_says_what_to_do(
    fake: Any, method: str, path: str, more: dict[str, Any], told: tuple[str, str]
) -> None:
    """In one sentence, in the check that refused."""
    fake.secret(audience="admin", name="operator")
    check, part = told
    found = steps(fake, method, path, fake.secret(), **more)[check]
    assert (found["outcome"], part in found["hint"]) == ("refused", True), found


def test_a_customer_that_writes_is_told_who_may(fake: Any) -> None:
    """A token of another audience."""
    fake.secret(name="backend")
    found = steps(fake, "POST", CUSTOMERS, fake.secret(audience="customer"), key="k", json=NEW)
    assert found["customer-reads-only"]["hint"].endswith("One that would do: backend.")


def test_a_missing_second_factor_names_who_has_one(fake: Any) -> None:
    """An admin token that was minted with one."""
    payment = fake.made("payment")
    fake.secret(audience="admin", aal=2, name="operator")
    found = steps(fake, "POST", f"/v1/payments/{payment}/cancel", fake.secret(), key="k")
    assert found["second-factor"]["hint"].endswith("One that would do: operator.")


def test_what_a_page_says_is_told_from_what_was_chosen(fake: Any) -> None:
    """By the clause's source."""
    found = steps(fake, "GET", CUSTOMERS, fake.secret())
    chosen = {name for name, step in found.items() if step["source"] == "chosen"}
    assert chosen == {name for name, step in found.items() if BY_ID[step["clause"]].source == "chosen"}


def test_a_problem_that_no_page_names_is_chosen(fake: Any) -> None:
    """Though that it is refused is documented."""
    found = steps(fake, "GET", "/v1/admin/actors", fake.secret())
    assert found["admin-api-by-admin"]["source"] == "chosen"


def test_a_fault_that_answers_stands_first(fake: Any) -> None:
    """No check was reached then."""
    fake.control("POST", "faults", action="answer", status=503)
    found = list(steps(fake, "GET", CUSTOMERS, fake.secret()).values())
    assert (found[0]["check"], {step["outcome"] for step in found[1:]}) == (FAULT.name, {"not-reached"})


def test_a_rule_that_the_contract_does_not_know_is_traced(fake: Any) -> None:
    """With what it decided, and nothing of what it saw."""
    fake.call("GET", CUSTOMERS, fake.secret())
    rule = Rule("moon", "moon.full", lambda _context: None)
    context = exchange_of(fake).context
    context.pipeline = CONTRACT.with_rule_before(ROUTE_EXISTS, rule)
    found = next(check for check in trace_checks(context, rule, None) if check.check == "moon")
    assert (found.outcome, found.expected, found.source) == (CheckOutcome.DECIDED, "", "chosen")


@pytest.mark.parametrize("where", ["path", "query", "key", "actor", "version", "body"])
def test_a_trace_holds_no_secret(fake: Any, where: str) -> None:
    """Wherever in the request one stands."""
    secret, canary = fake.secret(), f"sk_sandbox_{'canary' * 5}"
    headers = {"actor": "X-Paylera-Acting-As", "version": "Paylera-Version", "key": "Idempotency-Key"}
    sent = {name: canary for place, name in headers.items() if place == where}
    path = f"{CUSTOMERS}{'/' + canary if where == 'path' else ''}{'?token=' + canary if where == 'query' else ''}"
    found = steps(fake, "POST", path, secret, headers=sent, json={"email": canary} if where == "body" else NEW)
    text = json.dumps(found)
    assert ("canarycanary" in text, secret in text) == (False, False)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", all_mutants())
def test_every_mutant_and_dialect_has_a_trace(fake: Any, mutant: str) -> None:
    """Whatever its rules are, of every kind of request."""
    assert fake.control("POST", "mutants", ids=[mutant]).status_code == 200
    sent: list[tuple[str, str, str | None, dict[str, Any]]] = [
        ("GET", CUSTOMERS, None, {}),
        ("GET", CUSTOMERS, "sk_sandbox_nobody", {}),
        ("GET", CUSTOMERS, fake.secret(), {}),
        ("POST", CUSTOMERS, fake.secret(), {"json": NEW}),
        ("POST", CUSTOMERS, fake.secret(), {"json": NEW, "key": "k"}),
        ("POST", CUSTOMERS, fake.secret(), {"json": NEW, "key": "k"}),
        ("POST", CUSTOMERS, fake.secret(audience="customer"), {"json": NEW, "key": "l"}),
        ("POST", f"/v1/payments/{fake.made('payment')}/cancel", fake.secret(), {"key": "c"}),
        ("GET", "/v1/nothing", fake.secret(), {}),
    ]
    ends = [steps(fake, method, path, secret, **more) for method, path, secret, more in sent]
    deciding = [[step for step in end.values() if step["outcome"] in {"refused", "decided"}] for end in ends]
    assert [len(found) for found in deciding] == [1] * len(sent)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.5, "0.5 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86_400, "1 day"), (200_000, "2 days")],
)
def test_a_length_of_time_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    """Rounded down."""
    assert time_span(seconds) == said


def test_a_clients_text_is_shown_on_one_line() -> None:
    """And not at any length."""
    assert shorten("a\nb" + "c" * 100, 10) == "a?bccccccc..."
