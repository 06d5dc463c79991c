"""Each rule of the chain refuses what it is there for, with its reason; and the rules stand in the contract's order."""

from __future__ import annotations

from typing import Any, Final

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS, Operation
from paylera_fixtures.tokens import new_secret
from paylera_fixtures.vocabulary import Environment
from paylera_mock.operations import EFFECTS
from paylera_mock.pipeline.rules import RULES

CUSTOMERS: Final = "/v1/customers"
ADMIN_OPERATIONS: Final = [operation for operation in OPERATIONS if operation.is_admin]
WRITES: Final = [operation for operation in OPERATIONS if not operation.is_read and not operation.is_admin]


def refusal(answer: Any) -> tuple[int, str]:
    """What a refusal is recognised by: status, code, and the rule that decided."""
    return answer.status_code, answer.json["problem"]


def test_every_operation_has_an_effect() -> None:
    """The table of effects has each operation of the contract, and no other."""
    assert set(EFFECTS) == {operation.id for operation in OPERATIONS}


def test_the_chain_is_in_the_contracts_order() -> None:
    """The order of checks is a decision of this project, so a change of it must be meant."""
    assert [rule.name for rule in RULES] == [
        "credential-present",
        "credential-well-formed",
        "right-environment",
        "token-known",
        "token-not-revoked",
        "secret-not-expired",
        "within-rate",
        "admin-api-by-admin",
        "customer-reads-only",
        "route-exists",
        "method-allowed",
        "scope-granted",
        "second-factor",
        "actor-known",
        "version-supported",
        "body-bounded",
        "key-present",
        "key-bounded",
        "key-with-same-body",
        "replayed",
        "body-is-json",
        "body-fits-schema",
        "effect",
    ]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_no_operation_answers_without_a_token(fake: Fake, operation: Operation) -> None:
    """Every operation needs a credential (clause credential.missing)."""
    answer = fake.call(operation.method, operation.concrete("x"))
    assert refusal(answer) == (401, "auth.missing_token")


@pytest.mark.parametrize("where", ["query", "cookie", "form", "json", "api-key"])
def test_a_token_elsewhere_is_no_credential(fake: Fake, where: str) -> None:
    """Only the Authorization header is looked at (clause credential.only-in-header)."""
    secret = fake.secret()
    places: dict[str, dict[str, Any]] = {
        "query": {"query_string": {"access_token": secret}},
        "cookie": {"headers": {"Cookie": f"access_token={secret}"}},
        "form": {"data": {"access_token": secret}},
        "json": {"json": {"access_token": secret}},
        "api-key": {"headers": {"X-Api-Key": secret}},
    }
    answer = fake.call("POST", CUSTOMERS, **places[where])
    assert refusal(answer) == (401, "auth.missing_token")


def test_a_malformed_header_does_not_authenticate(fake: Fake) -> None:
    """A header of another scheme is an invalid token (clause credential.malformed)."""
    answer = fake.call("GET", CUSTOMERS, headers={"Authorization": f"Basic {fake.secret()}"})
    assert refusal(answer) == (401, "auth.invalid_token")


def test_two_headers_do_not_authenticate(fake: Fake) -> None:
    """Servers join two headers with a comma, which no token has (clause credential.duplicate-headers)."""
    secret = fake.secret()
    answer = fake.call("GET", CUSTOMERS, headers={"Authorization": f"Bearer {secret},Bearer {secret}"})
    assert refusal(answer) == (401, "auth.invalid_token")


@pytest.mark.parametrize("live", [False, True])
def test_a_token_of_the_other_environment_is_refused(fake: Fake, *, live: bool) -> None:
    """The prefix decides, both ways (clause token.wrong-environment)."""
    secret = fake.secret(environment="sandbox" if live else "live")
    assert refusal(fake.call("GET", CUSTOMERS, secret, live=live)) == (401, "auth.wrong_environment")


def test_a_live_token_works_on_live(fake: Fake) -> None:
    """Live is under the prefix /live."""
    assert fake.call("GET", CUSTOMERS, fake.secret(environment="live"), live=True).status_code == 200


def test_an_unknown_token_is_refused(fake: Fake) -> None:
    """A token that was never minted does not exist (clause token.unknown)."""
    assert refusal(fake.call("GET", CUSTOMERS, new_secret(Environment.SANDBOX))) == (401, "auth.invalid_token")


def test_an_altered_token_is_another_token(fake: Fake) -> None:
    """A token is compared whole and with its case (clause credential.exact-match)."""
    secret = fake.secret()
    altered = (secret[:-1], secret + "a", secret.swapcase(), secret[:11] + secret[11:].swapcase())
    answers = {refusal(fake.call("GET", CUSTOMERS, other)) for other in altered}
    assert answers == {(401, "auth.invalid_token")}


@pytest.mark.parametrize("audience", ["service", "customer"])
@pytest.mark.parametrize("operation", ADMIN_OPERATIONS, ids=str)
def test_the_admin_api_takes_admin_tokens_only(fake: Fake, operation: Operation, audience: str) -> None:
    """No scope opens the Admin API (clause audience.admin-api-needs-admin)."""
    answer = fake.call(operation.method, operation.concrete("x"), fake.secret("*", audience=audience))
    assert refusal(answer) == (403, "auth.audience_required")


def test_an_admin_token_works_on_both_apis(fake: Fake) -> None:
    """The Public API takes every audience (clause audience.admin-on-public-api)."""
    admin = fake.admin()
    statuses = {fake.call("GET", path, admin).status_code for path in (CUSTOMERS, "/v1/admin/api-tokens")}
    assert statuses == {200}


@pytest.mark.parametrize("operation", WRITES, ids=str)
def test_a_customer_cannot_write(fake: Fake, operation: Operation) -> None:
    """A customer token is for reading (clause audience.customer-cannot-write)."""
    answer = fake.call(operation.method, operation.concrete("x"), fake.secret("*", audience="customer"), key="k")
    assert refusal(answer) == (403, "auth.audience_required")


def test_a_customer_cannot_read_the_catalog(fake: Fake) -> None:
    """Refused as a write is, since no source gives a customer more than its own data."""
    answer = fake.call("GET", "/v1/products", fake.secret("*", audience="customer"))
    assert refusal(answer) == (403, "auth.audience_required")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/customers/", "/v1/Customers", "/V1/customers", "/v1", "/"])
def test_another_spelling_is_no_route(fake: Fake, path: str) -> None:
    """Paths are compared as they are (clause robustness.no-side-door)."""
    assert refusal(fake.call("GET", path, fake.secret())) == (404, "route.not_found")


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "PROPFIND", "get"])
def test_another_method_is_refused(fake: Fake, method: str) -> None:
    """An unknown method is a problem document, and `Allow` names those there are."""
    answer = fake.call(method, CUSTOMERS, fake.secret())
    assert (*refusal(answer), answer.headers["Allow"]) == (405, "route.method_not_allowed", "GET, POST")


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/v1/admin/x"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "BREW"])
def test_nothing_is_told_before_the_credential(fake: Fake, method: str, path: str) -> None:
    """Without a token one does not learn which routes there are."""
    assert refusal(fake.call(method, path)) == (401, "auth.missing_token")


def test_a_head_is_a_get_without_body(fake: Fake) -> None:
    """A HEAD goes through the same checks, and answers with the same headers."""
    secret = fake.secret()
    head, get = fake.call("HEAD", CUSTOMERS, secret), fake.call("GET", CUSTOMERS, secret)
    assert (head.status_code, head.data, head.content_length) == (200, b"", len(get.data))


def test_a_head_needs_a_token(fake: Fake) -> None:
    """A HEAD is no side door."""
    assert fake.call("HEAD", CUSTOMERS).status_code == 401


def test_an_override_header_changes_nothing(fake: Fake) -> None:
    """A method is what the request line says (clause robustness.no-side-door)."""
    reader = fake.secret("customers:read")
    answer = fake.call("GET", f"{CUSTOMERS}/x", reader, headers={"X-HTTP-Method-Override": "DELETE"})
    assert refusal(answer) == (404, "resource.not_found")


SCOPED: Final = [operation for operation in OPERATIONS if operation.guide_scope]


@pytest.mark.parametrize("operation", SCOPED, ids=str)
def test_an_operation_needs_its_scope(fake: Fake, operation: Operation) -> None:
    """Every other scope together does not open it (clause scope.required)."""
    others = {o.guide_scope for o in SCOPED if o.guide_scope} - {operation.guide_scope}
    secret = fake.secret(*sorted(scope for scope in others if scope), audience="admin", aal=2)
    assert refusal(fake.call(operation.method, operation.concrete("x"), secret)) == (401, "auth.scope_required")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_reference_has_more_scopes(reference: Fake, operation: Operation) -> None:
    """In the reference's profile every operation has a scope, and lacking it is 403 (reading scope_refusal)."""
    others = sorted({o.scope for o in OPERATIONS} - {operation.scope})
    secret = reference.secret(*others, audience="admin", aal=2)
    assert refusal(reference.call(operation.method, operation.concrete("x"), secret)) == (403, "auth.scope_required")


@pytest.mark.parametrize("scope", ["customers", "customers:", "customers:rea", "CUSTOMERS:READ", "customers:write"])
def test_a_scope_is_compared_whole(fake: Fake, scope: str) -> None:
    """Neither a part of it, nor another case, nor write for read (clause scope.exact)."""
    assert refusal(fake.call("GET", CUSTOMERS, fake.secret(scope))) == (401, "auth.scope_required")


@pytest.mark.parametrize("path", ["/v1/payments/{}/cancel", "/v1/invoices/{}/void"])
def test_aal2_is_required(fake: Fake, path: str) -> None:
    """An operator without second factor is refused (clause aal2.required)."""
    answer = fake.call("POST", path.format("x"), fake.admin(aal=1))
    assert refusal(answer) == (401, "auth.aal2_required")


def test_a_service_never_satisfies_aal2(fake: Fake) -> None:
    """Even a service token that was minted with AAL2 (clause aal2.service-never)."""
    answer = fake.call("POST", "/v1/payments/x/cancel", fake.secret("*", aal=2))
    assert refusal(answer) == (401, "auth.aal2_required")


def test_aal2_is_satisfied(fake: Fake) -> None:
    """An operator with second factor gets through (clause aal2.satisfied)."""
    payment = fake.made("payment", status="requires_action")
    answer = fake.call("POST", f"/v1/payments/{payment}/cancel", fake.admin())
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "canceled")


def test_the_reference_answers_403_for_aal2(reference: Fake) -> None:
    """Reading aal2_refusal."""
    answer = reference.call("POST", "/v1/payments/x/cancel", reference.admin(aal=1), key="k")
    assert refusal(answer) == (403, "auth.aal2_required")


# Each request is wrong in two ways; the earlier rule decides.
ORDER: Final[tuple[tuple[str, str, str, dict[str, str], str], ...]] = (
    ("credential before environment", "GET", "/v1/nothing", {"Authorization": "Basic x"}, "auth.invalid_token"),
    ("route before version", "GET", "/v1/nothing", {"Paylera-Version": "x"}, "route.not_found"),
    ("method before actor", "PUT", CUSTOMERS, {"X-Paylera-Acting-As": "x"}, "route.method_not_allowed"),
    (
        "actor before version",
        "GET",
        CUSTOMERS,
        {"X-Paylera-Acting-As": "x", "Paylera-Version": "x"},
        "validation.failed",
    ),
    ("version before key", "POST", CUSTOMERS, {"Paylera-Version": "x"}, "version.unsupported"),
    ("key before body", "POST", CUSTOMERS, {"Content-Type": "text/plain"}, "idempotency.required"),
    ("audience before route", "GET", "/v1/admin/nothing", {}, "auth.audience_required"),
)


@pytest.mark.parametrize(
    ("method", "path", "headers", "problem"), [row[1:] for row in ORDER], ids=[r[0] for r in ORDER]
)
def test_the_earlier_rule_decides(fake: Fake, method: str, path: str, headers: dict[str, str], problem: str) -> None:
    """Of two flaws the one that is looked at first is named."""
    sent = {"Authorization": f"Bearer {fake.secret()}", **headers}
    assert refusal(fake.call(method, path, headers=sent, data=b"x"))[1] == problem
