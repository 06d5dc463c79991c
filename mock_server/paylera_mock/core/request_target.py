"""Paths and queries as a URI has them."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

_SAFE_IN_PATH: Final = "/:@!$&'()*+,;=~"
_SAFE_IN_QUERY: Final = _SAFE_IN_PATH + "?%"


def quote_path(path: str) -> str:
    """A path as a URI has it. WSGI gives each byte of a path as one character of Latin-1 (PEP 3333)."""
    return quote(path.encode("latin-1", "replace"), safe=_SAFE_IN_PATH)


def quote_target(path: str, query: str) -> str:
    """A path, as `quote_path` takes it, with its query, which may be empty."""
    return f"{quote_path(path)}?{quote(query, safe=_SAFE_IN_QUERY)}" if query else quote_path(path)
