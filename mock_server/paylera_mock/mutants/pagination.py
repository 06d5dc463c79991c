"""Mutants of lists in pages: how long a page is, its envelope, and what the next one begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from paylera_fixtures.api.operations import OPERATIONS, Resource
from paylera_fixtures.vocabulary import PAGE_DEFAULT, PAGE_MAX
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import answer_failure, change_success, replace_effect, set_policy
from paylera_mock.mutants.model import Mutant
from paylera_mock.operations.common import operation, read_page
from paylera_mock.operations.pagination import Page, decode_cursor, encode_cursor, make_page
from paylera_mock.pipeline.context import Context
from paylera_mock.state.objects import Entry

_LISTS: Final = tuple(operation.id for operation in OPERATIONS if operation.is_list)
_CUSTOMERS: Final = "list_customers"
_OTHERS: Final = tuple(
    f"list_{name}" for name in ("products", "subscriptions", "invoices", "payments", "wallets", "webhook_endpoints")
)


def _entries(context: Context) -> list[Entry]:
    return list(context.objects.newest_first(context.called_operation.resource))


def _end_full_page_with_cursor(body: Object, context: Context) -> Object:
    if body["has_more"] or len(body["data"]) < read_page(context, context.called_operation.resource).limit:
        return body
    return {
        **body,
        "has_more": True,
        "next_cursor": encode_cursor(context.called_operation.resource, _entries(context)[-1]),
    }


def _move_cursor(by: int) -> Callable[[Object, Context], Object]:

    def change(body: Object, context: Context) -> Object:
        place = decode_cursor(body["next_cursor"] or "", context.called_operation.resource)
        entries = _entries(context)
        last = next((number for number, entry in enumerate(entries) if entry.sequence == place), None)
        if last is None or not 0 <= last + by < len(entries) - 1:
            return body
        return {**body, "next_cursor": encode_cursor(context.called_operation.resource, entries[last + by])}

    return change


def _go_on_by_time(body: Object, context: Context) -> Object:
    """The next page begins with what was created before the last object, not at the same time."""
    place = _place(context)
    border = next((entry for entry in _entries(context) if entry.sequence == place), None)
    if border is None:
        return body
    kept = [value for value in body["data"] if value["created_at"] < border.value["created_at"]]
    return {**body, "data": kept, **({} if kept else {"has_more": False, "next_cursor": None})}


@operation
def _go_on_by_number(context: Context) -> Reply:
    page = read_page(context, Resource.CUSTOMER)
    end = (page.before or 0) + page.limit
    values = [entry.value for entry in _visible(context)]
    taken = values[page.before or 0 : end]
    following = encode_cursor(Resource.CUSTOMER, Entry(end, taken[-1])) if end < len(values) else None
    return Reply(HTTPStatus.OK, {"data": taken, "has_more": following is not None, "next_cursor": following})


def _visible(context: Context) -> list[Entry]:
    return [entry for entry in _entries(context) if context.decisions.is_visible(context, entry.value)]


def _place(context: Context) -> int | None:
    """The place that the request's cursor names."""
    return decode_cursor(_parameter(context, "cursor"), context.called_operation.resource)


def _parameter(context: Context, name: str) -> str:
    return parse_qs(context.request.query).get(name, [""])[0]


def _begin_anew(body: Object, context: Context) -> Object:
    """What follows an object that is gone is looked for from the beginning."""
    kind, place, entries = context.called_operation.resource, _place(context), _visible(context)
    if place is None or any(entry.sequence == place for entry in entries):
        return body
    return make_page(entries, Page(read_page(context, kind).limit), kind)


@operation
def _list_by_change(context: Context) -> Reply:
    """The list of customers in the order of their last change, within which a cursor names one."""
    page, place = read_page(context, Resource.CUSTOMER), _place(context)
    entries = sorted(_visible(context), key=lambda entry: (entry.value["updated_at"], entry.sequence), reverse=True)
    last = next((number for number, entry in enumerate(entries) if entry.sequence == place), -1)
    return Reply(HTTPStatus.OK, make_page(entries[last + 1 :], page, Resource.CUSTOMER))


def _default_to_ten(body: Object, context: Context) -> Object:
    kind, place = context.called_operation.resource, _place(context)
    following = (entry for entry in _visible(context) if place is None or entry.sequence < place)
    return body if _parameter(context, "limit") else make_page(following, Page(10), kind)


def _give_all(limits: Callable[[int], bool]) -> Callable[[Problem, Context], Outcome]:
    """A page of some sizes is the whole list rather than refused."""

    def answer(problem: Problem, context: Context) -> Outcome:
        limit, kind = _parameter(context, "limit"), context.called_operation.resource
        if not re.fullmatch("-?[0-9]{1,6}", limit) or not limits(int(limit)):
            return problem
        return Reply(HTTPStatus.OK, make_page(_visible(context), Page(999_999), kind))

    return answer


_breaks_envelope: Final = partial(Mutant, breaks=("pagination.envelope",))
_breaks_walk: Final = partial(Mutant, breaks=("pagination.walk",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "page-of-101": _breaks_envelope("A page may have 101 objects.", set_policy(page_max=PAGE_MAX + 1), subtle=True),
    "page-of-thousands": _breaks_envelope("A page may be as long as anyone asks.", set_policy(page_max=999_999)),
    "page-of-99": _breaks_envelope(
        "A page may have 99 objects at the most.", set_policy(page_max=PAGE_MAX - 1), subtle=True
    ),
    "page-by-default-24": _breaks_envelope(
        "A page has 24 objects by default.", set_policy(page_default=PAGE_DEFAULT - 1), subtle=True
    ),
    "page-by-default-26": _breaks_envelope(
        "A page has 26 objects by default.", set_policy(page_default=PAGE_DEFAULT + 1), subtle=True
    ),
    "page-of-none-gives-all": _breaks_envelope(
        "Who asks for no object, or for fewer, gets them all.",
        answer_failure(_CUSTOMERS, answer=_give_all(lambda limit: limit <= 0)),
        subtle=True,
    ),
    "other-lists-by-default-10": _breaks_envelope(
        "A page of any list but that of customers has 10 objects by default.",
        change_success(*_OTHERS, change=_default_to_ten),
        subtle=True,
    ),
    "other-lists-of-thousands": _breaks_envelope(
        "A page of any list but that of customers may be as long as anyone asks.",
        answer_failure(*_OTHERS, answer=_give_all(lambda limit: limit > PAGE_MAX)),
        subtle=True,
    ),
    "last-page-without-cursor": _breaks_envelope(
        "The last page has no next_cursor, not even null.",
        change_success(
            *_LISTS, change=lambda body, _: {name: value for name, value in body.items() if value is not None}
        ),
        subtle=True,
    ),
    "last-page-with-empty-cursor": _breaks_envelope(
        "The next_cursor of the last page is empty.",
        change_success(*_LISTS, change=lambda body, _: {**body, "next_cursor": body["next_cursor"] or ""}),
    ),
    "audit-log-as-items": _breaks_envelope(
        "The audit log has its records in items.",
        change_success(
            "list_audit_records",
            change=lambda body, _: {("items" if name == "data" else name): body[name] for name in body},
        ),
        may_break=("acting-as.audited", "acting-as.absent"),
    ),
    "never-more": Mutant(
        "No page is said to be followed by another.",
        change_success(*_LISTS, change=lambda body, _: {**body, "has_more": False, "next_cursor": None}),
        breaks=("pagination.envelope", "pagination.walk"),
    ),
    "more-when-full": _breaks_envelope(
        "A page is said to be followed by another wherever it is full.",
        change_success(_CUSTOMERS, change=_end_full_page_with_cursor),
        subtle=True,
    ),
    "page-begins-late": _breaks_walk(
        "The next page leaves one object out.", change_success(_CUSTOMERS, change=_move_cursor(1)), subtle=True
    ),
    "page-begins-early": _breaks_walk(
        "The next page begins with the last object of the one before.",
        change_success(_CUSTOMERS, change=_move_cursor(-1)),
        subtle=True,
    ),
    "cursor-is-a-time": _breaks_walk(
        "A cursor is a time, so that of objects of one time only those of one page are met.",
        change_success(_CUSTOMERS, change=_go_on_by_time),
        subtle=True,
    ),
    "cursor-is-a-number": _breaks_walk(
        "A cursor is a number of objects, so that a new one makes the next page repeat another.",
        replace_effect(_CUSTOMERS, _go_on_by_number),
        subtle=True,
    ),
    "oldest-first-in-page": _breaks_walk(
        "Within a page the oldest comes first.",
        change_success(_CUSTOMERS, change=lambda body, _: {**body, "data": body["data"][::-1]}),
        subtle=True,
    ),
    "cursor-of-deleted-begins-anew": _breaks_walk(
        "Where the object that a cursor names is deleted, the next page is the first one.",
        change_success(_CUSTOMERS, change=_begin_anew),
        subtle=True,
    ),
    "changed-comes-first": _breaks_walk(
        "What was changed last comes first, however old it is.",
        replace_effect(_CUSTOMERS, _list_by_change),
        subtle=True,
    ),
    "other-lists-oldest-first": _breaks_walk(
        "Any list but that of customers runs from the oldest to the newest within a page.",
        change_success(*_OTHERS, change=lambda body, _: {**body, "data": body["data"][::-1]}),
        subtle=True,
    ),
    "other-lists-lose-one": _breaks_walk(
        "Of any list but that of customers the next page leaves one object out.",
        change_success(*_OTHERS, change=_move_cursor(1)),
        subtle=True,
    ),
}
