"""Deliveries that fail: again by the clock, in order, until they arrive or are given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from helpers.webhooks import Hooks, Receiver

DAY: Final = 24 * 60 * 60
ENDPOINTS: Final = "/v1/admin/webhook-endpoints"


def test_attempts_are_made_by_the_clock(hooks: Hooks, receiver: Receiver) -> None:
    """Nine, at the documented distances, and then no more."""
    receiver.answers = [500] * 20
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    counts = []
    for delay in (0, 15, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600, DAY, 9 * DAY):
        hooks.fake.advance(max(0, delay - 1))
        hooks.flush()
        before = len(receiver.received)
        hooks.fake.advance(min(1, delay))
        hooks.flush()
        counts.append((before, len(receiver.received)))
    [listed] = hooks.deliveries()
    assert counts == [(1, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 9)]
    assert (listed["state"], listed["next_attempt_at"], len(listed["attempts"])) == ("failed", None, 9)


def test_a_long_step_of_the_clock_makes_up_for_missed_attempts(hooks: Hooks, receiver: Receiver) -> None:
    """As many as would have been made, until one succeeds."""
    receiver.answers = [500] * 3
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.fake.advance(DAY)
    assert (hooks.flush()["delivered"], len(receiver.received)) == (1, 4)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 429, 500, 503])
def test_what_is_not_2xx_is_a_failure(hooks: Hooks, receiver: Receiver, status: int) -> None:
    """A redirect too, which is not followed."""
    receiver.answers = [status]
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    counts = hooks.flush()
    [listed] = hooks.deliveries()
    [attempt] = listed["attempts"]
    assert (counts["pending"], len(receiver.received)) == (1, 1)
    assert (attempt["outcome"], attempt["status"], listed["next_attempt_at"] > attempt["sent_at"]) == (
        "failed",
        status,
        True,
    )


def test_the_events_of_an_object_keep_their_order(hooks: Hooks, receiver: Receiver) -> None:
    """A later one waits while an earlier one is still being retried; another object's does not."""
    receiver.answers = [500]
    hooks.register(receiver.url, "customer.*")
    secret = hooks.fake.secret()
    ada = hooks.customer(secret)
    hooks.flush()
    hooks.rename(secret, ada)
    hooks.customer(secret, "grace@example.com")
    hooks.flush()
    waiting = [listed for listed in hooks.deliveries() if listed["waits_for"]]
    hooks.fake.advance(15)
    hooks.flush()
    assert [event["type"] for event in receiver.events if event["aggregate_id"] == ada] == [
        "customer.created",
        "customer.created",
        "customer.updated",
    ]
    assert (receiver.types[1], [listed["event_type"] for listed in waiting]) == (
        "customer.created",
        ["customer.updated"],
    )


def test_what_waited_for_a_lost_cause_is_delivered_after_it(hooks: Hooks, receiver: Receiver) -> None:
    """The order is kept, and nothing waits for ever."""
    receiver.answers = [500] * 9
    hooks.register(receiver.url, "customer.*")
    secret = hooks.fake.secret()
    hooks.rename(secret, hooks.customer(secret))
    hooks.fake.advance(3 * DAY)
    hooks.flush()
    assert [listed["state"] for listed in hooks.deliveries()] == ["failed", "delivered"]


def test_too_many_rejections_disable_an_endpoint(with_terms: Callable[..., Hooks], receiver: Receiver) -> None:
    """What waits is dropped; the event about it goes to the others."""
    hooks = with_terms(rejections=2)
    receiver.answers = [404, 410]
    receiver.go_on.clear()  # else a slow test would add the third customer to an endpoint that is disabled already
    hooks.register(f"{receiver.url}&second", "webhook_endpoint.disabled")
    endpoint = hooks.register(receiver.url, "customer.*")
    secret = hooks.fake.secret()
    for name in ("a", "b", "c"):
        hooks.customer(secret, f"{name}@example.com")
    receiver.go_on.set()
    hooks.flush()
    hooks.flush()
    status = (hooks.fake.call("GET", f"{ENDPOINTS}/{endpoint['id']}", hooks.fake.admin()).json or {})["status"]
    states = [listed["state"] for listed in hooks.deliveries(f"?endpoint={endpoint['id']}")]
    assert (status, states, receiver.types[-1]) == ("auto_disabled", ["dropped"] * 3, "webhook_endpoint.disabled")


def test_only_rejections_in_a_row_count(with_terms: Callable[..., Hooks], receiver: Receiver) -> None:
    """A 500 between them, and the count begins again."""
    hooks = with_terms(rejections=2)
    receiver.answers = [404, 500, 404]
    endpoint = hooks.register(receiver.url, "customer.*")
    hooks.customer(hooks.fake.secret())
    hooks.fake.advance(15 + 60)
    hooks.flush()
    found = hooks.fake.call("GET", f"{ENDPOINTS}/{endpoint['id']}", hooks.fake.admin()).json or {}
    assert (found["status"], len(receiver.received)) == ("enabled", 3)


def test_an_endpoint_that_is_enabled_again_has_a_clean_sheet(
    with_terms: Callable[..., Hooks], receiver: Receiver
) -> None:
    """One more rejection is the first."""
    hooks = with_terms(rejections=2)
    receiver.answers = [404, 404, 404]
    endpoint = hooks.register(receiver.url, "customer.*")
    secret, path = hooks.fake.secret(), f"{ENDPOINTS}/{endpoint['id']}"
    hooks.customer(secret)
    hooks.fake.advance(15)
    hooks.flush()
    hooks.fake.call("PATCH", path, hooks.fake.admin(), json={"status": "enabled"})
    hooks.customer(secret)
    hooks.flush()
    found = hooks.fake.call("GET", path, hooks.fake.admin()).json or {}
    assert (found["status"], len(receiver.received)) == ("enabled", 3)


def test_a_lost_delivery_is_told(hooks: Hooks, receiver: Receiver) -> None:
    """To other endpoints, and to its own: but never about the delivery of that news."""
    receiver.answers = [500] * 100
    hooks.register(receiver.url, "customer.created", "webhook_endpoint.delivery_failed")
    hooks.customer(hooks.fake.secret())
    hooks.fake.advance(9 * DAY)
    hooks.flush()
    hooks.fake.advance(9 * DAY)
    hooks.flush()
    assert receiver.types == ["customer.created"] * 9 + ["webhook_endpoint.delivery_failed"] * 9


@pytest.mark.parametrize("status", ["disabled", "gone"])
def test_nothing_goes_to_an_endpoint_that_is_off(hooks: Hooks, receiver: Receiver, status: str) -> None:
    """Disabled by hand, or deleted: also what was waiting is dropped."""
    receiver.answers = [500]
    endpoint = hooks.register(receiver.url, "customer.*")
    secret, admin, path = hooks.fake.secret(), hooks.fake.admin(), f"{ENDPOINTS}/{endpoint['id']}"
    hooks.customer(secret)
    hooks.flush()
    hooks.fake.call(
        *{"disabled": ("PATCH", path, admin), "gone": ("DELETE", path, admin)}[status], json={"status": status}
    )
    hooks.customer(secret)
    hooks.fake.advance(DAY)
    counts = hooks.flush()
    assert (counts["dropped"], counts["pending"], len(receiver.received)) == (1, 0, 1)


def test_a_reset_drops_what_waits(hooks: Hooks, receiver: Receiver) -> None:
    """The new world has sent nothing."""
    receiver.answers = [500]
    hooks.register(receiver.url, "customer.*")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    hooks.fake.control("POST", "reset")
    hooks.fake.advance(DAY)
    assert (hooks.flush()["pending"], hooks.deliveries(), len(receiver.received)) == (0, [], 1)


def test_the_clock_goes_to_the_next_attempt(hooks: Hooks, receiver: Receiver) -> None:
    """By its name; there is none once all is delivered."""
    receiver.answers = [500, 500]
    hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    for _ in range(2):
        hooks.fake.control("POST", "clock", to="webhooks:next_attempt")
        hooks.flush()
    refused = hooks.fake.control("POST", "clock", to="webhooks:next_attempt")
    assert (len(receiver.received), refused.status_code) == (3, 422)


def test_an_endpoint_that_was_disabled_by_hand_stays_so(with_terms: Callable[..., Hooks], receiver: Receiver) -> None:
    """Though one more rejection comes in from an attempt that was under way."""
    hooks = with_terms(rejections=1)
    receiver.answers = [404]
    receiver.go_on.clear()
    endpoint = hooks.register(receiver.url, "customer.*")
    path = f"{ENDPOINTS}/{endpoint['id']}"
    hooks.customer(hooks.fake.secret())
    receiver.wait_for("customer.created")
    hooks.fake.call("PATCH", path, hooks.fake.admin(), json={"status": "disabled"})
    receiver.go_on.set()
    hooks.flush()
    assert (hooks.fake.call("GET", path, hooks.fake.admin()).json or {})["status"] == "disabled"
