"""Which requests need an idempotency key, what one may be, how long it lasts (guide, Per-request idempotency)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paylera_conformance.model.messages import FRESH_KEY
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_id, require_id
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import refusal_like
from paylera_conformance.scenarios.changes import NO_KEY
from paylera_conformance.scenarios.effects import expect_not_created, expect_refused_without_effect
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.idempotency import (
    expect_not_replayed,
    expect_replayed,
    make_key,
    new_customer,
    use_key,
    use_remembered_key,
)
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import KEY_LIFETIME_SECONDS, WILDCARD, Audience

BY_ANOTHER = "a key that another tenant used"
HOLDS_TENANT = "what a key is remembered under holds the tenant as well"
LIFETIME_HOURS = KEY_LIFETIME_SECONDS / 3600


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


DIFFERENT: dict[str, Callable[[str], tuple[str, str]]] = {
    "last-of-255": lambda key: (key[:-1] + "a", key[:-1] + "b"),
    "case": lambda key: (key[:60] + "key", key[:60] + "KEY"),
    "one-longer": lambda key: (key[:60], key[:61]),
    "percent-encoded": lambda key: (key[:60] + "A", key[:60] + "%41"),
    "leading-zero": lambda key: ("7" + key[:60], "07" + key[:60]),
    "behind-a-colon": lambda key: (f"{key[:60]}:a", f"{key[:60]}:b"),
    "before-a-colon": lambda key: (f"a:{key[:60]}", f"b:{key[:60]}"),
    "punctuation": lambda key: (key[:60] + "a-b", key[:60] + "a_b"),
}
"""Two keys each, made from one of 255 characters, that a careless server takes for the same."""


@covers("idempotency.distinct-keys", mode=Mode.SANDBOX)
@pytest.mark.parametrize("make_two", DIFFERENT.values(), ids=DIFFERENT)
def test_keys_that_differ_anywhere_are_different(probe: Probe, make_two: Callable[[str], tuple[str, str]]) -> None:
    """A key that is cut, folded or decoded answers one order with another's."""
    one, other = make_two(make_key(probe))
    expect_not_replayed(
        probe,
        use_key(probe, one),
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
        hint="what a key is remembered under holds the route as well",
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
    probe.clock.move_to(began, hours=LIFETIME_HOURS, seconds=-1, window=(LIFETIME_HOURS - 1, LIFETIME_HOURS - 0.1))
    change = "the same request again, 24 h less a second after the first"
    expect_replayed(probe, use, use.request, change=change, hint="a key is kept for 24 hours from its first use")


@covers("idempotency.lifetime", mode=Mode.SANDBOX)
def test_a_key_is_forgotten_a_day_after_its_first_use(probe: Probe) -> None:
    """The day counts from the first use: a replay in between does not prolong it."""
    use = use_remembered_key(probe)
    ended = probe.clock.now()
    probe.clock.move_to(ended, hours=LIFETIME_HOURS / 2, window=(LIFETIME_HOURS / 2, LIFETIME_HOURS - 0.1))
    probe.send(use.request)
    probe.clock.move_to(ended, hours=LIFETIME_HOURS, seconds=1)
    expect_not_replayed(
        probe,
        use,
        new_customer(probe, str(use.request.key)),
        change="a key that was first used 24 h and a second ago",
        hint="a key ends 24 hours after its first use",
    )
