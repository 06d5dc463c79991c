"""What was refused is told by kinds, over every namespace there is or was, and so is how much was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.fake import Fake

CUSTOMERS = "/v1/customers"


def refusals(fake: Fake, query: str = "") -> dict[str, Any]:
    """What the call answers."""
    answer = fake.client.get(f"{fake.control_base}/refusals{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_a_refusal_is_told_with_its_hint(fake: Fake) -> None:
    """By call, token, problem, and how often."""
    fake.call("GET", f"{CUSTOMERS}/cus_1")
    fake.call("GET", f"{CUSTOMERS}/cus_2")
    fake.call("GET", CUSTOMERS, fake.secret())
    found = refusals(fake)
    (refusal,) = found["data"]
    assert (refusal["method"], refusal["route"], refusal["status"]) == ("GET", "/v1/customers/{id}", 401)
    assert (refusal["problem"], refusal["count"], found["requests"]) == ("auth.missing_token", 2, 3)
    assert "paylera-mock tokens" in refusal["hint"]


def test_a_flawed_body_is_told_by_its_member(fake: Fake) -> None:
    """Which is the hint that there is."""
    fake.call("POST", CUSTOMERS, fake.secret(), key="key", json={"email": 1})
    assert refusals(fake)["data"][0]["hint"] == "email: This has the wrong type: it must be a string."


def test_what_a_fault_answers_is_no_refusal(fake: Fake) -> None:
    """The test has asked for it."""
    fake.control("POST", "faults", action="answer")
    fake.call("GET", CUSTOMERS)
    assert (refusals(fake)["data"], refusals(fake)["requests"]) == ([], 1)


def test_all_has_those_of_namespaces_that_are_gone(default: Fake) -> None:
    """And of what was before a reset."""
    made = default.control("POST", "namespaces").json or {}
    other = type(default)(default.client, f"/ns/{made['id']}")
    other.call("GET", CUSTOMERS)
    default.client.delete(f"/_mock/namespaces/{made['id']}")
    default.call("GET", "/v1/plans")
    default.control("POST", "reset")
    default.call("GET", "/v1/wallets")
    found = refusals(default, "?scope=all")
    routes = sorted(refusal["route"] for refusal in found["data"])
    assert (routes, found["requests"]) == ([CUSTOMERS, "/v1/plans", "/v1/wallets"], 3)


def test_the_latest_are_listed(fake: Fake) -> None:
    """And all are counted."""
    for path in (CUSTOMERS, "/v1/plans", "/v1/wallets"):
        fake.call("GET", path)
    found = refusals(fake, "?limit=2")
    assert ([refusal["route"] for refusal in found["data"]], found["kinds"]) == (["/v1/plans", "/v1/wallets"], 3)


@pytest.mark.parametrize("call", ["refusals", "journal", "faults"])
def test_a_namespace_knows_nothing_of_the_others(fake: Fake, call: str) -> None:
    """So that it cannot ask for all."""
    answer = fake.client.get(f"{fake.control_base}/{call}?scope=all")
    assert (answer.status_code, (answer.json or {})["errors"][0]["field"]) == (422, "scope")


def test_the_journals_of_all_are_listed_in_one(default: Fake) -> None:
    """In the order in which the requests came, each with its namespace."""
    made = default.control("POST", "namespaces").json or {}
    other = type(default)(default.client, f"/ns/{made['id']}")
    other.call("GET", CUSTOMERS)
    default.call("GET", "/v1/plans")
    other.call("GET", "/v1/wallets")
    found = default.client.get("/_mock/journal?scope=all").json or {}
    told = [(entry["namespace"], entry["path"]) for entry in found["data"]]
    assert told == [(made["id"], CUSTOMERS), (None, "/v1/plans"), (made["id"], "/v1/wallets")]


def test_the_last_of_all_journals_are_the_last_that_came(default: Fake) -> None:
    """So many, wherever they were sent: not so many of each namespace."""
    made = default.control("POST", "namespaces").json or {}
    other = type(default)(default.client, f"/ns/{made['id']}")
    for fake in (default, other, other, default):
        fake.call("GET", CUSTOMERS)
    found = default.client.get("/_mock/journal?scope=all&limit=3").json or {}
    assert [(entry["namespace"], entry["number"]) for entry in found["data"]] == [
        (made["id"], 1),
        (made["id"], 2),
        (None, 2),
    ]
    assert (found["matched"], found["count"]) == (4, 4)


def test_faults_that_never_happened_are_told(fake: Fake) -> None:
    """Also where they were taken back."""
    ids = [
        (fake.control("POST", "faults", action="answer", **more).json or {})["id"]
        for more in ({"route": "/v1/plans"}, {"nth": 2}, {})
    ]
    fake.call("GET", CUSTOMERS)
    fake.client.delete(f"{fake.control_base}/faults/{ids[0]}")
    told = (fake.control("GET", "faults").json or {})["never_struck"]
    assert told == [
        f"{ids[0]}: answer at before_auth, /v1/plans",
        f"{ids[1]}: answer at before_auth, any request, from request 2 on",
    ]
