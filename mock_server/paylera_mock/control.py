"""The control API: the test-support protocol, by which a suite or a developer sets the stage.

`CALLS` at the end is the whole of it on one screen. Who may call is decided in `guard`. Bodies and answers are JSON;
what cannot be done is a problem document.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from paylera_fixtures.mutants import BY_ID, complaint
from paylera_fixtures.operations import Resource
from paylera_fixtures.vocabulary import Audience, Environment, Profile
from paylera_mock import problems
from paylera_mock.actors import actor_object
from paylera_mock.clock import written
from paylera_mock.context import Context, Outcome, Reply
from paylera_mock.namespace import Namespace, Namespaces
from paylera_mock.policy import Policy
from paylera_mock.problems import FieldError
from paylera_mock.stock import STATUSES, Order, backstage, make, make_customer
from paylera_mock.store import Object
from paylera_mock.tokens import Grant
from paylera_mock.world import World

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


class BadMemberError(ValueError):
    """A member of a call's body that cannot be used: which one, and what it must be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Call:
    """One call: the namespace it goes to, the body, what the path names, and the base URLs of the namespaces."""

    namespaces: Namespaces
    namespace: Namespace
    body: Object
    urls: Callable[[str | None], dict[str, str]]
    identifier: str = ""

    @property
    def world(self) -> World:
        """The world of the namespace, as it is now."""
        return self.namespace.world

    def text(self, field: str, default: str | None = None) -> str:
        """A string of the body. Raises `BadMemberError` where it is none, or missing without default."""
        value = self.body.get(field, default)
        if not isinstance(value, str):
            raise BadMemberError(field, "This must be a string.")
        return value

    def word(self, field: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of some words. Raises `BadMemberError` for another."""
        value = self.body.get(field, default)
        if value not in allowed:
            raise BadMemberError(field, f"This must be one of {', '.join(allowed)}.")
        return str(value)

    def number(self, field: str, default: float | None = None) -> float:
        """A finite number. Raises `BadMemberError` for anything else."""
        value = self.body.get(field, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise BadMemberError(field, "This must be a number.")
        return float(value)

    def strings(self, field: str) -> tuple[str, ...]:
        """A list of strings. Raises `BadMemberError` for anything else."""
        value = self.body.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadMemberError(field, "This must be a list of strings.")
        return tuple(value)

    def tenant(self) -> str:
        """The tenant that is meant: the namespace's main one where none is named."""
        tenant_id = self.text("tenant_id", self.world.main_tenant)
        if tenant_id not in self.world.tenants:
            raise BadMemberError("tenant_id", "There is no such tenant in this namespace: make one with POST tenants.")
        return tenant_id

    def environment(self) -> Environment:
        """The environment that is meant: sandbox where none is named."""
        return Environment(self.word("environment", tuple(Environment), Environment.SANDBOX.value))

    def stage(self) -> Context:
        """A context in which objects of the tenant and environment are made."""
        return backstage(self.world, self.tenant(), self.environment())

    def customer(self, stage: Context) -> str:
        """The customer that is meant: a new one where none is named."""
        return self.text("customer_id") if "customer_id" in self.body else str(make_customer(stage)["id"])


Handler: TypeAlias = Callable[[Call], Outcome]


def _is_finite(value: float) -> bool:
    """Whether a number is one that a float can hold: an integer of JSON may be longer."""
    return abs(value) < 1e18 and math.isfinite(value)  # noqa: PLR2004 - beyond it no time and no count makes sense


def describe(call: Call) -> Outcome:
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


def create_namespace(call: Call) -> Outcome:
    """`POST C/namespaces`. What the new one does not say for itself it has from this one.

    The mock's own extension: `profile` and `readings` for a namespace that follows others, and `mutants`.
    """
    manner = call.namespace.unmutated
    if "profile" in call.body or "readings" in call.body:
        manner = manner.but(policy=_policy_asked(call))
    mutants = _mutants_asked(call, "mutants") if "mutants" in call.body else ()
    namespace = call.namespaces.create(manner, mutants=mutants, parent=call.namespace)
    return Reply(HTTPStatus.CREATED, {"id": namespace.id, **call.urls(namespace.id)})


def _policy_asked(call: Call) -> Policy:
    profile = Profile(call.word("profile", tuple(Profile), call.namespace.policy.profile.value))
    readings = call.body.get("readings", {})
    if not isinstance(readings, dict):
        raise BadMemberError("readings", 'This must be an object, as in {"scope_refusal": 403}.')
    try:
        return Policy.for_profile(profile, **readings)
    except ValueError as error:
        raise BadMemberError("readings", str(error)) from None


def _mutants_asked(call: Call, field: str) -> tuple[str, ...]:
    ids = call.strings(field)
    if flaw := complaint(ids):
        raise BadMemberError(field, f"{flaw[0].upper()}{flaw[1:]}")
    return ids


def read_mutants(call: Call) -> Outcome:
    """`GET C/mutants`: which are on, how often each ran here and in what was made from here, and which there are."""
    namespace = call.namespace
    ran = {name: namespace.tally.count(name) for name in namespace.mutants}
    return Reply(HTTPStatus.OK, {"active": list(namespace.mutants), "ran": ran, "available": list(BY_ID)})


def switch_mutants(call: Call) -> Outcome:
    """`POST C/mutants`: from now on the namespace has these deliberate defects, and no others."""
    call.namespace.switch_to(_mutants_asked(call, "ids"))
    return read_mutants(call)


def delete_namespace(call: Call) -> Outcome:
    """`DELETE C/namespaces/{id}`: it and its tokens are gone."""
    if call.namespaces.delete(call.identifier):
        return Reply(HTTPStatus.NO_CONTENT)
    return problems.namespace_not_found()


def create_token(call: Call) -> Outcome:
    """`POST C/tokens`: as asked, even odd, so that refusals can be looked for."""
    stage, world = call.stage(), call.world
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
    token, secret = world.tokens.mint(grant, version=world.versions.current, now=stage.now, policy=world.policy)
    shown = token.view(stage.now)
    members = ("id", "audience", "scopes", "aal", "environment", "default_version")
    body = {member: shown[member] for member in members}
    body |= {"secret": secret, "tenant_id": grant.tenant_id, "customer_id": grant.customer_id}
    return Reply(HTTPStatus.CREATED, body, issues_secret=True)


def create_object(call: Call) -> Outcome:
    """`POST C/objects`: an object ready to be acted on."""
    kind = Resource(call.word("kind", tuple(STATUSES)))
    statuses = STATUSES[kind]
    status = call.word("status", statuses, statuses[0]) if statuses else ""
    stage = call.stage()
    owner = "" if kind in {Resource.PRODUCT, Resource.PLAN} else call.customer(stage)
    return Reply(HTTPStatus.CREATED, {"id": make(stage, kind, Order(status, owner))["id"]})


def create_tenant(call: Call) -> Outcome:
    """`POST C/tenants`."""
    return Reply(HTTPStatus.CREATED, {"id": call.world.add_tenant()})


def create_actor(call: Call) -> Outcome:
    """`POST C/actors`: an actor of a tenant's registry."""
    actor = actor_object(call.world.policy.new_id(Resource.ACTOR), call.world.clock.text(), name=call.text("name", ""))
    call.world.actors.add(call.tenant(), actor)
    return Reply(HTTPStatus.CREATED, {"id": actor["id"]})


def create_customer(call: Call) -> Outcome:
    """`POST C/customers`: whom a customer token can be bound to."""
    return Reply(HTTPStatus.CREATED, {"id": make_customer(call.stage())["id"]})


def read_clock(call: Call) -> Outcome:
    """`GET C/clock`."""
    return Reply(HTTPStatus.OK, {"now": written(call.world.clock.epoch())})


def advance_clock(call: Call) -> Outcome:
    """`POST C/clock/advance`: forward only."""
    seconds = call.number("seconds")
    try:
        call.world.clock.advance(seconds)
    except ValueError as error:
        raise BadMemberError("seconds", f"{error}.") from None
    return read_clock(call)


def read_versions(call: Call) -> Outcome:
    """`GET C/versions`."""
    return Reply(HTTPStatus.OK, _versions(call))


def release_version(call: Call) -> Outcome:
    """`POST C/versions`: make a version the default."""
    version = call.text("version")
    try:
        call.world.versions.release(version, call.world.clock.epoch())
    except ValueError as error:
        raise BadMemberError("version", f"{error}.") from None
    return Reply(HTTPStatus.CREATED, _versions(call))


def _versions(call: Call) -> dict[str, Any]:
    versions = call.world.versions
    return {"current": versions.current, "supported": list(versions.supported)}


def set_rate_limits(call: Call) -> Outcome:
    """`POST C/rate-limits`: whether going over them is refused."""
    enforced = call.body.get("enforced")
    if not isinstance(enforced, bool):
        raise BadMemberError("enforced", "This must be true or false.")
    call.world.rates_enforced = enforced
    return Reply(HTTPStatus.NO_CONTENT)


def reset(call: Call) -> Outcome:
    """`POST C/reset`: the namespace as it was at the start."""
    call.namespace.reset()
    return Reply(HTTPStatus.NO_CONTENT)


CALLS: Final[Mapping[str, Mapping[str, Handler]]] = MappingProxyType(
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
        # The mock's own.
        "mutants": {"GET": read_mutants, "POST": switch_mutants},
    }
)
"""Every call, by its path below the control URL."""


def answer(method: str, path: str, call: Call) -> Outcome:
    """Answer one call; `path` is what follows the control URL, without slash at its ends."""
    handlers = CALLS.get(_template(path))
    if handlers is None:
        return problems.route_not_found()
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        return problems.method_not_allowed(handlers)
    try:
        with call.namespace.lock:
            return handler(call)
    except BadMemberError as flaw:
        return problems.validation_failed(FieldError(flaw.field, "member.invalid", str(flaw)))


def _template(path: str) -> str:
    head, _, rest = path.partition("/")
    return "namespaces/{id}" if head == "namespaces" and rest and "/" not in rest else path
