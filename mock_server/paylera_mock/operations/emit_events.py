"""."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.json_text import encode_json
from paylera_mock.state.webhooks.events import HAPPENED, SCHEMA_VERSION, Event, matches

if TYPE_CHECKING:
    from paylera_mock.core.messages import Object
    from paylera_mock.pipeline.context import Context


_VERBS: Final[Mapping[tuple[Resource, str], str]] = MappingProxyType(
    {
        (Resource.SUBSCRIPTION, "active"): "activated",
        (Resource.INVOICE, "open"): "finalized",
        (Resource.INVOICE, "void"): "voided",
        (Resource.WEBHOOK_ENDPOINT, "auto_disabled"): "disabled",
    }
)
"""What reaching a state is called, where it is not called like the state."""


def emit(context: Context, value: Object, happened: str | None = None) -> None:
    """Tell the endpoints that want to know what happened to an object: that it reached its state, if nothing else."""
    # Most worlds have no endpoint, and then an event costs no more than this look.
    endpoints = context.objects.kinds.get(Resource.WEBHOOK_ENDPOINT)
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
        context.state.webhooks.send(event, endpoint, context.now)


def is_wanted(endpoint: Object, type: str) -> bool:
    """Whether an endpoint is enabled, and registered for events of a type."""
    return endpoint["status"] == "enabled" and matches(endpoint["events"], type)


def _event(context: Context, value: Object, type: str) -> Event:
    identifier = context.state.webhooks.new_id("evt")
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
