"""The view of objects: those of each kind, and one with what belongs to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from paylera_fixtures.api.operations import ID_PREFIXES, OPERATIONS, Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.views.paging import page_query, read_cursor

_LISTED: Final = 50
_TENANTS_LISTED: Final = 100

COLUMNS: Final[Mapping[Resource, tuple[str, ...]]] = {
    Resource.CUSTOMER: ("email", "name"),
    Resource.SUBSCRIPTION: ("status", "customer_id", "plan_code"),
    Resource.INVOICE: ("status", "customer_id", "total", "amount_due", "currency"),
    Resource.PAYMENT: ("status", "customer_id", "amount", "currency"),
    Resource.WALLET: ("customer_id", "balance", "currency"),
    Resource.PRODUCT: ("code", "name"),
    Resource.PLAN: ("code", "product_code", "currency", "interval"),
    Resource.WEBHOOK_ENDPOINT: ("status", "url", "events"),
    Resource.ACTOR: ("name", "email", "role"),
    Resource.AUDIT_RECORD: ("operation", "object_id", "token_id", "actor_id"),
}
"""Every kind, and what its list shows beside the id and the time. Tokens have a view of their own."""

_OF_A_CUSTOMER: Final = (Resource.SUBSCRIPTION, Resource.INVOICE, Resource.PAYMENT, Resource.WALLET)
_PATHS: Final = {
    operation.resource: operation.path
    for operation in OPERATIONS
    if operation.has_parameter and operation.is_read and not operation.is_list
}
"""Where one object of a kind is read."""

# A refund is found in its payment alone.
_ID: Final = re.compile(rf"(?:{'|'.join(v for k, v in ID_PREFIXES.items() if k is not Resource.REFUND)})_[0-9A-Za-z_]+")


class Member(NamedTuple):
    """A member of an object: `parts` of a text or a list of such, or `text` of anything else, which is JSON."""

    name: str
    parts: list[str]
    text: str


def list_objects(visit: Visit) -> Response:
    """The objects of a kind, the newest first."""
    chosen = {
        "kind": visit.query.get("kind") or Resource.CUSTOMER.value,
        "environment": visit.query.get("environment") or Environment.SANDBOX.value,
        **visit.given("tenant_id", "customer_id"),
    }
    cursor = read_cursor(visit)
    listed = visit.ask("GET", "objects", query={**chosen, **page_query(cursor, _LISTED)})
    tenants = visit.ask("GET", "tenants", query={"limit": _TENANTS_LISTED})
    tenant_ids = [tenant["id"] for tenant in tenants["data"]]
    if listed["tenant_id"] not in tenant_ids:
        tenant_ids.insert(0, listed["tenant_id"])
    columns = COLUMNS[Resource(chosen["kind"])]
    rows = [
        (value["id"], [_read_member(name, value.get(name)) for name in columns], value.get("created_at"))
        for value in listed["data"]
    ]
    values = {
        **listed,
        "cursor": cursor,
        "rows": rows,
        "columns": columns,
        "chosen": {**chosen, "tenant_id": listed["tenant_id"]},
        "kinds": [(kind.value, listed["counts"].get(kind, 0)) for kind in COLUMNS],
        "tenant_ids": tenant_ids,
        "tenant_count": tenants["count"],
        "environments": [each.value for each in Environment],
        "here": partial(visit.url, "", **chosen),
        "link_of": link_id,
    }
    return Shown("objects.html.j2", values)


def show_object(visit: Visit) -> Response:
    """One object with all its members, and the ways to what belongs to it."""
    found = visit.ask("GET", f"objects/{visit.identifier}")
    value, kind = found["object"], Resource(found["kind"])
    place = {"environment": found["environment"], "tenant_id": found["tenant_id"]}
    path = _PATHS.get(kind)
    values = {
        **found,
        "members": [_read_member(name, each) for name, each in value.items() if name not in {"id", "object"}],
        "document": json.dumps(value, indent=2, ensure_ascii=False),
        "listing": visit.url(kind=kind.value, **place),
        "owned": list(_owned(visit, value["id"], place)) if kind is Resource.CUSTOMER else [],
        "requests": visit.url("requests", path=path.replace("{id}", value["id"])) if path else None,
        "is_endpoint": kind is Resource.WEBHOOK_ENDPOINT,
        "link_of": link_id,
    }
    return Shown("object.html.j2", values)


def _owned(visit: Visit, customer_id: str, place: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Each kind of which a customer may have objects, how many those are, and where they are listed."""
    for kind in _OF_A_CUSTOMER:
        query = {"kind": kind.value, "customer_id": customer_id, **place}
        yield kind.value, visit.ask("GET", "objects", query={**query, "limit": 1})["count"], visit.url(**query)


def _read_member(name: str, value: Any) -> Member:
    value = None if value == {} else value
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict | list) for each in value)):
        return Member(name, [], json.dumps(value, indent=2, ensure_ascii=False))
    parts = value if isinstance(value, list) else [value]
    return Member(name, [each if isinstance(each, str) else json.dumps(each) for each in parts if each is not None], "")


def link_id(text: str) -> str:
    """The page on which what an id names is shown, below the namespace; empty for what is no id."""
    if not _ID.fullmatch(text):
        return ""
    return "tokens" if text.startswith(f"{ID_PREFIXES[Resource.API_TOKEN]}_") else f"objects/{text}"


def find(visit: Visit) -> Response:
    """Lead to the object whose id was filled in, or back to all of them."""
    identifier = visit.query.get("id", "").strip()
    return Led(visit.url(f"objects/{identifier}" if identifier else ""))


PAGES: Final[Mapping[str, Handler]] = {"": list_objects, "find": find, "{id}": show_object}
ACTIONS: Final[Mapping[str, Handler]] = {}
