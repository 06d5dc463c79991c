"""What the effects share: pages, reading one object, references, and the frame of a new object."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import FieldError, Problem
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.pagination import Page, cut, place_of
from paylera_mock.operations.state_machines import MACHINES, sources
from paylera_mock.pipeline.context import Context
from paylera_mock.state.objects import Entry

_NUMBER: Final = re.compile(r"[0-9]{1,6}")


def page_asked(context: Context, kind: Resource) -> Page | Problem:
    """Read `limit` and `cursor` (reference, Pagination). Beyond the bounds is refused, not clamped."""
    policy = context.policy
    if not context.request.query:
        return Page(policy.page_default)
    query = parse_qs(context.request.query, keep_blank_values=True, errors="replace")
    limit = query.get("limit", [str(policy.page_default)])[0]
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= policy.page_max:
        message = f"A page has from 1 to {policy.page_max} objects."
        return problems.validation_failed(FieldError("limit", "limit.invalid", message))
    if "cursor" not in query:
        return Page(int(limit))
    before = place_of(query["cursor"][0], kind)
    if before is None:
        message = "A cursor is the `next_cursor` of this same list, unchanged."
        return problems.validation_failed(FieldError("cursor", "cursor.invalid", message))
    return Page(int(limit), before)


def list_of(context: Context, entries: Iterable[Entry]) -> Outcome:
    """One page of a list, the newest first."""
    kind = context.called.resource
    page = page_asked(context, kind)
    if isinstance(page, Problem):
        return page
    return Reply(HTTPStatus.OK, cut(entries, page, kind))


def list_objects(context: Context) -> Outcome:
    """`GET` of a list: what the caller may see of the tenant's objects."""
    visible = context.decisions.visible
    entries = context.objects.newest_first(context.called.resource)
    if context.customer_id is None:
        return list_of(context, entries)
    return list_of(context, (entry for entry in entries if visible(context, entry.value)))


def get_object(context: Context) -> Outcome:
    """`GET` of one object."""
    found = named(context)
    return found if isinstance(found, Problem) else Reply(HTTPStatus.OK, found, found["id"])


def named(context: Context, kind: Resource | None = None) -> Object | Problem:
    """The object that the path names, if the caller may see it (clause token.one-tenant)."""
    kind = kind or context.called.resource
    found = context.objects.get(kind, context.identifier)
    if found is None or not context.decisions.visible(context, found):
        return problems.not_found(kind.value)
    return found


def referred(context: Context, kind: Resource, field: str, member: str = "id") -> Object | Problem:
    """The object that a member of the body refers to; another tenant's does not exist."""
    found = context.objects.find(kind, **{member: context.payload[field]})
    if found is None:
        message = f"There is no such {kind.value} in this tenant and environment."
        return problems.validation_failed(FieldError(field, "reference.unknown", message))
    return found


def taken(context: Context, kind: Resource, field: str) -> Problem | None:
    """Refuse a member that another object of the kind has already."""
    found = context.objects.find(kind, **{field: context.payload[field]})
    return problems.conflict(field) if found else None


def framed(context: Context, kind: Resource, **members: object) -> Object:
    """A new object: its id and kind, its members, and its times."""
    now = context.text()
    return {"id": context.state.new_id(kind), "object": kind.value, **members, "created_at": now, "updated_at": now}


def created(context: Context, kind: Resource, value: Object, **more: bool) -> Reply:
    """Keep a new object, tell of it, and answer with it."""
    context.objects.add(kind, value)
    emit(context, value, "created")
    return Reply(HTTPStatus.CREATED, value, value["id"], **more)


def changed(context: Context, value: Object, **members: object) -> Reply:
    """Change members of an object and answer with it."""
    change(context, value, **members)
    return Reply(HTTPStatus.OK, value, value["id"])


def change(context: Context, value: Object, **members: object) -> None:
    """Change members of an object, and note when."""
    value.update(members, updated_at=context.text())


def move(context: Context, value: Object, status: str, **members: object) -> None:
    """Take an object to another state, change members of it with that, and tell of it."""
    change(context, value, status=status, **members)
    emit(context, value)


def moved(context: Context, verb: str, status: str, **members: object) -> Outcome:
    """Take the named object to another state, if one leads there from where it is, and answer with it."""
    found = named(context)
    if isinstance(found, Problem):
        return found
    refusal = illegal(context, found, verb, status)
    if refusal:
        return refusal
    move(context, found, status, **members)
    return Reply(HTTPStatus.OK, found, found["id"])


def illegal(context: Context, value: Object, verb: str, status: str) -> Problem | None:
    """Refuse what an object's state does not allow: none leads from it to the one that is wanted."""
    allowed = sources(MACHINES[Resource(value["object"])], status)
    if value["status"] in allowed:
        return None
    return problems.illegal_state(context.policy, verb, value["status"], allowed)
