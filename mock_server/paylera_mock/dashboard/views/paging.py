"""Lists in pages."""

from __future__ import annotations

import re
from typing import Final

from paylera_mock.dashboard.messages import Visit

_CURSOR: Final = re.compile(r"[0-9]{1,15}")


def read_offset(visit: Visit) -> int:
    """How many rows of a list, which is asked for whole, stand before the page; 0 for what is no number."""
    text = visit.query.get("offset", "")
    return int(text) if _CURSOR.fullmatch(text) else 0


def read_cursor(visit: Visit) -> int | None:
    """Where the page that is asked for begins; `None` for the first, and for what is no number."""
    text = visit.query.get("cursor", "")
    return int(text) if _CURSOR.fullmatch(text) else None


def page_query(cursor: int | None, limit: int) -> dict[str, int]:
    """A page as a part of a query to the control API."""
    return {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
