"""Writes the tables of docs/mock.md and README.md: `python docs/tables.py`.

Those of docs/mock.md are the tables in the code, that of README.md has the figures of the last complete selftest. Given
the `kill-matrix.json` of a later one, `python docs/tables.py FILE`, this takes its figures first. Tests see to it that
the pages have what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from paylera_mock.cli.main import main as program
from paylera_mock.control import CALLS
from paylera_mock.faults.presets import PRESETS
from paylera_mock.findings.catalog import KINDS

DOCS: Final = Path(__file__).parent
PAGES: Final = (DOCS / "mock.md", DOCS.parent / "README.md")
FIGURES: Final = DOCS / "figures.json"
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")


def calls() -> Iterator[str]:
    """Every call of the control API, by what its handler says of itself."""
    yield "| call | what it does |"
    yield "|---|---|"
    for path in sorted(CALLS):
        for method in sorted(CALLS[path], key=_METHODS.index):
            said = " ".join((CALLS[path][method].handler.__doc__ or "").split("\n\n")[0].split())
            call, _, what = said.partition(": ")
            yield f"| {call} | {what[:1].upper()}{what[1:]} |"


def options() -> Iterator[str]:
    """Every option of `paylera-mock serve`, by its help."""
    yield "| option | what it does |"
    yield "|---|---|"
    context = click.Context(program.commands["serve"], info_name="serve")
    for parameter in program.commands["serve"].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            names, _help = parameter.get_help_record(context) or ("", "")
            yield f"| `{names.replace('|', ' · ')}` | {(parameter.help or '').replace('|', ' · ')} |"


def findings() -> Iterator[str]:
    """Every kind of finding."""
    yield "| finding | severity | what the client did |"
    yield "|---|---|---|"
    for kind in KINDS:
        yield f"| `{kind.id}` | {kind.severity} | {kind.message} |"


def presets() -> Iterator[str]:
    """Every ready fault."""
    yield "| `preset` | what is answered |"
    yield "|---|---|"
    for name, preset in PRESETS.items():
        yield f"| `{name}` | {preset.description} |"


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


TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = MappingProxyType(
    {"calls": calls, "options": options, "findings": findings, "presets": presets, "figures": figures}
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
