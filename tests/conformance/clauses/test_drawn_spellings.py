"""Other spellings that are drawn for each run, and what of an object shows that one of them has ended it."""

from __future__ import annotations

import json

import pytest

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.scenarios.path_variants import draw_changes, draw_spellings, has_ended
from paylera_fixtures.api.operations import OPERATIONS, Resource

SEEDS = range(50)


def test_every_list_is_tried_with_a_slash_at_its_end() -> None:
    """The spelling that most servers forgive is not left to chance."""
    drawn = [(operation, variant.path("/v1/x")) for operation, variant, _ in draw_spellings(7, keep_method=False)]
    assert {operation for operation, path in drawn if path == "/v1/x/"} == {each for each in OPERATIONS if each.is_list}


def test_lists_are_drawn_no_spelling_twice() -> None:
    """Two lists with the same spelling would see no more than one."""
    others = [variant for _, variant, _ in draw_spellings(7, keep_method=False)][1::2]
    assert len(set(map(str, others))) == len(others)


def test_reads_keep_their_method_where_nothing_else_may_be_sent() -> None:
    """Mode observe sends GETs only."""
    drawn = [variant.method for seed in SEEDS for _, variant, _ in draw_spellings(seed, keep_method=True)]
    assert set(drawn) == {None}


def test_one_seed_draws_the_same() -> None:
    """A run can be repeated."""
    assert list(draw_spellings(7, keep_method=False)) == list(draw_spellings(7, keep_method=False))
    assert draw_changes(7, 5) == draw_changes(7, 5)


def test_what_can_be_changed_is_always_among_the_kinds() -> None:
    """Where the contract has a deletion, a server may do it by another name."""
    always = {Resource.WEBHOOK_ENDPOINT, Resource.API_TOKEN}
    assert [seed for seed in SEEDS if not always <= {kind for kind, _ in draw_changes(seed, 5)}] == []


def test_every_kind_is_drawn_by_some_seed() -> None:
    """What one run leaves out, others look at."""
    drawn = {kind for seed in SEEDS for kind, _ in draw_changes(seed, 5)}
    assert {Resource.INVOICE, Resource.PAYMENT, Resource.PLAN, Resource.PRODUCT, Resource.WALLET} <= drawn


def read(code: int = 200, **members: object) -> Exchange:
    """A read of an invoice that was answered."""
    body = json.dumps({"id": "inv_1", **members}).encode()
    return Exchange(Request("GET", "/v1/invoices/inv_1"), "http://a.test", (), Response(code, (), body))


ENDED = {"gone": read(404), "gone for good": read(410), "void": read(status="void"), "VOIDED": read(status="VOIDED")}
GOES_ON = {"the same": read(status="open"), "paid meanwhile": read(status="paid"), "none": read()}


@pytest.mark.parametrize("after", ENDED.values(), ids=ENDED)
def test_object_that_was_ended_is_seen(after: Exchange) -> None:
    """It is not there any more, or says so."""
    assert has_ended(read(status="open"), after, Resource.INVOICE)


@pytest.mark.parametrize("after", GOES_ON.values(), ids=GOES_ON)
def test_object_that_goes_on_is_not_taken_for_ended(after: Exchange) -> None:
    """A payment may be settled while it is looked at."""
    assert not has_ended(read(status="open"), after, Resource.INVOICE)


def test_outage_is_not_taken_for_an_end() -> None:
    """What cannot be read shows nothing."""
    with pytest.raises(Blocked):
        has_ended(read(status="open"), read(503), Resource.INVOICE)
