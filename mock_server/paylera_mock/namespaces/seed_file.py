"""A seed file: tokens and objects as people write them down, beside what a fake has from the start.

Objects are the bodies of the API's own POSTs, and are made by its own operations, so that whatever the API refuses is
refused here. Beside its body an entry may have an `id` of its own, a `tenant`, an `environment`, and in `then` what is
done to the object next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from paylera_fixtures.api.operations import BY_ID, ID_PREFIXES, Operation, Resource
from paylera_fixtures.api.schemas import REQUEST_BODIES
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.tokens import TOKEN_FORM, digest, environment_of, prefix
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, Audience, Environment
from paylera_mock.core import request_bodies
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import Problem
from paylera_mock.core.typed_json import InvalidInputError, convert_json
from paylera_mock.namespaces.object_factory import internal_context
from paylera_mock.operations import EFFECTS
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import Grant, StoredSecret, StoredToken

KIND: Final = "seed"

SECTIONS: Final[Mapping[str, str]] = {
    "products": "create_product",
    "plans": "create_plan",
    "customers": "create_customer",
    "actors": "create_actor",
    "wallets": "create_wallet",
    "subscriptions": "create_subscription",
    "invoices": "create_invoice",
    # The last, so that none of the objects above is an event for them.
    "webhook_endpoints": "create_webhook_endpoint",
}
"""The sections of objects and the operation that makes each, in the order in which they are made."""

_NAME: Final = re.compile(rf"[A-Za-z0-9]{{1,{TOKEN_RANDOM_LENGTH}}}")
_TENANT: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SeedToken(Struct, forbid_unknown_fields=True):
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


class SeedFile(Struct, forbid_unknown_fields=True):
    """The whole file."""

    schema: Literal[1]
    kind: Literal["seed"]
    tokens: list[SeedToken] = []
    products: list[Object] = []
    plans: list[Object] = []
    customers: list[Object] = []
    actors: list[Object] = []
    wallets: list[Object] = []
    subscriptions: list[Object] = []
    invoices: list[Object] = []
    webhook_endpoints: list[Object] = []


class _EntryOptions(Struct):
    id: str | None = None
    tenant: str | None = None
    environment: Environment = Environment.SANDBOX
    then: list[str | dict[str, Object]] = []


def fill_from_seed(state: State, seed: SeedFile) -> None:
    """Make everything in a state that has its main tenant. Raises `InvalidInputError` where something cannot be."""
    for section, operation_id in SECTIONS.items():
        for number, entry in enumerate(getattr(seed, section)):
            _make_object(state, BY_ID[operation_id], entry, f"{section}[{number}]")
    for number, token in enumerate(seed.tokens):
        _make_token(state, token, f"tokens[{number}]")


def _make_object(state: State, operation: Operation, entry: Object, place: str) -> None:
    names = _EntryOptions.__struct_fields__
    try:
        options = convert_json({name: value for name, value in entry.items() if name in names}, _EntryOptions)
    except InvalidInputError as flaw:
        raise InvalidInputError(f"{place}.{flaw.place}", flaw.message) from None
    tenant_id = _add_tenant(state, options.tenant, place)
    context = internal_context(state, tenant_id, options.environment)
    if options.id is not None:
        _check_id(context, operation.resource, options.id, f"{place}.id")
        state.wanted_ids[operation.resource] = options.id
    body = {name: value for name, value in entry.items() if name not in names}
    made = _perform(context, operation, body, place)
    for number, step in enumerate(options.then):
        named = {step: {}} if isinstance(step, str) else step
        if len(named) != 1:
            message = 'a step is one word, or one word with its body, as in {"credits": {…}}'
            raise InvalidInputError(f"{place}.then[{number}]", message)
        [(verb, given)] = named.items()
        context = internal_context(state, tenant_id, options.environment)
        _perform_step(context, verb, given, made, f"{place}.then[{number}]")


def _check_id(context: Context, kind: Resource, wanted: str, place: str) -> None:
    begin = f"{ID_PREFIXES[kind]}_"
    if not re.fullmatch(rf"{begin}[A-Za-z0-9_-]{{1,90}}", wanted):
        raise InvalidInputError(place, f"an id of this kind begins with {begin}, and goes on in letters and digits")
    if context.objects.get(kind, wanted) or context.state.actors.has(context.tenant_id, wanted):
        raise InvalidInputError(place, "another object has this id already: choose another")


def _perform_step(context: Context, verb: str, body: Object, made: Object, place: str) -> None:
    """Do something to an object that was made, by the last word of the operation's path."""
    verbs = {
        each.path.rpartition("/")[2]: each
        for each in BY_ID.values()
        if each.method == "POST" and each.resource == made["object"] and each.has_parameter
    }
    if verb not in verbs:
        raise InvalidInputError(place, f"there is no such step: there are {', '.join(verbs) or 'none for this kind'}")
    _perform(context, verbs[verb], body, place, path=verbs[verb].concrete(made["id"]))


def _perform(context: Context, operation: Operation, body: Object, place: str, *, path: str | None = None) -> Object:
    """Let an operation happen, and give what it answers. Raises `InvalidInputError` for what it refuses."""
    known = REQUEST_BODIES.get(operation.id, {}).get("properties", {})
    for name in body:
        if name not in known:
            message = f"there is no such member: there are {', '.join(known) or 'none'}"
            raise InvalidInputError(f"{place}.{name}", message)
    context.request = context.request._replace(method=operation.method, path=path or operation.path)
    context.payload = body
    outcome = request_bodies.check(operation.id, body) or EFFECTS[operation.id](context)
    if not isinstance(outcome, Problem):
        return outcome.body or {}
    if outcome.errors:
        raise InvalidInputError(f"{place}.{outcome.errors[0].field}", outcome.errors[0].message)
    raise InvalidInputError(place, outcome.detail)


def _add_tenant(state: State, wanted: str | None, place: str) -> str:
    tenant_id = state.main_tenant if wanted is None else wanted
    if not _TENANT.fullmatch(tenant_id):
        raise InvalidInputError(f"{place}.tenant", "a tenant is named in letters, digits, _ and -")
    return state.add_tenant(tenant_id)


def _make_token(state: State, token: SeedToken, place: str) -> None:
    tenant_id = _add_tenant(state, token.tenant, place)
    for number, scope in enumerate(token.scopes):
        if scope not in state.policy.scopes:
            message = f"there is no such scope in this profile: there are {', '.join(state.policy.scopes)}"
            raise InvalidInputError(f"{place}.scopes[{number}]", message)
    if token.customer is None and token.audience is Audience.CUSTOMER:
        raise InvalidInputError(f"{place}.customer", "a customer token is bound to a customer: give its id")
    customers = state.store.objects(tenant_id, token.environment)
    if token.customer is not None and customers.get(Resource.CUSTOMER, token.customer) is None:
        message = "there is no such customer in this tenant and environment: list it in `customers`"
        raise InvalidInputError(f"{place}.customer", message)
    plain = _secret_of(token, place)
    if state.tokens.by_digest(digest(plain)) is not None:
        raise InvalidInputError(place, "another token has this secret already: choose another name or secret")
    grant = Grant(
        tenant_id, token.audience, tuple(token.scopes), token.environment, token.aal, token.customer, token.name
    )
    token_id, now = state.new_id(Resource.API_TOKEN), state.clock.epoch()
    state.tokens.keep(
        StoredToken(token_id, grant, state.versions.current, (StoredSecret.of(plain),), now, state.tokens.count)
    )


def _secret_of(token: SeedToken, place: str) -> str:
    """The secret of a token. It is part of no message."""
    if token.secret is None:
        if not _NAME.fullmatch(token.name):
            message = f"a token without secret is named in at most {TOKEN_RANDOM_LENGTH} letters and digits"
            raise InvalidInputError(f"{place}.name", message)
        return prefix(token.environment) + token.name.ljust(TOKEN_RANDOM_LENGTH, "0")
    plain = token.secret
    if environment_of(plain) is None:
        try:
            plain = resolve_secret(plain, "it")
        except ValueError as error:
            raise InvalidInputError(f"{place}.secret", str(error)) from None
    if not TOKEN_FORM.fullmatch(plain) or environment_of(plain) is not token.environment:
        begin = prefix(token.environment)
        message = f"a secret is {begin} and then letters and digits, or a reference to such a one"
        raise InvalidInputError(f"{place}.secret", message)
    return plain
