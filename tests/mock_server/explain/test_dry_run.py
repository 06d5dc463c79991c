"""A request is judged without effect: the same verdict as if it had been sent, and no trace of it."""

from __future__ import annotations

import random
import threading
import types
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
from flask import Flask
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline.rules import RULES

CUSTOMERS: Final = "/v1/customers"
NEW: Final = {"email": "ada@example.com"}
SECRETS: Final = {token.name: token.secret for token in WELL_KNOWN if token.environment == "sandbox"}

ASKED: Final[tuple[tuple[str, str, str | None, str | None, Any], ...]] = (
    ("GET", CUSTOMERS, "serviceall", None, None),
    ("GET", f"{CUSTOMERS}?limit=1", "customerada", None, None),
    ("GET", f"{CUSTOMERS}/cus_none", "serviceall", None, None),
    ("GET", "/v1/admin/audit-log", "adminaal1", None, None),
    ("GET", "/v1/nothing", "serviceall", None, None),
    ("GET", CUSTOMERS, None, None, None),
    ("GET", CUSTOMERS, "revoked", None, None),
    ("GET", CUSTOMERS, "expired", None, None),
    ("GET", CUSTOMERS, "servicenoscope", None, None),
    ("POST", CUSTOMERS, "serviceall", "new", NEW),
    ("POST", CUSTOMERS, "serviceall", None, NEW),
    ("POST", CUSTOMERS, "serviceall", "used", NEW),
    ("POST", CUSTOMERS, "serviceall", "used", {"email": "grace@example.com"}),
    ("POST", CUSTOMERS, "customerada", "new", NEW),
    ("DELETE", f"{CUSTOMERS}/cus_ada", "serviceall", None, None),
    ("POST", "/v1/admin/api-tokens/tok_serviceall/rotate", "adminaal2", None, None),
    ("DELETE", "/v1/admin/api-tokens/tok_serviceall", "adminaal2", None, None),
    ("DELETE", "/v1/admin/actors/actor_ada", "adminaal2", None, None),
)
"""Method, path, name of the token, key and body."""

DEFECTS: Final = (
    "key-required-but-made",
    "revocation-one-request-late",
    "key-prolonged-by-replay",
    "refused-rotation-rotates",
    "admin-api-open",
)
"""Mutants whose checks do, learn or count something."""


def of_seed() -> Fake:
    """A fake whose randomness and clock are known, with one key used."""
    fake = Fake(Client(create_app(seed=7)))
    fake.call("POST", CUSTOMERS, SECRETS["serviceall"], key="used", json=NEW)
    return fake


def request_of(asked: tuple[str, str, str | None, str | None, Any]) -> dict[str, Any]:
    """A request as `POST explain` takes it."""
    method, path, token, key, body = asked
    headers = {"Authorization": f"Bearer {SECRETS[token]}" if token else None, "Idempotency-Key": key}
    sent = {"method": method, "path": path, "headers": {name: value for name, value in headers.items() if value}}
    return sent if body is None else {**sent, "body": body}


def explained(fake: Fake, **asked: Any) -> dict[str, Any]:
    """What `POST explain` answers."""
    answer = fake.control("POST", "explain", **asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def photograph(value: Any, seen: dict[int, Any]) -> Any:
    """A value with all that it holds, as one that can be compared later; what is held twice is shown once."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if id(value) in seen or callable(value) or isinstance(value, (types.ModuleType, *LOCKS)):
        return type(value).__name__
    seen[id(value)] = value
    if isinstance(value, random.Random):
        return repr(value.getstate())
    if isinstance(value, Mapping):
        return [(repr(key), photograph(member, seen)) for key, member in value.items()]
    if isinstance(value, tuple | list | set | frozenset | deque):
        return [photograph(member, seen) for member in value]
    return [type(value).__name__, [(name, photograph(member, seen)) for name, member in members_of(value)]]


def members_of(value: Any) -> list[tuple[str, Any]]:
    """What an object holds, by name."""
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*vars(value).items()] if hasattr(value, "__dict__") else [(name, getattr(value, name)) for name in slots]


LOCKS: Final = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event, Namespace)
"""What is no state: locks; and the way back from the parts to the whole."""


def state_of(fake: Fake) -> Any:
    """Everything of the default namespace that a request could leave a trace in."""
    app = fake.client.application
    assert isinstance(app, Flask)
    namespace = app.extensions["paylera_mock"].namespaces.default
    parts = (
        namespace.state,
        namespace.faults,
        namespace.mutant_counter,
        namespace.randomness,
        namespace.clock,
        namespace.collector,
    )
    return [namespace.journal.count, *(photograph(part, {}) for part in parts)]


@pytest.mark.parametrize("asked", ASKED, ids=[f"{each[0]} {each[1]} {each[2]} {each[3]}" for each in ASKED])
def test_the_verdict_is_that_of_the_request_when_it_is_sent(asked: tuple[Any, ...]) -> None:
    """By status, problem, rule and clause."""
    method, path, token, key, body = asked
    said = explained(of_seed(), **request_of(asked))["verdict"]
    sent = of_seed().call(method, path, SECRETS.get(token), key=key, json=body)
    told = sent.headers["Paylera-Mock-Verdict"]
    problem = (sent.json or {}).get("problem") if sent.status_code >= 400 else None
    assert (said["status"], said["problem"], f"{said['rule']}; clause={said['clause']}") == (
        sent.status_code,
        problem,
        told,
    )


@pytest.mark.parametrize("mutants", [(), *((defect,) for defect in DEFECTS)], ids=["none", *DEFECTS])
def test_no_trace_is_left(mutants: tuple[str, ...]) -> None:
    """Nothing counted, remembered, noted, made or drawn, by defective rules neither."""
    fake = of_seed()
    fake.control("POST", "mutants", ids=list(mutants))
    fake.advance(60)
    before = state_of(fake)
    statuses = [explained(fake, **request_of(asked))["verdict"]["status"] for asked in ASKED]
    assert (state_of(fake) == before, len(set(statuses)) > 4) == (True, True)


@pytest.mark.parametrize("asked", [ASKED[0], ASKED[9], ASKED[5]], ids=["read", "write", "refused"])
def test_what_is_sent_leaves_one(asked: tuple[Any, ...]) -> None:
    """So that a photograph that shows nothing does not pass for a proof."""
    fake = of_seed()
    before = state_of(fake)
    method, path, token, key, body = asked
    fake.call(method, path, SECRETS.get(token), key=key, json=body)
    assert state_of(fake) != before


def test_explaining_over_and_over_spends_no_rate() -> None:
    """Where limits are enforced, too."""
    fake = of_seed()
    fake.control("POST", "rate-limits", enforced=True)
    verdicts = [explained(fake, **request_of(ASKED[9]))["verdict"]["status"] for _ in range(25)]
    assert set(verdicts) == {201}


def test_a_spent_rate_is_seen() -> None:
    """By its limit, and how long to wait."""
    fake = of_seed()
    fake.control("POST", "rate-limits", enforced=True)
    for number in range(20):
        fake.call("POST", CUSTOMERS, SECRETS["serviceall"], key=f"k{number}", json=NEW)
    said = explained(fake, **request_of(ASKED[9]))
    assert (said["verdict"]["problem"], said["hint"].partition(" as")[0]) == ("rate_limit.exceeded", "Wait 1 s")


@pytest.mark.parametrize(
    ("asked", "would_be"),
    [
        (ASKED[0], "The answer would be sent."),
        (ASKED[9], "The operation would happen, if its objects let it."),
        (ASKED[11], "The answer that was kept for the key would be sent again."),
        (ASKED[5], None),
    ],
    ids=["read", "write", "replay", "refused"],
)
def test_it_is_said_what_would_come_of_it(asked: tuple[Any, ...], would_be: str | None) -> None:
    """In one sentence."""
    assert explained(of_seed(), **request_of(asked))["would_be"] == would_be


def test_the_trace_is_there(fake: Fake) -> None:
    """One traced check for each rule, in their order."""
    assert [step["check"] for step in explained(fake, path=CUSTOMERS)["ladder"]] == [rule.name for rule in RULES]


def test_an_almost_right_token_gets_its_hint(fake: Fake) -> None:
    """As in the header of the answer to it."""
    headers = {"Authorization": f'Bearer "{fake.secret(name="mine")}"'}
    sent = fake.call("GET", CUSTOMERS, headers=headers).headers["Paylera-Mock-Hint"]
    assert explained(fake, path=CUSTOMERS, headers=headers)["hint"] == sent


@pytest.mark.parametrize(("path", "more"), [("/live/v1/customers", {}), (CUSTOMERS, {"environment": "live"})])
def test_the_environment_is_named_by_the_path_or_by_itself(fake: Fake, path: str, more: dict[str, str]) -> None:
    """Here a token of the sandbox goes to live."""
    headers = {"Authorization": f"Bearer {fake.secret()}"}
    assert explained(fake, path=path, headers=headers, **more)["verdict"]["problem"] == "auth.wrong_environment"


def test_a_token_leads_to_its_namespace(namespace: Callable[[], Fake]) -> None:
    """From the default control API, as it does when the request is sent to /."""
    own = namespace()
    headers = {"Authorization": f"Bearer {own.secret()}"}
    default = Fake(own.client)
    assert explained(default, path=CUSTOMERS, headers=headers)["verdict"]["status"] == 200


def test_a_path_leads_to_its_namespace(namespace: Callable[[], Fake]) -> None:
    """From the default control API."""
    own = namespace()
    headers = {"Authorization": f"Bearer {own.secret()}"}
    default = Fake(own.client)
    assert explained(default, path=f"{own.base}{CUSTOMERS}", headers=headers)["verdict"]["status"] == 200


def test_another_namespace_is_not_asked_about(namespace: Callable[[], Fake]) -> None:
    """Each has a control API of its own."""
    one, other = namespace(), namespace()
    answer = one.control("POST", "explain", path=f"{other.base}{CUSTOMERS}")
    assert (answer.status_code, "another namespace" in answer.text) == (422, True)


def test_an_exchange_of_the_journal_is_explained(fake: Fake) -> None:
    """By its number."""
    number = int(fake.call("GET", CUSTOMERS, fake.secret("catalog:read")).headers["Paylera-Mock-Journal"])
    said = explained(fake, exchange=number)
    assert (said["verdict"]["rule"], said["hint"].startswith("The token")) == ("scope-granted", True)


def explain_changed(fake: Fake, **changes: Any) -> str:
    """What would be decided about a creation of the journal with something changed: the code, or what would be."""
    headers = {"Authorization": f"Bearer {fake.secret()}", "Idempotency-Key": "first", "Paylera-Version": "2026-04-01"}
    answer = fake.call("POST", f"{CUSTOMERS}?note=%22", headers=headers, json={"email": "ada@example.com"})
    said = explained(fake, exchange=int(answer.headers["Paylera-Mock-Journal"]), **changes)
    return str(said["verdict"]["problem"] or said["would_be"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"headers": {}}, "The answer that was kept for the key would be sent again."),
        ({"headers": {"idempotency-key": "second"}}, "The operation would happen, if its objects let it."),
        ({"headers": {"Idempotency-Key": None}}, "idempotency.required"),
        ({"headers": {"Authorization": None}}, "auth.missing_token"),
        ({"headers": {"Authorization": "Basic x"}}, "auth.invalid_token"),
        ({"headers": {"Paylera-Version": "1999-01-01"}}, "version.unsupported"),
        ({"body": {"email": "grace@example.com"}}, "idempotency.body_mismatch"),
        ({"path": "/v1/nothing"}, "route.not_found"),
        ({"method": "PUT"}, "route.method_not_allowed"),
        ({"environment": "live"}, "auth.wrong_environment"),
    ],
)
def test_an_exchange_is_asked_about_again_with_a_change(fake: Fake, changes: dict[str, Any], told: str) -> None:
    """What the question does not say is as it was sent, the token too, though the journal has no secret."""
    assert explain_changed(fake, **changes) == told


def test_another_token_asks_by_its_id(fake: Fake) -> None:
    """Nobody need have its secret."""
    token = fake.token("customers:read")
    assert explain_changed(fake, token=token["id"]) == "auth.scope_required"
    assert explained(fake, path=CUSTOMERS, token=token["id"])["would_be"] == "The answer would be sent."


def test_token_that_there_is_not_is_not_found(fake: Fake) -> None:
    """As a problem document."""
    unknown = "tok_nobody"
    assert fake.control("POST", "explain", path=CUSTOMERS, token=unknown).status_code == 404


def test_path_is_asked_about_as_it_was_sent(fake: Fake) -> None:
    """Whatever bytes it has."""
    number = int(fake.call("GET", f"{CUSTOMERS}/%C3%A9%25%3F", fake.secret()).headers["Paylera-Mock-Journal"])
    said = explained(fake, exchange=number, headers={})
    assert said["verdict"]["problem"] == "resource.not_found"


def test_body_that_is_not_remembered_whole_must_be_given(fake: Fake) -> None:
    """What was cut would be judged otherwise."""
    secret = fake.secret()
    sent = fake.call("POST", CUSTOMERS, secret, key="k", json={"email": "a@example.com", "name": "x" * 9000})
    number = int(sent.headers["Paylera-Mock-Journal"])
    answer = fake.control("POST", "explain", exchange=number, headers={})
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, "body")
    assert explained(fake, exchange=number, body={"email": "a@example.com"})["verdict"]["problem"]


def test_an_exchange_that_is_not_remembered_is_not_found(fake: Fake) -> None:
    """As a problem document."""
    answer = fake.control("POST", "explain", exchange=99)
    assert (answer.status_code, (answer.json or {})["problem"]) == (404, "resource.not_found")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "path"),
        ({"path": "v1/customers"}, "path"),
        ({"path": "/a\nb"}, "path"),
        ({"path": 1}, "path"),
        ({"path": CUSTOMERS, "method": "G T"}, "method"),
        ({"path": CUSTOMERS, "headers": []}, "headers"),
        ({"path": CUSTOMERS, "headers": {"a b": "c"}}, "headers"),
        ({"path": CUSTOMERS, "headers": {"a": "b\r\nc: d"}}, "headers"),
        ({"path": CUSTOMERS, "headers": {"a": "\u20ac"}}, "headers"),
        ({"path": CUSTOMERS, "headers": {"a": 1}}, "headers"),
        ({"path": CUSTOMERS, "environment": "test"}, "environment"),
        ({"path": CUSTOMERS, "header": {}}, "header"),
        ({"exchange": "one"}, "exchange"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_answered_names_its_member(fake: Fake, asked: dict[str, Any], field: str) -> None:
    """With what it must be."""
    answer = fake.control("POST", "explain", **asked)
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, field)


def test_an_explanation_holds_no_secret(fake: Fake) -> None:
    """Neither the token's, nor what looks like one elsewhere in the request."""
    secret, canary = fake.secret(), f"sk_sandbox_{'canary' * 5}"
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": canary, "X-Paylera-Acting-As": canary}
    answer = fake.control("POST", "explain", path=f"{CUSTOMERS}/{canary}?t={canary}", headers=headers, body=canary)
    assert (secret in answer.text, "canarycanary" in answer.text) == (False, False)


def test_a_body_that_is_no_json_is_sent_as_it_is(fake: Fake) -> None:
    """A string is the body itself."""
    headers = {"Authorization": f"Bearer {fake.secret()}", "Idempotency-Key": "k"}
    said = explained(fake, method="POST", path=CUSTOMERS, headers=headers, body="x" * 1000)
    assert said["verdict"]["rule"] == "body-is-json"
