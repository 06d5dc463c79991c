"""What was delivered to webhook endpoints, and waiting for it: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

import json
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from paylera_fixtures.redaction import mask_secrets
from paylera_mock.control.request import ControlRequest
from paylera_mock.control.targets import check_endpoint, check_event_type
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.state.webhooks import Delivery, DeliveryState, Webhooks
from paylera_mock.state.webhooks.events import ANY, matches

_LONGEST_WAIT: Final = 60


class DeliveryQuery(Struct, forbid_unknown_fields=True):
    """Which deliveries are listed; `type` may end in `.*`."""

    endpoint: str | UnsetType = UNSET
    type: str = ANY
    state: DeliveryState | UnsetType = UNSET


class AttemptView(Struct):
    """One attempt; `status` is `null` where no answer came; `signature` is the header `Paylera-Signature`."""

    due_at: str
    sent_at: str
    outcome: str
    status: int | None
    reason: str | None
    signature: str


class DeliveryView(Struct):
    """One event on its way to one endpoint: it waits for the clock, or for an earlier delivery."""

    id: str
    event_id: str
    event_type: str
    aggregate_id: str
    endpoint_id: str
    endpoint_url: str
    state: DeliveryState
    reason: str | None
    next_attempt_at: str | None
    waits_for: str | None
    attempts: list[AttemptView]


class DeliveryDetail(DeliveryView):
    """A delivery with its event."""

    event: Object


class DeliveryList(Struct):
    """Deliveries, the oldest first."""

    data: list[DeliveryView]


def list_deliveries(call: ControlRequest, query: DeliveryQuery) -> DeliveryList:
    """`GET C/webhooks/deliveries`: deliveries by `endpoint`, `type` (as `invoice.*`) and `state`, the oldest first.

    Raises `InvalidInputError` for an endpoint or a type that does not exist, of which every list would be empty.
    """
    webhooks = call.state.webhooks
    check_endpoint("endpoint", query.endpoint, call)
    check_event_type("type", query.type, call)
    return DeliveryList(
        [
            _view_delivery(webhooks, delivery)
            for delivery in webhooks
            if query.endpoint in {UNSET, delivery.endpoint["id"]}
            and matches((query.type,), delivery.event.type)
            and query.state in {UNSET, delivery.state}
        ]
    )


def get_delivery(call: ControlRequest) -> DeliveryDetail:
    """`GET C/webhooks/deliveries/{id}`: one delivery with its event, in which a token is hidden.

    Raises `RefusedError` where no such delivery is remembered.
    """
    delivery = call.state.webhooks.get(call.identifier)
    if delivery is None:
        raise RefusedError(problems.not_found("webhook delivery"))
    event = json.loads(mask_secrets(delivery.event.body.decode()))
    return DeliveryDetail(**structs.asdict(_view_delivery(call.state.webhooks, delivery)), event=event)


class FlushBody(Struct, forbid_unknown_fields=True):
    """How long to wait, by the time outside."""

    timeout_seconds: Annotated[float, Meta(ge=0, le=_LONGEST_WAIT)] = 10


class FlushResult(Struct):
    """Whether all was attempted that was due, and how many deliveries are in each state."""

    idle: bool
    pending: int
    delivered: int
    failed: int
    dropped: int
    not_sent: int


def flush_deliveries(call: ControlRequest, body: FlushBody) -> FlushResult:
    """`POST C/webhooks/flush`: wait until each delivery that is due by the clock was attempted, and count them."""
    webhooks = call.state.webhooks
    return FlushResult(idle=webhooks.settle(body.timeout_seconds), **webhooks.counts())


class RedeliveryBody(Struct, forbid_unknown_fields=True):
    """The delivery whose event is to be sent again."""

    delivery_id: str


def redeliver_event(call: ControlRequest, body: RedeliveryBody) -> DeliveryView:
    """`POST C/webhooks/redeliver`: send the event of a delivery once more, to the same endpoint.

    Raises `InvalidInputError` where no such delivery is remembered.
    """
    webhooks = call.state.webhooks
    known = webhooks.get(body.delivery_id)
    if known is None:
        raise InvalidInputError("delivery_id", "no such delivery is remembered: GET webhooks/deliveries lists them")
    return _view_delivery(webhooks, webhooks.send(known.event, known.endpoint, call.state.clock.epoch()))


def _view_delivery(webhooks: Webhooks, delivery: Delivery) -> DeliveryView:
    ahead = webhooks.ahead_of(delivery)
    waits_for_clock = delivery.state is DeliveryState.PENDING and ahead is None
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.event.id,
        event_type=delivery.event.type,
        aggregate_id=delivery.event.aggregate_id,
        endpoint_id=delivery.endpoint["id"],
        endpoint_url=mask_secrets(delivery.endpoint["url"]),
        state=delivery.state,
        reason=delivery.reason or None,
        next_attempt_at=format_time(delivery.due_at) if waits_for_clock else None,
        waits_for=ahead.id if ahead else None,
        attempts=[
            AttemptView(
                due_at=format_time(attempt.due_at),
                sent_at=format_time(attempt.sent_at),
                outcome="succeeded" if attempt.succeeded else "failed",
                status=attempt.result.status,
                reason=attempt.result.reason or None,
                signature=attempt.signature,
            )
            for attempt in list(delivery.attempts)
        ],
    )
