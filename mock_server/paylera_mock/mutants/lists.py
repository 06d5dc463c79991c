"""Defects of lists in pages, and of rate limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from itertools import islice
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

from paylera_fixtures.api.operations import OPERATIONS, Resource
from paylera_fixtures.vocabulary import PAGE_DEFAULT, PAGE_MAX, Header
from paylera_mock.core.messages import Decision, Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import (
    Mutation,
    code,
    effect,
    outcome,
    policy,
    refusal,
    several,
    status,
    step,
    without_rule,
    without_step,
)
from paylera_mock.operations.common import read_page
from paylera_mock.operations.pagination import decode_cursor, encode_cursor
from paylera_mock.pipeline.context import Context, Headers
from paylera_mock.state.objects import Entry

_LISTS: Final = tuple(operation.id for operation in OPERATIONS if operation.is_list)
_CUSTOMERS: Final = "list_customers"
_LONG_WINDOW: Final = 60.0


# Pages


def page(change: Callable[[Context, Object], Object], *operations: str) -> Mutation:
    """The pages of some lists, of all where none is named, are told otherwise."""

    def otherwise(context: Context, made: Outcome) -> Outcome:
        if isinstance(made, Problem) or made.body is None:
            return made
        changed = change(context, made.body)
        return made if changed == made.body else replace(made, body=changed)

    return outcome(*(operations or _LISTS), change=otherwise)


def without_null(_context: Context, body: Object) -> Object:
    """The last page has no `next_cursor` at all."""
    return {name: value for name, value in body.items() if value is not None}


def empty_at_end(_context: Context, body: Object) -> Object:
    """The last page has an empty cursor."""
    return {**body, "next_cursor": body["next_cursor"] or ""}


def as_items(_context: Context, body: Object) -> Object:
    """The objects stand in another member."""
    return {("items" if name == "data" else name): value for name, value in body.items()}


def never_more(_context: Context, body: Object) -> Object:
    """Nothing is ever said to follow."""
    return {**body, "has_more": False, "next_cursor": None}


def more_when_full(context: Context, body: Object) -> Object:
    """A full page is taken for one that is followed by another."""
    asked = read_page(context, context.called.resource)
    full = not isinstance(asked, Problem) and len(body["data"]) == asked.limit
    if body["has_more"] or not full:
        return body
    last = _entries(context)[-1]
    return {**body, "has_more": True, "next_cursor": encode_cursor(context.called.resource, last)}


def oldest_first_in_page(_context: Context, body: Object) -> Object:
    """The newest page comes first, and in it the oldest object."""
    return {**body, "data": body["data"][::-1]}


def cursor_moved(by: int) -> Callable[[Context, Object], Object]:
    """The next page begins some places before or after where it should."""

    def change(context: Context, body: Object) -> Object:
        place = decode_cursor(body["next_cursor"] or "", context.called.resource)
        entries = _entries(context)
        last = next((number for number, entry in enumerate(entries) if entry.sequence == place), None)
        if last is None or not 0 <= last + by < len(entries) - 1:
            return body
        return {**body, "next_cursor": encode_cursor(context.called.resource, entries[last + by])}

    return change


def _entries(context: Context) -> list[Entry]:
    return list(context.objects.newest_first(context.called.resource))


def by_time(context: Context, body: Object) -> Object:
    """The next page begins with what was created before the last object, not at the same time."""
    place = decode_cursor(_query(context, "cursor"), context.called.resource)
    border = next((entry for entry in _entries(context) if entry.sequence == place), None)
    if border is None:
        return body
    kept = [value for value in body["data"] if value["created_at"] < border.value["created_at"]]
    return {**body, "data": kept, **({} if kept else {"has_more": False, "next_cursor": None})}


def _query(context: Context, name: str) -> str:
    return parse_qs(context.request.query).get(name, [""])[0]


def by_number(context: Context) -> Outcome:
    """The cursor is how many objects were seen."""
    asked = read_page(context, Resource.CUSTOMER)
    if isinstance(asked, Problem):
        return asked
    seen = asked.before or 0
    entries = [entry for entry in _entries(context) if context.decisions.visible(context, entry.value)]
    taken = list(islice(entries, seen, seen + asked.limit))
    more = seen + asked.limit < len(entries)
    following = encode_cursor(Resource.CUSTOMER, Entry(seen + asked.limit, taken[-1].value)) if more else None
    body = {"data": [entry.value for entry in taken], "has_more": more, "next_cursor": following}
    return Reply(HTTPStatus.OK, body)


# Rates


def rate(change: Callable[[str, str, Context], str | None]) -> Mutation:
    """The headers about the rate have other values: `change` gets name, value and context, `None` leaves it out."""

    def otherwise(context: Context, _decided: Decision, headers: Headers) -> Headers:
        changed = ((name, change(name, value, context)) for name, value in headers)
        return tuple((name, value) for name, value in changed if value is not None)

    return step("rate-headers", otherwise)


def waiting(spell: Callable[[str], str | None]) -> Mutation:
    """The time to wait after a refusal is spelled otherwise; `None` leaves it out."""

    def change(problem: Problem) -> Problem:
        spelled = ((name, spell(value)) for name, value in problem.headers)
        return replace(problem, headers=tuple((name, value) for name, value in spelled if value is not None))

    return refusal("within-rate", change)


def reset_in_seconds(name: str, value: str, context: Context) -> str:
    """The time of the refill is told as the time until then."""
    return str(max(0, int(value) - int(context.now))) if name == Header.RATE_RESET else value


def remaining_beyond(name: str, value: str, context: Context) -> str:
    """More is said to be left than the limit."""
    limit = context.allowance.limit if context.allowance else 0
    return str(limit + 1) if name == Header.RATE_REMAINING else value


def only_reads_tell(_name: str, value: str, context: Context) -> str | None:
    """Writes do not tell."""
    return value if context.request.method == "GET" else None


def only_successes_tell(context: Context, decided: Decision, headers: Headers) -> Headers:
    """Refusals do not tell."""
    return () if isinstance(decided, Problem) and context.allowance else headers


def a_third(name: str, value: str, _context: Context) -> str:
    """The limit is said to be a third of what it is."""
    return str(int(value) // 3) if name in {Header.RATE_LIMIT, Header.RATE_REMAINING} else value


LISTS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # pagination.envelope
        "page-of-101": policy(page_max=PAGE_MAX + 1),
        "page-of-thousands": policy(page_max=999_999),
        "page-of-99": policy(page_max=PAGE_MAX - 1),
        "page-by-default-24": policy(page_default=PAGE_DEFAULT - 1),
        "page-by-default-26": policy(page_default=PAGE_DEFAULT + 1),
        "last-page-without-cursor": page(without_null),
        "last-page-with-empty-cursor": page(empty_at_end),
        "audit-log-as-items": page(as_items, "list_audit_records"),
        "never-more": page(never_more),
        "more-when-full": page(more_when_full, _CUSTOMERS),
        # pagination.walk
        "page-begins-late": page(cursor_moved(1), _CUSTOMERS),
        "page-begins-early": page(cursor_moved(-1), _CUSTOMERS),
        "cursor-is-a-time": page(by_time, _CUSTOMERS),
        "cursor-is-a-number": effect(_CUSTOMERS, by_number),
        "oldest-first-in-page": page(oldest_first_in_page, _CUSTOMERS),
        # rate-limit.headers
        "no-rate-headers": without_step("rate-headers"),
        "no-rate-headers-on-writes": rate(only_reads_tell),
        "no-rate-headers-on-refusals": step("rate-headers", only_successes_tell),
        "rate-reset-in-seconds": rate(reset_in_seconds),
        "rate-remaining-beyond": rate(remaining_beyond),
        # rate-limit.refusal
        "rate-never-refused": without_rule("within-rate"),
        "rate-is-503": refusal("within-rate", status(HTTPStatus.SERVICE_UNAVAILABLE)),
        "rate-is-conflict": refusal("within-rate", code("CONFLICT")),
        "no-retry-after": waiting(lambda _: None),
        "retry-after-as-date": waiting(lambda _: formatdate(0, usegmt=True)),
        "retry-after-in-fractions": waiting(lambda seconds: f"{seconds}.5"),
        "retry-after-too-short": several(policy(rate_window_seconds=_LONG_WINDOW), waiting(lambda _: "1")),
        "rate-limit-understated": rate(a_third),
    }
)
