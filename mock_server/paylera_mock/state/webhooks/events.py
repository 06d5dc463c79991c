"""Events: what a change is called, and the document that tells of it (reference, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.pipeline.responses import encode_json

if TYPE_CHECKING:
    from paylera_mock.pipeline.context import Context
    from paylera_mock.state.objects import Object

SCHEMA_VERSION: Final = 1
ANY: Final = "*"
DELIVERY_FAILED: Final = "webhook_endpoint.delivery_failed"

HAPPENED: Final[Mapping[Resource, tuple[str, ...]]] = MappingProxyType(
    {
        Resource.CUSTOMER: ("created", "updated", "deleted"),
        Resource.WALLET: ("created", "credited", "debited"),
        Resource.SUBSCRIPTION: ("created", "trial_will_end", "activated", "paused", "canceled"),
        Resource.INVOICE: ("created", "finalized", "paid", "voided"),
        Resource.PAYMENT: (
            "created",
            "processing",
            "requires_action",
            "action_completed",
            "succeeded",
            "failed",
            "canceled",
            "partially_refunded",
            "refunded",
            "charged_back",
            "dispute_won",
        ),
        Resource.WEBHOOK_ENDPOINT: ("created", "updated", "disabled", "delivery_failed"),
    }
)
"""What can happen to each kind of object that events are about (reference, Glossary and Event catalog)."""

_VERBS: Final[Mapping[tuple[Resource, str], str]] = MappingProxyType(
    {
        (Resource.SUBSCRIPTION, "active"): "activated",
        (Resource.INVOICE, "open"): "finalized",
        (Resource.INVOICE, "void"): "voided",
        (Resource.WEBHOOK_ENDPOINT, "auto_disabled"): "disabled",
    }
)
"""What reaching a state is called, where it is not called like the state."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is sent. `body`: its JSON document, the same bytes in each delivery."""

    id: str
    type: str
    occurred_at: float
    aggregate_id: str
    tenant_id: str
    environment: Environment
    body: bytes


def emit(context: Context, value: Object, happened: str | None = None) -> None:
    """Tell the endpoints that want to know what happened to an object: that it reached its state, if nothing else."""
    # Most worlds have no endpoint, and then an event costs no more than this look.
    endpoints = context.shelf.kinds.get(Resource.WEBHOOK_ENDPOINT)
    kind = Resource(value["object"])
    if not endpoints or kind not in HAPPENED:
        return
    status = value.get("status", "")
    name = f"{kind}.{happened or _VERBS.get((kind, status), status)}"
    wanting = [entry.value for entry in list(endpoints.values()) if is_wanted(entry.value, name)]
    if not wanting:
        return
    event = _event(context, value, name)
    for endpoint in wanting:
        context.world.webhooks.send(event, endpoint, context.now)


def is_wanted(endpoint: Object, type: str) -> bool:
    """Whether an endpoint is enabled, and registered for events of a type."""
    return endpoint["status"] == "enabled" and matches(endpoint["events"], type)


def matches(patterns: Iterable[str], type: str) -> bool:
    """Whether a type is among those named: by its name, by `invoice.*`, or by `*`."""
    family = f"{type.partition('.')[0]}.{ANY}"
    return any(pattern in {type, family, ANY} for pattern in patterns)


def _event(context: Context, value: Object, type: str) -> Event:
    identifier = context.world.webhooks.new_id("evt")
    document: dict[str, Any] = {
        "id": identifier,
        "type": type,
        "occurred_at": context.text(),
        "schema_version": SCHEMA_VERSION,
        "tenant_id": context.tenant_id,
        "aggregate_type": value["object"],
        "aggregate_id": value["id"],
        "data": value,
    }
    return Event(
        identifier,
        type,
        context.now,
        value["id"],
        context.tenant_id,
        context.caller.grant.environment,
        encode_json(document).encode(),
    )
