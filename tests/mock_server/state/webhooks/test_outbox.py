"""The outbox by itself: what is taken in, and what an attempt leads to."""

from __future__ import annotations

from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.policy import WebhookTerms
from paylera_mock.state.webhooks.events import Event
from paylera_mock.state.webhooks.outbox import DeliveryAttempt, DeliveryEffect, Outbox
from paylera_mock.state.webhooks.sender import PostResult


def test_an_endpoint_that_rejects_too_often_gets_nothing_before_it_is_disabled() -> None:
    """What is added between its last rejection and its new status is dropped; once it is enabled it waits again."""
    outbox = Outbox(WebhookTerms(rejections=1))
    event = Event("evt_1", "customer.created", 0.0, "cus_1", "ten_1", Environment.SANDBOX, b"{}")
    with outbox.condition:
        rejected = outbox.add("del_1", event, {"id": "we_1"}, now=0.0, obstacle=None)
        effect = outbox.record(rejected, DeliveryAttempt(0.0, 0.0, PostResult(404), ""))
        late = outbox.add("del_2", event, {"id": "we_1"}, now=0.0, obstacle=None)
        outbox.drop("we_1", "the endpoint was disabled")
        added = outbox.add("del_3", event, {"id": "we_1"}, now=0.0, obstacle=None)
    assert effect is DeliveryEffect.REJECTED
    assert [late.state, late.reason, added.state] == ["dropped", "1 answers in a row were a 4xx", "pending"]
