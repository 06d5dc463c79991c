"""Lists in pages: what a page says, how long it is, and that a walk misses nothing (Pagination page)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import pytest

from paylera_conformance.model.dates import read_instant
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, Unobservable
from paylera_conformance.probe.answers import find_entries, find_id, find_next_query, find_object
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.probe.requests import PAGES
from paylera_conformance.scenarios.further_cases import draw_some, drop_where_blocked
from paylera_conformance.scenarios.problem_checks import expect_page
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import PAGE_DEFAULT, PAGE_MAX

CUSTOMERS: Final = BY_ID["list_customers"]
OTHER_LISTS: Final = tuple(
    BY_ID[f"list_{name}"] for name in ("products", "subscriptions", "invoices", "wallets", "webhook_endpoints")
)
"""Those of objects that can be made and read."""

SEE_SIZES: Final = "pagination.envelope, which asks that limit is taken"


@covers("pagination.envelope", each_operation=True)
@each_operation(lambda operation: operation.is_list)
def test_a_page_says_whether_more_follows(probe: Probe, operation: Operation) -> None:
    """A client that pages needs the three members, and that they agree with each other."""
    request = probe.factory.request_for(operation)
    expect_page(probe, probe.require_proven(request))
    expect_page(probe, probe.require_accepted(request.at(f"{operation.path}?limit=1")))


@covers("pagination.envelope", mode=Mode.SANDBOX)
def test_the_last_page_ends_with_null_and_the_others_do_not(probe: Probe) -> None:
    """Both ends of the rule are seen: a page that is followed by another, and the last."""
    require_listed(probe, 2)
    first = probe.require_proven(page(probe, limit=1))
    expect_page(probe, first)
    more = first.response.object["has_more"] is True
    wanted = "has_more true, since the list holds more than one"
    probe.expect(first, wanted, holds=more, got="has_more false")


@covers("pagination.envelope", mode=Mode.SANDBOX)
def test_a_page_that_holds_all_is_the_last(probe: Probe) -> None:
    """A page may be full and the last: whether more follows is not to be told from its length."""
    require_listed(probe, 2)
    size = min(count_listed(probe, PAGE_MAX), PAGE_MAX)
    whole = probe.require_proven(page(probe, limit=size))
    probe.expect(
        whole,
        f"has_more false, or something that follows the {size} objects there are",
        holds=is_last_or_followed(probe, whole),
        got="has_more true, and an empty page",
        hint="has_more says that there is another object, not that the page is full",
    )


def is_last_or_followed(probe: Probe, answer: Exchange) -> bool:
    """Whether a page is the last, or is followed by an object, as it says."""
    query = find_next_query(answer)
    return query is None or bool(entries(probe.require_accepted(page(probe, limit=1, query=query))))


PAGE_SIZES: Final = {"no limit": (None, PAGE_DEFAULT), "limit=1": (1, 1), "limit=100": (PAGE_MAX, PAGE_MAX)}
"""The size asked for, and the size of the page where the list holds more than that."""


@covers("pagination.envelope")
@pytest.mark.parametrize(("limit", "size"), PAGE_SIZES.values(), ids=PAGE_SIZES)
def test_a_page_is_as_long_as_asked(probe: Probe, limit: int | None, size: int) -> None:
    """The default is 25, and 100 may be asked for."""
    require_listed(probe, size + 1)
    expect_length(probe, page(probe, limit=limit), size)


def expect_length(probe: Probe, request: Request, size: int) -> None:
    """A page of a list that holds more is as long as it should be. Raises `Violation`."""
    answer = probe.accepts(request, wanted=f"a page of {size} objects")
    length = len(entries(answer))
    probe.expect(answer, f"{size} objects", holds=length == size, got=f"{length}")


ODD_SIZES: Final = (PAGE_MAX + 1, 10 * PAGE_MAX, 0, -1)
"""Sizes that no page has. In a query to a database one that is none may mean all there is."""


@covers("pagination.envelope")
def test_no_page_is_longer_than_the_maximum(probe: Probe) -> None:
    """More than 100 is refused, or 100 are given: either is in order."""
    require_listed(probe, PAGE_MAX + 1)
    probe.require_proven(page(probe))
    for limit in ODD_SIZES:
        expect_no_longer(probe, page(probe, limit=limit), limit)


def expect_no_longer(probe: Probe, request: Request, limit: int) -> None:
    """A page of an odd size is refused, or not longer than the maximum. Raises `Violation`."""
    answer = probe.send(request)
    length = len(entries(answer))
    probe.expect(
        answer,
        f"a refusal, or at most {PAGE_MAX} objects",
        holds=answer.response.refused or (answer.response.ok and length <= PAGE_MAX),
        got=f"{length} objects" if answer.response.ok else describe(answer.response),
        change=f"limit={limit}",
    )


@covers("pagination.envelope", each_operation=True)
def test_a_page_of_another_list_is_as_long_as_asked(probe: Probe) -> None:
    """A list that is written apart from the others has a default and a maximum of its own."""
    (operation,) = draw_some(probe, OTHER_LISTS, 1, name="pagination.envelope")
    with drop_where_blocked():
        require_vanishing(probe, PAGE_MAX + 1, operation)
        probe.require_proven(page(probe, operation=operation))
    for limit, size in PAGE_SIZES.values():
        expect_length(probe, page(probe, operation=operation, limit=limit), size)
    for limit in ODD_SIZES:
        expect_no_longer(probe, page(probe, operation=operation, limit=limit), limit)


@covers("pagination.walk", mode=Mode.SANDBOX)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_walk_meets_every_object_once(probe: Probe, step: int) -> None:
    """Objects of one instant are the hard case: a cursor that is no more than a time misses or repeats them."""
    own = [probe.factory.object_id(Resource.CUSTOMER) for _ in range(2 * step + 1)]
    probe.require_proven(page(probe, limit=step), see=SEE_SIZES)
    expect_each_once(probe, own, list(walk(probe, own, limit=step)), step)


OTHERS: Final = 2
"""So many other lists, drawn anew in each run, are walked through."""


@covers("pagination.walk", mode=Mode.SANDBOX, each_operation=True)
@pytest.mark.parametrize("number", range(OTHERS))
def test_a_walk_through_another_list_meets_every_object_once(probe: Probe, number: int) -> None:
    """And the newest first: a list that is written apart from the others may have an order of its own."""
    operation = draw_some(probe, OTHER_LISTS, OTHERS, name="pagination.walk")[number]
    with drop_where_blocked():
        created = create_others(probe, 4, operation.resource)
        probe.require_proven(page(probe, operation=operation, limit=2))
    met = list(walk(probe, list(created), operation=operation, limit=2))
    expect_each_once(probe, list(created), met, 2)
    expect_newest_first(probe, created, met)


def create_others(probe: Probe, count: int, kind: Resource) -> dict[str, datetime]:
    """Objects of another kind, as `create_one_after_another` makes them. Drops the case where no time is told."""
    try:
        return create_one_after_another(probe, count, kind)
    except Unobservable as untold:
        raise NotOffered(untold.reason, exchange=untold.exchange) from None


def expect_each_once(probe: Probe, own: list[str], walked: list[str], step: int) -> None:
    """A walk has met each of some objects once. Raises `Violation`."""
    probe.expect(
        probe.log[-1],
        f"each of {len(own)} objects once, over pages of {step}",
        holds=sorted(walked) == sorted(own),
        got=f"{len(walked)}, of which {len(set(walked))} are different",
        hint="a page begins after the last object of the one before, also where several were created at the same time",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
def test_the_newest_comes_first(probe: Probe) -> None:
    """Without `sort` a list runs from the newest to the oldest, within a page and from page to page."""
    created = create_one_after_another(probe, 5)
    # One that was changed since is no newer; where none can be changed the order is to be seen all the same.
    change_customer(probe, next(iter(created)))
    probe.require_proven(page(probe, limit=2), see=SEE_SIZES)
    expect_newest_first(probe, created, list(walk(probe, list(created), limit=2)))


def change_customer(probe: Probe, identifier: str) -> None:
    """Change an old object, whatever that is answered."""
    update = BY_ID["update_customer"]
    request = Request("PATCH", update.concrete(quote(identifier, safe="")), probe.tokens.for_operation(update))
    probe.send(request.with_json(probe.factory.body_for(update)))


def expect_newest_first(probe: Probe, created: dict[str, datetime], met: list[str]) -> None:
    """Objects were met from the newest to the oldest, by the times of their creation. Raises `Violation`."""
    times = sorted(created.values())
    walked = [created[identifier] for identifier in met]
    probe.expect(
        probe.log[-1],
        "the newest first",
        holds=bool(walked) and walked == sorted(walked, reverse=True),
        got=f"in the order of their creation: {', '.join(str(1 + times.index(time)) for time in walked)}",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
def test_what_is_made_meanwhile_moves_no_page(probe: Probe) -> None:
    """A cursor holds a place in the list, not a number of objects: what comes in before it shifts nothing."""
    for _ in range(5):
        probe.factory.object_id(Resource.CUSTOMER)
    first = probe.require_proven(page(probe, limit=2), see=SEE_SIZES)
    query = find_next_query(first)
    probe.expect(first, "a cursor, since there are objects for three pages", holds=query is not None, got="none")
    probe.factory.object_id(Resource.CUSTOMER)
    second = probe.require_accepted(page(probe, limit=2, query=query or ""))
    expect_none_again(
        probe,
        first,
        second,
        change="an object made after the first page was read",
        hint="a cursor that counts objects is moved by every new one",
    )


@covers("pagination.walk", mode=Mode.SANDBOX, each_operation=True)
def test_what_is_deleted_meanwhile_moves_no_page(probe: Probe) -> None:
    """Where the object that a cursor names is gone, the next page is still the next one, if it is to be had."""
    own = [probe.factory.object_id(Resource.CUSTOMER) for _ in range(3)]
    first = probe.require_proven(page(probe, limit=2), see=SEE_SIZES)
    query, last = require_own_border(first, own)
    delete = BY_ID["delete_customer"]
    with drop_where_blocked():
        path = delete.concrete(quote(last, safe=""))
        probe.require_accepted(Request("DELETE", path, probe.tokens.for_operation(delete)))
        second = probe.require_accepted(page(probe, limit=2, query=query))
    expect_none_again(
        probe,
        first,
        second,
        change="the last object of the first page deleted after that was read",
        hint="is a cursor whose object is not found taken for none?",
    )


def require_own_border(first: Exchange, own: list[str]) -> tuple[str, str]:
    """The query for the page after one that ends with an own object, and the id of that. Drops the case elsewhere."""
    query, last = find_next_query(first), (ids(first) or [None])[-1]
    if query is None or last not in own:
        raise NotOffered("the first page does not end with an object of the case's own", exchange=first)
    return query, last


def expect_none_again(probe: Probe, first: Exchange, second: Exchange, *, change: str, hint: str) -> None:
    """The second page has none of the objects of the first. Raises `Violation`."""
    again = set(ids(first)) & set(ids(second))
    wanted, got = "none of the objects of the first page on the second", f"{len(again)} of them"
    probe.expect(second, wanted, holds=not again, got=got, change=change, hint=hint)


def page(probe: Probe, *, operation: Operation = CUSTOMERS, limit: int | None = None, query: str = "") -> Request:
    """The request for one page of a list. `query`: by which the page before says that it is had."""
    names_size = limit is None or "limit=" in query
    query = "&".join(filter(None, ("" if names_size else f"limit={limit}", query)))
    return probe.factory.request_for(operation).at(f"{operation.path}?{query}" if query else operation.path)


def entries(answer: Exchange) -> list[dict[str, Any]]:
    """The objects of a page; empty where it has none."""
    return find_entries(answer.response.json, kind_of(answer)) or []


def ids(answer: Exchange) -> list[str | None]:
    """The ids of the objects of a page."""
    return [find_id(entry, kind_of(answer)) for entry in entries(answer)]


def kind_of(answer: Exchange) -> Resource:
    """The kind of object that a list is of."""
    operation = answer.request.operation
    assert operation is not None
    return operation.resource


def require_listed(probe: Probe, size: int, operation: Operation = CUSTOMERS) -> None:
    """Make a list hold so many objects. Raises `Blocked` where it does not and none may be made."""
    missing = size - count_listed(probe, size, operation)
    if missing > 0 and probe.settings.mode is Mode.OBSERVE:
        raise Blocked(f"{operation} lists {size - missing} where {size} are needed: run in mode sandbox")
    for _ in range(missing):
        make(probe, operation.resource)


def require_vanishing(probe: Probe, size: int, operation: Operation) -> None:
    """As `require_listed`, of a kind that cannot be deleted: so many are made only where they vanish by themselves."""
    if not probe.provisioner.vanishes and count_listed(probe, size, operation) < size:
        raise NotOffered(f"{operation} lists fewer than {size}, and what was made would stay")
    require_listed(probe, size, operation)


def make(probe: Probe, kind: Resource) -> str:
    """The id of a new object that is this case's own."""
    return probe.factory.object_id(kind) if kind is Resource.CUSTOMER else probe.factory.create(kind)


def count_listed(probe: Probe, enough: int, operation: Operation = CUSTOMERS) -> int:
    """How many objects a list has, as far as it matters. Asks for no page size, since those are what is looked at."""
    count, query = 0, ""
    for _ in range(PAGES):
        answer = probe.require_accepted(page(probe, operation=operation, query=query))
        count += len(entries(answer))
        query = find_next_query(answer) or ""
        if not query or count >= enough:
            break
    return count


def walk(probe: Probe, own: list[str], *, operation: Operation = CUSTOMERS, limit: int) -> Iterator[str]:
    """Follow the cursors from the newest on, and give those of the own objects that are met, as often as they are.

    Ends with the list, or on a page beyond the own objects, or where it has gone on for too long. Raises `Violation`
    where a cursor is not followed by a page.
    """
    left, query = set(own), ""
    for _ in range(PAGES):
        answer = probe.send(page(probe, operation=operation, limit=limit, query=query))
        probe.expect(answer, "a page", holds=answer.response.ok, change="the cursor given")
        met = [identifier for identifier in ids(answer) if identifier in own]
        yield from met
        query = find_next_query(answer) or ""
        if not query or not (met or left):
            return
        left.difference_update(met)


def create_one_after_another(probe: Probe, count: int, kind: Resource = Resource.CUSTOMER) -> dict[str, datetime]:
    """Objects, each with the time of its creation."""
    created = {}
    for _ in range(count):
        identifier = make(probe, kind)
        created[identifier] = creation_time(probe, identifier, kind)
    return created


def creation_time(probe: Probe, identifier: str, kind: Resource) -> datetime:
    """When an object was created: by the target's clock, then moved on by a second, else as the object itself says.

    Raises `Unobservable` where it says nothing.
    """
    try:
        now = probe.clock.now()
        probe.provisioner.advance(1)
    except Blocked:
        answer = probe.require_accepted(probe.factory.read_request(kind, identifier))
    else:
        return now
    try:
        return read_instant(find_object(answer.response.json, kind).get("created_at"))
    except ValueError:
        raise Unobservable(
            f"a {kind} has no created_at, and without a control API there is no other time to tell the order by",
            exchange=answer,
        ) from None
