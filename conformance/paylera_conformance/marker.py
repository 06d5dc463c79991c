"""The mark by which a test names its clause, and what is to be declared of it."""

from __future__ import annotations

from typing import Final

MARKER: Final = "paylera_clause"

MARKER_LINES: Final = (
    f"{MARKER}(id, mode, each_operation): the clause that a test is about",
    "xdist_group(name): cases that are to run in one process, since they share requests",
)
"""What is to be declared of the marks that the suite's tests have."""
