"""Whom a token was issued for, and what that opens (guide, Audiences)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import names_customer, require_id, shows_object, strings_in
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.changes import by_token
from paylera_conformance.scenarios.effects import expect_refused_and_not_created
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.other_environment import OtherEnvironment
from paylera_conformance.target.provisioner import Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import Audience

LIST = BY_ID["list_customers"]
CREATE = BY_ID["create_customer"]
UPDATE = BY_ID["update_customer"]
DELETE = BY_ID["delete_customer"]

BY_CUSTOMER = by_token(
    "a customer token in place of one that may write",
    "audience.customer-cannot-write",
    refusals.FORBIDDEN,
    lambda probe: probe.tokens.customer,
)


def own_customer(token: Credential) -> str:
    """The customer that a token is bound to."""
    if token.customer_id is None:
        raise Blocked(f"the customer of {token} is not known: set customer_id in its table")
    return token.customer_id


@covers("audience.admin-accepted", each_operation=True)
@each_operation(lambda operation: operation.is_admin)
def test_the_admin_api_accepts_an_admin_token(probe: Probe, operation: Operation) -> None:
    """What the audience admin is for."""
    probe.accepts(probe.factory.request_for(operation))


@covers("audience.customer-reads-own", mode=Mode.SANDBOX)
def test_a_customer_reads_its_own_record(probe: Probe) -> None:
    """An end-user's token opens the end-user's own data."""
    token = probe.tokens.customer
    own = probe.factory.read_request(Resource.CUSTOMER, own_customer(token))
    probe.require_accepted(own)
    probe.accepts(own.by(token), hint="a customer token reads the customer that it is bound to")


@covers("audience.customer-reads-own", mode=Mode.SANDBOX)
def test_a_customer_finds_its_own_record_in_the_list(probe: Probe) -> None:
    """The list is not empty for an end-user who has something in it."""
    token = probe.tokens.customer
    answer = probe.accepts(Request("GET", LIST.path, token))
    probe.expect(
        answer,
        "the customer's own record in the list",
        holds=shows_object(answer.response.json, Resource.CUSTOMER, own_customer(token)),
        got="a list without it",
    )


@covers("audience.customer-cannot-write", mode=Mode.SANDBOX)
def test_a_customer_tokens_write_leaves_no_trace(probe: Probe) -> None:
    """The refusal comes before the effect."""
    accepted, other = (probe.factory.request_for(CREATE) for _ in range(2))
    refused = other.by(probe.tokens.customer)
    expect_refused_and_not_created(probe, refused, refusals.FORBIDDEN, accepted=accepted, change=BY_CUSTOMER.words)


@covers("audience.customer-cannot-write", mode=Mode.SANDBOX)
def test_a_customer_cannot_change_its_own_record(probe: Probe) -> None:
    """Not even its own data: the audience reads."""
    token = probe.tokens.customer
    request = probe.factory.request_for(UPDATE).at(UPDATE.concrete(quote(own_customer(token), safe="")))
    change = "the customer's own token on its own record"
    probe.baseline(request).refuses(request.by(token), refusals.FORBIDDEN, change=change)


OWNED = {
    "customers": Resource.CUSTOMER,
    "subscriptions": Resource.SUBSCRIPTION,
    "invoices": Resource.INVOICE,
    "payments": Resource.PAYMENT,
    "wallets": Resource.WALLET,
}
"""The kinds of object that belong to a customer."""


def require_object_of_another(probe: Probe, kind: Resource, token: Credential) -> str:
    """The id of an object that belongs to a customer who is not the token's. Raises `Blocked`."""
    other = require_id(probe.require_accepted(probe.factory.request_for(CREATE)), Resource.CUSTOMER)
    identifier = other if kind is Resource.CUSTOMER else probe.factory.for_customer(other).object_id(kind)
    answer = probe.require_accepted(probe.factory.read_request(kind, identifier))
    own = token.customer_id or ""
    if identifier == own if kind is Resource.CUSTOMER else names_customer(answer.response.json, own):
        raise Blocked(f"no {kind} of another customer is to be had: the one found is the token's own", exchange=answer)
    return identifier


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("kind", OWNED.values(), ids=OWNED)
def test_another_customers_object_is_refused(probe: Probe, kind: Resource) -> None:
    """Knowing an id is not owning it."""
    token = probe.tokens.customer
    read = probe.factory.read_request(kind, require_object_of_another(probe, kind, token))
    # A token that opens nothing at all has not been refused because the object is another's.
    probe.require_accepted(Request("GET", BY_ID[f"list_{kind}s"].path, token))
    change = "a customer token on another customer's object"
    probe.baseline(read).refuses(read.by(token), refusals.NOT_OWN, change=change)


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("kind", OWNED.values(), ids=OWNED)
def test_another_customers_object_is_not_listed(probe: Probe, kind: Resource) -> None:
    """A customer's list holds the customer's own objects, and nobody else's."""
    operation, token = BY_ID[f"list_{kind}s"], probe.tokens.customer
    identifier = require_object_of_another(probe, kind, token)
    probe.require_proven(Request("GET", operation.path, token))
    probe.require_listed(operation, identifier)
    probe.expect_not_listed(
        operation,
        identifier,
        token=token,
        change="the list is read by another customer's token",
        hint="a list that a customer token reads is filtered by that customer",
    )


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX, each_operation=True)
def test_another_customers_object_is_not_listed_in_the_other_environment(probe: Probe) -> None:
    """Nor does the other environment show it, which has customers of its own."""
    there = OtherEnvironment.of(probe)
    with drop_where_blocked():
        service = there.token()
        own, other = (there.create(Resource.CUSTOMER, service) for _ in range(2))
        customer = there.token(Audience.CUSTOMER, customer_id=own)
        for kind in (Resource.CUSTOMER, Resource.WALLET, Resource.INVOICE):
            stranger = there.create_for(other, kind, service)
            there.expect_not_listed(stranger, kind, owner=service, stranger=customer)
        probe.count_acceptance(probe.send_without_token(there.request(LIST, customer)))


@covers("audience.customer-sees-only-own", mode=Mode.SANDBOX)
def test_who_is_no_customer_any_more_sees_nobody_elses(probe: Probe) -> None:
    """When its customer is deleted, a token is refused, or its list is empty: it is not everybody's."""
    with drop_where_blocked():
        own, other = (probe.factory.create(Resource.CUSTOMER) for _ in range(2))
        token = token_of_customer(probe, own)
        probe.require_accepted(Request("GET", LIST.path, token))
        probe.require_accepted(Request("DELETE", DELETE.concrete(quote(own, safe="")), probe.tokens.service))
    answer = probe.send(Request("GET", LIST.path, token))
    probe.require_listed(LIST, other)
    shows = answer.response.ok and other in strings_in(answer.response.json)
    probe.expect(
        answer, "nobody else's record", holds=not shows, got=f"{other}, in the list of a customer that is gone"
    )
    probe.proofs += 1


def token_of_customer(probe: Probe, customer_id: str) -> Credential:
    """A token of one customer. Raises `NotOffered` where none is minted."""
    if probe.settings.driver != "control":
        raise NotOffered("a token of a customer that is to go is looked at where a control API mints it")
    need = Need("a customer's that goes", audience=Audience.CUSTOMER, customer_id=customer_id, at_least=True)
    return probe.provisioner.token(need)


@covers("audience.admin-on-public-api", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("operation", [LIST, CREATE], ids=["read", "write"])
def test_the_public_api_accepts_an_admin_token(probe: Probe, operation: Operation) -> None:
    """The reference opens both APIs to operators."""
    probe.accepts(probe.factory.request_for(operation, probe.tokens.admin))
