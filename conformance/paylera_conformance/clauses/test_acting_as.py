"""On whose behalf a service acts, and what the audit log says of it (guide, Service-to-service traffic)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import require_id, require_token_id
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.audit_log import (
    expect_actor_left_out,
    expect_actor_recorded,
    expect_recorded,
    format_records,
    places_of,
    record_mentions,
    require_recorded,
)
from paylera_conformance.scenarios.effects import expect_refused_and_not_created
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.other_environment import OtherEnvironment
from paylera_conformance.scenarios.token_lifecycle import (
    make_absent_id,
    may_be_counted_with,
    revocation_request,
    token_made_by,
)
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Resource
from paylera_fixtures.vocabulary import Audience

CREATE = BY_ID["create_customer"]


@covers("acting-as.known-actor", mode=Mode.SANDBOX)
def test_an_actor_of_the_registry_is_accepted(probe: Probe) -> None:
    """A backend says for whom it makes a change, and the change is made."""
    baseline = probe.baseline(CREATE)
    baseline.accepts(
        probe.factory.request_for(CREATE).acting_as(probe.provisioner.known_actor()),
        change="X-Paylera-Acting-As: an actor of the tenant's registry",
        hint="the same request without X-Paylera-Acting-As is accepted",
    )


def enter_actor(probe: Probe) -> str:
    """Enter an actor into the registry through the target's own Admin API. Drops the case where that has none."""
    with drop_where_blocked():
        return require_id(probe.require_accepted(probe.factory.request_for(BY_ID["create_actor"])), Resource.ACTOR)


@covers("acting-as.known-actor", mode=Mode.SANDBOX, each_operation=True)
def test_an_actor_who_was_just_entered_is_accepted(probe: Probe) -> None:
    """A new operator can be acted for at once."""
    actor = enter_actor(probe)
    probe.baseline(CREATE).accepts(
        probe.factory.request_for(CREATE).acting_as(actor),
        change="X-Paylera-Acting-As: an actor who was entered into the registry just before",
        hint="is an older list of the registry kept somewhere?",
    )


UNKNOWN: dict[str, Callable[[Probe, str], str]] = {
    "nobody": lambda probe, _known: f"actor_{probe.factory.unique_name()}",
    "another of the same form": make_absent_id,
    "no actor's id at all": lambda _probe, _known: "Grace Hopper <grace@example.com>",
    "a known one cut": lambda _probe, known: known[:-1],
    "a known one extended": lambda _probe, known: known + "0",
    "a list that begins with a known one": lambda probe, known: f"{known}, {make_absent_id(probe, known)}",
    "any": lambda _probe, _known: "*",
}
"""Who is not in the registry, made from one who is."""


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX)
@pytest.mark.parametrize("unknown", UNKNOWN, ids=[unknown.replace(" ", "-") for unknown in UNKNOWN])
def test_an_actor_outside_the_registry_is_refused(probe: Probe, unknown: str) -> None:
    """An audit trail that names nobody is worth nothing."""
    known = probe.provisioner.known_actor()
    changed = UNKNOWN[unknown](probe, known)
    require_nobody(changed, known)
    request = probe.factory.request_for(CREATE)
    probe.baseline(request.acting_as(known)).refuses(
        request.acting_as(changed),
        refusals.ANY_PROBLEM,
        change=f"X-Paylera-Acting-As: {unknown}, in place of an actor of the registry",
        hint="the whole value must be the id of an actor in the tenant's registry",
    )


def require_nobody(changed: str, known: str) -> None:
    """Drop the case where actors are counted, so that what is made of one's id may be another's."""
    if may_be_counted_with(changed, known):
        raise NotOffered(f"actors are counted here, so that {changed} may be one beside {known}")


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX)
def test_an_actor_by_the_id_in_another_case_is_refused(probe: Probe) -> None:
    """Two actors may have ids that differ in nothing else."""
    known = probe.provisioner.known_actor()
    require_case_in_ids(probe, known)
    request = probe.factory.request_for(CREATE)
    probe.baseline(request.acting_as(known)).refuses(
        request.acting_as(known.swapcase()),
        refusals.ANY_PROBLEM,
        change="X-Paylera-Acting-As: the id of an actor of the registry, each letter in the other case",
        hint="an object is not found by its id in another case here: compare actors' ids as bytes too",
    )


def require_case_in_ids(probe: Probe, known: str) -> None:
    """An id in another case is another id here: no page says so. Drops the case where another object's is not."""
    customer = probe.factory.object_id(Resource.CUSTOMER)
    read = probe.factory.read_request(Resource.CUSTOMER, customer)
    swapped = probe.send(probe.factory.read_request(Resource.CUSTOMER, customer.swapcase()))
    if customer.swapcase() == customer or known.swapcase() == known or swapped.response.ok:
        raise NotOffered("ids are told apart by no letter's case here", exchange=swapped)
    probe.require_accepted(read)


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX, each_operation=True)
def test_an_actor_by_another_name_than_the_id_is_refused(probe: Probe) -> None:
    """An address may go over to somebody else, and a name may be two people's: the trail would name the wrong one."""
    with drop_where_blocked():
        entry = probe.factory.request_for(BY_ID["create_actor"])
        actor = require_id(probe.require_accepted(entry), Resource.ACTOR)
    for member in ("email", "name"):
        accepted, refused = (probe.factory.request_for(CREATE) for _ in range(2))
        probe.baseline(accepted.acting_as(actor)).refuses(
            refused.acting_as(entry.json[member]),
            refusals.ANY_PROBLEM,
            change=f"X-Paylera-Acting-As: the {member} of an actor, in place of the id",
            hint="an actor is named by the id alone",
        )


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX)
def test_what_an_unknown_actor_asks_for_is_not_done(probe: Probe) -> None:
    """The refusal comes before the effect."""
    change = "X-Paylera-Acting-As: an actor that is not in the registry"
    known = probe.provisioner.known_actor()
    accepted = probe.factory.request_for(CREATE).acting_as(known)
    refused = probe.factory.request_for(CREATE).acting_as(make_absent_id(probe, known))
    expect_refused_and_not_created(probe, refused, refusals.ANY_PROBLEM, accepted=accepted, change=change)


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX, each_operation=True)
def test_an_actor_who_was_removed_is_refused(probe: Probe) -> None:
    """An operator who has left is acted for no more, however often that was done before."""
    known = probe.provisioner.known_actor()
    actor = enter_actor(probe)
    for _ in range(2):
        request = probe.factory.request_for(CREATE).acting_as(actor)
        probe.require_accepted(request, see="acting-as.known-actor")
    removal = BY_ID["delete_actor"].concrete(quote(actor, safe=""))
    with drop_where_blocked():
        probe.require_accepted(Request("DELETE", removal, probe.tokens.admin))
    probe.baseline(probe.factory.request_for(CREATE).acting_as(known)).refuses(
        probe.factory.request_for(CREATE).acting_as(actor),
        refusals.ANY_PROBLEM,
        change="X-Paylera-Acting-As: an actor that was removed from the registry by the request before",
        hint="who keeps actors in a cache must take out the one that is removed",
    )


@covers("acting-as.empty", mode=Mode.SANDBOX)
def test_an_empty_actor_is_refused(probe: Probe) -> None:
    """An operator whose name was lost on the way must not act unnamed."""
    request = probe.factory.request_for(CREATE)
    probe.baseline(request.acting_as(probe.provisioner.known_actor())).refuses(
        request.acting_as(""),
        refusals.ANY_PROBLEM,
        change="X-Paylera-Acting-As with an empty value",
        hint="a header that is there and empty is not one that is absent",
    )


@covers("acting-as.other-tenant", mode=Mode.SANDBOX)
def test_another_tenants_actor_is_refused(probe: Probe) -> None:
    """A registry is its tenant's own."""
    foreign = probe.provisioner.foreign_actor()
    require_known_to_other_tenant(probe, foreign)
    request = probe.factory.request_for(CREATE)
    probe.baseline(request.acting_as(probe.provisioner.known_actor())).refuses(
        request.acting_as(foreign),
        refusals.ANY_PROBLEM,
        change="X-Paylera-Acting-As: an actor of another tenant's registry",
        hint="an actor is looked for in the registry of the token's own tenant",
    )


def require_known_to_other_tenant(probe: Probe, foreign: str) -> None:
    """The other tenant's own token may act for its actor. Where no such token is to be had, that is taken as said."""
    try:
        token = probe.tokens.other_tenant
    except Blocked:
        return
    probe.require_accepted(probe.factory.request_for(CREATE, token).acting_as(foreign))


@covers("acting-as.audited", mode=Mode.SANDBOX)
def test_the_audit_log_names_the_token_and_the_actor(probe: Probe) -> None:
    """Afterwards it can be said which backend did it, and for whom."""
    actor = probe.provisioner.known_actor()
    hint = "what X-Paylera-Acting-As says belongs in the record of the request"
    expect_actor_recorded(probe, probe.factory.request_for(CREATE), actor, hint=hint)


@covers("acting-as.audited", mode=Mode.SANDBOX, each_operation=True)
def test_the_audit_log_of_the_other_environment_names_them_too(probe: Probe) -> None:
    """What is done for an operator is on record in each."""
    there = OtherEnvironment.of(probe)
    with drop_where_blocked():
        admin, service = there.token(Audience.ADMIN), there.token()
        probe.require_accepted(there.request(BY_ID["list_audit_records"], admin))
        actor = there.create(Resource.ACTOR, admin)
        probe.require_accepted(there.request(CREATE, service).acting_as(actor))
    hint = "what is so of one environment is so of the other"
    expect_actor_recorded(probe, there.request(CREATE, service), actor, hint=hint, reader=admin)


@covers("acting-as.absent", mode=Mode.SANDBOX)
def test_the_audit_log_names_no_actor_who_was_not_named(probe: Probe) -> None:
    """An operator must not answer for what a backend did on its own, not even right after acting for that operator."""
    actor = probe.provisioner.known_actor()
    # Its record is waited for, so that it is not taken for that of the next request.
    named = require_recorded(probe, probe.factory.request_for(CREATE).acting_as(actor))
    by_id = partial(record_mentions, identifier=actor)
    names_actor = names_actor_by_number(probe, actor, named) if actor.isdecimal() else by_id
    records = expect_recorded(probe, probe.factory.request_for(CREATE))
    probe.expect(
        probe.log[-1],
        "a record that names the token and no actor",
        holds=not any(map(names_actor, records)),
        got=format_records(records),
        change="no X-Paylera-Acting-As",
        hint="the actor of an earlier request is not this one's",
    )


def names_actor_by_number(probe: Probe, actor: str, named: list[dict[str, Any]]) -> Callable[[dict[str, Any]], bool]:
    """Tells whether a record names an actor, where ids are numbers, of which a record may have others.

    It is looked for where records of two actors have each its own: `named` has those of the first. The second one acts
    last. Drops the case where the target enters no actor; raises `Blocked` where no record names one.
    """
    other = enter_actor(probe)
    again = require_recorded(probe, probe.factory.request_for(CREATE).acting_as(other))
    places = places_of(named, actor) & places_of(again, other)
    if not places:
        raise Blocked("no record names an actor by its id (see acting-as.audited)", exchange=probe.log[-1])
    return lambda record: not places.isdisjoint(places_of([record], other))


WRITES = ["create_customer", "update_customer", "delete_customer", "create_product", "create_wallet", "create_invoice"]
"""What a backend may do for an operator, and then on its own."""


@covers("acting-as.absent", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("number", range(2), ids=["one-write", "another-write"])
def test_no_write_is_laid_to_the_actor_of_the_one_before(probe: Probe, number: int) -> None:
    """On whatever operation, and with nothing in between by which a server could forget the actor."""
    operation = BY_ID[draw_some(probe, WRITES, 2, name="acting-as.absent")[number]]
    actor = probe.provisioner.known_actor()
    with drop_where_blocked():
        named, unnamed = (probe.factory.request_for(operation) for _ in range(2))
        expect_actor_left_out(probe, named.acting_as(actor), unnamed, actor)


@covers("acting-as.unknown-actor", mode=Mode.SANDBOX)
def test_an_actor_in_quotes_is_refused(probe: Probe) -> None:
    """The header's value is an id, and no string of some other notation."""
    known = probe.provisioner.known_actor()
    request = probe.factory.request_for(CREATE)
    probe.baseline(request.acting_as(known)).refuses(
        request.acting_as(f'"{known}"'),
        refusals.ANY_PROBLEM,
        change="X-Paylera-Acting-As: an actor of the registry, in double quotes",
        hint="the whole value must be the id of an actor in the tenant's registry",
    )


def delete_customer(probe: Probe, act: Exchange, _actor: str) -> Request:
    """What removes the customer that was acted on."""
    path = BY_ID["delete_customer"].concrete(quote(require_id(act, Resource.CUSTOMER), safe=""))
    return Request("DELETE", path, probe.tokens.service)


def revoke_token(probe: Probe, act: Exchange, _actor: str) -> Request:
    """What ends the token that acted."""
    return revocation_request(probe, act.request.token or probe.tokens.service)


def remove_actor(probe: Probe, _act: Exchange, actor: str) -> Request:
    """What removes the actor who was acted for."""
    return Request("DELETE", BY_ID["delete_actor"].concrete(quote(actor, safe="")), probe.tokens.admin)


ENDINGS: dict[str, Callable[[Probe, Exchange, str], Request]] = {
    "the customer is deleted": delete_customer,
    "the token is revoked": revoke_token,
    "the actor is removed": remove_actor,
}
"""What becomes of whom or what a record names."""


@covers("acting-as.audited", mode=Mode.FULL, each_operation=True)
@pytest.mark.parametrize("ending", ENDINGS, ids=[ending.replace(" ", "-") for ending in ENDINGS])
def test_the_audit_log_names_whom_it_named_when_they_are_gone(probe: Probe, ending: str) -> None:
    """Who has left is whom an audit asks about."""
    actor = enter_actor(probe)
    with drop_where_blocked():
        token = acting_token(probe, ending)
        token_id = require_token_id(token)
    hint = "a record has the ids as they were then, and refers to nothing that can go"
    expect_actor_recorded(probe, probe.factory.request_for(CREATE, token), actor, hint=hint)
    act = next(sent for sent in reversed(probe.log) if sent.request.operation is CREATE and sent.response.ok)
    with drop_where_blocked():
        probe.require_accepted(ENDINGS[ending](probe, act, actor))
    probe.expect(
        act,
        f"a record that names the token and the actor {actor}",
        holds=is_on_record(probe, token_id, actor),
        got="none, where there was one",
        change=f"{ending} since",
        hint=hint,
    )


def acting_token(probe: Probe, ending: str) -> Credential:
    """A token that acts for somebody; one that is revoked afterwards is made for it."""
    if ENDINGS[ending] is not revoke_token:
        return probe.tokens.service
    return token_made_by(probe, probe.tokens.admin, scopes=["customers:write"])


def is_on_record(probe: Probe, *identifiers: str) -> bool:
    """Whether a record names them all; one that was there may be hidden for a moment, where reads are answered late."""
    for pause in (0.0, 0.2, 0.8):
        time.sleep(pause)
        records = probe.factory.list_entries(BY_ID["list_audit_records"], probe.tokens.admin)
        if any(all(record_mentions(record, identifier) for identifier in identifiers) for record in records):
            return True
    return False
