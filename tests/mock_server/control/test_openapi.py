"""The OpenAPI document of the control API: one of OpenAPI, of every call, and what is called is as it says.

`Fake.control`, by which the tests call the control API, compares every answer with it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import Client

from helpers.control_document import control_document, described_call, flaws_of_call
from helpers.fake import Fake
from paylera_mock.app import create_app
from paylera_mock.control import CALLS, Call
from paylera_mock.core.policy import Policy
from paylera_mock.http.access import Access, ControlSettings

CALLED: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("GET", "", {}),
    ("POST", "actors", {"name": "Ada"}),
    ("GET", "clock", {}),
    ("POST", "clock", {"to": "2099-01-01T00:00:00Z", "offset_ms": 5}),
    ("POST", "clock/advance", {"seconds": 1.5}),
    ("GET", "clock/instants", {}),
    ("GET", "coverage", {}),
    ("POST", "customers", {}),
    ("POST", "explain", {"path": "/v1/customers"}),
    ("GET", "faults", {}),
    ("POST", "faults", {"action": "answer", "method": "POST", "retry_after": 1}),
    ("GET", "findings", {}),
    ("GET", "health", {}),
    ("GET", "journal", {}),
    ("GET", "journal/1", {}),
    ("GET", "mutants", {}),
    ("POST", "mutants", {"ids": []}),
    ("POST", "namespaces", {"profile": "reference", "readings": {"scope_refusal": 403}}),
    ("GET", "objects?kind=customer", {}),
    ("POST", "objects", {"kind": "payment", "status": "succeeded"}),
    ("GET", "tenants", {}),
    ("POST", "tenants", {}),
    ("POST", "tokens", {"audience": "customer", "scopes": ["*"], "aal": 1}),
    ("GET", "snapshot", {}),
    ("POST", "verify", {"retried": {"method": "GET", "attempts": {"min": 2}}}),
    ("GET", "versions", {}),
    ("POST", "versions", {"version": "2099-01-01"}),
    ("GET", "webhooks/deliveries", {}),
    ("POST", "webhooks/flush", {"timeout_seconds": 1}),
)
"""Calls with a result, and a body that is accepted."""


EVERY: Final = [(path, method, call) for path, calls in CALLS.items() for method, call in calls.items()]


def test_document_is_openapi_3_1() -> None:
    """It keeps the schema of OpenAPI 3.1, and every reference in it leads somewhere."""
    assert list(OpenAPIV31SpecValidator(control_document().content).iter_errors()) == []


def test_every_call_is_there_once() -> None:
    """Each under a name of its own, which generators make functions of."""
    described = [described_call(method, path) or {} for path, method, _ in EVERY]
    assert [each["operationId"] for each in described] == [call.handler.__name__ for _, _, call in EVERY]
    assert len({each["operationId"] for each in described}) == len(EVERY)


@pytest.mark.parametrize(("path", "method", "call"), EVERY, ids=[f"{method} {path}" for path, method, _ in EVERY])
def test_a_call_is_said_to_be_what_it_is(path: str, method: str, call: Call) -> None:
    """The name in the docstring of its handler is that of the table."""
    assert call.name == f"{method} C/{path}".rstrip("/")
    assert call.description.endswith(".")


@pytest.mark.parametrize(("method", "path", "body"), CALLED, ids=[f"{method} {path}" for method, path, _ in CALLED])
def test_a_result_is_as_the_document_says(fake: Fake, method: str, path: str, body: dict[str, Any]) -> None:
    """In a namespace in which something was done, and found."""
    fake.call("POST", "/v1/customers", fake.secret(name="mine"), json={"email": "a@b.example"})
    answer = fake.control(method, path, **body)
    assert answer.status_code in {200, 201}, answer.text


def test_what_has_a_default_is_always_there_in_a_result_and_may_be_left_out_of_a_body() -> None:
    """So that a generated client asks for no more than the fake, and finds what is there."""
    schemas = control_document().content["components"]["schemas"]
    assert "protocol" in schemas["Description"]["required"]
    assert schemas["FaultBody"]["required"] == []
    assert schemas["Snapshot"]["required"] == [
        name for name in schemas["Snapshot"]["properties"] if name not in {"schema", "kind"}
    ]


def test_the_parameters_of_a_query_are_named() -> None:
    """With what they must be."""
    parameters = {each["name"]: each for each in (described_call("GET", "journal/1") or {})["parameters"]}
    assert [(name, each["in"], each["required"]) for name, each in parameters.items()] == [("id", "path", True)]
    listed = {each["name"]: each["schema"] for each in (described_call("GET", "tokens") or {})["parameters"]}
    assert (listed["limit"]["maximum"], "cursor" in listed) == (1000, True)


def test_the_protocol_is_told_from_what_is_the_fakes_own() -> None:
    """Other servers may offer the protocol too."""
    tags = {method: (described_call(method, "clock") or {})["tags"] for method in ("GET", "POST")}
    assert tags == {"GET": ["protocol"], "POST": ["mock"]}


def test_each_namespace_serves_it_with_its_own_address(fake: Fake) -> None:
    """A client that is made of it calls that namespace."""
    served = fake.control("GET", "openapi.json").json or {}
    assert served["servers"] == [{"url": f"http://localhost{fake.control_base}"}]
    assert served | {"servers": []} == dict(control_document().content) | {"servers": []}


WITH_TOKEN: Final = {"Authorization": "Bearer of-the-test"}


def guarded_client() -> Client:
    """A client of a fake whose control API wants a token."""
    return Client(create_app(access=Access(control=ControlSettings("of-the-test"))))


def test_it_is_guarded_as_the_rest_is() -> None:
    """Whoever may not call learns no calls."""
    client = guarded_client()
    statuses = [client.get("/_mock/openapi.json", headers=headers).status_code for headers in ({}, WITH_TOKEN)]
    assert statuses == [401, 200]


REFUSED: Final[dict[HTTPStatus, tuple[str, str, dict[str, Any]]]] = {
    HTTPStatus.BAD_REQUEST: ("POST", "tokens", {"data": b"{"}),
    HTTPStatus.UNAUTHORIZED: ("GET", "", {"headers": {"Authorization": "Bearer another"}}),
    HTTPStatus.FORBIDDEN: ("GET", "", {"headers": {"Origin": "http://elsewhere.example"}}),
    HTTPStatus.NOT_FOUND: ("GET", "tokens/absent", {}),
    HTTPStatus.CONFLICT: ("POST", "faults", {"json": {"action": "reset"}}),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("POST", "tokens", {"data": b" " * (Policy().control_body_limit + 1)}),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("POST", "tokens", {"data": b"{}", "headers": {"Content-Encoding": "gzip"}}),
    HTTPStatus.MISDIRECTED_REQUEST: ("GET", "", {"base_url": "http://elsewhere.example"}),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("POST", "clock/advance", {"json": {}}),
}


@pytest.mark.parametrize("status", REFUSED)
def test_a_refusal_is_as_the_document_says(status: HTTPStatus) -> None:
    """Each that it names happens."""
    method, path, request = REFUSED[status]
    headers = {**WITH_TOKEN, **request.get("headers", {})}
    answer = guarded_client().open(f"/_mock/{path}", method=method, **{**request, "headers": headers})
    assert answer.status_code == status
    assert flaws_of_call(method, path, {}, answer) == []


def test_the_document_names_no_other_refusal() -> None:
    """But for a failure of the fake, which no test can ask for."""
    responses = control_document().content["components"]["responses"]
    assert set(responses) == {f"Problem{int(status)}" for status in (*REFUSED, HTTPStatus.INTERNAL_SERVER_ERROR)}


def test_an_answer_that_is_not_as_the_document_says_is_found(fake: Fake) -> None:
    """What the tests compare answers with can tell."""
    answer = fake.control("GET", "clock")
    assert flaws_of_call("GET", "versions", {}, answer) != []
    assert flaws_of_call("POST", "clock/advance", {"seconds": "1"}, answer) == [
        'the body: seconds: "1" is not of type "number"'
    ]
