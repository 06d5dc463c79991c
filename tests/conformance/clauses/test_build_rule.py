"""The build fails by a test that names no clause, a clause without test, and a test that cannot be read as prose."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import paylera_conformance.clauses as clauses_package
from paylera_conformance.marker import MARKER
from paylera_fixtures.clauses import CLAUSES, GROUPS

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

FOLDER = Path(str(clauses_package.__file__)).parent
FILES = sorted(FOLDER.glob("test_*.py"))


class Recorder:
    """Keeps every test that pytest finds."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep one."""
        self.items.append(item)


@pytest.fixture(scope="module")
def collected(serve: Callable[[WSGIApplication], str], answering: Callable[..., WSGIApplication]) -> list[pytest.Item]:
    """Every test of the suite as pytest finds it."""
    url = serve(answering("401 Unauthorized", "text/plain", b""))
    recorder = Recorder()
    arguments = [
        "--collect-only",
        "-qq",
        "-c",
        str(FOLDER.parent / "pytest.ini"),
        "--rootdir",
        str(FOLDER.parent),
        f"--paylera-url={url}",
        str(FOLDER),
    ]
    with pytest.MonkeyPatch.context() as environment:
        # A run in this process, by another test, leaves it set.
        environment.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
        pytest.main(["-p", "no:cacheprovider", *arguments], plugins=[recorder])
    return recorder.items


def clause_of(item: pytest.Item) -> str | None:
    """The clause that a test names."""
    mark = item.get_closest_marker(MARKER)
    return None if mark is None else str(mark.args[0])


def test_every_test_names_a_clause(collected: list[pytest.Item]) -> None:
    """One that names none proves nothing that anybody asked for."""
    assert [item.nodeid for item in collected if clause_of(item) is None] == []


def test_every_clause_has_a_test(collected: list[pytest.Item]) -> None:
    """And no test names a clause that is not in the contract."""
    assert {clause_of(item) for item in collected} == {clause.id for clause in CLAUSES}


def test_every_test_asks_for_a_probe(collected: list[pytest.Item]) -> None:
    """Without one it can see nothing of the target."""
    assert [item.nodeid for item in collected if PROBES.isdisjoint(vars(item).get("fixturenames", ()))] == []


PROBES = {"paylera_probe", "paylera_cell"}


def groups_of(file: Path) -> set[str]:
    """The groups that a file is about: its name begins with one, written with underscores."""
    stem = file.stem.removeprefix("test_").replace("_", "-")
    return {group for group in GROUPS if stem == group or stem.startswith(f"{group}-")}


each_group_file = pytest.mark.parametrize(
    "file", [file for file in FILES if file.stem != "test_every_operation"], ids=lambda file: file.stem
)


@each_group_file
def test_file_is_about_one_group(file: Path) -> None:
    """Its name says which."""
    assert len(groups_of(file)) == 1


@each_group_file
def test_file_covers_clauses_of_its_group_alone(collected: list[pytest.Item], file: Path) -> None:
    """A reader finds the tests of a clause by its group."""
    ids = {clause_of(item) or "" for item in collected if item.path == file}
    assert {clause.partition(".")[0] for clause in ids} == groups_of(file)


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every test function of the suite, by file and name."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{file.stem}::{node.name}", node


FUNCTIONS = dict(functions())


def test_function_has_a_one_sentence_docstring() -> None:
    """It says what is asked and why, and no more."""
    texts = {name: ast.get_docstring(function) or "" for name, function in FUNCTIONS.items()}
    assert [name for name, text in texts.items() if not re.fullmatch(r"((?!\. ).)+\.", text)] == []


def test_function_is_straight() -> None:
    """A test that decides what it tests is two tests; a verb or a table stands for the decision."""
    crooked = ast.If | ast.Try | ast.While | ast.Match
    nodes = [(name, node) for name, function in FUNCTIONS.items() for node in ast.walk(function)]
    assert [(name, type(node).__name__) for name, node in nodes if isinstance(node, crooked)] == []


def test_function_is_short() -> None:
    """A story of one clause fits on a screen."""
    ends = {name: (function.lineno, function.end_lineno or 0) for name, function in FUNCTIONS.items()}
    assert [name for name, (begin, end) in ends.items() if end - begin >= 30] == []
