"""Whatever is imported is declared: what another package brings along today, it may not bring tomorrow."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OWN = {"_typeshed", "helpers", "paylera_client", "paylera_conformance", "paylera_fixtures", "paylera_mock", "refserver"}
OWN |= {path.stem for path in (ROOT / "benchmarks").glob("*.py")}

# A part of the project, what of it is looked at elsewhere, and the extras that it may count on beyond the base.
PARTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ground-floor": ("fixtures", "faker_provider.py", ()),
    "fake": ("mock_server", r"/testing/|/server/tls\.py", ()),
    "fake-over-tls": ("mock_server/paylera_mock/server", r"^(?!.*tls\.py)", ("tls",)),
    "fake-in-tests": ("mock_server/paylera_mock/testing", "^$", ("sdk",)),
    "suite": ("conformance", "^$", ("suite",)),
    "tests": ("tests", "^$", ("suite", "sdk", "dev")),
    "benchmarks": ("benchmarks", "^$", ("suite", "sdk", "dev")),
}


def name_of(requirement: str) -> str:
    """The name of a distribution, as a requirement or its metadata spell it, in one spelling."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!; ]", requirement)[0]).lower()


@cache
def distributions() -> Mapping[str, list[str]]:
    """The distributions that each installed package comes from; to look through them all takes a second."""
    return packages_distributions()


def imports(path: Path) -> Iterator[str]:
    """The packages that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(("folder", "elsewhere", "extras"), PARTS.values(), ids=PARTS)
def test_import_is_declared(folder: str, elsewhere: str, extras: tuple[str, ...]) -> None:
    """In the base or in an extra of the part that imports it."""
    if "dev" in extras:
        pytest.importorskip("google.protobuf", reason="which package brings a module is known where `dev` is installed")
    declared = {name_of(row) for row in [*PROJECT["dependencies"], *(row for name in extras for row in EXTRAS[name])]}
    files = [path for path in (ROOT / folder).rglob("*.py") if not re.search(elsewhere, path.as_posix())]
    imported = {name for path in files for name in imports(path)} - sys.stdlib_module_names - OWN
    known = distributions()
    assert {name for name in imported if declared.isdisjoint(map(name_of, known.get(name, [name])))} == set()


def test_older_python_is_refused_before_anything_is_looked_for() -> None:
    """Of a wheel pip would else try all releases of what it needs, for minutes, and only then say what is wrong."""
    asked = [*PROJECT["dependencies"], *(row for name in ("suite", "sdk", "tls") for row in EXTRAS[name])]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    assert [row for row in asked if not row.endswith(f"; python_version >= '{lowest}'")] == []
