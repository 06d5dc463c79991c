"""What the control API shows of deliveries, what it can do about them, and what bounds them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from helpers.waiting import PATIENCE_SECONDS
from helpers.webhooks import Hooks, Receiver


def test_a_delivery_can_be_repeated(hooks: Hooks, receiver: Receiver) -> None:
    """The same event, in a delivery of its own."""
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [first] = hooks.deliveries()
    again = hooks.fake.control("POST", "webhooks/redeliver", delivery_id=first["id"]).json or {}
    hooks.flush()
    bodies = {body for *_, body in receiver.received}
    assert (again["event_id"], again["id"] != first["id"], len(receiver.received), len(bodies)) == (
        first["event_id"],
        True,
        2,
        1,
    )


def test_no_delivery_of_that_id_is_repeated(hooks: Hooks) -> None:
    """It says where ids are found."""
    answer = hooks.fake.control("POST", "webhooks/redeliver", delivery_id="del_none")
    error = (answer.json or {})["errors"][0]
    assert (answer.status_code, error["field"], "webhooks/deliveries" in error["message"]) == (422, "delivery_id", True)


def test_deliveries_are_narrowed_down(hooks: Hooks, receiver: Receiver) -> None:
    """By endpoint, type and state."""
    receiver.answers = [500]
    endpoint = hooks.register(receiver.url, "customer.*")
    secret = hooks.fake.secret()
    hooks.rename(secret, hooks.customer(secret))
    hooks.customer(secret, "grace@example.com")
    hooks.flush()
    queries = (
        f"?endpoint={endpoint['id']}",
        "?type=invoice.paid",
        "?type=customer.updated",
        "?type=customer.*",
        "?state=delivered",
    )
    assert [len(hooks.deliveries(query)) for query in queries] == [3, 0, 1, 3, 1]


def test_a_state_that_is_none_is_refused(hooks: Hooks) -> None:
    """With those that are."""
    answer = hooks.fake.client.get(f"{hooks.fake.control_base}/webhooks/deliveries?state=lost")
    assert (answer.status_code, "delivered" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("endpoint=we_none", "no such webhook endpoint"),
        ("type=customer.create", "did you mean customer.created?"),
        ("typ=customer.*", "Did you mean type?"),
    ],
)
def test_a_filter_for_what_is_not_there_is_refused(hooks: Hooks, query: str, said: str) -> None:
    """An empty list, or one of everything, would look like an answer."""
    answer = hooks.fake.client.get(f"{hooks.fake.control_base}/webhooks/deliveries?{query}")
    assert (answer.status_code, said in answer.text) == (422, True), answer.text


def test_one_delivery_shows_its_event(hooks: Hooks, receiver: Receiver) -> None:
    """As it was sent."""
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [listed] = hooks.deliveries()
    shown = hooks.fake.client.get(f"{hooks.fake.control_base}/webhooks/deliveries/{listed['id']}").json or {}
    missing = hooks.fake.client.get(f"{hooks.fake.control_base}/webhooks/deliveries/del_none")
    assert (shown, missing.status_code) == ({**listed, "event": receiver.events[0]}, 404)


def test_a_secret_is_nowhere_to_be_seen(hooks: Hooks, receiver: Receiver) -> None:
    """Neither in what is sent, nor in what is listed; nor a token that an event holds."""
    endpoint = hooks.register(receiver.url)
    secret = hooks.fake.secret()
    hooks.fake.call("POST", "/v1/customers", secret, key="k", json={"email": "ada@example.com", "name": secret})
    hooks.flush()
    listed = [
        hooks.fake.client.get(f"{hooks.fake.control_base}/webhooks/deliveries/{each['id']}").text
        for each in hooks.deliveries()
    ]
    sent = [str(headers) + body.decode() for _, headers, body in receiver.received]
    state = hooks.namespace.state
    shown = repr(state) + repr(list(state.webhooks))
    assert [text for text in (*listed, *sent, shown) if endpoint["secret"] in text] == []
    assert [text for text in listed if secret in text] == []


def test_flushing_waits_no_longer_than_asked(hooks: Hooks, receiver: Receiver) -> None:
    """A receiver that hangs holds up neither the caller nor the API."""
    receiver.go_on.clear()
    hooks.register(receiver.url, "customer.created")
    secret = hooks.fake.secret()
    hooks.customer(secret)
    counts = hooks.flush(timeout_seconds=0)
    status = hooks.fake.call("GET", "/v1/customers", secret).status_code
    receiver.go_on.set()
    assert (counts["idle"], status, hooks.flush()["delivered"]) == (False, 200, 1)


@pytest.mark.parametrize("seconds", [-1, 61, "1"])
def test_flushing_has_its_bounds(hooks: Hooks, seconds: Any) -> None:
    """A minute at most."""
    assert hooks.fake.control("POST", "webhooks/flush", timeout_seconds=seconds).status_code == 422


def test_a_running_clock_needs_nobody_to_push(running: Hooks, receiver: Receiver) -> None:
    """Neither for the first attempt, nor for what falls due later."""
    running.register(receiver.url, "payment.*")
    running.pay(running.fake.secret(), running.fake.made("invoice"), payment_method_id="tok_visa_chargeback")
    first = receiver.wait_for("payment.succeeded")
    running.fake.advance(59.9)
    assert (first, receiver.wait_for("payment.charged_back")) == (True, True)


def test_nobody_waits_where_nothing_can_come(hooks: Hooks, receiver: Receiver) -> None:
    """A clock that stands still needs no thread."""
    others = set(threading.enumerate())
    hooks.register(receiver.url, "customer.created")
    receiver.answers = [500]
    hooks.customer(hooks.fake.secret())
    started = [each for each in set(threading.enumerate()) - others if each.name == "paylera-webhooks"]
    hooks.flush()
    for each in started:
        each.join(PATIENCE_SECONDS)
    assert [each for each in started if each.is_alive()] == []


def test_deliveries_are_bounded(with_terms: Callable[..., Hooks], receiver: Receiver) -> None:
    """Those that wait and those that are remembered; each says what became of it."""
    hooks = with_terms(pending=2, kept=3)
    receiver.answers = [500] * 10
    hooks.register(receiver.url, "customer.*")
    secret = hooks.fake.secret()
    for name in "abcde":
        hooks.customer(secret, f"{name}@example.com")
        hooks.flush()
    found = [(listed["state"], listed["reason"]) for listed in hooks.deliveries()]
    assert found == [("pending", None)] * 2 + [("dropped", "2 deliveries were waiting already")]


def test_an_event_that_is_too_large_is_not_sent(with_terms: Callable[..., Hooks], receiver: Receiver) -> None:
    """But remembered with the reason."""
    hooks = with_terms(body_limit=100)
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [listed] = hooks.deliveries()
    assert (listed["state"], listed["reason"], receiver.received) == (
        "not_sent",
        "the event is larger than 100 bytes",
        [],
    )


def test_another_policy_changes_the_terms_of_delivery(hooks: Hooks, receiver: Receiver) -> None:
    """From then on, for endpoints that were registered before too."""
    hooks.register(receiver.url, "customer.created")
    policy = hooks.namespace.policy
    hooks.namespace.state.adopt(policy.but(webhooks=replace(policy.webhooks, pending=0)))
    hooks.customer(hooks.fake.secret())
    assert [delivery["reason"] for delivery in hooks.deliveries()] == ["0 deliveries were waiting already"]


def test_a_receiver_that_hangs_holds_up_none_of_the_others(hooks: Hooks, receiver: Receiver, other: Receiver) -> None:
    """Its own events wait for it, and those of other endpoints do not."""
    receiver.go_on.clear()
    hooks.register(receiver.url, "customer.created")
    hooks.register(other.url, "customer.created", "customer.deleted")
    secret = hooks.fake.secret()
    hooks.customer(secret)
    assert receiver.wait_for("customer.created")
    customer = hooks.customer(secret, "grace@example.com")
    hooks.fake.call("DELETE", f"/v1/customers/{customer}", secret)
    assert other.wait_for("customer.deleted")
    assert (len(receiver.received), other.types.count("customer.created")) == (1, 2)
    receiver.go_on.set()
    assert hooks.flush()["delivered"] == 5


def test_a_receiver_that_hangs_holds_up_no_retry_of_another(hooks: Hooks, receiver: Receiver, other: Receiver) -> None:
    """Which is due while the first is still attempted."""
    other.answers = [500]
    hooks.register(other.url, "customer.created")
    secret = hooks.fake.secret()
    hooks.customer(secret)
    hooks.flush()
    receiver.go_on.clear()
    hooks.register(receiver.url, "customer.deleted")
    customer = hooks.customer(secret, "grace@example.com")
    hooks.fake.call("DELETE", f"/v1/customers/{customer}", secret)
    assert receiver.wait_for("customer.deleted")
    hooks.fake.advance(15)
    assert other.wait_for_count(3)
    receiver.go_on.set()
    assert hooks.flush()["pending"] == 0
