"""The test-support protocol, by which a suite prepares a test: what any implementer of a test deployment may offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import CONTROL_PROTOCOL, Audience, Environment, Profile
from paylera_mock.control.mutants import check_mutants
from paylera_mock.control.request import ControlRequest, CreatedId, OwnerBody, TenantBody, Whole, customer_or_new
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError, one_of
from paylera_mock.namespaces.object_factory import STATUSES, ObjectOrder, make_customer, make_object
from paylera_mock.state.actors import actor_object
from paylera_mock.state.tokens import Grant

CAPABILITIES: Final = (
    "namespaces",
    "tokens",
    "clock",
    "versions",
    "actors",
    "tenants",
    "customers",
    "objects",
    "rate-limits",
)


class Description(Struct, kw_only=True):
    """What a control API can do, and where the target is."""

    protocol: int = CONTROL_PROTOCOL
    capabilities: tuple[str, ...] = CAPABILITIES
    url: str
    live_url: str
    environment: Environment = Environment.SANDBOX


def describe_protocol(call: ControlRequest) -> Description:
    """`GET C`: what this control API can do, and where the target is."""
    urls = call.urls(call.namespace.id)
    return Description(url=urls["url"], live_url=urls["live_url"])


class NamespaceBody(Struct, forbid_unknown_fields=True):
    """What a new namespace does otherwise than this one: the mock's own extension of the protocol."""

    profile: Profile | UnsetType = UNSET
    readings: Annotated[dict[str, Any], Meta(description='an object, as in {"scope_refusal": 403}')] | UnsetType = UNSET
    mutants: tuple[str, ...] = ()
    strict_bodies: bool | UnsetType = UNSET


class CreatedNamespace(Struct):
    """Where a new namespace is."""

    id: str
    url: str
    live_url: str
    control_url: str


def create_namespace(call: ControlRequest, body: NamespaceBody) -> CreatedNamespace:
    """`POST C/namespaces`: make a namespace, a whole fake of its own. What the body does not say is as in this one."""
    behaviour = call.namespace.unmutated
    if body.profile is not UNSET or body.readings is not UNSET:
        behaviour = behaviour.but(policy=_policy_of(body, behaviour.policy))
    if body.strict_bodies is not UNSET:
        behaviour = behaviour.but(policy=behaviour.policy.but(strict_bodies=body.strict_bodies))
    check_mutants("mutants", body.mutants)
    namespace = call.namespaces.create(behaviour, mutants=body.mutants, parent=call.namespace)
    return CreatedNamespace(str(namespace.id), **call.urls(namespace.id))


def _policy_of(body: NamespaceBody, policy: Policy) -> Policy:
    """The parent's policy with what the body says; a profile that it names comes with that profile's readings."""
    kept = policy.readings if body.profile is UNSET else {}
    profile = policy.profile if body.profile is UNSET else body.profile
    readings: Mapping[str, Any] = {} if body.readings is UNSET else body.readings
    try:
        return policy.with_readings(profile, **{**kept, **readings})
    except ValueError as error:
        raise InvalidInputError("readings", str(error)) from None


def delete_namespace(call: ControlRequest) -> None:
    """`DELETE C/namespaces/{id}`: delete a namespace with its tokens.

    Raises `RefusedError` where there is no such namespace.
    """
    if not call.namespaces.delete(call.identifier):
        raise RefusedError(problems.namespace_not_found())


class TokenBody(OwnerBody, kw_only=True):
    """What a token is to grant, to whom and where."""

    audience: Audience
    scopes: tuple[str, ...]
    aal: Annotated[Whole, Meta(ge=0, le=1_000)] = 1
    customer_id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class CreatedToken(Struct):
    """A new token, with its secret."""

    id: str
    audience: Audience
    scopes: tuple[str, ...]
    aal: int
    environment: Environment
    default_version: str
    secret: str
    tenant_id: str
    customer_id: str | None


def create_token(call: ControlRequest, body: TokenBody) -> CreatedToken:
    """`POST C/tokens`: mint a token exactly as the body says, even an odd one, so that refusals can be tested."""
    context, state = call.context_of(body), call.state
    is_bound = body.audience is Audience.CUSTOMER or body.customer_id is not UNSET
    grant = Grant(
        tenant_id=context.tenant_id,
        audience=body.audience,
        scopes=body.scopes,
        environment=body.environment,
        aal=int(body.aal),
        customer_id=customer_or_new(context, body.customer_id) if is_bound else None,
        name=None if body.name is UNSET else body.name,
    )
    token, secret = state.tokens.mint(grant, version=state.versions.current, now=context.now, policy=state.policy)
    return CreatedToken(
        token.id,
        grant.audience,
        grant.scopes,
        grant.aal,
        grant.environment,
        token.default_version,
        secret,
        grant.tenant_id,
        grant.customer_id,
    )


class ObjectBody(OwnerBody, kw_only=True):
    """Which object is wanted, in which status, and of which customer."""

    kind: Annotated[str, Meta(description=one_of(STATUSES), extra_json_schema={"enum": list(STATUSES)})]
    status: str | UnsetType = UNSET
    customer_id: str | UnsetType = UNSET


def create_object(call: ControlRequest, body: ObjectBody) -> CreatedId:
    """`POST C/objects`: make an object in a status, ready to be acted on.

    Raises `InvalidInputError` for a kind or a status that is none.
    """
    if body.kind not in STATUSES:
        raise InvalidInputError("kind", f"this must be {one_of(STATUSES)}")
    kind = Resource(body.kind)
    statuses = STATUSES[kind]
    status = next(iter(statuses), "") if body.status is UNSET else body.status
    if statuses and status not in statuses:
        raise InvalidInputError("status", f"this must be {one_of(statuses)}")
    context = call.context_of(body)
    owner = "" if kind in {Resource.PRODUCT, Resource.PLAN} else customer_or_new(context, body.customer_id)
    return CreatedId(make_object(context, kind, ObjectOrder(status if statuses else "", owner))["id"])


def create_tenant(call: ControlRequest) -> CreatedId:
    """`POST C/tenants`: make a tenant."""
    return CreatedId(call.state.add_tenant())


class ActorBody(TenantBody, kw_only=True):
    """Whom to enter, and in whose registry."""

    name: str = ""


def create_actor(call: ControlRequest, body: ActorBody) -> CreatedId:
    """`POST C/actors`: make an actor in a tenant's registry."""
    actor = actor_object(call.state.new_id(Resource.ACTOR), call.state.clock.text(), name=body.name)
    call.state.actors.add(call.find_tenant(body), actor)
    return CreatedId(actor["id"])


def create_customer(call: ControlRequest, body: OwnerBody) -> CreatedId:
    """`POST C/customers`: make a customer, to whom a customer token can be bound."""
    return CreatedId(make_customer(call.context_of(body))["id"])


class ClockReading(Struct):
    """What time it is (RFC 3339, in UTC)."""

    now: str


def read_clock(call: ControlRequest) -> ClockReading:
    """`GET C/clock`: what time it is."""
    return ClockReading(format_time(call.state.clock.epoch()))


class AdvanceBody(Struct, forbid_unknown_fields=True):
    """How far a clock goes forward."""

    seconds: float


def advance_clock(call: ControlRequest, body: AdvanceBody) -> ClockReading:
    """`POST C/clock/advance`: move the clock forward by some seconds.

    Raises `InvalidInputError` for seconds that a clock cannot move by.
    """
    try:
        call.state.clock.advance(body.seconds)
    except ValueError as error:
        raise InvalidInputError("seconds", str(error)) from None
    return read_clock(call)


class VersionList(Struct):
    """The default version, and all that are supported."""

    current: str
    supported: list[str]


def read_versions(call: ControlRequest) -> VersionList:
    """`GET C/versions`: the default version, and all that are supported."""
    versions = call.state.versions
    return VersionList(versions.current, list(versions.supported))


class VersionBody(Struct, forbid_unknown_fields=True):
    """A version, as in 2027-01-01."""

    version: str


def release_version(call: ControlRequest, body: VersionBody) -> VersionList:
    """`POST C/versions`: make a version the default.

    Raises `InvalidInputError` for a version that cannot become the default.
    """
    try:
        call.state.versions.release(body.version, call.state.clock.epoch())
    except ValueError as error:
        raise InvalidInputError("version", str(error)) from None
    return read_versions(call)


class RateLimitsBody(Struct, forbid_unknown_fields=True):
    """Whether going over the rate limits is refused."""

    enforced: bool


def set_rate_limits(call: ControlRequest, body: RateLimitsBody) -> None:
    """`POST C/rate-limits`: set whether requests over the limits are refused."""
    call.state.rates_enforced = body.enforced


def reset_namespace(call: ControlRequest) -> None:
    """`POST C/reset`: put the namespace back to what it was at the start."""
    call.namespace.reset()
