"""The mark by which a test names its clause."""

from __future__ import annotations

MARKER = "paylera_clause"
