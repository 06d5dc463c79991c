"""What the suite takes from whoever runs it: nothing of theirs that could change what is collected, unseen."""

from __future__ import annotations

import os

import pytest

from paylera_conformance.run.launch import Ending, leaves_collection, pytest_arguments
from paylera_conformance.run.plan import SUITE_ARGUMENTS, suite_environment

ARGUMENTS = {
    "none": ((), True),
    "expression": (("-k", "a or b"), True),
    "two-expressions": (("-k", "a", "-x", "-k", "b"), True),
    "verbosity": (("-vv", "-s", "-q"), True),
    "ini": (("-o", "python_files=x.py"), False),
    "plugin": (("-k", "a", "-p", "mine"), False),
    "plugin-in-one-word": (("-pmine",), False),
    "path": (("somewhere/test_it.py",), False),
    "config": (("-c", "mine.ini"), False),
}


@pytest.mark.parametrize(("arguments", "leaves"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_cases_are_counted_where_an_argument_may_have_narrowed(arguments: tuple[str, ...], *, leaves: bool) -> None:
    """Only of a few it is known that they leave the collection alone."""
    assert leaves_collection(arguments) is leaves


def test_suites_own_configuration_stands_last() -> None:
    """The last of an option's values counts, so that nobody's `-c` takes its place."""
    assert tuple(pytest_arguments({}, pytest_args=["-c", "mine.ini"])[-len(SUITE_ARGUMENTS) :]) == SUITE_ARGUMENTS


def test_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is one of many things that a process may do."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("PYTEST_PLUGINS", "mine")
    before = dict(os.environ)
    with suite_environment():
        within = {name for name in os.environ if name.startswith("PYTEST_")}
    own = {name for name in before if name not in {"PYTEST_ADDOPTS", "PYTEST_PLUGINS"}}
    assert within - own == {"PYTEST_DISABLE_PLUGIN_AUTOLOAD"} - own
    assert within.isdisjoint({"PYTEST_ADDOPTS", "PYTEST_PLUGINS"})
    assert dict(os.environ) == before


@pytest.mark.parametrize(("of_pytest", "code"), [(0, 5), (1, 1), (2, 2), (4, 4)])
def test_run_without_report_is_never_0(of_pytest: int, code: int) -> None:
    """Pytest ends with 0 where it was asked to list something."""
    assert Ending().exit_code(of_pytest) == code
