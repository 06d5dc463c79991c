"""Writes the tables of docs/mock.md from the tables in the code: `python docs/tables.py`.

A test sees to it that the page has what this writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from paylera_mock.cli.main import main as program
from paylera_mock.control import CALLS
from paylera_mock.findings.catalog import KINDS

PAGE: Final = Path(__file__).parent / "mock.md"
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


TABLES: Final[Mapping[str, Callable[[], Iterator[str]]]] = MappingProxyType(
    {"calls": calls, "options": options, "findings": findings}
)


def written(page: str) -> str:
    """The page with each table as the code has it."""
    for name, rows in TABLES.items():
        marks = rf"(<!-- {name}: begin -->\n)(?:.*\n)*?(<!-- {name}: end -->)"
        table = "\n".join(rows())
        page = re.sub(marks, lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
