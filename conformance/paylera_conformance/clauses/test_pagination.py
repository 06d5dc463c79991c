"""Lists in pages: what a page says, how long it is, and that a walk misses nothing (Pagination page)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import pytest

from paylera_conformance.model.dates import read_instant
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Unobservable
from paylera_conformance.probe.answers import find_entries, find_id, find_next_query, find_object
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.probe.requests import PAGES
from paylera_conformance.scenarios.problem_checks import expect_page
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource
from paylera_fixtures.vocabulary import PAGE_DEFAULT, PAGE_MAX

CUSTOMERS: Final = BY_ID["list_customers"]
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
    require_customers(probe, 2)
    first = probe.require_proven(page(probe, limit=1))
    expect_page(probe, first)
    more = first.response.object["has_more"] is True
    wanted = "has_more true, since the list holds more than one"
    probe.expect(first, wanted, holds=more, got="has_more false")


@covers("pagination.envelope", mode=Mode.SANDBOX)
def test_a_page_that_holds_all_is_the_last(probe: Probe) -> None:
    """A page may be full and the last: whether more follows is not to be told from its length."""
    require_customers(probe, 2)
    size = min(count_customers(probe, PAGE_MAX), PAGE_MAX)
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
    require_customers(probe, size + 1)
    answer = probe.accepts(page(probe, limit=limit), wanted=f"a page of {size} objects")
    length = len(entries(answer))
    probe.expect(answer, f"{size} objects", holds=length == size, got=f"{length}")


@covers("pagination.envelope")
@pytest.mark.parametrize("limit", [PAGE_MAX + 1, 10 * PAGE_MAX])
def test_no_page_is_longer_than_the_maximum(probe: Probe, limit: int) -> None:
    """More than 100 is refused, or 100 are given: either is in order."""
    require_customers(probe, PAGE_MAX + 1)
    probe.require_proven(page(probe))
    answer = probe.send(page(probe, limit=limit))
    length = len(entries(answer))
    probe.expect(
        answer,
        f"a refusal, or at most {PAGE_MAX} objects",
        holds=answer.response.refused or (answer.response.ok and length <= PAGE_MAX),
        got=f"{length} objects" if answer.response.ok else describe(answer.response),
        change=f"limit={limit}",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_walk_meets_every_object_once(probe: Probe, step: int) -> None:
    """Objects of one instant are the hard case: a cursor that is no more than a time misses or repeats them."""
    own = [probe.factory.object_id(Resource.CUSTOMER) for _ in range(2 * step + 1)]
    probe.require_proven(page(probe, limit=step), see=SEE_SIZES)
    walked = list(walk(probe, own, limit=step))
    probe.expect(
        probe.log[-1],
        f"each of {len(own)} objects once, over three pages of {step}",
        holds=sorted(walked) == sorted(own),
        got=f"{len(walked)}, of which {len(set(walked))} are different",
        hint="a page begins after the last object of the one before, also where several were created at the same time",
    )


@covers("pagination.walk", mode=Mode.SANDBOX)
def test_the_newest_comes_first(probe: Probe) -> None:
    """Without `sort` a list runs from the newest to the oldest, within a page and from page to page."""
    created = create_one_after_another(probe, 5)
    probe.require_proven(page(probe, limit=2), see=SEE_SIZES)
    times = sorted(created.values())
    walked = [created[identifier] for identifier in walk(probe, list(created), limit=2)]
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
    again = set(ids(first)) & set(ids(second))
    probe.expect(
        second,
        "none of the objects of the first page on the second",
        holds=not again,
        got=f"{len(again)} of them",
        change="an object made after the first page was read",
        hint="a cursor that counts objects is moved by every new one",
    )


def page(probe: Probe, *, limit: int | None = None, query: str = "") -> Request:
    """The request for one page of the list of customers. `query`: by which the page before says that it is had."""
    names_size = limit is None or "limit=" in query
    query = "&".join(filter(None, ("" if names_size else f"limit={limit}", query)))
    return probe.factory.request_for(CUSTOMERS).at(f"{CUSTOMERS.path}?{query}" if query else CUSTOMERS.path)


def entries(answer: Exchange) -> list[dict[str, Any]]:
    """The objects of a page; empty where it has none."""
    return find_entries(answer.response.json, Resource.CUSTOMER) or []


def ids(answer: Exchange) -> list[str | None]:
    """The ids of the objects of a page."""
    return [find_id(entry, Resource.CUSTOMER) for entry in entries(answer)]


def require_customers(probe: Probe, size: int) -> None:
    """Make the list of customers hold so many. Raises `Blocked` where it does not and none may be made."""
    missing = size - count_customers(probe, size)
    if missing > 0 and probe.settings.mode is Mode.OBSERVE:
        raise Blocked(f"{CUSTOMERS} lists {size - missing} customers where {size} are needed: run in mode sandbox")
    for _ in range(missing):
        probe.factory.object_id(Resource.CUSTOMER)


def count_customers(probe: Probe, enough: int) -> int:
    """How many customers there are, as far as it matters. Asks for no page size, since those are what is looked at."""
    count, query = 0, ""
    for _ in range(PAGES):
        answer = probe.require_accepted(page(probe, query=query))
        count += len(entries(answer))
        query = find_next_query(answer) or ""
        if not query or count >= enough:
            break
    return count


def walk(probe: Probe, own: list[str], *, limit: int) -> Iterator[str]:
    """Follow the cursors from the newest on, and give those of the own objects that are met, as often as they are.

    Ends with the list, or on a page beyond the own objects, or where it has gone on for too long. Raises `Violation`
    where a cursor is not followed by a page.
    """
    left, query = set(own), ""
    for _ in range(PAGES):
        answer = probe.send(page(probe, limit=limit, query=query))
        probe.expect(answer, "a page", holds=answer.response.ok, change="the cursor given")
        met = [identifier for identifier in ids(answer) if identifier in own]
        yield from met
        query = find_next_query(answer) or ""
        if not query or not (met or left):
            return
        left.difference_update(met)


def create_one_after_another(probe: Probe, count: int) -> dict[str, datetime]:
    """Customers, each with the time of its creation."""
    created = {}
    for _ in range(count):
        identifier = probe.factory.object_id(Resource.CUSTOMER)
        created[identifier] = creation_time(probe, identifier)
    return created


def creation_time(probe: Probe, identifier: str) -> datetime:
    """When an object was created: by the target's clock, then moved on by a second, else as the object itself says.

    Raises `Unobservable` where it says nothing.
    """
    try:
        now = probe.clock.now()
        probe.provisioner.advance(1)
    except Blocked:
        answer = probe.require_accepted(probe.factory.read_request(Resource.CUSTOMER, identifier))
    else:
        return now
    try:
        return read_instant(find_object(answer.response.json, Resource.CUSTOMER).get("created_at"))
    except ValueError:
        raise Unobservable(
            "a customer has no created_at, and without a control API there is no other time to tell the order by",
            exchange=answer,
        ) from None
