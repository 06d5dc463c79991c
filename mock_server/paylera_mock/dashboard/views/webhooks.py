"""The view of webhooks: what was sent to which endpoint, each attempt, and sending it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Final

from paylera_fixtures.api.events import DELIVERY_ID, EVENT_ID, EVENT_TYPE, SIGNATURE
from paylera_fixtures.api.operations import Resource
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.views.objects import link_id
from paylera_mock.dashboard.views.paging import read_offset
from paylera_mock.state.webhooks import DeliveryState

_LISTED: Final = 50
_PATIENCE_SECONDS: Final = 2
"""How long a page waits for what is sent again, since its receiver may hang."""

FILTERS: Final = ("endpoint", "type", "state")
"""The filters of deliveries, by their names in the control API."""


def list_deliveries(visit: Visit) -> Response:
    """The deliveries that pass the filters, the newest first."""
    filters, offset = visit.given(*FILTERS), read_offset(visit)
    # So many only are remembered, the oldest first.
    deliveries = visit.ask("GET", "webhooks/deliveries", query=filters)["data"][::-1]
    endpoints = visit.ask("GET", "objects", query={"kind": Resource.WEBHOOK_ENDPOINT, "limit": _LISTED})
    values = {
        "deliveries": deliveries[offset : offset + _LISTED],
        "count": len(deliveries),
        "offset": offset,
        "limit": _LISTED,
        "filters": filters,
        "states": [state.value for state in DeliveryState],
        "endpoints": endpoints["data"],
        "here": partial(visit.url, "", **filters),
        "link_of": link_id,
    }
    return Shown("webhooks.html.j2", values)


def show_delivery(visit: Visit) -> Response:
    """One delivery: its attempts, and what was sent."""
    delivery = visit.ask("GET", f"webhooks/deliveries/{visit.identifier}")
    values = {
        "delivery": delivery,
        "payload": json.dumps(delivery["event"], indent=2, ensure_ascii=False),
        "headers": {
            EVENT_TYPE: delivery["event_type"],
            EVENT_ID: delivery["event_id"],
            DELIVERY_ID: delivery["id"],
        },
        "signature_header": SIGNATURE,
        "link_of": link_id,
    }
    return Shown("delivery.html.j2", values)


def deliver_again(visit: Visit) -> Response:
    """Send the event once more, and wait a little for what comes of it."""
    made = visit.ask("POST", "webhooks/redeliver", body={"delivery_id": visit.identifier})
    visit.ask("POST", "webhooks/flush", body={"timeout_seconds": _PATIENCE_SECONDS})
    return Led(visit.url(f"webhooks/{made['id']}"))


PAGES: Final[Mapping[str, Handler]] = {"": list_deliveries, "{id}": show_delivery}
ACTIONS: Final[Mapping[str, Handler]] = {"{id}/again": deliver_again}
