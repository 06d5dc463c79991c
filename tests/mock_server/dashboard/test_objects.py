"""The view of objects: those of each kind in parts, and one with the ways to what belongs to it."""

from __future__ import annotations

import re

import pytest

from helpers.dashboard import ROOT, Page, Reader
from helpers.fake import Fake
from paylera_fixtures.api.operations import Resource
from paylera_mock.dashboard.views.objects import COLUMNS


def rows(reader: Reader, page: str) -> list[str]:
    """The texts of the objects that are listed."""
    return [Page(row).text for row in reader.get(page).text.partition("<tbody>")[2].split("<tr>")[1:]]


def test_every_kind_has_a_list(reader: Reader) -> None:
    """With how many there are; tokens have a view of their own, and refunds are in their payments."""
    assert set(COLUMNS) == set(Resource) - {Resource.API_TOKEN, Resource.REFUND}
    text = reader.read("objects").text
    for words in ("Customer 3", "Invoice 7", "Payment 4", "Webhook endpoint 1", "Actor 1", "Audit record 1"):
        assert words in text


def test_list_shows_what_matters(reader: Reader) -> None:
    """Of each kind something else, the newest first."""
    assert rows(reader, "objects?kind=payment")[0].startswith("pay_grace_waiting requires_action cus_grace 100.00 USD")
    assert rows(reader, "objects")[0].split()[1:2] == ["ada@example.com"]


def test_list_is_narrowed_down(reader: Reader) -> None:
    """To a tenant, an environment, a customer."""
    counts = [
        len(rows(reader, f"objects?{query}"))
        for query in (
            "tenant_id=ten_other",
            "environment=live",
            "kind=invoice&customer_id=cus_ada",
            "kind=invoice&environment=live",
        )
    ]
    assert counts == [1, 1, 4, 0]


@pytest.mark.parametrize("query", ["kind=thing", "kind=refund", "tenant_id=ten_none", "environment=moon"])
def test_list_that_there_is_not_is_told(reader: Reader, query: str) -> None:
    """An old link may name one."""
    assert reader.get(f"objects?{query}").status_code == 422


def test_object_is_shown_with_all_its_members(reader: Reader) -> None:
    """Ids lead to what they name; the rest is text, or JSON."""
    page = reader.read("objects/inv_ada")
    assert f"{ROOT}/objects/cus_ada" in page.links
    for words in ("status open", "total 100.00", "Active seats", "of tenant ten_main"):
        assert words in page.text


def test_customer_leads_to_what_it_has(reader: Reader) -> None:
    """And to the requests for it."""
    page = reader.read("objects/cus_ada")
    assert "1 subscription 4 invoices 2 payments 1 wallet" in page.text
    assert f"{ROOT}/requests?path=%2Fv1%2Fcustomers%2Fcus_ada" in page.links
    listing = next(link for link in page.links if "kind=wallet" in link)
    assert "wal_ada" in reader.client.get(listing).text


def test_object_is_found_by_its_id(reader: Reader) -> None:
    """Whatever it is; what is none is told."""
    assert reader.get("objects/find?id=+pay_ada+").headers["Location"] == f"{ROOT}/objects/pay_ada"
    assert reader.get("objects/find?id=").headers["Location"] == f"{ROOT}/objects"
    for text in ("pay_none", "a/b", "?"):
        answer = reader.get("objects/find", query_string={"id": text})
        assert reader.client.get(answer.headers["Location"]).status_code == 404


def test_many_objects_are_listed_in_parts(default: Fake) -> None:
    """The others are led to, in the same list."""
    for _ in range(51):
        default.made("wallet", customer_id="cus_ada")
    reader = Reader(default.client)
    page = "objects?kind=wallet&customer_id=cus_ada"
    assert len(rows(reader, page)) == 50
    older = next(link for link in reader.read(page).links if "cursor=" in link)
    assert len(re.findall("<tr>", reader.client.get(older).text)) == 3


def test_hostile_object_is_shown_as_text(default: Fake) -> None:
    """In the list, and on its page."""
    body = {"email": "a@b.example", "name": "<script>alert(1)</script>\u202egnp", "metadata": {"<img src=x>": "\u200b"}}
    made = default.call("POST", "/v1/customers", default.secret(), key="c", json=body).json or {}
    reader = Reader(default.client)
    for page in ("objects", f"objects/{made['id']}"):
        text = reader.get(page).text
        assert ("<script>a" in text, "<img" in text, "\\u{202e}gnp" in text, "\u202e" in text) == (
            False,
            False,
            True,
            False,
        )
