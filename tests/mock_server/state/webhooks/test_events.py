"""Which events there are, who hears of them, and what they say."""

from __future__ import annotations

from typing import Final

import pytest

from helpers.webhooks import Hooks, Receiver, live_through_everything
from paylera_fixtures.api.events import HAPPENED
from paylera_mock.state.webhooks.events import matches

DAY: Final = 24 * 60 * 60


def test_an_event_is_delivered(hooks: Hooks, receiver: Receiver) -> None:
    """To the path and query of the endpoint, with its headers and its envelope."""
    endpoint = hooks.register(receiver.url, "customer.created")
    secret = hooks.fake.token("*")
    made = (
        hooks.fake.call("POST", "/v1/customers", secret["secret"], key="k", json={"email": "ada@example.com"}).json
        or {}
    )
    hooks.flush()
    [(path, headers, _)], [event] = receiver.received, receiver.events
    [listed] = hooks.deliveries(f"?endpoint={endpoint['id']}")
    assert event == {
        "id": headers["Paylera-Event-Id"],
        "type": "customer.created",
        "occurred_at": made["created_at"],
        "schema_version": 1,
        "tenant_id": secret["tenant_id"],
        "aggregate_type": "customer",
        "aggregate_id": made["id"],
        "data": made,
    }
    assert (path, headers["Paylera-Delivery-Id"], listed["state"]) == ("/hooks?a=b", listed["id"], "delivered")


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (("invoice.paid",), True),
        (("invoice.*",), True),
        (("*",), True),
        (("payment.*", "invoice.paid"), True),
        (("invoice",), False),
        (("invoice.pai",), False),
        (("invoice.*.x",), False),
        (("payment.*",), False),
        ((), False),
    ],
)
def test_events_are_named(patterns: tuple[str, ...], wanted: bool) -> None:  # noqa: FBT001 - a case
    """One by its name, a family by `invoice.*`, all by `*`."""
    assert matches(patterns, "invoice.paid") is wanted


def test_only_what_is_wanted_is_delivered(hooks: Hooks, receiver: Receiver) -> None:
    """The rest is not even listed."""
    hooks.register(receiver.url, "customer.updated")
    secret = hooks.fake.secret()
    hooks.rename(secret, hooks.customer(secret))
    hooks.flush()
    assert (receiver.types, len(hooks.deliveries())) == (["customer.updated"], 1)


def test_events_stay_with_their_tenant_and_environment(hooks: Hooks, receiver: Receiver) -> None:
    """An endpoint hears of its own only."""
    hooks.register(receiver.url)
    hooks.customer(hooks.fake.secret(tenant_id=hooks.fake.tenant()))
    live = hooks.fake.secret(environment="live")
    hooks.fake.call("POST", "/v1/customers", live, key="k", live=True, json={"email": "ada@example.com"})
    hooks.flush()
    assert receiver.types == ["webhook_endpoint.created"]


def test_a_replayed_request_tells_nothing_again(hooks: Hooks, receiver: Receiver) -> None:
    """It has no effect, so there is no event."""
    hooks.register(receiver.url, "customer.created")
    secret = hooks.fake.secret()
    for _ in range(2):
        hooks.fake.call("POST", "/v1/customers", secret, key="same", json={"email": "ada@example.com"})
    hooks.flush()
    assert receiver.types == ["customer.created"]


# Test token, and the events of paying with it.
PAID: Final = (
    ("tok_visa_success", ["payment.created", "payment.processing", "payment.succeeded", "invoice.paid"]),
    ("tok_visa_decline", ["payment.created", "payment.processing", "payment.failed"]),
    ("tok_visa_3ds", ["payment.created", "payment.processing", "payment.requires_action"]),
)


@pytest.mark.parametrize(("method", "types"), PAID)
def test_paying_tells_of_every_step(hooks: Hooks, receiver: Receiver, method: str, types: list[str]) -> None:
    """In the order of the steps."""
    hooks.register(receiver.url, "payment.*", "invoice.*")
    hooks.pay(hooks.fake.secret(), hooks.fake.made("invoice"), payment_method_id=method)
    hooks.flush()
    assert receiver.types == types


def test_an_event_shows_the_object_as_it_was(hooks: Hooks, receiver: Receiver) -> None:
    """Not as it has become since."""
    hooks.register(receiver.url, "payment.*")
    hooks.pay(hooks.fake.secret(), hooks.fake.made("invoice"))
    hooks.flush()
    assert [event["data"]["status"] for event in receiver.events] == ["pending", "processing", "succeeded"]


def test_the_customers_action_is_told(hooks: Hooks, receiver: Receiver) -> None:
    """And what it led to."""
    hooks.register(receiver.url, "payment.action_completed", "payment.succeeded", "invoice.paid")
    payment = hooks.pay(hooks.fake.secret(), hooks.fake.made("invoice"), payment_method_id="tok_visa_3ds")["payment_id"]
    hooks.fake.control("POST", f"payment-actions/{payment}")
    hooks.flush()
    assert receiver.types == ["payment.action_completed", "payment.succeeded", "invoice.paid"]


def test_what_happens_by_the_clock_is_told_in_its_order(hooks: Hooks, receiver: Receiver) -> None:
    """One long step of the clock is like many short ones: each event says when it occurred."""
    hooks.register(receiver.url, "payment.charged_back", "payment.dispute_won", "subscription.*")
    secret = hooks.fake.secret()
    plan = (hooks.fake.call("GET", f"/v1/plans/{hooks.fake.made('plan')}", secret).json or {})["code"]
    body = {"customer_id": hooks.customer(secret), "plan_code": plan, "trial_days": 14}
    made = hooks.fake.call("POST", "/v1/subscriptions", secret, key="k", json=body).json or {}
    hooks.pay(secret, hooks.fake.made("invoice"), payment_method_id="tok_visa_dispute_won")
    hooks.fake.advance(15 * DAY)
    hooks.flush()
    told = [event["type"] for event in sorted(receiver.events, key=lambda event: str(event["occurred_at"]))]
    assert (receiver.types, told, receiver.events[-1]["occurred_at"]) == (
        told,
        [
            "subscription.created",
            "payment.charged_back",
            "payment.dispute_won",
            "subscription.trial_will_end",
            "subscription.activated",
        ],
        made["trial_end"],
    )


def test_every_event_of_the_table_happens(hooks: Hooks, receiver: Receiver, other: Receiver) -> None:
    """And no other."""
    hooks.register(other.url)
    live_through_everything(hooks, receiver)
    assert set(other.types) == {f"{kind}.{verb}" for kind, verbs in HAPPENED.items() for verb in verbs}
