"""The objects of a namespace, as who runs the fake sees them: the mock's own calls, which ask for no token."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter, itemgetter
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.redaction import mask_secrets
from paylera_fixtures.vocabulary import Environment
from paylera_mock.control.request import ControlRequest, PageQuery, TenantBody
from paylera_mock.core import problems
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.state.namespace_state import State
from paylera_mock.state.objects import Entry, ObjectTable

_ELSEWHERE: Final[Mapping[Resource, str]] = {
    Resource.API_TOKEN: "GET tokens lists these",
    Resource.REFUND: "these are in the `refunds` of their payments",
}


class ObjectQuery(PageQuery, kw_only=True):
    """Which objects are listed: of a kind, a tenant (the main one if none is named), an environment, a customer."""

    kind: Resource
    tenant_id: str | UnsetType = UNSET
    environment: Environment = Environment.SANDBOX
    customer_id: str | UnsetType = UNSET


class ObjectList(Struct):
    """A page of the objects and how many there are; `counts`: of each kind, in the same tenant and environment."""

    data: list[Object]
    count: int
    next_cursor: int | None
    counts: dict[Resource, int]
    tenant_id: str


class ObjectDetail(Struct):
    """One object and where it is; an actor belongs to both environments."""

    kind: Resource
    tenant_id: str
    environment: Environment | None
    object: Object


class TenantEntry(Struct):
    """A tenant; what names none is about the main one."""

    id: str
    main: bool


class TenantList(Struct):
    """A page of the tenants, and how many there are."""

    data: list[TenantEntry]
    count: int
    next_cursor: int | None


def list_tenants(call: ControlRequest, query: PageQuery) -> TenantList:
    """`GET C/tenants`: the tenants, the main one first, in pages."""
    main = call.state.main_tenant
    ids = sorted(call.state.tenants, key=lambda each: (each == main, each))
    page, next_cursor = query.take(lambda end: reversed([*enumerate(ids)][:end]), itemgetter(0))
    return TenantList([TenantEntry(each, each == main) for _, each in page], len(ids), next_cursor)


def list_objects(call: ControlRequest, query: ObjectQuery) -> ObjectList:
    """`GET C/objects`: the objects of a `kind`, the newest first, in pages.

    A secret in one is hidden. Raises `InvalidInputError` for a kind that is kept elsewhere, and for a tenant that there
    is not.
    """
    if query.kind in _ELSEWHERE:
        raise InvalidInputError("kind", _ELSEWHERE[query.kind])
    state = call.state
    tenant_id = call.find_tenant(TenantBody(tenant_id=query.tenant_id))
    table = dict(state.store.items()).get((tenant_id, query.environment)) or ObjectTable()
    counts = {kind: table.count(kind) for kind in table.kinds()}
    counts[Resource.ACTOR] = state.actors.count(tenant_id)
    newest_first = _reader(state, tenant_id, table, query)
    count = counts.get(query.kind, 0) if query.customer_id is UNSET else sum(1 for _ in newest_first(None))
    page, next_cursor = query.take(newest_first, attrgetter("sequence"))
    return ObjectList([_view(entry.value) for entry in page], count, next_cursor, counts, tenant_id)


def _reader(
    state: State, tenant_id: str, table: ObjectTable, query: ObjectQuery
) -> Callable[[int | None], Iterator[Entry]]:
    """What gives the objects that are meant, the newest first, those before a place."""
    owner = None if query.customer_id is UNSET else query.customer_id
    if query.kind is not Resource.ACTOR:
        return lambda place: table.newest_first(query.kind, before=place, owner=owner)
    # No customer has actors.
    return lambda place: state.actors.newest_first(tenant_id, before=place) if owner is None else iter(())


def read_object(call: ControlRequest) -> ObjectDetail:
    """`GET C/objects/{id}`: one object of any kind, tenant and environment. A secret in it is hidden.

    Raises `RefusedError` where there is none.
    """
    for (tenant_id, environment), table in call.state.store.items():
        for kind in table.kinds():
            value = table.get(kind, call.identifier)
            if value is not None:
                return ObjectDetail(kind, tenant_id, environment, _view(value))
    for tenant_id in sorted(call.state.tenants):
        value = call.state.actors.get(tenant_id, call.identifier)
        if value is not None:
            return ObjectDetail(Resource.ACTOR, tenant_id, None, _view(value))
    raise RefusedError(problems.not_found("object"))


def _view(value: Object) -> Object:
    """An object without what looks like a secret, which a client may have put anywhere."""
    text = encode_json(value)
    masked = mask_secrets(text)
    return value if masked == text else dict(json.loads(masked))
