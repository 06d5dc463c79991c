"""What answers look like: problem documents, challenges, rates, explanations."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app

CUSTOMERS: Final = "/v1/customers"
SECRET: Final = WELL_KNOWN[0].secret


def refusals(fake: Fake) -> dict[str, Any]:
    """One refusal of each kind that is easily had."""
    secret, json = fake.secret(), "application/json"
    return {
        "401": fake.call("GET", CUSTOMERS),
        "403": fake.call("GET", "/v1/admin/actors", secret),
        "404": fake.call("GET", f"{CUSTOMERS}/x", secret),
        "405": fake.call("PUT", CUSTOMERS, secret),
        "400": fake.call("POST", CUSTOMERS, secret, key="k", data=b"{", content_type=json),
        "413": fake.call("POST", CUSTOMERS, secret, key="k", data=b" " * (1024 * 1024 + 1), content_type=json),
        "415": fake.call("POST", CUSTOMERS, secret, key="t", data=b"a=b", content_type="text/plain"),
        "422": fake.call("POST", CUSTOMERS, secret, key="v", json={}),
    }


KINDS: Final = ("400", "401", "403", "404", "405", "413", "415", "422")


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_is_a_problem_document(fake: Fake, kind: str) -> None:
    """With every member, and the status that it has (clauses problem.members, problem.media-type)."""
    answer = refusals(fake)[kind]
    body = answer.json
    texts = [body[member] for member in ("title", "detail", "problem")]
    assert (answer.status_code, body["status"], answer.content_type, all(texts)) == (
        int(kind),
        int(kind),
        "application/problem+json",
        True,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_problem_tells_its_occurrence(fake: Fake, kind: str) -> None:
    """The path with its prefix, and a trace's id (clause problem.occurrence)."""
    body = refusals(fake)[kind].json
    assert (body["instance"].startswith(f"{fake.base}/v1/"), bool(re.fullmatch("[0-9A-Z]{26}", body["trace_id"]))) == (
        True,
        True,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_has_the_rate(fake: Fake, kind: str) -> None:
    """Refusals too (clause rate-limit.headers)."""
    headers = refusals(fake)[kind].headers
    numbers = [headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert all(number.isdecimal() for number in numbers)


def test_a_path_is_quoted_in_a_problem(fake: Fake) -> None:
    """What a client wrote does not come back as markup."""
    body = fake.call("GET", "/v1/<script>é", fake.secret()).json or {}
    assert body["instance"] == f"{fake.base}/v1/%3Cscript%3E%C3%A9"


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, 'Bearer realm="paylera"'),
        ({"Authorization": "Basic x"}, 'Bearer realm="paylera", error="invalid_request"'),
        ({"Authorization": "Bearer x"}, 'Bearer realm="paylera", error="invalid_token"'),
    ],
)
def test_a_401_carries_a_challenge(fake: Fake, headers: dict[str, str], challenge: str) -> None:
    """RFC 6750, section 3 (clause credential.challenge)."""
    assert fake.call("GET", CUSTOMERS, headers=headers).headers["WWW-Authenticate"] == challenge


def test_a_missing_scope_is_named_in_the_challenge(fake: Fake) -> None:
    """RFC 6750, section 3: `scope` says what would do."""
    answer = fake.call("GET", CUSTOMERS, fake.secret("catalog:read"))
    assert 'error="insufficient_scope", scope="customers:read"' in answer.headers["WWW-Authenticate"]


def test_what_is_no_401_carries_no_challenge(reference: Fake) -> None:
    """A 403 does not ask for another credential."""
    answer = reference.call("GET", CUSTOMERS, reference.secret("catalog:read"))
    assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (403, False)


def test_the_rule_that_decided_is_named() -> None:
    """Beside the contract, with its clause."""
    answer = Client(create_app()).get(CUSTOMERS)
    assert answer.headers["Paylera-Mock-Verdict"] == "credential-present; clause=credential.missing"


def test_explanations_can_be_switched_off() -> None:
    """Then exactly the contract goes over the wire."""
    answer = Client(create_app(explain_headers=False)).get(CUSTOMERS)
    assert not [name for name, _ in answer.headers if name.startswith("Paylera-Mock")]


def test_hosts_tell_the_environment_where_asked() -> None:
    """In a process without network the production hosts are the environments."""
    client = Client(create_app(by_host=True))
    hosts = ("https://api.sandbox.paylera.io", "https://api.paylera.io")
    answers = [client.get(CUSTOMERS, base_url=host, headers={"Authorization": f"Bearer {SECRET}"}) for host in hosts]
    assert [answer.status_code for answer in answers] == [200, 401]


@pytest.mark.parametrize(
    ("path", "kind"), [("/openapi/v1.json", "application/json"), ("/openapi/v1.yaml", "application/yaml")]
)
@pytest.mark.parametrize("prefix", ["base", "live_base"])
def test_the_document_needs_no_token(fake: Fake, prefix: str, path: str, kind: str) -> None:
    """In both forms, under each address; it names the address it was read at."""
    base = getattr(fake, prefix)
    answer = fake.client.get(base + path)
    assert (answer.status_code, answer.content_type, f"http://localhost{base}" in answer.text) == (200, kind, True)


def test_the_document_is_of_the_namespaces_profile(reference: Fake) -> None:
    """A namespace of another profile has another document."""
    answer = reference.client.get(f"{reference.base}/openapi/v1.json")
    assert (answer.json or {})["x-paylera-profile"] == "reference"


def test_a_failure_inside_is_a_problem_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a traceback in the body."""
    monkeypatch.setattr("paylera_mock.http.handler.judge", lambda *_: 1 / 0)
    answer = Client(create_app()).get(CUSTOMERS)
    found = answer.status_code, (answer.json or {})["problem"], "ZeroDivision" in answer.text
    assert found == (500, "internal", False)
