"""What is kept is found by its place: a page costs the same, however much stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.state.objects import ObjectTable
from paylera_mock.state.ordered import OrderedItems
from paylera_mock.state.tokens import StoredToken

MANY: Final = 1_000
PAYMENT: Final = {"customer_id": "cus_a", "payment_method_id": "pm_1"}


@pytest.fixture
def numbers() -> OrderedItems[str]:
    """Many items: every tenth is in a group too."""
    items = OrderedItems[str]()
    for place in range(1, MANY + 1):
        items.put(place, f"item {place}", ["tens"] if place % 10 == 0 else [])
    return items


@pytest.mark.parametrize("before", [None, 1, 2, 129, 130, MANY, MANY + 5, 10**40])
def test_items_come_newest_first(numbers: OrderedItems[str], before: int | None) -> None:
    """From any place on, to the last one."""
    end = min(MANY + 1, MANY + 1 if before is None else before)
    assert list(numbers.newest_first(before=before)) == [f"item {place}" for place in range(end - 1, 0, -1)]


def test_a_group_is_an_order_of_its_own(numbers: OrderedItems[str]) -> None:
    """Its oldest, its newest, and what stands before a place."""
    found = (numbers.oldest("tens"), next(numbers.newest_first("tens")), next(numbers.newest_first("tens", before=500)))
    assert (found, numbers.oldest("none")) == (("item 10", f"item {MANY}", "item 490"), None)


def test_a_changed_item_keeps_its_place(numbers: OrderedItems[str]) -> None:
    """A rotated token is where it was."""
    numbers.put(MANY - 1, "changed")
    assert (list(islice(numbers.newest_first(), 2)), len(numbers)) == ([f"item {MANY}", "changed"], MANY)


def test_a_walk_goes_on_when_items_come_and_go(numbers: OrderedItems[str]) -> None:
    """It shows what is there from its beginning to its end, each once, in order."""
    seen = list(walk_among_changes(numbers))
    left = [f"item {place}" for place in range(MANY, 0, -1) if place % 3]
    assert [item for item in seen if item in left] == left
    assert len(set(seen)) == len(seen)


def walk_among_changes(items: OrderedItems[str]) -> Iterator[str]:
    """Walk, take every third item out meanwhile, from the oldest one on, and add others."""
    going = iter(range(3, MANY + 1, 3))
    for number, item in enumerate(items.newest_first()):
        yield item
        for place in islice(going, 2):
            items.take_out(place, ["tens"] if place % 10 == 0 else [])
        items.put(MANY + 10 + number, "added")


class Watched(Object):
    """An object that counts how often somebody looks at one of its members."""

    looks = 0

    def get(self, *args: Any) -> Any:
        """Look at a member."""
        type(self).looks += 1
        return super().get(*args)


def test_what_is_looked_for_is_found_without_a_look_at_the_rest() -> None:
    """By the members that references and pages name."""
    table = ObjectTable()
    for number in range(MANY):
        value = {"id": f"pay_{number}", "customer_id": f"cus_{number}", "payment_method_id": "pm", "currency": "USD"}
        for kind in (Resource.PAYMENT, Resource.WALLET, Resource.PLAN):
            table.add(kind, Watched(value | {"code": f"code-{number}"}))
    Watched.looks = 0
    found = [
        table.find(Resource.PAYMENT, customer_id="cus_7", payment_method_id="pm"),
        table.find(Resource.WALLET, customer_id="cus_7", currency="USD"),
        table.find(Resource.PLAN, code="code-7"),
        next(table.newest_first(Resource.PAYMENT, owner="cus_7")).value,
    ]
    assert ([value and value["id"] for value in found], Watched.looks) == (["pay_7"] * 4, 0)


def test_the_last_page_of_tokens_shows_no_others(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands before it is not even looked at."""
    for _ in range(60):
        fake.token("*")
    admin = fake.admin()
    cursor = (fake.call("GET", "/v1/admin/api-tokens?limit=55", admin).json or {})["next_cursor"]
    shown: list[str] = []
    view = StoredToken.view

    def counted(token: StoredToken, now: float) -> dict[str, Any]:
        shown.append(token.id)
        return view(token, now)

    monkeypatch.setattr(StoredToken, "view", counted)
    page = (fake.call("GET", f"/v1/admin/api-tokens?cursor={cursor}", admin).json or {})["data"]
    assert (len(page), len(shown)) == (6, 6)
