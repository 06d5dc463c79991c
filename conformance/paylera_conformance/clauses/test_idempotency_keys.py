"""Which requests need an idempotency key, what one may be, how long it lasts (guide, Per-request idempotency)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import NotOffered
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_id, require_id
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe, refusal_like
from paylera_conformance.scenarios.changes import NO_KEY
from paylera_conformance.scenarios.effects import expect_not_created, expect_refused_without_effect
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.idempotency import (
    CREATE,
    FirstUse,
    draw_movement,
    expect_not_replayed,
    expect_replayed,
    make_key,
    new_customer,
    use_key,
    use_remembered_key,
)
from paylera_conformance.scenarios.other_environment import OtherEnvironment
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import KEY_LIFETIME_SECONDS, WILDCARD, Audience

BY_ANOTHER = "a key that another tenant used"
HOLDS_TENANT = "what a key is remembered under holds the tenant as well"
HOLDS_ROUTE = "what a key is remembered under holds the route as well"
LIFETIME_HOURS = KEY_LIFETIME_SECONDS / 3600
LAST_HOUR = (LIFETIME_HOURS - 1, LIFETIME_HOURS - 0.1)
A_SECOND_LESS = "the same request again, 24 h less a second after the first"
KEPT_A_DAY = "a key is kept for 24 hours from its first use"


@covers("idempotency.required-has-no-effect", mode=Mode.SANDBOX)
def test_what_is_refused_for_want_of_a_key_is_not_made(probe: Probe) -> None:
    """A client that is refused sends again with a key, and must not end up with two."""
    other, accepted = (new_customer(probe) for _ in range(2))
    probe.baseline(accepted).require_refused(other.with_key(None), change=NO_KEY.words, see=NO_KEY.clause)
    expect_not_created(probe, other, accepted=accepted, change=NO_KEY.words)


@covers("idempotency.required-has-no-effect", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.id in {"refund_payment", "credit_wallet", "pay_invoice"})
def test_what_is_refused_for_want_of_a_key_moves_no_money(probe: Probe, operation: Operation) -> None:
    """Money that moves in spite of a refusal moves again at the next attempt."""
    request = probe.factory.request_for(operation)
    likewise = refusal_like(NO_KEY.require_refused(probe, probe.factory.request_for(operation)))
    expect_refused_without_effect(probe, request.with_key(None), likewise, accepted=request, change=NO_KEY.words)


@covers("idempotency.required", mode=Mode.SANDBOX, each_operation=True)
def test_a_refund_without_a_body_needs_a_key_too(probe: Probe) -> None:
    """Without one the whole rest is refunded, and a client that tries again must not be paid twice."""
    with drop_where_blocked():
        NO_KEY.expect_refused(probe, replace(probe.factory.request_for(BY_ID["refund_payment"]), body=None))


@covers("idempotency.empty-key", mode=Mode.SANDBOX)
def test_an_empty_key_is_a_missing_key(probe: Probe) -> None:
    """An unset variable in a client would make one key of all its requests, and HTTP takes spaces alone for empty."""
    request = new_customer(probe)
    missing = refusal_like(NO_KEY.require_refused(probe, request))
    probe.baseline(request).refuses(
        request.with_key(""),
        missing,
        change="an Idempotency-Key header without value",
        hint="a header that is there and empty is to be treated as one that is not there",
    )


KEYLESS = {"list_customers", "get_customer", "delete_customer", "update_customer"}


@covers("idempotency.not-needed", each_operation=True)
@each_operation(lambda operation: operation.id in KEYLESS)
def test_what_is_no_post_needs_no_key(probe: Probe, operation: Operation) -> None:
    """GET and DELETE come to the same when repeated, and PATCH is left to the client."""
    request, other = (probe.factory.request_for(operation) for _ in range(2))
    baseline = probe.baseline(other.with_key(FRESH_KEY))
    baseline.accepts(request, change=NO_KEY.words, hint="only a POST may ask for a key")


@covers("idempotency.not-needed", each_operation=True)
@each_operation(lambda operation: operation.id == "update_customer")
def test_a_patch_takes_a_key(probe: Probe, operation: Operation) -> None:
    """A client may send a key with every write, without asking what kind of write it is."""
    baseline = probe.baseline(operation)
    baseline.accepts(baseline.request.with_key(FRESH_KEY), change="an Idempotency-Key header")


def uuid_from(key: str) -> str:
    """The UUID that a key is made into: always the same, and no other key's."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, key))


DIFFERENT: dict[str, Callable[[str], tuple[str, str]]] = {
    "last-of-255": lambda key: (key[:-1] + "a", key[:-1] + "b"),
    "case": lambda key: (key[:60] + "key", key[:60] + "KEY"),
    "one-longer": lambda key: (key[:60], key[:61]),
    "percent-encoded": lambda key: (key[:60] + "A", key[:60] + "%41"),
    "leading-zero": lambda key: ("7" + key[:60], "07" + key[:60]),
    "behind-a-colon": lambda key: (f"{key[:60]}:a", f"{key[:60]}:b"),
    "before-a-colon": lambda key: (f"a:{key[:60]}", f"b:{key[:60]}"),
    "punctuation": lambda key: (key[:60] + "a-b", key[:60] + "a_b"),
    "uuid-in-capitals": lambda key: (uuid_from(key), uuid_from(key).upper()),
    "uuid-without-dashes": lambda key: (uuid_from(key), uuid_from(key).replace("-", "")),
    "in-quotes": lambda key: (f'"{key[:60]}"', key[:60]),
}
"""Two keys each, made from one of 255 characters, that a careless server takes for the same."""


def use_key_that_may_be(probe: Probe, key: str) -> FirstUse:
    """Use a key for the first time. Drops the case where it has quotes in it and is refused: no page says it may."""
    with drop_where_blocked() if '"' in key else nullcontext():
        return use_key(probe, key)


@covers("idempotency.distinct-keys", mode=Mode.SANDBOX)
@pytest.mark.parametrize("make_two", DIFFERENT.values(), ids=DIFFERENT)
def test_keys_that_differ_anywhere_are_different(probe: Probe, make_two: Callable[[str], tuple[str, str]]) -> None:
    """A key that is cut, folded or decoded answers one order with another's."""
    one, other = make_two(make_key(probe))
    expect_not_replayed(
        probe,
        use_key_that_may_be(probe, one),
        new_customer(probe, other),
        change="a key that differs from a used one in one place",
        hint="keys are opaque: compare them whole, as bytes",
    )


@covers("idempotency.key-length", mode=Mode.SANDBOX)
def test_a_key_of_255_characters_is_accepted(probe: Probe) -> None:
    """Clients make keys from what they are about to do, and the page gives them 255 characters for it."""
    request = new_customer(probe, make_key(probe, 255))
    probe.baseline(request.with_key(FRESH_KEY)).accepts(
        request,
        change="an Idempotency-Key of 255 characters",
        hint="the longest key that the Idempotency page allows has 255 characters, all of them counted",
    )


@covers("idempotency.key-too-long", mode=Mode.SANDBOX)
def test_a_key_of_256_characters_is_refused(probe: Probe) -> None:
    """A key that is cut short without a word is one that another request may have too."""
    request = new_customer(probe)
    changed = request.with_key(make_key(probe, 256))
    change, hint = "an Idempotency-Key of 256 characters", "refuse what cannot be kept whole"
    probe.baseline(request).refuses(changed, refusals.MALFORMED_INPUT, change=change, hint=hint)


@covers("idempotency.per-route", mode=Mode.SANDBOX, each_operation=True)
@each_operation(lambda operation: operation.id in {"create_product", "create_invoice", "create_wallet"})
def test_a_key_is_another_on_another_route(probe: Probe, operation: Operation) -> None:
    """A client that makes a key for each of its own orders uses it for each step of one."""
    use = use_key(probe)
    expect_not_replayed(
        probe,
        use,
        probe.factory.request_for(operation).with_key(use.request.key),
        change="a key that was used on POST /v1/customers",
        hint=HOLDS_ROUTE,
    )


STEPS = ["finalize_invoice", "pause_subscription", "cancel_subscription", "rotate_secret_webhook_endpoint"]
"""Operations on what the same client has just created, whose answers are no object as it was created."""


@covers("idempotency.per-route", mode=Mode.SANDBOX, each_operation=True)
def test_a_key_is_another_for_the_next_step(probe: Probe) -> None:
    """What is created and what is then done to it have the beginning of their paths in common, and no more."""
    step = BY_ID[draw_some(probe, STEPS, 1, name="idempotency.per-route")[0]]
    with drop_where_blocked():
        creation = probe.factory.request_for(BY_ID[f"create_{step.resource}"]).with_key(probe.factory.unique_key())
        created = probe.require_accepted(creation)
        path = step.concrete(quote(require_id(created, step.resource), safe=""))
        following = Request("POST", path, probe.tokens.for_operation(step), key=FRESH_KEY, consumes=True).with_json({})
        change = f"a key that was used on {creation}"
        answer = probe.baseline(following).accepts(following.with_key(creation.key), change=change, hint=HOLDS_ROUTE)
    probe.expect(
        answer,
        "an answer of its own",
        holds=answer.response.body != created.response.body,
        got="that of the first use",
        change=change,
        hint=HOLDS_ROUTE,
    )


@covers("idempotency.per-tenant", mode=Mode.SANDBOX)
@pytest.mark.parametrize("same_body", [True, False], ids=["same-body", "other-body"])
def test_a_key_is_another_in_another_tenant(probe: Probe, same_body: bool) -> None:  # noqa: FBT001 - a case
    """Who guesses or copies a key must not be shown what another tenant was answered."""
    use = use_key(probe)
    other_tenant = probe.provisioner.token(Need("another tenant's", scopes=(WILDCARD,), tenant=OTHER))
    same, other = use.request.by(other_tenant), new_customer(probe, str(use.request.key), other_tenant)
    expect_not_replayed(
        probe,
        use,
        same if same_body else other,
        change=BY_ANOTHER,
        hint=HOLDS_TENANT,
    )


ANYWHERE = ["create_product", "create_webhook_endpoint", "create_actor", "create_api_token"]
"""Operations whose bodies name nothing that a tenant must have."""


@covers("idempotency.per-tenant", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("number", range(3), ids=["one-operation", "another", "a-third"])
def test_a_key_is_another_in_another_tenant_whatever_it_makes(probe: Probe, number: int) -> None:
    """What a key is remembered under is often written anew for each operation."""
    operation = BY_ID[draw_some(probe, ANYWHERE, 3, name="idempotency.per-tenant")[number]]
    own = probe.factory.request_for(operation).with_key(probe.factory.unique_key())
    with drop_where_blocked():
        first = require_id(probe.require_accepted(own), operation.resource)
        foreign = probe.provisioner.token(operator_of_another_tenant(probe, operation))
        other = probe.factory.request_for(operation, foreign)
        answer = probe.baseline(other).accepts(other.with_key(own.key), change=BY_ANOTHER, hint=HOLDS_TENANT)
    second = find_id(answer.response.json, operation.resource)
    probe.expect(
        answer,
        f"a new {operation.resource}",
        holds=second != first,
        got="that of the first use",
        change=BY_ANOTHER,
        hint=HOLDS_TENANT,
    )


def operator_of_another_tenant(probe: Probe, operation: Operation) -> Need:
    """A token of another tenant that may call an operation."""
    if not operation.is_admin:
        return Need("another tenant's", scopes=(WILDCARD,), tenant=OTHER, at_least=True)
    aal = probe.tokens.admin.aal
    return Need("another tenant's operator", Audience.ADMIN, (WILDCARD,), aal, tenant=OTHER, at_least=True)


@covers("idempotency.per-tenant", mode=Mode.SANDBOX)
def test_two_tokens_of_a_tenant_share_its_keys(probe: Probe) -> None:
    """A backend that rotates its token between two attempts must not order twice."""
    use = use_remembered_key(probe)
    colleague = probe.provisioner.token(Need("second of the tenant", scopes=("customers:write",)))
    change, hint = "another token of the same tenant", "a key belongs to the tenant, not to the token"
    expect_replayed(probe, use, use.request.by(colleague), change=change, hint=hint)


@covers("idempotency.lifetime", mode=Mode.SANDBOX)
def test_a_key_is_remembered_to_the_last_second(probe: Probe) -> None:
    """A client may try again for a day without ordering twice."""
    began = probe.clock.now()
    use = use_remembered_key(probe)
    probe.clock.move_to(began, hours=LIFETIME_HOURS, seconds=-1, window=LAST_HOUR)
    expect_replayed(probe, use, use.request, change=A_SECOND_LESS, hint=KEPT_A_DAY)


def create_in_other_environment(probe: Probe) -> Request:
    """A request that creates a customer under the URL of the other environment."""
    other = OtherEnvironment.of(probe)
    return other.request(CREATE, other.token())


LASTING: dict[str, Callable[[Probe], Request]] = {
    "movement-of-money": lambda probe: draw_movement(probe, "idempotency.lifetime"),
    "in-the-other-environment": create_in_other_environment,
}
"""Requests whose keys may be kept elsewhere than those of most."""


@covers("idempotency.lifetime", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("make", LASTING.values(), ids=LASTING)
def test_a_key_is_remembered_as_long_whatever_it_is_for(probe: Probe, make: Callable[[Probe], Request]) -> None:
    """The day is that of every key: a refund that is tried again in the evening must not be a second one."""
    with drop_where_blocked():
        request = make(probe).with_key(probe.factory.unique_key())
        began = probe.clock.now()
        first = probe.require_proven(request)
    require_remembered(probe, first, request)
    probe.clock.move_to(began, hours=LIFETIME_HOURS, seconds=-1, window=LAST_HOUR)
    late = probe.send(request)
    probe.expect(
        late,
        "the answer of the first use",
        holds=late.response.body == first.response.body,
        got=f"another: {describe(late.response)}",
        change=A_SECOND_LESS,
        hint=KEPT_A_DAY,
    )


def require_remembered(probe: Probe, first: Exchange, request: Request) -> None:
    """A key is remembered now. Drops the case where it is not: another clause asks for that."""
    again = probe.send(request)
    if again.response.body != first.response.body:
        raise NotOffered("this key is not remembered at all (see idempotency.replay)", exchange=again)


@covers("idempotency.lifetime", mode=Mode.SANDBOX)
def test_a_key_is_forgotten_a_day_after_its_first_use(probe: Probe) -> None:
    """The day counts from the first use: neither a replay nor a mistake in between prolongs it."""
    use = use_remembered_key(probe)
    ended = probe.clock.now()
    probe.clock.move_to(ended, hours=LIFETIME_HOURS / 2, window=(LIFETIME_HOURS / 2, LIFETIME_HOURS - 0.1))
    probe.send(use.request)
    probe.send(new_customer(probe, str(use.request.key)))
    probe.clock.move_to(ended, hours=LIFETIME_HOURS, seconds=1)
    expect_not_replayed(
        probe,
        use,
        new_customer(probe, str(use.request.key)),
        change="a key that was first used 24 h and a second ago",
        hint="a key ends 24 hours after its first use",
    )
