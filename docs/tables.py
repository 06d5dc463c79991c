"""Writes the tables of figures in README.md and docs/explanation/performance.md: `python docs/tables.py`.

README.md has the figures of the last complete selftest. Given the `kill-matrix.json` of a later one, `python
docs/tables.py FILE`, this takes its figures first. docs/explanation/performance.md has what `python benchmarks publish`
measured. A test sees to it that the pages have what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

DOCS: Final = Path(__file__).parent
PAGES: Final = (DOCS.parent / "README.md", DOCS / "explanation" / "performance.md")
FIGURES: Final = DOCS / "figures.json"
PERFORMANCE: Final = DOCS / "performance.json"


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


def requests_over(over: str) -> Iterator[str]:
    """What each server did in each scenario, over connections or in process."""
    found = _performance("speed")
    rows = [row for row in found["rows"] if row["over"] == over]
    names = {row["server"]: found["servers"][row["server"]] for row in rows}
    yield f"| requests a second; p50 and p99 in ms | {' | '.join(names.values())} | ratio |"
    yield f"|---|{'---|' * len(names)}---|"
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        of = {row["server"]: row for row in rows if row["scenario"] == scenario}
        cells = [f"{of[name]['rate']:,}; {of[name]['p50_ms']:.2f}, {of[name]['p99_ms']:.1f}" for name in names]
        ratio = of["fake"]["ratio"]
        shown = "none: the generator was busier" if ratio is None else f"{ratio:.2f}"
        yield f"| {scenario} | {' | '.join(cells)} | {shown} |"


def waits() -> Iterator[str]:
    """What else is waited for."""
    yield "| wait | here | bare Flask |"
    yield "|---|---|---|"
    for wait in _performance("speed")["waits"]:
        here, beside = (
            "" if figure is None else f"{figure:.{0 if wait['unit'] == 'MiB' else 2}f} {wait['unit']}"
            for figure in (wait["figure"], wait["beside"])
        )
        yield f"| {wait['name']} | {here or 'not measured'} | {beside} |"


def growth() -> Iterator[str]:
    """What one costs beside each number."""
    yield "| what one costs | beside so many: so much | from first to last | it is |"
    yield "|---|---|---|---|"
    for line in _performance("growth")["lines"]:
        pairs = zip(line["sizes"], line["costs"], strict=True)
        costs = " · ".join(f"{size:,}: {cost:.3g}" for size, cost in pairs)
        yield f"| {line['name']} | {costs} {line['unit']} | × {line['factor']:.2f} | {line['growth']} |"


def measured(part: str) -> Iterator[str]:
    """When and where a part was measured."""
    found = _performance(part)
    machine, load = found["machine"], found["load_average"]
    versions = ", ".join(f"{name} {machine[name]}" for name in ("python", "flask", "granian", "httpx", "wiremock"))
    yield (
        f"Measured on {found['measured']}, {machine['system']} with {machine['cores']} cores, {versions}. Load average"
        f" before: {load['before']}, after: {load['after']}."
    )
    yield from (f"{note}." for note in found.get("notes", ()))


def _performance(part: str) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(PERFORMANCE.read_text("utf-8"))[part]
    return found


def keep_figures(kill_matrix: Path) -> None:
    """Keep what a selftest counted, without its rows."""
    found = json.loads(kill_matrix.read_text("utf-8"))
    kept = {name: value for name, value in found.items() if not isinstance(value, list)}
    FIGURES.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = MappingProxyType(
    {
        "figures": figures,
        "sixteen": partial(requests_over, "16 connections"),
        "one": partial(requests_over, "1 connection"),
        "in-process": partial(requests_over, "in process"),
        "waits": waits,
        "growth": growth,
        "speed-measured": partial(measured, "speed"),
        "growth-measured": partial(measured, "growth"),
    }
)


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
