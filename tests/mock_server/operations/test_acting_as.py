"""Acting for an operator, and the audit log."""

from __future__ import annotations

from typing import Any, Final

import pytest

from helpers.fake import Fake

CUSTOMERS: Final = "/v1/customers"
ADA: Final = {"email": "ada@example.com"}
LOG: Final = "/v1/admin/audit-log"


def acting(actor: str) -> dict[str, str]:
    """The header."""
    return {"X-Paylera-Acting-As": actor}


def log(fake: Fake, admin: str) -> list[dict[str, Any]]:
    """The audit log, the newest first."""
    return list((fake.call("GET", LOG, admin).json or {})["data"])


def test_a_known_actor_is_accepted(fake: Fake) -> None:
    """Clause acting-as.known-actor."""
    answer = fake.call("POST", CUSTOMERS, fake.secret(), key="k", json=ADA, headers=acting(fake.actor()))
    assert answer.status_code == 201


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("actor", ["actor_nobody", "", "nonsense", "actor_a,actor_b", "\x7f"])
def test_an_unknown_actor_is_refused(fake: Fake, method: str, actor: str) -> None:
    """On every request; an empty header is nobody (clauses acting-as.unknown-actor, acting-as.empty)."""
    answer = fake.call(method, CUSTOMERS, fake.secret(), key="k", json=ADA, headers=acting(actor))
    error = (answer.json or {})["errors"][0]
    assert (answer.status_code, error["field"], error["code"]) == (422, "X-Paylera-Acting-As", "actor.unknown")


def test_another_tenants_actor_is_unknown(fake: Fake) -> None:
    """Clause acting-as.other-tenant."""
    foreign = fake.actor(tenant_id=fake.tenant())
    assert fake.call("GET", CUSTOMERS, fake.secret(), headers=acting(foreign)).status_code == 422


def test_an_actor_is_known_in_both_environments(fake: Fake) -> None:
    """The registry is the tenant's."""
    secret = fake.secret(environment="live")
    assert fake.call("GET", CUSTOMERS, secret, live=True, headers=acting(fake.actor())).status_code == 200


def test_a_refused_actor_leaves_nothing_behind(fake: Fake) -> None:
    """No object, no record."""
    admin = fake.admin()
    fake.call("POST", CUSTOMERS, admin, key="k", json=ADA, headers=acting("actor_nobody"))
    assert (log(fake, admin), (fake.call("GET", CUSTOMERS, admin).json or {})["data"]) == ([], [])


def test_the_log_names_token_and_actor(fake: Fake) -> None:
    """Clause acting-as.audited."""
    token, actor, admin = fake.token("*"), fake.actor(), fake.admin()
    made = fake.call("POST", CUSTOMERS, token["secret"], key="k", json=ADA, headers=acting(actor)).json or {}
    record = log(fake, admin)[0]
    shown = {member: record[member] for member in ("token_id", "actor_id", "operation", "object_id", "path")}
    assert shown == {
        "token_id": token["id"],
        "actor_id": actor,
        "operation": "create_customer",
        "object_id": made["id"],
        "path": CUSTOMERS,
    }


def test_the_log_names_no_actor_where_there_is_none(fake: Fake) -> None:
    """Clause acting-as.absent."""
    admin = fake.admin()
    fake.call("POST", CUSTOMERS, admin, key="k", json=ADA)
    assert log(fake, admin)[0]["actor_id"] is None


def test_the_log_holds_no_reads_and_no_refusals(fake: Fake) -> None:
    """Audited are the accepted writes."""
    admin = fake.admin()
    fake.call("GET", CUSTOMERS, admin)
    fake.call("POST", CUSTOMERS, admin, key="k", json={})
    assert log(fake, admin) == []


def test_the_log_is_the_tenants(fake: Fake) -> None:
    """Another tenant's does not show it."""
    fake.call("POST", CUSTOMERS, fake.secret(), key="k", json=ADA)
    assert log(fake, fake.admin(tenant_id=fake.tenant())) == []


def test_actors_are_kept_through_the_api(fake: Fake) -> None:
    """Entered, listed, acted for, struck out."""
    admin = fake.admin()
    actor = (fake.call("POST", "/v1/admin/actors", admin, key="k", json={"name": "Ada"}).json or {})["id"]
    listed = [each["id"] for each in (fake.call("GET", "/v1/admin/actors", admin).json or {})["data"]]
    accepted = fake.call("GET", CUSTOMERS, admin, headers=acting(actor)).status_code
    deleted = fake.call("DELETE", f"/v1/admin/actors/{actor}", admin).status_code
    refused = fake.call("GET", CUSTOMERS, admin, headers=acting(actor)).status_code
    assert (listed, accepted, deleted, refused) == ([actor], 200, 204, 422)
