"""What the default namespace holds from the start: the well-known tokens, and a few objects to see."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import CUSTOMER_ADA, WELL_KNOWN, State, Tenant, WellKnownToken
from paylera_fixtures.vocabulary import Environment
from paylera_mock.namespaces.object_factory import Order, backstage, make, make_customer
from paylera_mock.state.actors import actor_object
from paylera_mock.state.tokens import Grant, Secret, Token
from paylera_mock.state.world import World

ACTOR_ADA: Final = "actor_ada"
ACTOR_OTHER: Final = "actor_grace"


def seed_default(world: World) -> str:
    """Fill the default namespace; its main tenant."""
    for tenant in Tenant:
        world.add_tenant(tenant.value)
    _enter_actor(world, Tenant.MAIN, ACTOR_ADA, "Ada Lovelace")
    _enter_actor(world, Tenant.OTHER, ACTOR_OTHER, "Grace Hopper")
    _fill_main(world)
    for tenant, environment in ((Tenant.OTHER, Environment.SANDBOX), (Tenant.MAIN, Environment.LIVE)):
        make_customer(backstage(world, tenant.value, environment), f"first@{tenant.value.replace('_', '-')}.example")
    for well_known in WELL_KNOWN:
        world.tokens.keep(_token(world, well_known))
    return Tenant.MAIN.value


def _enter_actor(world: World, tenant: Tenant, actor_id: str, name: str) -> None:
    actor = actor_object(actor_id, world.clock.text(), name=name, email=f"{actor_id}@example.com", role="support")
    world.actors.add(tenant.value, actor)


def _fill_main(world: World) -> None:
    context = backstage(world, Tenant.MAIN.value, Environment.SANDBOX)
    make(context, Resource.PRODUCT, Order("", code="pro"))
    make(context, Resource.PLAN, Order("", code="pro-monthly-usd"))
    ada = make_customer(context, "ada@example.com", name="Ada Lovelace", id=CUSTOMER_ADA)
    grace = make_customer(context, "grace@example.com", name="Grace Hopper")
    for customer in (ada, grace):
        owner = customer["id"]
        make(context, Resource.SUBSCRIPTION, Order("active", owner))
        make(context, Resource.INVOICE, Order("open", owner))
        make(context, Resource.PAYMENT, Order("succeeded", owner))
        make(context, Resource.PAYMENT, Order("requires_action", owner))
        make(context, Resource.WALLET, Order("", owner))


def _token(world: World, well_known: WellKnownToken) -> Token:
    """The token object of a well-known secret, joined with what the other secrets of the same token made of it."""
    known = world.tokens.get(well_known.token_id)
    now = world.clock.epoch()
    secrets = _secrets(world, well_known, now)
    if known is not None:
        secrets = (*secrets, *(secret for secret in known.secrets if secret.expires_at is not None))
    rotated = well_known.state in {State.GRACE, State.EXPIRED} or known is not None
    return Token(
        well_known.token_id,
        _grant(well_known),
        world.versions.current,
        secrets,
        created_at=now,
        sequence=known.sequence if known else world.tokens.count,
        rotated_at=now if rotated else None,
        revoked=well_known.state is State.REVOKED,
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


def _secrets(world: World, well_known: WellKnownToken, now: float) -> tuple[Secret, ...]:
    """The secret, and before it a current one that nobody has, where this one was rotated out.

    One in its grace was rotated when the fake started: it ends a whole grace later, or when the clock is advanced.
    """
    if well_known.state is State.GRACE:
        return _rotated_out(world, well_known, now + world.policy.grace_seconds)
    if well_known.state is State.EXPIRED:
        return _rotated_out(world, well_known, now)
    return (Secret.of(well_known.secret),)


def _rotated_out(world: World, well_known: WellKnownToken, expires_at: float) -> tuple[Secret, ...]:
    current = Secret.of(world.policy.new_secret(well_known.environment, world.entropy))
    return (current, Secret.of(well_known.secret, expires_at))
