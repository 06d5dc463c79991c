"""What answers hold is found by its shape, since no source of the guide's says how a target wraps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.probe.answers import (
    find_entries,
    find_id,
    find_next_query,
    find_object,
    mentions,
    names_customer,
    shows_object,
    shows_text,
    strings_in,
)
from paylera_fixtures.api.operations import Resource

ADA = {"id": "cus_1", "name": "Ada"}

LISTS: dict[str, Any] = {
    "array": [ADA],
    "data": {"data": [ADA], "has_more": False, "next_cursor": None},
    "items": {"items": [ADA], "total": 1},
    "results beside another array": {"facets": [{"name": "all"}], "results": [ADA]},
    "its kind": {"customers": [ADA], "errors": []},
    "its kind, wrapped": {"data": {"customers": [ADA]}},
    "hal": {"_embedded": {"paylera:customers": [ADA]}, "_links": {}},
    "the only array": {"page": 1, "rows": [ADA]},
    "each wrapped in its kind": {"data": [{"customer": ADA}]},
}


@pytest.mark.parametrize("value", LISTS.values(), ids=LISTS)
def test_entries_are_found(value: object) -> None:
    """Wherever a list has them, and whatever wraps each."""
    assert find_entries(value, Resource.CUSTOMER) == [ADA]


@pytest.mark.parametrize("value", LISTS.values(), ids=LISTS)
def test_an_empty_list_is_a_list(value: object) -> None:
    """That nothing is in it can be told from that it is none."""
    empty = json.loads(
        json.dumps(value).replace(json.dumps([ADA]), "[]").replace(json.dumps([{"customer": ADA}]), "[]")
    )
    assert find_entries(empty, Resource.CUSTOMER) == []


@pytest.mark.parametrize("value", [None, "text", {}, ADA, {"a": [ADA], "b": [ADA]}, {"tags": ["new"]}])
def test_what_is_no_list_has_no_entries(value: object) -> None:
    """Nothing is to be concluded from an empty one."""
    assert find_entries(value, Resource.CUSTOMER) is None


OBJECTS: dict[str, Any] = {
    "itself": ADA,
    "its kind": {"customer": ADA},
    "data": {"data": ADA, "meta": {"id": "req_1"}},
    "both": {"data": {"customer": ADA}},
}


@pytest.mark.parametrize("value", OBJECTS.values(), ids=OBJECTS)
def test_object_is_found(value: object) -> None:
    """Its id is that of no wrapper."""
    assert (find_object(value, Resource.CUSTOMER), find_id(value, Resource.CUSTOMER)) == (ADA, "cus_1")


@pytest.mark.parametrize("value", [{"tokenId": 1, "apiToken": {"id": "tok_1"}}, {"token": {"api_token_id": "tok_1"}}])
def test_kind_is_read_in_any_spelling(value: object) -> None:
    """`api_token` is called `apiToken`, or `token`."""
    assert find_id(value, Resource.API_TOKEN) == "tok_1"


@pytest.mark.parametrize("value", [None, [], {}, {"customer": "Ada"}, {"data": {"name": "Ada"}}, {"plan": {"id": "p"}}])
def test_what_names_no_object_has_no_id(value: object) -> None:
    """The id of something else would be taken for it."""
    assert find_id(value, Resource.CUSTOMER) is None


def page(body: object, *headers: tuple[str, str]) -> Exchange:
    """A page of a list as a target answered it."""
    response = Response(200, headers, json.dumps(body).encode())
    return Exchange(Request("GET", "/v1/customers"), "https://api.example/v1/customers", (), response)


FOLLOWED = {
    "cursor": page({"has_more": True, "next_cursor": "a b"}),
    "cursor-without-has-more": page({"items": [], "next_cursor": "a b"}),
    "cursor-in-meta": page({"meta": {"next_cursor": "a b"}}),
    "link": page({"next": "https://elsewhere.example/v1/customers?cursor=a%20b"}),
    "link-in-hal": page({"_links": {"next": {"href": "/v1/customers?cursor=a%20b"}}}),
    "bare-next": page({"pagination": {"next": "a b"}}),
    "header": page([], ("Link", '<https://api.example/?p=0>; rel="prev", </v1/customers?cursor=a%20b>; rel="next"')),
}


@pytest.mark.parametrize("answer", FOLLOWED.values(), ids=FOLLOWED)
def test_the_query_of_the_next_page_is_found(answer: Exchange) -> None:
    """Of a link only the query counts: a token goes to the target and nowhere else."""
    assert find_next_query(answer) == "cursor=a%20b"


HOSTILE = {
    "line-break": (page({"next": "/v1/customers?a=1\r\nX-Injected: yes"}), "a=1%0D%0AX-Injected:%20yes"),
    "no-url": (page({"next": "http://[::1?a=1"}), "a=1"),
    "surrogate": (page({"has_more": True, "next_cursor": "\ud800"}), "cursor=%3F"),
    "surrogate-in-link": (page({"next": "?a=\ud800"}), "a=?"),
    "unended-link": (page([], ("Link", "<" * 60_000)), None),
}


@pytest.mark.parametrize(("answer", "query"), HOSTILE.values(), ids=HOSTILE)
def test_no_link_breaks_the_request_that_follows_it(answer: Exchange, query: str | None) -> None:
    """What a target says goes into the next request only as a query."""
    assert find_next_query(answer) == query


LAST = {
    "null": page({"has_more": False, "next_cursor": None}),
    "no-more-says-more": page({"has_more": False, "next_cursor": "left"}),
    "array": page([]),
    "null-link": page({"next": None, "results": []}),
    "header": page([], ("Link", '<https://api.example/?p=0>; rel="prev"')),
    "link-without-query": page({"next": "https://api.example/v1/customers/2"}),
}


@pytest.mark.parametrize("answer", LAST.values(), ids=LAST)
def test_where_nothing_plainly_follows_the_list_ends(answer: Exchange) -> None:
    """What is guessed would be refused."""
    assert find_next_query(answer) is None


@pytest.mark.parametrize("value", ["\ud800", "cus_\x1b[2J", "", None, True, 10**30, ["cus_1"]])
def test_what_cannot_be_sent_is_no_id(value: object) -> None:
    """A server may write half a character anywhere: nothing is asked for by it."""
    assert find_id({"id": value}, Resource.CUSTOMER) is None


INTEGERS = [{"id": 17}, {"customer": {"id": 17}}, {"data": {"customer_id": 17}}]


@pytest.mark.parametrize("answer", INTEGERS)
def test_id_may_be_an_integer(answer: object) -> None:
    """It is written as text in a path, and found as such again."""
    assert (find_id(answer, Resource.CUSTOMER), "17" in strings_in(answer), mentions(answer, "17")) == (
        "17",
        True,
        True,
    )


@pytest.mark.parametrize(
    "answer", [{"amount": 17}, {"id": 171}, {"id": "x17"}, {"paid": 17}, [17], {"at": "2026-04-17"}]
)
def test_other_number_is_no_id(answer: object) -> None:
    """An amount is the same as somebody's id by chance."""
    assert ("17" in strings_in(answer), mentions(answer, "17")) == (False, False)


OF_OTHERS: dict[str, Any] = {
    "invoice_id": [{"id": 5, "invoice_id": 17}],
    "customer_id": {"data": [{"id": "5", "customer_id": "17"}]},
    "of a page": {"data": [{"id": 5}], "request_id": 17},
}
"""Lists of wallets in which 17 is something else's id."""


@pytest.mark.parametrize("answer", OF_OTHERS.values(), ids=OF_OTHERS)
def test_number_of_something_else_shows_no_object(answer: object) -> None:
    """Where each kind is counted from 1, a wallet has the number of an invoice."""
    shown = {name: find(answer, Resource.WALLET, name) for find in (shows_object, shows_text) for name in ("5", "17")}
    assert shown == {"5": True, "17": False}


@pytest.mark.parametrize(
    ("answer", "is_shown"),
    [([{"note": "17"}], True), ([{"id": "cus_17"}], False), ([{"data": {"wallet_id": 17}}], True), ({}, False)],
)
def test_number_is_looked_for_in_whole(answer: object, is_shown: bool) -> None:  # noqa: FBT001 - a column of the table
    """Also where no entry has an id that can be told."""
    assert shows_object(answer, Resource.WALLET, "17") == is_shown


NAMED = [{"customer_id": 17}, {"customer": 17}, {"wallet": {"customerId": "17"}}, {"data": {"customer": {"id": 17}}}]


@pytest.mark.parametrize("answer", NAMED)
def test_object_says_whose_it_is(answer: object) -> None:
    """By whatever member is named after a customer."""
    assert names_customer(answer, "17")


@pytest.mark.parametrize("answer", [{"id": 17, "customer_id": 5}, {"wallet": {"id": "17"}}, {"customer_ref": 171}, {}])
def test_own_number_of_an_object_says_nothing_of_whose_it_is(answer: object) -> None:
    """Wallet 17 need not be customer 17's."""
    assert not names_customer(answer, "17")


def test_other_id_of_a_customer_may_stand_anywhere() -> None:
    """Nothing else has the same."""
    assert (names_customer({"owner": "cus_1"}, "cus_1"), names_customer({"owner": "cus_12"}, "cus_1")) == (True, False)
