"""Objects and tenants as who runs the fake sees them: in parts, and one by its id."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import WELL_KNOWN


def read(fake: Fake, path: str) -> dict[str, Any]:
    """What a call is answered with."""
    answer = fake.client.get(f"{fake.control_base}/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_objects_are_listed_newest_first_in_parts(fake: Fake) -> None:
    """With how many there are of each kind."""
    made = [fake.made("invoice") for _ in range(3)]
    first = read(fake, "objects?kind=invoice&limit=1")
    found = read(fake, f"objects?kind=invoice&cursor={first['next_cursor']}&limit=1")
    assert ([each["id"] for each in found["data"]], found["count"]) == ([made[1]], 3)
    assert (found["counts"]["invoice"], found["counts"]["customer"], found["counts"]["actor"]) == (3, 3, 0)


def test_objects_of_a_customer_are_listed(fake: Fake) -> None:
    """Those of no other, and none of a kind that no customer has."""
    invoice = fake.made("invoice")
    fake.made("invoice")
    customer = read(fake, f"objects/{invoice}")["object"]["customer_id"]
    fake.actor()
    found = read(fake, f"objects?kind=invoice&customer_id={customer}")
    assert ([each["id"] for each in found["data"]], found["count"]) == ([invoice], 1)
    assert read(fake, f"objects?kind=actor&customer_id={customer}")["count"] == 0


@pytest.mark.parametrize("kind", sorted(set(Resource) - {Resource.API_TOKEN, Resource.REFUND}))
def test_every_kind_is_listed_and_read(fake: Fake, kind: str) -> None:
    """As the API shows it."""
    admin, actor = fake.admin(), fake.actor(name="Ada")
    body = {"url": "http://127.0.0.1:1/", "events": ["invoice.paid"]}
    assert fake.call("POST", "/v1/admin/webhook-endpoints", admin, key="we", json=body).status_code == 201
    headers = {"X-Paylera-Acting-As": actor}
    fake.call("POST", "/v1/customers", fake.secret(), key="c", json={"email": "a@b.example"}, headers=headers)
    for made in ("subscription", "payment", "wallet"):
        fake.made(made)
    found = read(fake, f"objects?kind={kind}")
    value = found["data"][0]
    detail = read(fake, f"objects/{value['id']}")
    assert (value["object"], detail["kind"], detail["object"]) == (kind, kind, value)
    assert detail["environment"] == (None if kind == "actor" else "sandbox")
    assert detail["tenant_id"] == found["tenant_id"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "kind"),
        ("kind=thing", "kind"),
        ("kind=api_token", "GET tokens"),
        ("kind=refund", "refunds"),
        ("kind=customer&tenant_id=ten_none", "POST tenants"),
        ("kind=customer&customer=cus_1", "customer_id"),
    ],
)
def test_list_that_there_is_not_is_refused(fake: Fake, query: str, told: str) -> None:
    """With what to ask instead."""
    answer = fake.client.get(f"{fake.control_base}/objects?{query}")
    assert (answer.status_code, told in answer.text) == (422, True)


def test_object_that_there_is_not_is_told(fake: Fake) -> None:
    """It may have been removed."""
    assert fake.client.get(f"{fake.control_base}/objects/cus_none").status_code == 404


def test_tenants_and_environments_have_objects_of_their_own(default: Fake) -> None:
    """The main tenant is listed first."""
    tenants = read(default, "tenants?limit=1")
    assert (tenants["data"], tenants["count"]) == ([{"id": "ten_main", "main": True}], 2)
    [other] = read(default, f"tenants?cursor={tenants['next_cursor']}")["data"]
    assert other == {"id": "ten_other", "main": False}
    found = [
        read(default, f"objects?kind=customer&tenant_id={tenant}&environment={environment}")["count"]
        for tenant in ("ten_main", "ten_other")
        for environment in ("sandbox", "live")
    ]
    assert found == [2, 1, 1, 0]


def test_secret_in_an_object_is_hidden(fake: Fake) -> None:
    """A client may put one anywhere."""
    secret = WELL_KNOWN[0].secret
    answer = fake.call("POST", "/v1/customers", fake.secret(), key="c", json={"email": "a@b.example", "name": secret})
    identifier = (answer.json or {})["id"]
    for path in ("objects?kind=customer", f"objects/{identifier}"):
        text = fake.client.get(f"{fake.control_base}/{path}").text
        assert (secret in text, "[redacted]" in text) == (False, True)


def test_looking_changes_no_snapshot(fake: Fake) -> None:
    """Also where nothing is."""
    tenant = fake.tenant()
    before = read(fake, "snapshot")
    read(fake, f"objects?kind=invoice&tenant_id={tenant}&environment=live")
    assert read(fake, "snapshot") == before
