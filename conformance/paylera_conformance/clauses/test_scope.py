"""What a token may do: each scope opens what it names, and nothing else (guide, Scopes)."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import NotOffered, NotRun
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers, each_operation, mode_of
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.requests import LEAST_AMOUNT
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.target.provisioner import Need, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import REFERENCE_SCOPES, WILDCARD, scopes_of

OPERATION_OF = {
    "catalog:read": "list_products",
    "catalog:write": "create_product",
    "customers:read": "list_customers",
    "customers:write": "create_customer",
    "subscriptions:read": "list_subscriptions",
    "subscriptions:write": "create_subscription",
    "invoices:read": "list_invoices",
    "invoices:write": "create_invoice",
    "payments:read": "list_payments",
    "payments:write": "pay_invoice",
    "payments:refund": "refund_payment",
    "wallets:read": "list_wallets",
    "wallets:write": "create_wallet",
    "webhooks:read": "list_webhook_endpoints",
    "webhooks:write": "create_webhook_endpoint",
    "admin:read": "list_api_tokens",
    # Not rotating: a token with this scope alone may be kept from rotating what has another (rotation.no-escalation).
    "admin:write": "revoke_api_token",
}
"""Each scope is probed on the resource that bears its name."""

each_scope = pytest.mark.parametrize("scope", [scope for scope in REFERENCE_SCOPES if scope != WILDCARD])


def request_for(probe: Probe, scope: str) -> Request:
    """A request that needs the scope, by a token that has every scope; `[operations]` may name another."""
    operation = BY_ID[OPERATION_OF[scope]]
    if scope not in scopes_of(probe.settings.profile):
        raise NotOffered(f"profile {probe.settings.profile} has no scope {scope}")
    if mode_of(operation) > probe.settings.mode:
        raise NotRun(f"{operation} needs mode {mode_of(operation)}")
    return probe.factory.named_request(scope, operation, probe.tokens.for_operation(operation))


def say_scope(probe: Probe, scope: str, request: Request) -> str:
    """Which scope a request needs, and who says so where that is the configuration."""
    named = f", as [operations] {scope} says: is it right?" if scope in probe.settings.operations else ""
    return f"{request} needs the scope {scope}{named}"


def token_with(
    probe: Probe, scopes: tuple[str, ...], role: str, operation: Operation, *, odd: bool = False
) -> Credential:
    """A token of the audience and assurance that the operation takes, with exactly these scopes."""
    accepted = probe.tokens.for_operation(operation)
    return probe.provisioner.token(Need(role, audience=accepted.audience, scopes=scopes, aal=accepted.aal, odd=odd))


@covers("scope.required")
@each_scope
def test_every_scope_but_the_one_is_not_enough(probe: Probe, scope: str) -> None:
    """A token with all the other scopes is refused, so that no other scope stands in for this one."""
    request = request_for(probe, scope)
    others = all_scopes_but(scope, probe.settings.profile)
    changed = request.by(token_with(probe, others, f"all but {scope}", BY_ID[OPERATION_OF[scope]]))
    change = f"a token without {scope}"
    probe.baseline(request).refuses(changed, refusals.SCOPE, change=change, hint=say_scope(probe, scope, request))


AGAIN = {"refund_payment", "credit_wallet", "update_customer"}
"""What may be done several times to one object."""


@covers("scope.required", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.id in AGAIN)
def test_what_was_done_before_needs_its_scope_again(probe: Probe, operation: Operation) -> None:
    """That somebody who may has refunded a part of a payment does not open the rest of it to others."""
    profile = probe.settings.profile
    scope = probe.document().scope_of(operation, profile)
    with drop_where_blocked():
        first = probe.factory.request_for(operation)
        probe.require_accepted(first)
        others = token_with(probe, all_scopes_but(str(scope), profile), f"all but {scope}", operation)
        again = first.with_json(small_body(probe, operation))
        probe.require_accepted(again)
    probe.baseline(again).refuses(
        again.by(others),
        refusals.SCOPE,
        change=f"a token without {scope}, on an object on which the same was done before",
        hint="what a token may do is looked at each time, not when an object is met first",
    )


def small_body(probe: Probe, operation: Operation) -> dict[str, Any]:
    """Another accepted body, of which several go to one object."""
    body = probe.factory.body_for(operation)
    return probe.factory.fit_body(operation, body | {"amount": LEAST_AMOUNT}) if "amount" in body else body


@covers("scope.granted")
@each_scope
def test_the_one_scope_is_enough(probe: Probe, scope: str) -> None:
    """A token with nothing but the scope required is accepted: least privilege must be possible."""
    request = request_for(probe, scope)
    token = token_with(probe, (scope,), f"{scope} only", BY_ID[OPERATION_OF[scope]])
    probe.accepts(request.by(token), wanted=f"a 2xx, for a token with {scope}", hint=say_scope(probe, scope, request))


@covers("scope.wildcard")
@each_scope
def test_the_wildcard_grants_every_scope(probe: Probe, scope: str) -> None:
    """`*` alone opens what any scope opens."""
    request = request_for(probe, scope)
    token = token_with(probe, (WILDCARD,), "wildcard only", BY_ID[OPERATION_OF[scope]])
    probe.accepts(request.by(token), wanted=f"a 2xx where {scope} is required, for a token with *")


LOOK_ALIKES = {
    "prefix": "customers",
    "cut": "customers:rea",
    "longer": "customers:reads",
    "upper": "CUSTOMERS:READ",
    "resource-wildcard": "customers:*",
    "verb-only": "read",
    "glob": "**",
    "write-for-read": "customers:write",
    "list-in-one": "payments:read customers:read",
    "comma-in-one": "payments:read,customers:read",
    "empty": "",
}
"""Scopes that resemble `customers:read` and are not it."""


@covers("scope.exact", mode=Mode.SANDBOX)
@pytest.mark.parametrize("scope", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_a_look_alike_grants_nothing(probe: Probe, scope: str) -> None:
    """Scopes are compared whole; an issuer that grants less than this odd one has refused it already."""
    operation = BY_ID["list_customers"]
    baseline = probe.baseline(operation)
    changed = baseline.request.by(token_with(probe, (scope,), f"scope {scope!r}", operation, odd=True))
    change, hint = f"a token whose only scope is {scope!r}", "scopes are compared whole and with regard to case"
    baseline.refuses(changed, refusals.SCOPE, change=change, hint=hint)


@covers("scope.exact", mode=Mode.SANDBOX)
@pytest.mark.parametrize("scope", ["customers:read", "payments:write"], ids=["read-for-write", "other-for-write"])
def test_another_scope_does_not_let_write(probe: Probe, scope: str) -> None:
    """Reading is not writing, and writing one thing is not writing another."""
    operation = BY_ID["create_customer"]
    baseline = probe.baseline(operation)
    changed = baseline.request.by(token_with(probe, (scope,), f"{scope} only", operation))
    baseline.refuses(changed, refusals.SCOPE, change=f"a token whose only scope is {scope}")
