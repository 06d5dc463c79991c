"""A snapshot is judged as a whole, before any of it is used: what is refused changes nothing, what is taken works."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from helpers.fake import Fake
from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import OPERATIONS
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.namespaces.initial_state import load_initial_state

Snapshot = dict[str, Any]

BEYOND_TIME: Final = 221_845_392_000

TWICE: Final = object()
"""Stands for: the element of a list in which this is put is there twice."""

HOSTILE: Final[tuple[tuple[str, Any], ...]] = (
    ("clock.epoch", -1),
    ("clock.epoch", BEYOND_TIME),
    ("clock.epoch", "now"),
    ("clock.running", 1),
    ("tenants.0", "two\r\nlines"),
    ("tenants.0", ""),
    ("tenants", TWICE),
    ("main_tenant", "ten_nobody"),
    ("versions", TWICE),
    ("versions.0.version", "2026-02-30"),
    ("versions.0.shipped", -62_135_596_801),
    ("versions.0.shipped", 1e300),
    ("tokens", TWICE),
    ("tokens.0.id", "tok_\n"),
    ("tokens.0.id", "whsec_abcdefghijklmnopqrstuvwxyz012345"),
    ("tokens.0.id", "tok/1"),
    ("tokens.0.sequence", 1),
    ("tokens.0.sequence", -1),
    ("tokens.0.sequence", 10**30),
    ("tokens.0.created_at", -1),
    ("tokens.0.rotated_at", 1e18),
    ("tokens.0.grant.tenant_id", "ten_nobody"),
    ("tokens.0.grant.aal", -1),
    ("tokens.0.grant.aal", 10**400),
    ("tokens.0.grant.scopes", "*"),
    ("tokens.0.secrets.0.expires_at", -5),
    ("tokens.0.secrets.0.digest", 7),
    ("tokens.0.default_version", "2001-01-01"),
    ("actors", TWICE),
    ("actors.0.tenant_id", "ten_nobody"),
    ("actors.0.entries", TWICE),
    ("actors.0.entries.0.value.id", "actor\r\nSet-Cookie: a=b"),
    ("actors.0.entries.0.value.object", "customer"),
    ("objects", TWICE),
    ("objects.0.tenant_id", "ten_nobody"),
    ("objects.0.environment", "staging"),
    ("objects.0.sequence", -1),
    ("objects.0.kinds.customer", TWICE),
    ("objects.0.kinds.customer.0.sequence", 2**60),
    ("objects.0.kinds.customer.0.value.id", ["cus"]),
    ("objects.0.kinds.customer.0.value.customer_id", "cus_another"),
    ("objects.0.kinds.customer.0.value.default_payment_method_id", 5),
    ("objects.0.kinds.invoice.0.value.status", "lost"),
    ("objects.0.kinds.invoice.0.value.currency", "XXX"),
    ("objects.0.kinds.invoice.0.value.payments", None),
    ("objects.0.kinds.invoice.0.value.amount_due", "NaN"),
    ("objects.0.kinds.payment.0.value.amount", 100),
    ("objects.0.kinds.payment.0.value.refunds", [{"amount": "-1.00"}]),
    ("objects.0.kinds.payment.0.value.payment_method_id", {}),
    ("objects.0.kinds.wallet.0.value.balance", "9" * 5000),
    ("objects.0.kinds.plan.0.value.trial_days", 10**9),
    ("objects.0.kinds.plan.0.value.code", []),
    ("objects.0.kinds.subscription.0.value.status", None),
    ("objects.0.kinds.webhook_endpoint.0.value.url", "file:///etc/passwd"),
    ("objects.0.kinds.webhook_endpoint.0.value.events", "invoice.paid"),
    ("objects.0.kinds.webhook_endpoint.0.value.status", "on"),
    ("objects.0.kinds.api_token", []),
    ("objects.0.kinds.refund", [{"sequence": 1, "value": {"id": "re_1"}}]),
    ("idempotency", TWICE),
    ("idempotency.0.key", []),
    ("idempotency.0.key.0", {}),
    ("idempotency.0.first_used", -1),
    ("idempotency.0.answer.status", 99),
    ("idempotency.0.answer.status", 600),
    ("idempotency.0.answer.body", "!"),
    ("idempotency.0.answer.headers", [["A", "b\r\nC: d"]]),
    ("idempotency.0.answer.headers", [["A b", "c"]]),
    ("idempotency.0.answer.headers", [["Content-Length", "5"]]),
    ("agenda.0.at", -1),
    ("agenda.0.at", 1e300),
    ("agenda.0.tenant_id", "ten_nobody"),
    ("agenda.0.effect", "explode"),
    ("tokns", []),
    ("clock.zone", "UTC"),
    ("tokens.0.rotated", None),
    ("tokens.0.grant.audiences", []),
    ("objects.0.kinds.customer.0.values", {}),
    ("idempotency.0.answer.state", 200),
)
"""A member of a good snapshot, and what is put there."""


@pytest.fixture
def snapshot(fake: Fake) -> Snapshot:
    """One of a namespace in which everything was done once."""
    secret, admin = fake.secret(), fake.admin()
    fake.call("POST", "/v1/customers", secret, key="first", json=EXAMPLES["create_customer"])
    endpoint = {"url": "https://hooks.example/", "events": ["*"]}
    fake.call("POST", "/v1/admin/webhook-endpoints", admin, key="hook", json=endpoint)
    fake.actor(name="Ada")
    fake.made("payment")
    fake.made("wallet")
    fake.made("subscription")
    fake.rotate(fake.token("*")["id"], admin)
    listed = (fake.call("GET", "/v1/subscriptions", secret).json or {})["data"][0]
    trial = {"customer_id": listed["customer_id"], "plan_code": listed["plan_code"], "trial_days": 30}
    fake.call("POST", "/v1/subscriptions", secret, key="trial", json=trial)
    return taken(fake)


def taken(fake: Fake) -> Snapshot:
    """The snapshot of a namespace."""
    return dict(fake.client.get(f"{fake.control_base}/snapshot").json or {})


def spoiled(snapshot: Snapshot, path: str, value: Any) -> Snapshot:
    """The same with another value in one place."""
    document = copy.deepcopy(snapshot)
    *heads, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = document
    for head in heads:
        inner = inner[head]
    inner[last] = [inner[last][0], *inner[last]] if value is TWICE else value
    return document


def walked(fake: Fake) -> set[int]:
    """Every operation and the reads of the control API, after a while: the classes of the answers."""
    fake.advance(40 * 86_400)
    admin = fake.admin()
    calls = [
        fake.call(each.method, each.concrete("x"), admin, key=each.id, json=EXAMPLES.get(each.id, {})).status_code
        for each in OPERATIONS
    ]
    reads = [fake.client.get(f"{fake.control_base}/{call}").status_code for call in ("snapshot", "clock/instants")]
    return {status // 100 for status in (*calls, *reads)}


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_a_hostile_snapshot_is_refused(fake: Fake, snapshot: Snapshot, path: str, value: Any) -> None:
    """With the place of the flaw; and the fake is as it was."""
    answer = fake.client.put(f"{fake.control_base}/snapshot", json=spoiled(snapshot, path, value))
    named = re.split(r"\W", (answer.json or {})["errors"][0]["field"])[0]
    assert (answer.status_code, named) == (422, path.partition(".")[0])
    assert taken(fake) == snapshot
    assert 5 not in walked(fake)


def test_an_unknown_member_is_refused_by_what_may_be_meant(fake: Fake, snapshot: Snapshot) -> None:
    """What it says would be lost without a word."""
    answer = fake.client.put(f"{fake.control_base}/snapshot", json=spoiled(snapshot, "tokens.0.rotated", None))
    assert "Did you mean rotated_at?" in (answer.json or {})["errors"][0]["message"]


def test_whatever_get_gives_put_takes(fake: Fake, snapshot: Snapshot, namespace: Callable[[], Fake]) -> None:
    """Also what tests make that is odd: no limit of the one is tighter than what the other lets in."""
    deep: Any = "end"
    for _ in range(28):
        deep = [deep]
    address = {"line1": "x", "extra": deep, "large": 10**30}
    odd = {"email": "a@example.com", "name": "\u2028\u00e9\U0001f600", "billing_address": address}
    assert fake.call("POST", "/v1/customers", fake.secret(), key="k" * 255, json=odd).status_code == 201
    fake.token("no such scope", "", name="odd\nname", aal=7, customer_id="cus_nobody")
    copied, before = namespace(), fake.client.get(f"{fake.control_base}/snapshot").data
    answer = copied.client.put(f"{copied.control_base}/snapshot", data=before, content_type="application/json")
    assert (answer.status_code, copied.client.get(f"{copied.control_base}/snapshot").data) == (204, before)
    assert taken(fake) != snapshot


def text_with(value: str) -> Callable[[Path], object]:
    """Makes a snapshot file with something that is no JSON of ours in the place of its version."""
    return lambda path: path.write_text(f'{{"schema": 1, "kind": "snapshot", "version": {value}}}')


FILES: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "pipe": (os.mkfifo, "cannot be read"),
    "endless": (lambda path: path.symlink_to("/dev/zero"), "cannot be read"),
    "folder": (Path.mkdir, "cannot be read"),
    "missing": (lambda _: None, "cannot be read"),
    "loop": (lambda path: path.symlink_to(path), "cannot be read"),
    "empty": (Path.touch, "no JSON"),
    "long number": (text_with("1" * 5000), "digits"),
    "NaN": (text_with("NaN"), "NaN"),
    "infinite": (text_with("-Infinity"), "-Infinity"),
    "too large": (text_with("1e999"), "too large"),
    "half a surrogate pair": (text_with('"\\ud83d"'), "surrogate"),
    "deep": (text_with("[" * 100_000), "nested too deep"),
    "twins": (text_with('"a", "version": "b"'), "twice"),
    "not UTF-8": (lambda path: path.write_bytes(b'{"schema": "\xff"}'), "UTF-8"),
    "UTF-16": (lambda path: path.write_bytes('{"schema": 1}'.encode("utf-16")), "UTF-8"),
    "cut short": (lambda path: path.write_text('{"schema": 1, '), "no JSON"),
    "a list": (lambda path: path.write_text("[]"), "JSON object"),
    "later schema": (lambda path: path.write_text('{"schema": 2, "kind": "snapshot"}'), "schema"),
    "other kind": (lambda path: path.write_text('{"schema": 1, "kind": "poem"}'), "kind"),
    "nothing in it": (lambda path: path.write_text('{"schema": 1, "kind": "snapshot"}'), "missing"),
}
"""Files that no fake begins with: how each is made, and what is said of it."""


@pytest.mark.parametrize(("make", "said"), FILES.values(), ids=FILES)
def test_a_hostile_file_is_refused_in_one_line(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    """At once, whatever it is, by what is to be changed."""
    path = tmp_path / "file.json"
    make(path)
    with pytest.raises(InvalidInputError) as raised:
        load_initial_state(path)
    assert (said in str(raised.value), "\n" in str(raised.value)) == (True, False)


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_a_hostile_snapshot_file_is_refused_in_one_line(
    tmp_path: Path, snapshot: Snapshot, path: str, value: Any
) -> None:
    """As by PUT."""
    file = tmp_path / "file.json"
    file.write_text(json.dumps(spoiled(snapshot, path, value)))
    with pytest.raises(InvalidInputError) as raised:
        load_initial_state(file)
    assert "\n" not in str(raised.value)
