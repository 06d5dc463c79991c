"""The schemas of what is sent and answered."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from paylera_fixtures.api.examples import EXAMPLES, example
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource
from paylera_fixtures.api.schemas import OBJECTS, PROBLEM, REQUEST_BODIES, answer, body_is_optional, list_of

WITH_BODY = {operation.id for operation in OPERATIONS if operation.method in {"POST", "PATCH"}}

REFUSED_BODIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("amount-is-a-number", "credit_wallet", {"amount": 1}),
    ("amount-with-sign", "credit_wallet", {"amount": "-1.00"}),
    ("amount-with-exponent", "credit_wallet", {"amount": "1.0e3"}),
    ("amount-with-nine-decimals", "credit_wallet", {"amount": "1.123456789"}),
    ("amount-in-other-digits", "credit_wallet", {"amount": "\N{ARABIC-INDIC DIGIT ONE}"}),
    ("currency-in-small-letters", "create_wallet", {"customer_id": "cus_1", "currency": "usd"}),
    ("email-without-at", "create_customer", {"email": "ada"}),
    ("email-missing", "create_customer", {"name": "Ada"}),
    ("name-with-nul", "create_customer", {"email": "a@b.c", "name": "A\0"}),
    ("name-too-long", "create_customer", {"email": "a@b.c", "name": "A" * 256}),
    ("metadata-of-51-keys", "create_customer", {"email": "a@b.c", "metadata": {str(n): "" for n in range(51)}}),
    ("metadata-of-501", "create_customer", {"email": "a@b.c", "metadata": {"a": "x" * 501}}),
    ("metadata-of-numbers", "create_customer", {"email": "a@b.c", "metadata": {"a": 1}}),
    ("interval-unknown", "create_plan", {"product_code": "p", "code": "c", "currency": "USD", "interval": "eon"}),
    ("line-without-amount", "create_invoice", {"customer_id": "c", "currency": "USD", "lines": [{}]}),
    ("source-unknown", "pay_invoice", {"source": "purse"}),
    ("events-empty", "create_webhook_endpoint", {"url": "https://example.com", "events": []}),
    ("audience-unknown", "create_api_token", {"audience": "root", "scopes": []}),
    ("aal-3", "create_api_token", {"audience": "admin", "scopes": [], "aal": 3}),
    ("aal-true", "create_api_token", {"audience": "admin", "scopes": [], "aal": True}),
)


def test_every_post_and_patch_has_a_body_schema() -> None:
    """A POST or PATCH without a schema would take anything."""
    assert set(REQUEST_BODIES) == WITH_BODY


def test_every_post_and_patch_has_an_example() -> None:
    """The suite and the OpenAPI document find an example for each body."""
    assert set(EXAMPLES) == WITH_BODY


def test_every_kind_has_an_object_schema() -> None:
    """No kind of object is left without its shape."""
    assert set(OBJECTS) == set(Resource)


@pytest.mark.parametrize("schema", [*REQUEST_BODIES.values(), *OBJECTS.values(), PROBLEM])
def test_schema_is_valid(schema: dict[str, Any]) -> None:
    """Each is a schema by the rules of draft 2020-12."""
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


@pytest.mark.parametrize("operation_id", sorted(EXAMPLES))
def test_example_is_accepted(operation_id: str) -> None:
    """An example keeps its schema."""
    assert jsonschema_rs.is_valid(REQUEST_BODIES[operation_id], example(operation_id))


@pytest.mark.parametrize(
    ("operation_id", "body"), [row[1:] for row in REFUSED_BODIES], ids=[r[0] for r in REFUSED_BODIES]
)
def test_odd_body_is_refused(operation_id: str, body: dict[str, Any]) -> None:
    """One wrong member is enough."""
    assert not jsonschema_rs.is_valid(REQUEST_BODIES[operation_id], body)


def test_unknown_members_are_allowed() -> None:
    """No source says that they are refused."""
    assert jsonschema_rs.is_valid(REQUEST_BODIES["create_customer"], {"email": "a@b.c", "shoe_size": 42})


def test_an_action_may_come_without_a_body() -> None:
    """What requires no member requires no body."""
    assert body_is_optional("void_invoice")


@pytest.mark.parametrize("operation_id", ["create_customer", "update_customer"])
def test_a_write_of_members_needs_its_body(operation_id: str) -> None:
    """A create has members to require, and a PATCH without a body says nothing."""
    assert not body_is_optional(operation_id)


def test_example_fills_its_placeholders() -> None:
    """What is given takes the place of the default."""
    assert example("create_wallet", customer_id="cus_7")["customer_id"] == "cus_7"


def test_examples_are_fresh() -> None:
    """Changing one leaves the next as it was."""
    example("create_invoice")["lines"].clear()
    assert example("create_invoice")["lines"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_answer_has_a_body_unless_it_is_204(operation: Operation) -> None:
    """204 means that nothing follows (RFC 9110, section 15.3.5)."""
    assert (answer(operation) is None) == (operation.status == 204)


def test_a_list_without_its_cursor_is_no_list() -> None:
    """`next_cursor` is there at the end too, as null."""
    assert not jsonschema_rs.is_valid(list_of({}), {"data": [], "has_more": False})
