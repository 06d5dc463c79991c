"""The OpenAPI document that is built from the table of operations."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from paylera_fixtures.api.openapi import build
from paylera_fixtures.api.operations import BY_ID, OPERATIONS
from paylera_fixtures.vocabulary import Problems, Profile, scopes_of

EXTENSIONS = (
    # operation, profile, extension, value
    ("list_customers", Profile.GUIDE, "x-paylera-scope", "customers:read"),
    ("list_customers", Profile.GUIDE, "x-paylera-source", "guide"),
    ("list_customers", Profile.GUIDE, "x-paylera-audiences", ["service", "customer", "admin"]),
    ("list_customers", Profile.REFERENCE, "x-paylera-idempotency-key", "none"),
    ("create_customer", Profile.GUIDE, "x-paylera-idempotency-key", "required"),
    ("update_customer", Profile.REFERENCE, "x-paylera-idempotency-key", "accepted"),
    ("void_invoice", Profile.GUIDE, "x-paylera-idempotency-key", "accepted"),
    ("void_invoice", Profile.REFERENCE, "x-paylera-idempotency-key", "required"),
    ("void_invoice", Profile.GUIDE, "x-paylera-aal2", True),
    ("pay_invoice", Profile.GUIDE, "x-paylera-aal2", False),
    ("list_wallets", Profile.GUIDE, "x-paylera-scope", "payments:read"),
    ("list_wallets", Profile.REFERENCE, "x-paylera-scope", "wallets:read"),
    ("rotate_api_token", Profile.GUIDE, "x-paylera-scope", None),
    ("rotate_api_token", Profile.GUIDE, "x-paylera-audiences", ["admin"]),
    ("create_api_token", Profile.GUIDE, "x-paylera-source", "chosen"),
)

REFUSALS = (
    # operation, profile, status, problem
    ("list_customers", Profile.GUIDE, "401", Problems.SCOPE_REQUIRED),
    ("list_customers", Profile.REFERENCE, "403", Problems.SCOPE_REQUIRED),
    ("cancel_payment", Profile.GUIDE, "401", Problems.AAL2_REQUIRED),
    ("cancel_payment", Profile.REFERENCE, "403", Problems.AAL2_REQUIRED),
    ("create_product", Profile.GUIDE, "409", Problems.CONFLICT),
    ("get_customer", Profile.GUIDE, "404", Problems.NOT_FOUND),
    ("create_customer", Profile.GUIDE, "400", Problems.KEY_REQUIRED),
    ("create_customer", Profile.GUIDE, "415", Problems.UNSUPPORTED_MEDIA_TYPE),
    ("create_customer", Profile.GUIDE, "422", Problems.KEY_BODY_MISMATCH),
    ("list_products", Profile.GUIDE, "429", Problems.RATE_LIMITED),
    ("list_products", Profile.GUIDE, "403", Problems.AUDIENCE_REQUIRED),
)


def described(operation_id: str, profile: Profile) -> dict[str, Any]:
    """One operation of a profile's document."""
    operation = BY_ID[operation_id]
    found: dict[str, Any] = build(profile)["paths"][operation.path][operation.method.lower()]
    return found


@pytest.mark.parametrize("profile", Profile)
def test_document_is_openapi_3_1(profile: Profile) -> None:
    """It keeps the schema of OpenAPI 3.1, and every reference in it leads somewhere."""
    assert list(OpenAPIV31SpecValidator(build(profile)).iter_errors()) == []


@pytest.mark.parametrize("profile", Profile)
def test_every_operation_is_there_once(profile: Profile) -> None:
    """The document has the table's operations, no more and no less."""
    ids = [operation["operationId"] for path in build(profile)["paths"].values() for operation in path.values()]
    assert sorted(ids) == sorted(operation.id for operation in OPERATIONS)


@pytest.mark.parametrize("profile", Profile)
def test_scopes_named_are_those_of_the_profile(profile: Profile) -> None:
    """No operation asks for a scope that no token could be given."""
    named = {op["x-paylera-scope"] for path in build(profile)["paths"].values() for op in path.values()}
    assert named - {None} == set(scopes_of(profile)) - {"*"}


@pytest.mark.parametrize(("operation_id", "profile", "extension", "value"), EXTENSIONS)
def test_extension_says_what_the_table_says(operation_id: str, profile: Profile, extension: str, value: object) -> None:
    """What OpenAPI has no word for is in the extensions."""
    assert described(operation_id, profile)[extension] == value


@pytest.mark.parametrize(("operation_id", "profile", "status", "problem"), REFUSALS)
def test_refusal_is_documented(operation_id: str, profile: Profile, status: str, problem: Any) -> None:
    """Each way to be refused stands under its status."""
    assert f"`{problem.code}`" in described(operation_id, profile)["responses"][status]["description"]


def test_refusal_that_cannot_happen_is_not_documented() -> None:
    """A list takes no key, so it never misses one."""
    assert Problems.KEY_REQUIRED.code not in json.dumps(described("list_customers", Profile.REFERENCE))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_refusal_is_a_problem_document(operation: Any) -> None:
    """A 4xx or 5xx has no other media type (clause problem.media-type)."""
    responses = described(operation.id, Profile.GUIDE)["responses"]
    media = {tuple(answer["content"]) for status, answer in responses.items() if status >= "400"}
    assert media == {("application/problem+json",)}


def test_reading_on_top_of_the_profile_decides() -> None:
    """One reading can be set on its own."""
    document = build(Profile.GUIDE, scope_refusal="403")
    assert "auth.scope_required" in document["paths"]["/v1/customers"]["get"]["responses"]["403"]["description"]


def test_unknown_reading_is_refused() -> None:
    """A misspelt reading must not be taken for the default."""
    with pytest.raises(ValueError, match="scope_refusal"):
        build(Profile.GUIDE, scope_refusl="403")


def test_same_arguments_give_the_same_document() -> None:
    """Two builds agree to the byte, so that an ETag can be made of it."""
    assert json.dumps(build(Profile.GUIDE)) == json.dumps(build(Profile.GUIDE))


def test_documents_share_nothing() -> None:
    """Whoever changes one leaves the next as it was."""
    build(Profile.GUIDE)["components"]["schemas"].clear()
    assert build(Profile.GUIDE)["components"]["schemas"]


def test_yaml_has_no_aliases() -> None:
    """A reader of the YAML form should not have to follow anchors."""
    assert "&id" not in yaml.safe_dump(build(Profile.GUIDE))


def test_base_url_is_the_only_server() -> None:
    """A document that a server hands out names that server."""
    assert build(Profile.GUIDE, base_url="http://127.0.0.1:4242")["servers"] == [{"url": "http://127.0.0.1:4242"}]


def test_without_base_url_both_environments_are_named() -> None:
    """The documented hosts, sandbox first."""
    urls = [server["url"] for server in build(Profile.GUIDE)["servers"]]
    assert urls == ["https://api.sandbox.paylera.io", "https://api.paylera.io"]


def test_versions_given_are_the_only_ones() -> None:
    """A server that knows its versions lets nobody guess."""
    document = build(Profile.GUIDE, versions=["2026-04-01"])
    assert document["components"]["parameters"]["Version"]["schema"]["enum"] == ["2026-04-01"]
