"""What the default namespace holds from the start: the well-known tokens, and a few objects.

The examples of the OpenAPI document name objects by the ids that they have here.
"""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import CUSTOMER_ADA, WELL_KNOWN, Tenant, TokenStatus, WellKnownToken
from paylera_fixtures.vocabulary import Environment
from paylera_mock.namespaces.object_factory import ObjectOrder, internal_context, make_customer, make_object
from paylera_mock.operations.webhooks import endpoint_object
from paylera_mock.pipeline.context import Context
from paylera_mock.state.actors import actor_object
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import Grant, StoredSecret, StoredToken

ACTOR_ADA: Final = "actor_ada"
ACTOR_OTHER: Final = "actor_grace"


def seed_default(state: State) -> str:
    """Fill the default namespace, and give its main tenant."""
    for tenant in Tenant:
        state.add_tenant(tenant.value)
    _enter_actor(state, Tenant.MAIN, ACTOR_ADA, "Ada Lovelace")
    _enter_actor(state, Tenant.OTHER, ACTOR_OTHER, "Grace Hopper")
    _fill_main(state)
    for tenant, environment in ((Tenant.OTHER, Environment.SANDBOX), (Tenant.MAIN, Environment.LIVE)):
        context = internal_context(state, tenant.value, environment)
        make_customer(context, f"first@{tenant.value.replace('_', '-')}.example")
    for well_known in WELL_KNOWN:
        state.tokens.keep(_token(state, well_known))
    return Tenant.MAIN.value


def _enter_actor(state: State, tenant: Tenant, actor_id: str, name: str) -> None:
    actor = actor_object(actor_id, state.clock.text(), name=name, email=f"{actor_id}@example.com", role="support")
    state.actors.add(tenant.value, actor)


def _fill_main(state: State) -> None:
    context = internal_context(state, Tenant.MAIN.value, Environment.SANDBOX)
    make_object(context, Resource.PRODUCT, ObjectOrder(code="pro", id="prod_pro"))
    make_object(context, Resource.PLAN, ObjectOrder(code="pro-monthly-usd"))
    ada = make_customer(context, "ada@example.com", name="Ada Lovelace", id=CUSTOMER_ADA)
    grace = make_customer(context, "grace@example.com", name="Grace Hopper", id="cus_grace")
    for customer, name in ((ada, "ada"), (grace, "grace")):
        for kind, status, identifier in (
            (Resource.SUBSCRIPTION, "active", f"sub_{name}"),
            (Resource.INVOICE, "open", f"inv_{name}"),
            (Resource.PAYMENT, "succeeded", f"pay_{name}"),
            (Resource.PAYMENT, "requires_action", f"pay_{name}_waiting"),
            (Resource.WALLET, "", f"wal_{name}"),
        ):
            make_object(context, kind, ObjectOrder(status, customer["id"], id=identifier))
    make_object(context, Resource.INVOICE, ObjectOrder("draft", ada["id"], id="inv_ada_draft"))
    _register_endpoint(context)


def _register_endpoint(context: Context) -> None:
    """Register a webhook endpoint that nothing is sent to; nobody has its secret, which can be rotated."""
    given = {"url": "https://example.com/paylera-webhooks", "events": ["*"], "description": "not in use"}
    endpoint = endpoint_object(context, given, secret_last4="") | {"id": "we_disabled", "status": "disabled"}
    context.objects.add(Resource.WEBHOOK_ENDPOINT, endpoint)


def _token(state: State, well_known: WellKnownToken) -> StoredToken:
    """The token object of a well-known secret, joined with those that the same token's other secrets have made."""
    known = state.tokens.get(well_known.token_id)
    now = state.clock.epoch()
    # One in its grace was rotated when the fake started: it ends a whole grace later, or when the clock is advanced.
    ends = {TokenStatus.GRACE: now + state.policy.grace_seconds, TokenStatus.EXPIRED: now}.get(well_known.state)
    secrets: tuple[StoredSecret, ...] = (StoredSecret.of(well_known.secret, ends),)
    if ends is not None:
        # The current secret is one that nobody has.
        current = state.policy.new_secret(well_known.environment, state.randomness)
        secrets = (StoredSecret.of(current), *secrets)
    if known is not None:
        secrets = (*secrets, *(secret for secret in known.secrets if secret.expires_at is not None))
    grant = Grant(
        well_known.tenant.value,
        well_known.audience,
        well_known.scopes,
        well_known.environment,
        well_known.aal,
        well_known.customer_id,
        well_known.name,
    )
    rotated = ends is not None or known is not None
    return StoredToken(
        well_known.token_id,
        grant,
        state.versions.current,
        secrets,
        created_at=now,
        sequence=known.sequence if known else state.tokens.count,
        rotated_at=now if rotated else None,
        revoked=well_known.state is TokenStatus.REVOKED,
    )
