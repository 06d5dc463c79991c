"""Many endpoints: an event for more than a hundred is announced, and nobody can tell the difference."""

from __future__ import annotations

from typing import Any

from flask import Flask

from helpers.fake import Fake
from paylera_mock.app import EXTENSION
from paylera_mock.state.webhooks import FEW_RECEIVERS

HOOKS = "/v1/admin/webhook-endpoints"
ADA = {"email": "ada@example.com"}


def endpoints(fake: Fake, count: int, *events: str) -> list[str]:
    """Register endpoints to which nothing can be sent: their ids."""
    admin = fake.admin()
    bodies = [{"url": f"https://hooks.example/{number}", "events": list(events)} for number in range(count)]
    made = [fake.call("POST", HOOKS, admin, key=f"{'+'.join(events)}{n}", json=body) for n, body in enumerate(bodies)]
    return [str((each.json or {})["id"]) for each in made]


def deliveries(fake: Fake, type: str) -> list[dict[str, Any]]:
    """What was sent, or would have been."""
    answer = fake.client.get(f"{fake.control_base}/webhooks/deliveries", query_string={"type": type})
    return list((answer.json or {})["data"])


def test_every_endpoint_gets_its_delivery(fake: Fake) -> None:
    """In the order in which they were registered."""
    made = endpoints(fake, FEW_RECEIVERS + 20, "customer.created")
    fake.call("POST", "/v1/customers", fake.secret(), key="c", json=ADA)
    assert [each["endpoint_id"] for each in deliveries(fake, "customer.created")] == made


def test_an_endpoint_gets_what_happened_while_it_was_there(fake: Fake) -> None:
    """Not what came after it was disabled, nor what was before it was registered."""
    first, *others = endpoints(fake, FEW_RECEIVERS + 20, "customer.created")
    secret, admin = fake.secret(), fake.admin()
    fake.call("POST", "/v1/customers", secret, key="1", json=ADA)
    fake.call("DELETE", f"{HOOKS}/{first}", admin)
    late = endpoints(fake, 1, "customer.created", "customer.deleted")
    fake.call("POST", "/v1/customers", secret, key="2", json=ADA)
    receivers = [each["endpoint_id"] for each in deliveries(fake, "customer.created")]
    assert receivers == [first, *others, *others, *late]


def test_a_request_makes_no_delivery_where_there_are_many(app: Flask, fake: Fake) -> None:
    """Its cost does not grow with the endpoints: the deliveries are made apart from it."""
    endpoints(fake, FEW_RECEIVERS + 20, "customer.created")
    webhooks = app.extensions[EXTENSION].namespaces.find(fake.base.removeprefix("/ns/")).state.webhooks
    announced: list[str] = []
    webhooks.announce = lambda event, _receivers, _now: announced.append(event.type)
    fake.call("POST", "/v1/customers", fake.secret(), key="c", json=ADA)
    assert (announced, deliveries(fake, "customer.created")) == (["customer.created"], [])
