"""A seed file: tokens and objects as people write them down, beside what a fake has from the start.

Objects are the bodies of the API's own POSTs, and are made by its own operations, so that whatever the API refuses is
refused here. Beside its body an entry may have an `id` of its own, a `tenant`, an `environment`, and in `then` what is
done to the object next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from paylera_fixtures.api.operations import BY_ID, ID_PREFIXES, Operation, Resource, match
from paylera_fixtures.api.schemas import REQUEST_BODIES
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.tokens import TOKEN_FORM, digest, environment_of, prefix
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, Audience, Environment
from paylera_mock.core import request_bodies
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import Problem
from paylera_mock.namespaces.file_errors import LoadError, converted
from paylera_mock.namespaces.object_factory import internal_context
from paylera_mock.operations import EFFECTS
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import Grant, StoredSecret, StoredToken

KIND: Final = "seed"

SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "products": "create_product",
        "plans": "create_plan",
        "customers": "create_customer",
        "actors": "create_actor",
        "wallets": "create_wallet",
        "subscriptions": "create_subscription",
        "invoices": "create_invoice",
        # The last, so that none of them is told of the others.
        "webhook_endpoints": "create_webhook_endpoint",
    }
)
"""The sections of objects and the operation that makes each, in the order in which they are made."""

_BESIDE: Final = frozenset({"id", "tenant", "environment", "then"})
_NAME: Final = re.compile(rf"[A-Za-z0-9]{{1,{TOKEN_RANDOM_LENGTH}}}")
_TENANT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SeedToken(msgspec.Struct, forbid_unknown_fields=True):
    """A token.

    `secret` is a reference (`${NAME}`, `file:PATH`), or one that only a fake has. Without, it is the name padded with
    zeros, like those of the well-known tokens.
    """

    name: str
    audience: Audience
    scopes: list[str]
    aal: Literal[1, 2] = 1
    environment: Environment = Environment.SANDBOX
    tenant: str | None = None
    customer: str | None = None
    secret: str | None = None


class SeedFile(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    schema: Literal[1]
    kind: Literal["seed"]
    tokens: list[SeedToken] = []
    products: list[dict[str, Any]] = []
    plans: list[dict[str, Any]] = []
    customers: list[dict[str, Any]] = []
    actors: list[dict[str, Any]] = []
    wallets: list[dict[str, Any]] = []
    subscriptions: list[dict[str, Any]] = []
    invoices: list[dict[str, Any]] = []
    webhook_endpoints: list[dict[str, Any]] = []


class _Beside(msgspec.Struct):
    """What an entry has beside its body."""

    id: str | None = None
    tenant: str | None = None
    environment: Environment = Environment.SANDBOX
    then: list[str | dict[str, dict[str, Any]]] = []


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file something stands, as in `customers[0]`."""

    text: str

    def flaw(self, message: str, member: str = "") -> LoadError:
        """What is wrong there."""
        return LoadError(f"{self.text}.{member}" if member else self.text, message)


def read(data: Any) -> SeedFile:
    """A seed file from parsed JSON. Raises `LoadError` where it does not have its form."""
    return converted(data, SeedFile)


def sow(state: State, seed: SeedFile) -> None:
    """Make everything in a world that has its main tenant. Raises `LoadError` where something cannot be."""
    for section, operation_id in SECTIONS.items():
        for number, entry in enumerate(getattr(seed, section)):
            _make(state, BY_ID[operation_id], entry, _Place(f"{section}[{number}]"))
    for number, token in enumerate(seed.tokens):
        _mint(state, token, _Place(f"tokens[{number}]"))


def _make(state: State, operation: Operation, entry: Object, place: _Place) -> None:
    try:
        beside = converted({name: entry[name] for name in _BESIDE & set(entry)}, _Beside)
    except LoadError as flaw:
        raise place.flaw(flaw.message, flaw.place) from None
    tenant_id = _tenant(state, beside.tenant, place)
    stage = internal_context(state, tenant_id, beside.environment)
    if beside.id is not None:
        state.wanted_ids[operation.resource] = _own_id(stage, operation.resource, beside.id, place)
    body = {name: value for name, value in entry.items() if name not in _BESIDE}
    made = _done(stage, operation, body, place)
    for number, step in enumerate(beside.then):
        asked = {step: {}} if isinstance(step, str) else step
        if len(asked) != 1:
            raise place.flaw('a step is one word, or one word with its body, as in {"credits": {…}}', f"then[{number}]")
        again = internal_context(state, tenant_id, beside.environment)
        _do_next(again, next(iter(asked.items())), made, _Place(f"{place.text}.then[{number}]"))


def _own_id(stage: Context, kind: Resource, wanted: str, place: _Place) -> str:
    if not re.fullmatch(rf"{ID_PREFIXES[kind]}_[A-Za-z0-9_-]{{1,90}}", wanted):
        raise place.flaw(
            f"an id of this kind begins with {ID_PREFIXES[kind]}_, and goes on in letters and digits", "id"
        )
    if stage.objects.get(kind, wanted) or wanted in stage.state.actors.of(stage.tenant_id):
        raise place.flaw("another object has this id already: choose another", "id")
    return wanted


def _do_next(stage: Context, step: tuple[str, Object], made: Object, place: _Place) -> None:
    """Do something to an object that was made, by the last word of the operation's path."""
    verb, given = step
    kind = Resource(made["object"])
    verbs = {each.path.rpartition("/")[2]: each for each in BY_ID.values() if _acts_on(each, kind)}
    if verb not in verbs:
        raise place.flaw(f"there is no such step: there are {', '.join(verbs) or 'none for this kind'}")
    operation = verbs[verb]
    stage.match = match(operation.path.replace("{id}", made["id"]))
    _done(stage, operation, given, place)


def _acts_on(operation: Operation, kind: Resource) -> bool:
    return operation.method == "POST" and operation.resource is kind and operation.has_parameter


def _done(stage: Context, operation: Operation, body: Object, place: _Place) -> Object:
    """Let an operation happen, and give what it answers."""
    known = REQUEST_BODIES.get(operation.id, {}).get("properties", {})
    for name in body:
        if name not in known:
            raise place.flaw(f"there is no such member: there are {', '.join(known) or 'none'}", name)
    stage.operation, stage.payload = operation, body
    outcome = request_bodies.check(operation.id, body) or EFFECTS[operation.id](stage)
    if not isinstance(outcome, Problem):
        return outcome.body or {}
    first = next(iter(outcome.errors), None)
    raise place.flaw(first.message, first.field) if first else place.flaw(outcome.detail)


def _tenant(state: State, wanted: str | None, place: _Place) -> str:
    tenant_id = state.main_tenant if wanted is None else wanted
    if not _TENANT.fullmatch(tenant_id):
        raise place.flaw("a tenant is named in letters, digits, _ and -", "tenant")
    return state.add_tenant(tenant_id)


def _mint(state: State, asked: SeedToken, place: _Place) -> None:
    tenant_id = _tenant(state, asked.tenant, place)
    for number, scope in enumerate(asked.scopes):
        if scope not in state.policy.scopes:
            message = f"there is no such scope in this profile: there are {', '.join(state.policy.scopes)}"
            raise place.flaw(message, f"scopes[{number}]")
    _check_customer(state, asked, tenant_id, place)
    plain = _secret(asked, place)
    if state.tokens.by_digest(digest(plain)) is not None:
        raise place.flaw("another token has this secret already: choose another name or secret")
    grant = Grant(
        tenant_id, asked.audience, tuple(asked.scopes), asked.environment, asked.aal, asked.customer, asked.name
    )
    token_id, now = state.new_id(Resource.API_TOKEN), state.clock.epoch()
    state.tokens.keep(
        StoredToken(token_id, grant, state.versions.current, (StoredSecret.of(plain),), now, state.tokens.count)
    )


def _check_customer(state: State, asked: SeedToken, tenant_id: str, place: _Place) -> None:
    if asked.customer is None:
        if asked.audience is Audience.CUSTOMER:
            raise place.flaw("a customer token is bound to a customer: give its id", "customer")
        return
    if state.store.objects(tenant_id, asked.environment).get(Resource.CUSTOMER, asked.customer) is None:
        raise place.flaw("there is no such customer in this tenant and environment: list it in `customers`", "customer")


def _secret(asked: SeedToken, place: _Place) -> str:
    """The secret of a token. It is part of no message."""
    if asked.secret is None:
        if not _NAME.fullmatch(asked.name):
            message = f"a token without secret is named in at most {TOKEN_RANDOM_LENGTH} letters and digits"
            raise place.flaw(message, "name")
        return prefix(asked.environment) + asked.name.ljust(TOKEN_RANDOM_LENGTH, "0")
    plain = asked.secret
    if environment_of(plain) is None:
        try:
            plain = resolve_secret(plain, "it")
        except ValueError as error:
            raise place.flaw(str(error), "secret") from None
    if not TOKEN_FORM.fullmatch(plain) or environment_of(plain) is not asked.environment:
        message = f"a secret is {prefix(asked.environment)} and then letters and digits, or a reference to such a one"
        raise place.flaw(message, "secret")
    return plain
