"""Snapshots: a namespace's state as a document, from which the same state is made again."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final

import pytest
from werkzeug.test import Client

from helpers.fake import Fake
from paylera_mock.app import create_app
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.namespaces.snapshot_check import parse_snapshot

Another = Callable[[], Fake]

CUSTOMERS: Final = "/v1/customers"
MARY: Final = {"email": "mary@example.com"}
ENDPOINT: Final = {"url": "https://example.com/hook", "events": ["invoice.finalized"]}
DAY: Final = 86400


def taken(fake: Fake) -> dict[str, Any]:
    """The snapshot of a namespace."""
    answer = fake.client.get(f"{fake.control_base}/snapshot")
    assert answer.status_code == 200
    return dict(answer.json or {})


def restored(fake: Fake, snapshot: dict[str, Any]) -> Fake:
    """A namespace into which a snapshot was put."""
    answer = fake.client.put(f"{fake.control_base}/snapshot", json=snapshot)
    assert answer.status_code == 204, answer.text
    return fake


def lived_in(fake: Fake) -> str:
    """Do something of every kind; a secret that may do everything."""
    secret, admin = fake.secret(), fake.admin()
    fake.call("POST", CUSTOMERS, secret, key="first", json=MARY)
    fake.call("POST", "/v1/admin/webhook-endpoints", admin, key="hook", json=ENDPOINT)
    fake.actor(name="Ada")
    fake.made("payment")
    fake.made("subscription", status="trialing")
    fake.rotate(fake.token("*")["id"], admin)
    fake.release("2027-01-01")
    fake.advance(90)
    return secret


def test_what_is_restored_is_what_was_taken(fake: Fake, namespace: Another) -> None:
    """The snapshot of the copy is the same document."""
    lived_in(fake)
    snapshot = taken(fake)
    assert taken(restored(namespace(), snapshot)) == snapshot


def test_the_default_namespace_can_be_taken_too(default: Fake) -> None:
    """With everything that it has from the start."""
    snapshot = taken(default)
    other = type(default)(Client(create_app()))
    assert taken(restored(other, snapshot)) | {"clock": None} == snapshot | {"clock": None}


def test_a_snapshot_says_what_it_is(fake: Fake) -> None:
    """So that a later program knows an earlier file."""
    snapshot = taken(fake)
    assert (snapshot["schema"], snapshot["kind"], bool(snapshot["version"])) == (1, "snapshot", True)


def test_no_secret_is_in_it(fake: Fake) -> None:
    """Neither that of a token nor that of a webhook endpoint, even if an answer that is remembered had one."""
    admin = fake.admin()
    hook = fake.call("POST", "/v1/admin/webhook-endpoints", admin, key="hook", json=ENDPOINT).json or {}
    made = {"name": "ci", "audience": "service", "scopes": ["customers:read"]}
    token = fake.call("POST", "/v1/admin/api-tokens", admin, key="token", json=made).json or {}
    text = fake.client.get(f"{fake.control_base}/snapshot").text
    assert [secret for secret in (admin, hook["secret"], token["secret"]) if secret in text] == []


def test_tokens_work_on(fake: Fake, namespace: Another) -> None:
    """At the address of the namespace that they were restored in."""
    secret = lived_in(fake)
    assert restored(namespace(), taken(fake)).call("GET", CUSTOMERS, secret).status_code == 200


def test_a_grace_ends_when_it_would_have(fake: Fake, namespace: Another) -> None:
    """The clock comes with the rest."""
    token = fake.token("*")
    fake.rotate(token["id"], fake.admin())
    fake.advance(DAY - 1)
    other = restored(namespace(), taken(fake))
    before = other.call("GET", CUSTOMERS, token["secret"]).status_code
    other.advance(1)
    assert (before, other.call("GET", CUSTOMERS, token["secret"]).status_code) == (200, 401)


def test_a_key_is_answered_as_it_was(fake: Fake, namespace: Another) -> None:
    """To the byte."""
    secret = fake.secret()
    first = fake.call("POST", CUSTOMERS, secret, key="first", json=MARY)
    again = restored(namespace(), taken(fake)).call("POST", CUSTOMERS, secret, key="first", json=MARY)
    assert (again.status_code, again.data) == (first.status_code, first.data)


def test_a_page_goes_on_where_it_ended(fake: Fake, namespace: Another) -> None:
    """The order of objects is kept, and so are cursors."""
    secret = fake.secret()
    for number in range(3):
        fake.call("POST", CUSTOMERS, secret, key=str(number), json=MARY)
    page = fake.call("GET", f"{CUSTOMERS}?limit=1", secret).json or {}
    path = f"{CUSTOMERS}?limit=1&cursor={page['next_cursor']}"
    expected = fake.call("GET", path, secret).data
    assert restored(namespace(), taken(fake)).call("GET", path, secret).data == expected


def test_what_was_to_happen_happens(default: Fake, namespace: Another) -> None:
    """The end of a trial, by the clock."""
    trial = {"customer_id": "cus_ada", "plan_code": "pro-monthly-usd", "trial_days": 1}
    secret = default.secret()
    made = default.call("POST", "/v1/subscriptions", secret, key="trial", json=trial).json or {}
    other = restored(namespace(), taken(default))
    other.advance(DAY)
    now = other.call("GET", f"/v1/subscriptions/{made['id']}", secret).json or {}
    assert (made["status"], now["status"]) == ("trialing", "active")


def test_what_changes_in_the_copy_changes_there_alone(fake: Fake, namespace: Another) -> None:
    """Nor does a document that is loaded twice tie its copies together."""
    secret = fake.secret()
    made = fake.call("POST", CUSTOMERS, secret, key="first", json=MARY).json or {}
    snapshot = taken(fake)
    one, other = restored(namespace(), snapshot), restored(namespace(), snapshot)
    one.call("PATCH", f"{CUSTOMERS}/{made['id']}", secret, key="change", json={"name": "Mary"})
    names = [(each.call("GET", f"{CUSTOMERS}/{made['id']}", secret).json or {})["name"] for each in (one, other, fake)]
    assert names == ["Mary", None, None]


def test_a_token_still_leads_home(app: Any, fake: Fake, namespace: Another) -> None:
    """Without `/ns/<id>`, its namespace is the one that it was minted in, also when the copy is gone."""
    secret = fake.secret()
    other = restored(namespace(), taken(fake))
    client = Client(app)
    client.delete(f"/_mock/namespaces/{other.base.removeprefix('/ns/')}")
    assert client.get(CUSTOMERS, headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_a_reset_goes_back_to_the_start_and_not_to_the_snapshot(fake: Fake, namespace: Another) -> None:
    """As it does everywhere."""
    other = namespace()
    secret = fake.secret()
    restored(other, taken(fake))
    other.control("POST", "reset")
    assert other.call("GET", CUSTOMERS, secret).status_code == 401


def test_a_seeded_fake_draws_no_id_again() -> None:
    """Its stream would begin with the ids that the snapshot's objects have."""
    clients = [Client(create_app(seed=7)) for _ in range(2)]
    first = clients[0].post("/_mock/customers", json={}).json
    clients[1].put("/_mock/snapshot", json=clients[0].get("/_mock/snapshot").json)
    assert clients[1].post("/_mock/customers", json={}).json != first


def test_a_restored_seeded_fake_is_reproducible() -> None:
    """One seed and one snapshot: one continuation."""
    clients = [Client(create_app(seed=7)) for _ in range(2)]
    snapshot = clients[0].get("/_mock/snapshot").json
    made = [(c.put("/_mock/snapshot", json=snapshot), c.post("/_mock/customers", json={}).json)[1] for c in clients]
    assert made[0] == made[1]


def changed(snapshot: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A snapshot with one member changed, which a dotted path names."""
    document = copy.deepcopy(snapshot)
    *heads, last = path.split(".")
    inner: Any = document
    for head in heads:
        inner = inner[int(head)] if isinstance(inner, list) else inner[head]
    inner[last] = value
    return document


FLAWS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("clock", 7, "clock"),
    ("clock.epoch", -1, "clock.epoch"),
    ("main_tenant", "ten_nobody", "main_tenant"),
    ("versions", [], "versions"),
    ("versions.0.version", "tomorrow", "versions"),
    ("tokens.0.grant", {"tenant_id": "t", "audience": "robot", "scopes": []}, "tokens[0].grant.audience"),
    ("tokens.0.secrets", [], "tokens[0].secrets"),
    ("tokens.0.default_version", "2001-01-01", "tokens[0].default_version"),
    ("objects.0.kinds", {"unicorn": []}, "objects[0].kinds"),
    ("objects.0.sequence", "many", "objects[0].sequence"),
    ("idempotency", [{}], "idempotency[0].key"),
    ("schema", 2, "schema"),
    ("kind", "seed", "kind"),
)
"""A member, what is put there, and the place that the refusal names."""


@pytest.mark.parametrize(("path", "value", "place"), FLAWS)
def test_a_flawed_snapshot_is_refused_with_its_place(fake: Fake, path: str, value: Any, place: str) -> None:
    """And nothing changes."""
    lived_in(fake)
    snapshot = taken(fake)
    answer = fake.client.put(f"{fake.control_base}/snapshot", json=changed(snapshot, path, value))
    named = [error["field"] for error in (answer.json or {})["errors"]]
    assert (answer.status_code, named, taken(fake) == snapshot) == (422, [place], True)


def test_an_object_without_id_is_refused() -> None:
    """It could not be found again."""
    snapshot = Client(create_app()).get("/_mock/snapshot").json or {}
    kind = next(iter(snapshot["objects"][0]["kinds"]))
    snapshot["objects"][0]["kinds"][kind][0]["value"].pop("id")
    with pytest.raises(InvalidInputError, match="which is a string") as raised:
        parse_snapshot(snapshot)
    assert raised.value.place == f"objects[0].kinds.{kind}[0].value.id"


@pytest.mark.parametrize("data", [None, [], "snapshot", {}])
def test_what_is_no_snapshot_is_refused(data: Any) -> None:
    """Whatever it is."""
    with pytest.raises(InvalidInputError):
        parse_snapshot(data)


def test_a_large_snapshot_fits(fake: Fake, namespace: Another) -> None:
    """Beyond the limit of the API's bodies."""
    secret = fake.secret()
    metadata = {f"key{number}": "x" * 500 for number in range(50)}
    for number in range(50):
        fake.call("POST", CUSTOMERS, secret, key=str(number), json=MARY | {"metadata": metadata})
    snapshot = taken(fake)
    assert taken(restored(namespace(), snapshot)) == snapshot


def test_health_tells_of_the_fake(app: Any, fake: Fake) -> None:
    """It is there, of a version, for a while, with namespaces."""
    health = Client(app).get(f"{fake.control_base}/health").json or {}
    assert (health["status"], health["uptime_seconds"] >= 0, health["namespaces"] >= 2) == ("ok", True, True)
