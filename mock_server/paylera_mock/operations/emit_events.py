"""Which events are sent to webhook endpoints when an object changes (reference, Webhooks)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from paylera_fixtures.api.events import HAPPENED
from paylera_fixtures.api.operations import Resource
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Object
from paylera_mock.pipeline.context import Context
from paylera_mock.state.webhooks import FEW_RECEIVERS
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
    kind = Resource(value["object"])
    if not context.objects.count(Resource.WEBHOOK_ENDPOINT) or kind not in HAPPENED:
        return
    status = value.get("status", "")
    name = f"{kind}.{happened or _VERBS.get((kind, status), status)}"
    objects, webhooks = context.objects, context.state.webhooks

    def receivers() -> Iterator[Object]:
        endpoints = (entry.value for entry in objects.oldest_first(Resource.WEBHOOK_ENDPOINT))
        return (each for each in endpoints if each["status"] == "enabled" and matches(each["events"], name))

    # Among a few it is seen here and now whether there is any receiver.
    if (few := objects.count(Resource.WEBHOOK_ENDPOINT) <= FEW_RECEIVERS) and next(receivers(), None) is None:
        return
    event = _event(context, value, name)
    if few:
        for endpoint in receivers():
            webhooks.send(event, endpoint, context.now)
    else:
        webhooks.announce(event, receivers, context.now)


def _event(context: Context, value: Object, type: str) -> Event:
    identifier = context.state.webhooks.new_event_id()
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
