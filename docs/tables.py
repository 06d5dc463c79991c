"""Writes the table of figures in README.md: `python docs/tables.py`.

It has the figures of the last complete selftest. Given the `kill-matrix.json` of a later one, `python docs/tables.py
FILE`, this takes its figures first. A test sees to it that the page has what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

DOCS: Final = Path(__file__).parent
PAGES: Final = (DOCS.parent / "README.md",)
FIGURES: Final = DOCS / "figures.json"


def figures() -> Iterator[str]:
    """What the suite did right in the last complete selftest, of all that it met."""
    counts = json.loads(FIGURES.read_text("utf-8"))["figures"]
    rejected = counts["null_servers"] - counts["null_servers_fooling"]
    yield "| what the suite met | and did right |"
    yield "|---|---|"
    for met, right, whole in (
        ("wrong servers, caught by the clauses that they break and by no other", "mutants_caught", "mutants"),
        (
            "servers that drop one rule on one operation, caught by its clause, which names the operation",
            "holes_caught",
            "holes",
        ),
        ("right servers of another dialect, tolerated", "dialects_tolerated", "dialects"),
    ):
        yield f"| {met} | {counts[right]} of {counts[whole]} |"
    yield f"| servers that do nothing useful, rejected | {rejected} of {counts['null_servers']} |"


def keep_figures(kill_matrix: Path) -> None:
    """Keep what a selftest counted, without its rows."""
    found = json.loads(kill_matrix.read_text("utf-8"))
    kept = {name: value for name, value in found.items() if not isinstance(value, list)}
    FIGURES.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = MappingProxyType({"figures": figures})


def written(page: str) -> str:
    """The page with each of its tables as this makes it."""
    for name, rows in TABLES.items():
        marks = rf"(<!-- {name}: begin -->\n)(?:.*\n)*?(<!-- {name}: end -->)"
        table = "\n".join(rows())
        page = re.sub(marks, lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)
    return page


if __name__ == "__main__":
    for matrix in sys.argv[1:]:
        keep_figures(Path(matrix))
    for path in PAGES:
        path.write_text(written(path.read_text("utf-8")), "utf-8")
