"""Whom a token was issued for, and what that opens."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import mentions, require_id
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import WILDCARD, Audience

LIST = BY_ID["list_customers"]
GET = BY_ID["get_customer"]
CREATE = BY_ID["create_customer"]
ADMINS_ONLY = "only an admin token opens /v1/admin/*, whatever the scopes"


def customer_token(probe: Probe, customer_id: str | None = None) -> Credential:
    """A token of an end-user, with every scope, so that the audience alone decides."""
    need = Need("customer", audience=Audience.CUSTOMER, scopes=(WILDCARD,), customer_id=customer_id, at_least=True)
    return probe.provisioner.token(need)


def own_customer(token: Credential) -> str:
    """The customer that a token is bound to."""
    if token.customer_id is None:
        raise Blocked(f"the customer of {token} is not known: set customer_id in its table")
    return token.customer_id


@covers("audience.admin-api-needs-admin", each_operation=True)
@each_operation(lambda operation: operation.is_admin)
@pytest.mark.parametrize("audience", [Audience.SERVICE, Audience.CUSTOMER])
def test_the_admin_api_refuses_other_audiences(probe: Probe, operation: Operation, audience: Audience) -> None:
    """Not even `*` makes a service or a customer token an operator's."""
    control = probe.factory.request_for(operation)
    other = probe.tokens.service if audience is Audience.SERVICE else customer_token(probe)
    probe.baseline(control).refuses(
        control.by(other), refusals.AUDIENCE, change=f"a {audience} token in place of an admin's", hint=ADMINS_ONLY
    )


@covers("audience.admin-accepted", each_operation=True)
@each_operation(lambda operation: operation.is_admin)
def test_the_admin_api_accepts_an_admin_token(probe: Probe, operation: Operation) -> None:
    """What the audience admin is for."""
    probe.accepts(probe.factory.request_for(operation))


@covers("audience.customer-reads-own", mode=Mode.SANDBOX)
def test_a_customer_reads_its_own_record(probe: Probe) -> None:
    """An end-user's token opens the end-user's own data."""
    token = customer_token(probe)
    own = Request("GET", GET.concrete(quote(own_customer(token), safe="")), probe.tokens.service)
    probe.require_accepted(own)
    probe.accepts(own.by(token), hint="a customer token reads the customer that it is bound to")


@covers("audience.customer-reads-own", mode=Mode.SANDBOX)
def test_a_customer_finds_its_own_record_in_the_list(probe: Probe) -> None:
    """The list is not empty for an end-user who has something in it."""
    token = customer_token(probe)
    listed = probe.accepts(Request("GET", LIST.path, token))
    probe.expect(
        "the customer's own record in the list",
        holds=own_customer(token) in listed.response.body.decode("utf-8", "replace"),
        got="a list without it",
        exchange=listed,
    )


@covers("audience.customer-cannot-write", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: not operation.is_read and not operation.is_admin)
def test_a_customer_token_cannot_write(probe: Probe, operation: Operation) -> None:
    """A customer token is for reading, whatever its scopes."""
    control = probe.factory.request_for(operation)
    probe.baseline(control).refuses(
        control.by(customer_token(probe)), refusals.FORBIDDEN, change="a customer token in place of one that may write"
    )


@covers("audience.customer-cannot-write", mode=Mode.SANDBOX)
def test_a_customer_tokens_write_leaves_no_trace(probe: Probe) -> None:
    """The refusal comes before the effect."""
    change = "a customer token in place of one that may write"
    refused, made = (probe.factory.request_for(CREATE) for _ in range(2))
    written = refused.by(customer_token(probe))
    probe.baseline(made).refuses(written, refusals.FORBIDDEN, change=change)
    probe.require_listed(LIST, made.json["email"])
    probe.expect_not_listed(LIST, refused.json["email"], change=change)


@covers("audience.customer-cannot-write", mode=Mode.SANDBOX)
def test_a_customer_cannot_change_its_own_record(probe: Probe) -> None:
    """Not even its own data: the audience reads."""
    token = customer_token(probe)
    update = BY_ID["update_customer"]
    control = probe.factory.request_for(update).at(update.concrete(quote(own_customer(token), safe="")))
    probe.baseline(control).refuses(
        control.by(token), refusals.FORBIDDEN, change="the customer's own token on its own record"
    )


OWNED = {
    Resource.CUSTOMER: "customers",
    Resource.SUBSCRIPTION: "subscriptions",
    Resource.INVOICE: "invoices",
    Resource.PAYMENT: "payments",
    Resource.WALLET: "wallets",
}
"""The kinds of object that belong to a customer."""


def someone_elses(probe: Probe, kind: Resource, token: Credential) -> str:
    """The id of an object that belongs to a customer who is not the token's."""
    other = require_id(probe.require_accepted(probe.factory.request_for(CREATE)), Resource.CUSTOMER)
    identifier = other if kind is Resource.CUSTOMER else probe.factory.for_customer(other).object_id(kind)
    path = BY_ID[f"get_{kind}"].concrete(quote(identifier, safe=""))
    read = probe.require_accepted(Request("GET", path, probe.tokens.service))
    if token.customer_id and mentions(read.response.json, token.customer_id):
        raise Blocked(f"no {kind} of another customer is to be had: the one found is the token's own", exchange=read)
    return identifier


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("kind", OWNED.keys(), ids=OWNED.values())
def test_another_customers_object_is_refused(probe: Probe, kind: Resource) -> None:
    """Knowing an id is not owning it."""
    operation = BY_ID[f"get_{kind}"]
    token = customer_token(probe)
    theirs = operation.concrete(quote(someone_elses(probe, kind, token), safe=""))
    control = Request("GET", theirs, probe.tokens.service)
    # Whose token opens nothing at all has not been told that the object is another's.
    probe.require_accepted(Request("GET", BY_ID[f"list_{kind}s"].path, token))
    probe.baseline(control).refuses(
        control.by(token), refusals.NOT_OWN, change="a customer token on another customer's object"
    )


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("kind", OWNED.keys(), ids=OWNED.values())
def test_another_customers_object_is_not_listed(probe: Probe, kind: Resource) -> None:
    """A customer's list holds the customer's own objects, and nobody else's."""
    operation = BY_ID[f"list_{kind}s"]
    token = customer_token(probe)
    theirs = someone_elses(probe, kind, token)
    probe.require_proven(Request("GET", operation.path, token))
    probe.require_listed(operation, theirs)
    probe.expect_not_listed(
        operation,
        theirs,
        token=token,
        change="the list is read by another customer's token",
        hint="a list that a customer token reads is filtered by that customer",
    )


@covers("audience.admin-on-public-api", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("operation", [LIST, CREATE], ids=["read", "write"])
def test_the_public_api_accepts_an_admin_token(probe: Probe, operation: Operation) -> None:
    """The reference opens both APIs to operators."""
    request = probe.factory.request_for(operation)
    probe.accepts(request.by(probe.tokens.admin))
