"""The fake answers as the document promises: what the ground floor describes is what the fake does."""

from __future__ import annotations

from typing import Any, Final

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource
from paylera_fixtures.api.schemas import answer
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app

ADMIN: Final = next(token.secret for token in WELL_KNOWN if token.name == "adminaal2")

# What an action acts on must be in the right state; a read takes whatever there is.
STATUSES: Final = {
    "finalize_invoice": "draft",
    "void_invoice": "open",
    "pay_invoice": "open",
    "cancel_payment": "requires_action",
    "refund_payment": "succeeded",
    "cancel_subscription": "active",
    "pause_subscription": "active",
}

# Objects that the control API does not make, and the plan, which is addressed by its code.
NAMED: Final = {
    Resource.CUSTOMER: "cus_ada",
    Resource.PLAN: "pro-monthly-usd",
    Resource.API_TOKEN: "tok_serviceread",
    Resource.ACTOR: "actor_ada",
}


@pytest.fixture
def client() -> FlaskClient:
    """A fake of its own for each test."""
    return create_app().test_client()


def call(client: FlaskClient, operation: Operation, identifier: str) -> Any:
    """Call an operation as its example has it, with a token that may do everything."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Idempotency-Key": operation.id}
    body = example(operation.id, suffix="-new") if operation.method in {"POST", "PATCH"} else None
    return client.open(operation.concrete(identifier), method=operation.method, headers=headers, json=body)


def object_for(client: FlaskClient, operation: Operation) -> str:
    """The id of an object that the operation can act on; made where the fake has none."""
    if operation.resource in NAMED:
        return NAMED[operation.resource]
    if operation.resource is Resource.WEBHOOK_ENDPOINT:
        create = next(each for each in OPERATIONS if each.id == "create_webhook_endpoint")
        return str(call(client, create, "").json["id"])
    wanted = {"kind": operation.resource.value} | (
        {"status": STATUSES[operation.id]} if operation.id in STATUSES else {}
    )
    made: Any = client.post("/_mock/objects", json=wanted)
    return str(made.json["id"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_answer_keeps_its_schema(client: FlaskClient, operation: Operation) -> None:
    """Each operation succeeds with its example, with the status and the shape that the document gives."""
    identifier = object_for(client, operation) if operation.has_parameter else ""
    answered = call(client, operation, identifier)
    assert answered.status_code == operation.status, answered.text
    jsonschema_rs.validate(answer(operation) or True, answered.get_json(silent=True))
