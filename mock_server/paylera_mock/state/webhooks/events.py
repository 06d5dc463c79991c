"""Events: what a change is called, and the document that describes it (reference, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment

SCHEMA_VERSION: Final = 1
ANY: Final = "*"
DELIVERY_FAILED: Final = "webhook_endpoint.delivery_failed"

HAPPENED: Final[Mapping[Resource, tuple[str, ...]]] = {
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
"""What can happen to each kind of object that events are about (reference, Glossary and Event catalog)."""


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


def matches(patterns: Iterable[str], type: str) -> bool:
    """Whether a type is among those named: by its name, by `invoice.*`, or by `*`."""
    family = f"{type.partition('.')[0]}.{ANY}"
    return any(pattern in {type, family, ANY} for pattern in patterns)
