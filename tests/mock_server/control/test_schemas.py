"""The JSON Schemas of the control API describe what it takes and what it answers."""

from __future__ import annotations

from typing import Any, Final

import jsonschema_rs
import pytest

from helpers.fake import Fake
from paylera_mock.control import CALLS, schemas

SCHEMAS: Final = schemas()
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


def schema_of(method: str, path: str) -> dict[str, Any]:
    """The schemas of a call."""
    name = f"{method} C/{path.partition('?')[0]}".rstrip("/").replace("journal/1", "journal/{id}")
    return SCHEMAS[name]


@pytest.mark.parametrize(("method", "path", "body"), CALLED, ids=[f"{method} {path}" for method, path, _ in CALLED])
def test_bodies_and_results_are_as_their_schemas_say(fake: Fake, method: str, path: str, body: dict[str, Any]) -> None:
    """In a namespace in which something was done, and found."""
    fake.call("POST", "/v1/customers", fake.secret(name="mine"), json={"email": "a@b.example"})
    answer = fake.control(method, path, **body)
    assert answer.status_code in {200, 201}, answer.text
    schema = schema_of(method, path)
    jsonschema_rs.validate(schema.get("body", {}), body)
    jsonschema_rs.validate(schema["result"], answer.json)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    """Of a body, a query or a result."""
    assert set(SCHEMAS[name]) <= {"body", "query", "result"}
    for schema in SCHEMAS[name].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_call_has_its_schemas() -> None:
    """By its name."""
    names = {f"{method} C/{path}".rstrip("/") for path, calls in CALLS.items() for method in calls}
    assert set(SCHEMAS) == names
