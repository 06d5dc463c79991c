"""Lists in parts."""

from __future__ import annotations

import re
from typing import Final

from paylera_mock.dashboard.messages import Visit

_OFFSET: Final = re.compile(r"[0-9]{1,15}")


def read_offset(visit: Visit) -> int:
    """How many rows stand before the part that is asked for; 0 for what is no number."""
    text = visit.query.get("offset", "")
    return int(text) if _OFFSET.fullmatch(text) else 0
