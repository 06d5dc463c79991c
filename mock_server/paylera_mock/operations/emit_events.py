"""Which events are sent to webhook endpoints when an object changes (reference, Webhooks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from paylera_fixtures.api.events import HAPPENED
from paylera_fixtures.api.operations import Resource
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Object
from paylera_mock.pipeline.context import Context
from paylera_mock.state.webhooks.events import SCHEMA_VERSION, Event, matches

_VERBS: Final[Mapping[tuple[Resource, str], str]] = {
    (Resource.SUBSCRIPTION, "active"): "activated",
    (Resource.INVOICE, "open"): "finalized",
    (Resource.INVOICE, "void"): "voided",
    (Resource.WEBHOOK_ENDPOINT, "auto_disabled"): "disabled",
}
"""What reaching a state is called, where it is not called like the state."""


def emit(context: Context, value: Object, happened: str | None = None) -> None:
    """Send the event to each endpoint that is enabled and registered for its type.

    `happened`: the second part of the event's type; where it is left out, the one that belongs to the object's status.
    """
    # Most namespaces have no endpoint, and then an event costs no more than this look.
    endpoints = context.objects.kinds.get(Resource.WEBHOOK_ENDPOINT)
    kind = Resource(value["object"])
    if not endpoints or kind not in HAPPENED:
        return
    status = value.get("status", "")
    name = f"{kind}.{happened or _VERBS.get((kind, status), status)}"
    receivers = [entry.value for entry in list(endpoints.values()) if entry.value["status"] == "enabled"]
    receivers = [endpoint for endpoint in receivers if matches(endpoint["events"], name)]
    if not receivers:
        return
    event = _event(context, value, name)
    for endpoint in receivers:
        context.state.webhooks.send(event, endpoint, context.now)


def _event(context: Context, value: Object, type: str) -> Event:
    identifier = context.state.webhooks.new_id("evt")
    document: dict[str, Any] = {
        "id": identifier,
        "type": type,
        "occurred_at": context.format_now(),
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
