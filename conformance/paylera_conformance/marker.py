"""The mark by which a test names its clause."""

from __future__ import annotations

MARKER = "paylera_clause"
MARKER_LINE = f"{MARKER}(id, mode, each_operation): the clause that a test is about"
"""How pytest lists it."""
