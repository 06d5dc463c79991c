"""The test-support protocol, by which a suite or a developer sets the stage: what any implementer may offer too."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Environment, Profile
from paylera_mock.control.mutants import mutants_asked
from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.clock import written
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.namespaces.object_factory import STATUSES, ObjectOrder, make_customer, make_object
from paylera_mock.state.actors import actor_object
from paylera_mock.state.tokens import Grant

PROTOCOL: Final = 1
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


def describe(call: ControlRequest) -> Outcome:
    """`GET C`: what this control API can do, and where the target is."""
    urls = call.urls(call.namespace.id)
    return Reply(
        HTTPStatus.OK,
        {
            "protocol": PROTOCOL,
            "capabilities": list(CAPABILITIES),
            "url": urls["url"],
            "live_url": urls["live_url"],
            "environment": Environment.SANDBOX.value,
        },
    )


def create_namespace(call: ControlRequest) -> Outcome:
    """`POST C/namespaces`: a fake of its own. What the new one does not say for itself it has from this one.

    The mock's own extension: `profile` and `readings` for a namespace that follows others, and `mutants`.
    """
    behaviour = call.namespace.unmutated
    if "profile" in call.body or "readings" in call.body:
        behaviour = behaviour.but(policy=_policy_asked(call))
    mutants = mutants_asked(call, "mutants") if "mutants" in call.body else ()
    namespace = call.namespaces.create(behaviour, mutants=mutants, parent=call.namespace)
    return Reply(HTTPStatus.CREATED, {"id": namespace.id, **call.urls(namespace.id)})


def _policy_asked(call: ControlRequest) -> Policy:
    profile = Profile(call.word("profile", tuple(Profile), call.namespace.policy.profile.value))
    readings = call.body.get("readings", {})
    if not isinstance(readings, dict):
        raise BadMemberError("readings", 'This must be an object, as in {"scope_refusal": 403}.')
    try:
        # What is no reading stays: a namespace reaches no further, nor less far, than its fake.
        return Policy.for_profile(profile, **readings).but(webhooks=call.namespace.policy.webhooks)
    except ValueError as error:
        raise BadMemberError("readings", str(error)) from None


def delete_namespace(call: ControlRequest) -> Outcome:
    """`DELETE C/namespaces/{id}`: it and its tokens are gone."""
    if call.namespaces.delete(call.identifier):
        return Reply(HTTPStatus.NO_CONTENT)
    return problems.namespace_not_found()


def create_token(call: ControlRequest) -> Outcome:
    """`POST C/tokens`: as asked, even odd, so that refusals can be looked for."""
    stage, state = call.stage(), call.state
    audience = Audience(call.word("audience", tuple(Audience)))
    bound = audience is Audience.CUSTOMER or "customer_id" in call.body
    grant = Grant(
        tenant_id=stage.tenant_id,
        audience=audience,
        scopes=call.strings("scopes"),
        environment=stage.caller.grant.environment,
        aal=int(call.number("aal", 1)),
        customer_id=call.customer(stage) if bound else None,
        name=call.text("name") if "name" in call.body else None,
    )
    token, secret = state.tokens.mint(grant, version=state.versions.current, now=stage.now, policy=state.policy)
    shown = token.view(stage.now)
    members = ("id", "audience", "scopes", "aal", "environment", "default_version")
    body = {member: shown[member] for member in members}
    body |= {"secret": secret, "tenant_id": grant.tenant_id, "customer_id": grant.customer_id}
    return Reply(HTTPStatus.CREATED, body, issues_secret=True)


def create_object(call: ControlRequest) -> Outcome:
    """`POST C/objects`: an object ready to be acted on."""
    kind = Resource(call.word("kind", tuple(STATUSES)))
    statuses = STATUSES[kind]
    status = call.word("status", statuses, statuses[0]) if statuses else ""
    stage = call.stage()
    owner = "" if kind in {Resource.PRODUCT, Resource.PLAN} else call.customer(stage)
    return Reply(HTTPStatus.CREATED, {"id": make_object(stage, kind, ObjectOrder(status, owner))["id"]})


def create_tenant(call: ControlRequest) -> Outcome:
    """`POST C/tenants`: open another tenant."""
    return Reply(HTTPStatus.CREATED, {"id": call.state.add_tenant()})


def create_actor(call: ControlRequest) -> Outcome:
    """`POST C/actors`: an actor of a tenant's registry."""
    actor = actor_object(call.state.new_id(Resource.ACTOR), call.state.clock.text(), name=call.text("name", ""))
    call.state.actors.add(call.tenant(), actor)
    return Reply(HTTPStatus.CREATED, {"id": actor["id"]})


def create_customer(call: ControlRequest) -> Outcome:
    """`POST C/customers`: whom a customer token can be bound to."""
    return Reply(HTTPStatus.CREATED, {"id": make_customer(call.stage())["id"]})


def read_clock(call: ControlRequest) -> Outcome:
    """`GET C/clock`: what time it is."""
    return Reply(HTTPStatus.OK, {"now": written(call.state.clock.epoch())})


def advance_clock(call: ControlRequest) -> Outcome:
    """`POST C/clock/advance`: forward only."""
    seconds = call.number("seconds")
    try:
        call.state.clock.advance(seconds)
    except ValueError as error:
        raise BadMemberError("seconds", f"{error}.") from None
    return read_clock(call)


def read_versions(call: ControlRequest) -> Outcome:
    """`GET C/versions`: the default, and all that are supported."""
    return Reply(HTTPStatus.OK, _versions(call))


def release_version(call: ControlRequest) -> Outcome:
    """`POST C/versions`: make a version the default."""
    version = call.text("version")
    try:
        call.state.versions.release(version, call.state.clock.epoch())
    except ValueError as error:
        raise BadMemberError("version", f"{error}.") from None
    return Reply(HTTPStatus.CREATED, _versions(call))


def _versions(call: ControlRequest) -> dict[str, Any]:
    versions = call.state.versions
    return {"current": versions.current, "supported": list(versions.supported)}


def set_rate_limits(call: ControlRequest) -> Outcome:
    """`POST C/rate-limits`: whether going over them is refused."""
    enforced = call.body.get("enforced")
    if not isinstance(enforced, bool):
        raise BadMemberError("enforced", "This must be true or false.")
    call.state.rates_enforced = enforced
    return Reply(HTTPStatus.NO_CONTENT)


def reset(call: ControlRequest) -> Outcome:
    """`POST C/reset`: the namespace as it was at the start."""
    call.namespace.reset()
    return Reply(HTTPStatus.NO_CONTENT)


CALLS: Final[Table] = MappingProxyType(
    {
        "": {"GET": describe},
        "namespaces": {"POST": create_namespace},
        "namespaces/{id}": {"DELETE": delete_namespace},
        "tokens": {"POST": create_token},
        "objects": {"POST": create_object},
        "tenants": {"POST": create_tenant},
        "actors": {"POST": create_actor},
        "customers": {"POST": create_customer},
        "clock": {"GET": read_clock},
        "clock/advance": {"POST": advance_clock},
        "versions": {"GET": read_versions, "POST": release_version},
        "rate-limits": {"POST": set_rate_limits},
        "reset": {"POST": reset},
    }
)
"""Every call of the protocol."""
