"""."""

from __future__ import annotations

MARKER = "paylera_clause"
