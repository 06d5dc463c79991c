"""What was delivered to webhook endpoints, and waiting for it: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

import json
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.redaction import mask_secrets
from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.clock import written
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.state.webhooks import Delivery, DeliveryAttempt, DeliveryState, Webhooks
from paylera_mock.state.webhooks.events import ANY, matches

_LONGEST_WAIT: Final = 60
_DEFAULT_WAIT: Final = 10
_KIND: Final = "webhook delivery"


def list_deliveries(call: ControlRequest) -> Outcome:
    """`GET C/webhooks/deliveries`: the oldest first. `endpoint`, `type` (also `invoice.*`) and `state` narrow it."""
    webhooks = call.state.webhooks
    if call.query.get("state") not in {None, *DeliveryState}:
        raise BadMemberError("state", f"This must be one of {', '.join(DeliveryState)}.")
    found = [_view(webhooks, delivery) for delivery in webhooks if _is_asked_for(call, delivery)]
    return Reply(HTTPStatus.OK, {"data": found})


def _is_asked_for(call: ControlRequest, delivery: Delivery) -> bool:
    asked = call.query
    return (
        asked.get("endpoint") in {None, delivery.endpoint["id"]}
        and matches((asked.get("type", ANY),), delivery.event.type)
        and asked.get("state") in {None, delivery.state}
    )


def get_delivery(call: ControlRequest) -> Outcome:
    """`GET C/webhooks/deliveries/{id}`: the same with the event; a token in it is hidden."""
    delivery = call.state.webhooks.get(call.identifier)
    if delivery is None:
        return problems.not_found(_KIND)
    event = json.loads(mask_secrets(delivery.event.body.decode()))
    return Reply(HTTPStatus.OK, _view(call.state.webhooks, delivery) | {"event": event})


def flush(call: ControlRequest) -> Outcome:
    """`POST C/webhooks/flush`: wait until everything that is due by the clock has been attempted, and count."""
    seconds = call.number("timeout_seconds", _DEFAULT_WAIT)
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise BadMemberError("timeout_seconds", f"This must be from 0 to {_LONGEST_WAIT}.")
    webhooks = call.state.webhooks
    idle = webhooks.settle(seconds)
    return Reply(HTTPStatus.OK, {"idle": idle, **webhooks.counts()})


def redeliver(call: ControlRequest) -> Outcome:
    """`POST C/webhooks/redeliver`: the event of a delivery once more, to the same endpoint."""
    webhooks = call.state.webhooks
    known = webhooks.get(call.text("delivery_id"))
    if known is None:
        raise BadMemberError("delivery_id", "No such delivery is remembered: GET webhooks/deliveries lists them.")
    again = webhooks.send(known.event, known.endpoint, call.state.clock.epoch())
    return Reply(HTTPStatus.CREATED, _view(webhooks, again))


def _view(webhooks: Webhooks, delivery: Delivery) -> Object:
    ahead = webhooks.ahead_of(delivery)
    waits_for_clock = delivery.state is DeliveryState.PENDING and ahead is None
    return {
        "id": delivery.id,
        "event_id": delivery.event.id,
        "event_type": delivery.event.type,
        "aggregate_id": delivery.event.aggregate_id,
        "endpoint_id": delivery.endpoint["id"],
        "state": delivery.state.value,
        "reason": delivery.reason or None,
        "next_attempt_at": written(delivery.due_at) if waits_for_clock else None,
        "waits_for": ahead.id if ahead else None,
        "attempts": [_view_attempt(attempt) for attempt in list(delivery.attempts)],
    }


def _view_attempt(attempt: DeliveryAttempt) -> Object:
    return {
        "due_at": written(attempt.due_at),
        "sent_at": written(attempt.sent_at),
        "outcome": "succeeded" if attempt.succeeded else "failed",
        "status": attempt.result.status,
        "reason": attempt.result.reason or None,
    }


CALLS: Final[Table] = MappingProxyType(
    {
        "webhooks/deliveries": {"GET": list_deliveries},
        "webhooks/deliveries/{id}": {"GET": get_delivery},
        "webhooks/flush": {"POST": flush},
        "webhooks/redeliver": {"POST": redeliver},
    }
)
