"""What the default namespace holds from the start: the well-known tokens, and a few objects to see."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import CUSTOMER_ADA, WELL_KNOWN, Tenant, TokenStatus, WellKnownToken
from paylera_fixtures.vocabulary import Environment
from paylera_mock.namespaces.object_factory import ObjectOrder, backstage, make, make_customer
from paylera_mock.state.actors import actor_object
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import Grant, StoredSecret, StoredToken

ACTOR_ADA: Final = "actor_ada"
ACTOR_OTHER: Final = "actor_grace"


def seed_default(state: State) -> str:
    """Fill the default namespace; its main tenant."""
    for tenant in Tenant:
        state.add_tenant(tenant.value)
    _enter_actor(state, Tenant.MAIN, ACTOR_ADA, "Ada Lovelace")
    _enter_actor(state, Tenant.OTHER, ACTOR_OTHER, "Grace Hopper")
    _fill_main(state)
    for tenant, environment in ((Tenant.OTHER, Environment.SANDBOX), (Tenant.MAIN, Environment.LIVE)):
        make_customer(backstage(state, tenant.value, environment), f"first@{tenant.value.replace('_', '-')}.example")
    for well_known in WELL_KNOWN:
        state.tokens.keep(_token(state, well_known))
    return Tenant.MAIN.value


def _enter_actor(state: State, tenant: Tenant, actor_id: str, name: str) -> None:
    actor = actor_object(actor_id, state.clock.text(), name=name, email=f"{actor_id}@example.com", role="support")
    state.actors.add(tenant.value, actor)


def _fill_main(state: State) -> None:
    context = backstage(state, Tenant.MAIN.value, Environment.SANDBOX)
    make(context, Resource.PRODUCT, ObjectOrder("", code="pro"))
    make(context, Resource.PLAN, ObjectOrder("", code="pro-monthly-usd"))
    ada = make_customer(context, "ada@example.com", name="Ada Lovelace", id=CUSTOMER_ADA)
    grace = make_customer(context, "grace@example.com", name="Grace Hopper")
    for customer in (ada, grace):
        owner = customer["id"]
        make(context, Resource.SUBSCRIPTION, ObjectOrder("active", owner))
        make(context, Resource.INVOICE, ObjectOrder("open", owner))
        make(context, Resource.PAYMENT, ObjectOrder("succeeded", owner))
        make(context, Resource.PAYMENT, ObjectOrder("requires_action", owner))
        make(context, Resource.WALLET, ObjectOrder("", owner))


def _token(state: State, well_known: WellKnownToken) -> StoredToken:
    """The token object of a well-known secret, joined with what the other secrets of the same token made of it."""
    known = state.tokens.get(well_known.token_id)
    now = state.clock.epoch()
    secrets = _secrets(state, well_known, now)
    if known is not None:
        secrets = (*secrets, *(secret for secret in known.secrets if secret.expires_at is not None))
    rotated = well_known.state in {TokenStatus.GRACE, TokenStatus.EXPIRED} or known is not None
    return StoredToken(
        well_known.token_id,
        _grant(well_known),
        state.versions.current,
        secrets,
        created_at=now,
        sequence=known.sequence if known else state.tokens.count,
        rotated_at=now if rotated else None,
        revoked=well_known.state is TokenStatus.REVOKED,
    )


def _grant(well_known: WellKnownToken) -> Grant:
    return Grant(
        well_known.tenant.value,
        well_known.audience,
        well_known.scopes,
        well_known.environment,
        well_known.aal,
        well_known.customer_id,
        well_known.name,
    )


def _secrets(state: State, well_known: WellKnownToken, now: float) -> tuple[StoredSecret, ...]:
    """The secret, and before it a current one that nobody has, where this one was rotated out.

    One in its grace was rotated when the fake started: it ends a whole grace later, or when the clock is advanced.
    """
    if well_known.state is TokenStatus.GRACE:
        return _rotated_out(state, well_known, now + state.policy.grace_seconds)
    if well_known.state is TokenStatus.EXPIRED:
        return _rotated_out(state, well_known, now)
    return (StoredSecret.of(well_known.secret),)


def _rotated_out(state: State, well_known: WellKnownToken, expires_at: float) -> tuple[StoredSecret, ...]:
    current = StoredSecret.of(state.policy.new_secret(well_known.environment, state.randomness))
    return (current, StoredSecret.of(well_known.secret, expires_at))
