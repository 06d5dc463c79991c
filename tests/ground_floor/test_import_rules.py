"""Who may import whom: the contract is data that both programs read, and neither program knows the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import paylera_conformance
import paylera_fixtures
import paylera_mock

FORBIDDEN = {
    # The ground floor stands on nothing of the project, and must stay cheap to import.
    paylera_fixtures: {"paylera_mock", "paylera_conformance", "flask", "werkzeug", "pytest"},
    # The fake must not know the suite, nor need what its base install lacks.
    paylera_mock: {"paylera_conformance", "paylera_fixtures.faker_provider", "faker", "schemathesis"}
    | {"anyio", "h11", "httpx", "paylera_mock.testing", "pytest", "requests", "respx", "urllib3"},
    # The suite sees a target over HTTP only.
    paylera_conformance: {"paylera_mock", "flask", "werkzeug"},
}

ALLOWED = {
    # For who has the extra `sdk`: nothing of the base imports it.
    "testing": {"anyio", "h11", "httpx", "paylera_mock.testing", "pytest", "requests", "respx", "urllib3"},
}
"""What a sub-package may import although the package it belongs to may not."""


def imports_of(source: str) -> Iterator[str]:
    """Every module that a source text imports, wherever it does so, with the names taken from it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(folder: Path, forbidden: set[str]) -> list[str]:
    """Every import below a folder that is of a forbidden module or of one inside it."""
    return [
        f"{file.relative_to(folder)}: {name}"
        for file in sorted(folder.rglob("*.py"))
        for name in imports_of(file.read_text(encoding="utf-8"))
        if any(f"{name}.".startswith(f"{module}.") for module in forbidden - allowed_in(file.relative_to(folder)))
    ]


def allowed_in(file: Path) -> set[str]:
    """What a file of a sub-package may import."""
    return ALLOWED.get(file.parts[0], set())


@pytest.mark.parametrize(("package", "forbidden"), FORBIDDEN.items(), ids=[p.__name__ for p in FORBIDDEN])
def test_package_imports_nothing_forbidden(package: object, forbidden: set[str]) -> None:
    """No file of the package imports what the package must not know."""
    folder = Path(str(vars(package)["__file__"])).parent
    assert breaches(folder, forbidden) == []


@pytest.mark.parametrize(
    "source",
    [
        "import flask",
        "import flask.testing as t",
        "from flask import Flask",
        "def f():\n    import flask",
        "if 0: import flask",
    ],
)
def test_forbidden_import_is_seen(source: str, tmp_path: Path) -> None:
    """The rule bites wherever the import stands."""
    (tmp_path / "module.py").write_text(source)
    assert len(breaches(tmp_path, {"flask"})) == 1


def test_what_a_sub_package_may_is_forbidden_beside_it(tmp_path: Path) -> None:
    """Only the sub-package is for who has the extra."""
    (tmp_path / "testing").mkdir()
    for folder in (tmp_path, tmp_path / "testing"):
        (folder / "module.py").write_text("import httpx")
    assert breaches(tmp_path, {"httpx"}) == ["module.py: httpx"]


@pytest.mark.parametrize("source", ["import flasks", "from x import flask", "flask = 1"])
def test_likeness_is_no_import(source: str, tmp_path: Path) -> None:
    """Another module that begins alike is another module."""
    (tmp_path / "module.py").write_text(source)
    assert breaches(tmp_path, {"flask"}) == []
