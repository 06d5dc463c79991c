"""The pytest plugin is loaded in every run of every user who has the package, and costs those nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from argparse import SUPPRESS
from pathlib import Path

import pytest

from paylera_conformance import plugin
from paylera_conformance.run.options import OPTIONS

# Written as a test, so that it sees what pytest has imported by the time that tests run.
UNRELATED = """
import sys

def test_unrelated():
    print("loaded:", *sorted(sys.modules))
"""

COSTLY = {"flask", "werkzeug", "httpx", "schemathesis", "hypothesis", "faker", "xdist", "rich", "msgspec"}
OWN = {"paylera_conformance"} | {f"paylera_conformance.{name}" for name in ("plugin", "marker", "run", "run.options")}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every module that is there in a run of an unrelated test, with the plugin loaded and no other."""
    folder = tmp_path_factory.mktemp("unrelated")
    (folder / "test_unrelated.py").write_text(UNRELATED, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "paylera_conformance.plugin", "test_unrelated.py"]
    ended = subprocess.run(
        command, cwd=folder, env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True, check=True
    )
    line = next(line for line in ended.stdout.splitlines() if line.startswith("loaded:"))
    return set(line.split()[1:])


def test_unrelated_run_loads_nothing_costly(loaded: set[str]) -> None:
    """Each of these costs 100 ms, in every run of somebody who asked for none of it."""
    assert loaded & COSTLY == set()


def test_unrelated_run_loads_the_plugin_and_its_options_alone(loaded: set[str]) -> None:
    """The suite itself is imported once there is one to run."""
    assert {name for name in loaded if name.startswith("paylera_")} == OWN


def top_level_imports(source: str) -> set[str]:
    """What a module imports when it is imported, what is for type checkers left out."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
    return names


def test_plugin_imports_nothing_but_pytest() -> None:
    """And the standard library and its mark; what it needs beyond that is imported where it is needed."""
    source = Path(str(plugin.__file__)).read_text("utf-8")
    assert {name.partition(".")[0] for name in top_level_imports(source)} - sys.stdlib_module_names == {
        "pytest",
        "paylera_conformance",
    }


@pytest.fixture
def alone(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A pytest that loads no plugin but the suite's, which takes seconds less, and nothing of this repository."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p paylera_conformance.plugin --noconftest")
    return pytester


def test_options_of_pytest_are_the_programs(alone: pytest.Pytester) -> None:
    """Each has its name under `--paylera-`, so that none meets another plugin's."""
    result = alone.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines_random([f"*--paylera-{name}*" for name, row in OPTIONS if row["help"] is not SUPPRESS])


def test_test_of_the_suite_without_a_target_is_a_mistake(alone: pytest.Pytester) -> None:
    """Pytest says in one line what to give."""
    result = alone.runpytest_subprocess("--pyargs", "paylera_conformance.clauses.test_aal2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: no target: give a URL, or set *"])
