"""Events as they are sent, and which endpoints want them (reference, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from paylera_fixtures.vocabulary import Environment

SCHEMA_VERSION: Final = 1
ANY: Final = "*"
DELIVERY_FAILED: Final = "webhook_endpoint.delivery_failed"


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
