"""Tokens as who runs the fake sees them: listed, rotated and revoked without an admin token; and who may call what."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.operations import OPERATIONS


def listed(fake: Fake, path: str = "tokens") -> dict[str, Any]:
    """What a call is answered with."""
    answer = fake.client.get(f"{fake.control_base}/{path}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def permission(fake: Fake, operation: str, token: str) -> str | None:
    """The code by which a token is refused on an operation; `None` where it is not."""
    [row] = listed(fake, f"permissions?operation={operation}")["operations"]
    problem: str | None = next(each["problem"] for each in row["permissions"] if each["token"] == token)
    return problem


def test_tokens_are_listed_newest_first_in_pages(fake: Fake) -> None:
    """Without their secrets."""
    made = [fake.token("*", name=f"n{number}") for number in range(3)]
    first = listed(fake, "tokens?limit=1")
    second = listed(fake, f"tokens?limit=1&cursor={first['next_cursor']}")
    last = listed(fake, f"tokens?cursor={second['next_cursor']}")
    names = [[each["name"] for each in page["data"]] for page in (first, second, last)]
    assert (names, second["count"], last["next_cursor"]) == ([["n2"], ["n1"], ["n0"]], 3, None)
    assert made[1]["secret"] not in str(second)


def test_token_tells_its_former_secrets(fake: Fake) -> None:
    """And for how long each still works, by the clock of the namespace."""
    token = fake.token("*")
    fake.control("POST", f"tokens/{token['id']}/rotate")
    fake.advance(3600)
    found = listed(fake, f"tokens/{token['id']}")
    [former] = found["former_secrets"]
    assert (found["state"], former["last4"], former["seconds_left"]) == ("grace", token["secret"][-4:], 82800)
    fake.advance(82800)
    assert listed(fake, f"tokens/{token['id']}")["state"] == "active"


def test_rotated_token_has_two_secrets_for_the_grace(fake: Fake) -> None:
    """As by the Admin API."""
    token = fake.token("*")
    new = fake.control("POST", f"tokens/{token['id']}/rotate").json or {}
    statuses = [fake.call("GET", "/v1/customers", secret).status_code for secret in (token["secret"], new["secret"])]
    fake.advance(86401)
    after = fake.call("GET", "/v1/customers", token["secret"]).json or {}
    assert (statuses, after["problem"]) == ([200, 200], "auth.expired_token")


def test_revoked_token_ends_at_once(fake: Fake) -> None:
    """With every secret, and cannot be revoked or rotated again."""
    token = fake.token("*")
    assert fake.control("DELETE", f"tokens/{token['id']}").status_code == 204
    assert fake.call("GET", "/v1/customers", token["secret"]).status_code == 401
    assert fake.control("DELETE", f"tokens/{token['id']}").status_code == 404
    assert fake.control("POST", f"tokens/{token['id']}/rotate").status_code == 404
    assert listed(fake, f"tokens/{token['id']}")["state"] == "revoked"


@pytest.mark.parametrize(("method", "path"), [("GET", "x"), ("DELETE", "x"), ("POST", "x/rotate"), ("POST", "/rotate")])
def test_unknown_token_is_not_found(fake: Fake, method: str, path: str) -> None:
    """As a problem document."""
    assert fake.control(method, f"tokens/{path}").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=-1", "cursor=x", "page=2", "offset=0"])
def test_wrong_page_is_refused(fake: Fake, query: str) -> None:
    """With what it must be."""
    assert fake.client.get(f"{fake.control_base}/tokens?{query}").status_code == 422


def test_namespaces_are_listed_newest_first(default: Fake) -> None:
    """With where each is, and what is in it."""
    ids = [(default.control("POST", "namespaces").json or {})["id"] for _ in range(3)]
    other = Fake(default.client, f"/ns/{ids[1]}", f"/ns/{ids[1]}/live")
    other.call("GET", "/v1/customers", other.secret())
    found = listed(default, "namespaces?limit=2")
    assert ([each["id"] for each in found["data"]], found["count"]) == (ids[:0:-1], 3)
    assert (found["data"][1]["exchanges"], found["data"][1]["tokens"]) == (1, 1)
    assert found["data"][1]["control_url"].endswith(f"/ns/{ids[1]}/_mock")


def test_permissions_are_what_the_api_would_answer(fake: Fake) -> None:
    """By the very rules: audience, scope, assurance, revocation, the environment of the token."""
    reads, customer = fake.token("customers:read")["id"], fake.token("*", audience="customer")["id"]
    live, admin = fake.token("*", environment="live")["id"], fake.token("*", audience="admin", aal=2)["id"]
    found = {
        (name, token): permission(fake, operation, token)
        for name, operation in (("read", "get_customer"), ("write", "create_customer"), ("void", "void_invoice"))
        for token in (reads, customer, live, admin)
    }
    refused = {
        ("write", reads): "auth.scope_required",
        ("void", reads): "auth.scope_required",
        ("write", customer): "auth.audience_required",
        ("void", customer): "auth.audience_required",
        ("void", live): "auth.aal2_required",
    }
    assert {pair: problem for pair, problem in found.items() if problem} == refused


def test_permissions_leave_no_trace(fake: Fake) -> None:
    """Neither in the journal, nor on objects, rates or keys."""
    fake.secret()
    before = fake.client.get(f"{fake.control_base}/snapshot").json
    assert len(listed(fake, "permissions")["operations"]) == len(OPERATIONS)
    assert fake.client.get(f"{fake.control_base}/snapshot").json == before
    assert listed(fake, "journal")["count"] == 0


def test_permissions_do_not_end_with_the_rate(fake: Fake) -> None:
    """Who may is another question than how often."""
    token = fake.token("*")["id"]
    fake.control("POST", "rate-limits", enforced=True)
    refusals = {
        each["problem"]
        for _ in range(3)
        for row in listed(fake, "permissions")["operations"]
        for each in row["permissions"]
    }
    assert "rate_limit.exceeded" not in refusals
    assert permission(fake, "list_customers", token) is None


def test_mutant_shows_in_the_permissions(fake: Fake) -> None:
    """They are those of the fake as it is."""
    token = fake.token()["id"]
    fake.control("POST", "mutants", ids=["no-scope-needed"])
    assert permission(fake, "list_customers", token) is None
