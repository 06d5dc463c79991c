"""What the operations share: pages, objects that a request names, and the creation and change of objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import CURSOR_MAX_LENGTH
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import FieldError, RefusedError
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.pagination import Page, decode_cursor, make_page
from paylera_mock.operations.state_machines import MACHINES, sources
from paylera_mock.pipeline.context import Context, Effect
from paylera_mock.state.objects import Entry

_NUMBER: Final = re.compile(r"[0-9]{1,6}")


def operation(effect: Callable[[Context], Reply]) -> Effect:
    """Make an effect of a function that gives its success and raises `RefusedError`: the refusal is its outcome."""

    @wraps(effect)
    def answer(context: Context) -> Outcome:
        try:
            return effect(context)
        except RefusedError as refused:
            return refused.problem

    return answer


def refuse_member(field: str, code: str, message: str) -> RefusedError:
    """The refusal of one member of the body or the query."""
    return RefusedError(problems.validation_failed(FieldError(field, code, message)))


def read_page(context: Context, kind: Resource) -> Page:
    """Read `limit` and `cursor` (reference, Pagination).

    Raises `RefusedError` for what is beyond the bounds, which is not clamped, and for what is no cursor of the list.
    """
    policy = context.policy
    if not context.request.query:
        return Page(policy.page_default)
    query = parse_qs(context.request.query, keep_blank_values=True, errors="replace")
    limit = query.get("limit", [str(policy.page_default)])[0]
    if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= policy.page_max:
        raise refuse_member("limit", "limit.invalid", f"A page has from 1 to {policy.page_max} objects.")
    if "cursor" not in query:
        return Page(int(limit))
    given = query["cursor"][0]
    before = decode_cursor(given, kind) if len(given) <= CURSOR_MAX_LENGTH else None
    if before is None:
        message = "A cursor is the `next_cursor` of this same list, unchanged."
        raise refuse_member("cursor", "cursor.invalid", message)
    return Page(int(limit), before)


def reply_with_page(context: Context, entries: Callable[[int | None], Iterable[Entry]]) -> Reply:
    """One page of a list. Raises what `read_page` does.

    `entries` gives the list, the newest first; called with a place, only what is in lower ones.
    """
    kind = context.called_operation.resource
    page = read_page(context, kind)
    return Reply(HTTPStatus.OK, make_page(entries(page.before), page, kind))


@operation
def list_objects(context: Context) -> Reply:
    """`GET` of a list: what the caller may see of the tenant's objects."""
    kind, decisions = context.called_operation.resource, context.decisions

    def entries(before: int | None) -> Iterator[Entry]:
        listed = context.objects.newest_first(kind, before=before, owner=decisions.customer_listed(context))
        if context.customer_id is None:
            return listed
        return (entry for entry in listed if decisions.is_visible(context, entry.value))

    return reply_with_page(context, entries)


@operation
def get_object(context: Context) -> Reply:
    """`GET` of one object."""
    value = object_in_path(context)
    return Reply(HTTPStatus.OK, value, value["id"])


def object_in_path(context: Context) -> Object:
    """The object that the path names (clause token.one-tenant).

    Raises `RefusedError` where there is none that the caller may see.
    """
    kind = context.called_operation.resource
    value = context.objects.get(kind, context.identifier)
    if value is None or not context.decisions.is_visible(context, value):
        raise RefusedError(problems.not_found(kind.value))
    return value


def referenced_object(context: Context, kind: Resource, field: str, member: str = "id") -> Object:
    """The object that a member of the body refers to. Raises `RefusedError` where the tenant has no such object."""
    wanted, objects = context.payload[field], context.objects
    value = objects.get(kind, wanted) if member == "id" else objects.find(kind, **{member: wanted})
    if value is None:
        message = f"There is no such {kind.value} in this tenant and environment."
        raise refuse_member(field, "reference.unknown", message)
    return value


def check_unique(context: Context, kind: Resource, field: str) -> None:
    """Raise `RefusedError` where another object of the kind has the same in a member."""
    if context.objects.find(kind, **{field: context.payload[field]}):
        raise RefusedError(problems.conflict(field))


def new_object(context: Context, kind: Resource, **members: object) -> Object:
    """A new object, not kept yet: its id and kind, its members, and its times."""
    now = context.format_now()
    return {"id": context.state.new_id(kind), "object": kind.value, **members, "created_at": now, "updated_at": now}


def create(context: Context, kind: Resource, value: Object) -> Reply:
    """Keep a new object, emit its event, and answer with it."""
    context.objects.add(kind, value)
    emit(context, value, "created")
    return Reply(HTTPStatus.CREATED, value, value["id"])


def update(context: Context, value: Object, **members: object) -> None:
    """Change members of an object, and its `updated_at`."""
    value.update(members, updated_at=context.format_now())


def set_status(context: Context, value: Object, status: str, **members: object) -> None:
    """Take an object to another state, change members of it with that, and emit the event."""
    update(context, value, status=status, **members)
    emit(context, value)


def transition(context: Context, verb: str, status: str, **members: object) -> Reply:
    """Take the object in the path to another state, and answer with it.

    Raises `RefusedError` where there is no such object, or its state does not allow it.
    """
    value = object_in_path(context)
    check_transition(context, value, verb, status)
    set_status(context, value, status, **members)
    return Reply(HTTPStatus.OK, value, value["id"])


def check_transition(context: Context, value: Object, verb: str, status: str) -> None:
    """Raise `RefusedError` where no transition leads from an object's state to the status."""
    allowed = sources(MACHINES[Resource(value["object"])], status)
    if value["status"] not in allowed:
        raise RefusedError(problems.illegal_state(context.policy, verb, value["status"], allowed))
