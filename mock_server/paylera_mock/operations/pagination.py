"""Pages of lists, and the cursors that lead from one to the next (reference, Pagination)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.state.objects import Entry


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: at most `limit` objects of those created before the one in place `before`."""

    limit: int
    before: int | None = None


def make_page(entries: Iterable[Entry], page: Page, kind: Resource) -> Object:
    """One page in its envelope, of entries that begin with it (reference, Pagination; clause pagination.envelope)."""
    taken: list[Entry] = []
    next_cursor = None
    for entry in entries:
        if len(taken) == page.limit:
            next_cursor = encode_cursor(kind, taken[-1])
            break
        taken.append(entry)
    data = [entry.value for entry in taken]
    return {"data": data, "has_more": next_cursor is not None, "next_cursor": next_cursor}


def encode_cursor(kind: Resource, entry: Entry) -> str:
    """Where a page ended. Opaque to clients: the kind of the list and a place in it, never an object itself."""
    text = json.dumps({"id": entry.value["id"], "kind": kind.value, "at": entry.sequence}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, kind: Resource) -> int | None:
    """The place that a cursor names; `None` where it is no cursor of this kind of list."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("kind") != kind.value or type(found.get("at")) is not int:
        return None
    place: int = found["at"]
    return place
