"""Lists in pages: what a page says of itself, how long it is, and that a walk misses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import quote

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Unobservable
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.probe.requests import PAGES
from paylera_conformance.scenarios import problem_checks
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import PAGE_DEFAULT, PAGE_MAX

CUSTOMERS: Final = BY_ID["list_customers"]


@covers("pagination.envelope", each_operation=True)
@each_operation(lambda operation: operation.is_list)
def test_a_page_says_whether_more_follows(probe: Probe, operation: Operation) -> None:
    """A client that pages needs the three members, and that they agree with each other."""
    request = probe.factory.request_for(operation)
    is_a_page(probe, probe.require_proven(request))
    is_a_page(probe, probe.require_accepted(page(request)))


@covers("pagination.envelope", mode=Mode.SANDBOX)
def test_the_last_page_ends_with_null_and_the_others_do_not(probe: Probe) -> None:
    """Both ends of the rule are seen: a page that is followed by another, and the last."""
    crowd(probe, 2)
    request = probe.factory.request_for(CUSTOMERS)
    first = probe.require_proven(page(request, limit=1))
    is_a_page(probe, first)
    probe.expect(
        "has_more true, since the list holds more than one",
        holds=first.response.object["has_more"] is True,
        got="has_more false",
        exchange=first,
    )


@covers("pagination.envelope", mode=Mode.SANDBOX)
def test_a_page_that_holds_all_is_the_last(probe: Probe) -> None:
    """A page may be full and the last: whether more follows is not to be told from its length."""
    crowd(probe, 2)
    size = min(counted(probe, PAGE_MAX), PAGE_MAX)
    request = page(probe.factory.request_for(CUSTOMERS), limit=size)
    whole = probe.require_proven(request)
    probe.expect(
        f"has_more false, or something that follows the {size} objects there are",
        holds=something_follows(probe, request, whole),
        got="has_more true, and an empty page",
        exchange=whole,
        hint="has_more says that there is another object, not that the page is full",
    )


def something_follows(probe: Probe, request: Request, answer: Exchange) -> bool:
    """Whether a page keeps what it says of the next one."""
    cursor = following(answer)
    return cursor is None or length(probe.require_accepted(page(request, limit=1, cursor=cursor))) > 0


def is_a_page(probe: Probe, exchange: Exchange) -> None:
    """The members of a page are there and agree."""
    flaw = problem_checks.of_page(exchange.response)
    probe.expect("data, has_more, and next_cursor that is null at the end", holds=not flaw, got=flaw, exchange=exchange)


PAGE_SIZES: Final = {"no limit": (None, PAGE_DEFAULT), "limit=1": (1, 1), "limit=100": (PAGE_MAX, PAGE_MAX)}
"""The size asked for, and the size of the page where the list holds more than that."""


@covers("pagination.envelope")
@pytest.mark.parametrize(("limit", "size"), PAGE_SIZES.values(), ids=PAGE_SIZES)
def test_a_page_is_as_long_as_asked(probe: Probe, limit: int | None, size: int) -> None:
    """The default is 25, and 100 may be asked for."""
    crowd(probe, size + 1)
    request = page(probe.factory.request_for(CUSTOMERS), limit=limit)
    answer = probe.accepts(request, wanted=f"a page of {size} objects")
    found = length(answer)
    probe.expect(f"{size} objects", holds=found == size, got=f"{found}", exchange=answer)


@covers("pagination.envelope")
@pytest.mark.parametrize("limit", [PAGE_MAX + 1, 10 * PAGE_MAX])
def test_no_page_is_longer_than_the_maximum(probe: Probe, limit: int) -> None:
    """More than 100 is refused, or 100 are given: either is in order."""
    crowd(probe, PAGE_MAX + 1)
    control = page(probe.factory.request_for(CUSTOMERS))
    probe.require_proven(control)
    answer = probe.send(page(control, limit=limit))
    clamped = answer.response.ok and length(answer) <= PAGE_MAX
    probe.expect(
        f"a refusal, or at most {PAGE_MAX} objects",
        holds=answer.response.refused or clamped,
        got=f"{length(answer)} objects" if answer.response.ok else describe(answer.response),
        change=f"limit={limit}",
        exchange=answer,
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_walk_meets_every_object_once(probe: Probe, step: int) -> None:
    """Objects of one instant are the hard case: a cursor that is no more than a time misses or repeats them."""
    own = [probe.factory.object_id(Resource.CUSTOMER) for _ in range(2 * step + 1)]
    probe.require_proven(page(probe.factory.request_for(CUSTOMERS), limit=step))
    met = list(walk(probe, own, limit=step))
    probe.expect(
        f"each of {len(own)} objects once, over three pages of {step}",
        holds=sorted(met) == sorted(own),
        got=f"{len(met)}, of which {len(set(met))} are different",
        hint="a cursor must tell apart objects that were created at the same time",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
def test_the_newest_comes_first(probe: Probe) -> None:
    """Without `sort` a list runs from the newest to the oldest, within a page and from page to page."""
    own = created_one_after_another(probe, 5)
    probe.require_proven(page(probe.factory.request_for(CUSTOMERS), limit=2))
    met = list(walk(probe, list(own), limit=2))
    seen = [own[identifier] for identifier in met]
    probe.expect(
        "the newest first",
        holds=bool(seen) and seen == sorted(seen, reverse=True),
        got=f"in the order of their creation: {', '.join(str(1 + sorted(own.values()).index(at)) for at in seen)}",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
def test_what_is_made_meanwhile_moves_no_page(probe: Probe) -> None:
    """A cursor holds a place in the list, not a number of objects: what comes in before it shifts nothing."""
    for _ in range(5):
        probe.factory.object_id(Resource.CUSTOMER)
    request = page(probe.factory.request_for(CUSTOMERS), limit=2)
    first = probe.require_proven(request)
    cursor = following(first)
    probe.expect("a cursor, since there are objects for three pages", holds=cursor is not None, got="none")
    probe.factory.object_id(Resource.CUSTOMER)
    second = probe.require_accepted(page(request, limit=2, cursor=cursor))
    again = set(_identifiers(first)) & set(_identifiers(second))
    probe.expect(
        "none of the objects of the first page on the second",
        holds=not again,
        got=f"{len(again)} of them",
        change="an object made after the first page was read",
        exchange=second,
        hint="a cursor that counts objects is moved by every new one",
    )


# What the stories above are told in


def page(request: Request, *, limit: int | None = None, cursor: str | None = None) -> Request:
    """The request of a list for one page of it."""
    wanted = {"limit": None if limit is None else str(limit), "cursor": cursor}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items() if value is not None)
    path = request.path.partition("?")[0]
    return request.at(f"{path}?{query}" if query else path)


def length(answer: Exchange) -> int:
    """How many objects a page has."""
    data = answer.response.object.get("data")
    return len(data) if isinstance(data, list) else 0


def following(answer: Exchange) -> str | None:
    """The cursor of the next page; `None` at the end."""
    cursor = answer.response.object.get("next_cursor")
    return cursor if answer.response.object.get("has_more") and isinstance(cursor, str) else None


def crowd(probe: Probe, size: int) -> None:
    """See to it that the list of customers holds so many. Raises `Blocked` where it does not and none may be made."""
    missing = size - counted(probe, size)
    if missing > 0 and probe.settings.mode is Mode.OBSERVE:
        raise Blocked(f"{CUSTOMERS} lists {size - missing} customers where {size} are needed: run in mode sandbox")
    for _ in range(missing):
        probe.factory.object_id(Resource.CUSTOMER)


def counted(probe: Probe, enough: int) -> int:
    """How many customers there are, as far as it matters. Asks for no page size, since those are what is looked at."""
    request = page(probe.factory.request_for(CUSTOMERS))
    count = 0
    for _ in range(PAGES):
        answer = probe.require_accepted(request)
        count += length(answer)
        cursor = following(answer)
        if cursor is None or count >= enough:
            break
        request = page(request, cursor=cursor)
    return count


def walk(probe: Probe, own: list[str], *, limit: int) -> Iterator[str]:
    """Follow the cursors from the newest on, and give those of the own objects that are met, as often as they are.

    Ends with the list, or on a page beyond the own objects, or where it has gone on for too long. Raises `Violation`
    where a cursor is not followed by a page.
    """
    request = page(probe.factory.request_for(CUSTOMERS), limit=limit)
    left = set(own)
    for _ in range(PAGES):
        answer = probe.send(request)
        probe.expect("a page", holds=answer.response.ok, got=describe(answer.response), change="the cursor given")
        met = [identifier for identifier in _identifiers(answer) if identifier in own]
        yield from met
        cursor = following(answer)
        if cursor is None or not (met or left):
            return
        left.difference_update(met)
        request = page(request, limit=limit, cursor=cursor)


def _identifiers(answer: Exchange) -> Iterator[object]:
    data = answer.response.object.get("data")
    for entry in data if isinstance(data, list) else ():
        if isinstance(entry, dict):
            yield entry.get("id") or entry.get("customer_id")


def created_one_after_another(probe: Probe, count: int) -> dict[str, datetime]:
    """Customers, each with the time of its creation."""
    made: dict[str, datetime] = {}
    for _ in range(count):
        identifier = probe.factory.object_id(Resource.CUSTOMER)
        made[identifier] = _moment(probe, identifier)
    return made


def _moment(probe: Probe, identifier: str) -> datetime:
    """When an object was created: by the target's clock, then moved on by a second, else as the object itself says."""
    try:
        now = probe.clock.now()
        probe.provisioner.advance(1)
    except Blocked:
        return _said(probe, identifier)
    return now


def _said(probe: Probe, identifier: str) -> datetime:
    operation = BY_ID["get_customer"]
    answer = probe.require_accepted(
        probe.factory.request_for(CUSTOMERS).at(operation.concrete(quote(identifier, safe="")))
    )
    try:
        return datetime.fromisoformat(str(answer.response.object.get("created_at")))
    except ValueError:
        raise Unobservable(
            "a customer has no created_at, and without a control API there is no other time to tell the order by",
            exchange=answer,
        ) from None
