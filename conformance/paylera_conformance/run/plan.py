"""Every case that the suite has for each clause, found by collecting the suite itself, and nothing beside it."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from paylera_conformance.marker import MARKER, MARKER_LINES

_PACKAGE: Final = Path(__file__).parents[1]
SUITE_ARGUMENTS: Final = (
    *("-c", str(_PACKAGE / "pytest.ini")),
    *("--rootdir", str(_PACKAGE), "--confcutdir", str(_PACKAGE)),
    str(_PACKAGE / "clauses"),
)
"""Arguments by which pytest collects the suite, under the suite's own ini file and conftest. They stand last."""

_OTHERS: Final = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
"""Variables by which somebody else's arguments and plugins would come in."""

Plan: TypeAlias = Mapping[str, frozenset[str]]
"""For each clause the names of its cases."""


class PlanError(Exception):
    """The installed suite cannot be collected."""


_COLLECT_AFTER: Final = (20_000, 20, 20)
"""Thresholds of the garbage collector in a run."""


@contextmanager
def suite_environment() -> Iterator[None]:
    """Have pytest, and the processes that it starts, take nothing from the environment while the block runs.

    What a run keeps is evidence, and no garbage: meanwhile the collector looks less often.
    """
    # Loading every plugin that happens to be installed costs seconds, and lets any of them change the run.
    autoload = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
    before = {name: os.environ.pop(name, None) for name in (*_OTHERS, autoload)}
    os.environ[autoload] = "1"
    thresholds = gc.get_threshold()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        del os.environ[autoload]
        os.environ.update({name: value for name, value in before.items() if value is not None})


class _Collector:
    """Notes what was collected. It stands in for the suite's own plugin, which would begin a run."""

    def __init__(self) -> None:
        self.cases: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the mark."""
        for line in MARKER_LINES:
            config.addinivalue_line("markers", line)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Note each case under its clause."""
        for item in items:
            mark = item.get_closest_marker(MARKER)
            if mark is not None:
                self.cases[mark.args[0]].add(item.nodeid.rpartition("::")[2])


def planned_cases() -> Plan:
    """The cases of the installed suite. Raises `PlanError`."""
    collector = _Collector()
    options = ["-p", "no:cacheprovider", "--collect-only", "-qq"]
    with suite_environment(), redirect_stdout(StringIO()):  # pytest lists what it collects
        code = pytest.main([*options, *SUITE_ARGUMENTS], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise PlanError(f"the installed suite cannot be collected (pytest ended with {int(code)}): install it anew")
    return {clause: frozenset(cases) for clause, cases in collector.cases.items()}


class CaseCount:
    """Counts the cases of each clause in a process of its own, while a run goes on that others may have narrowed."""

    def __init__(self) -> None:
        with suite_environment():
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", __spec__.name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the run, which then still wants the numbers
            )

    def wait(self) -> Mapping[str, int]:
        """How many cases each clause has. Raises `PlanError`."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise PlanError("the cases of the installed suite cannot be counted: install it anew")
        counts: dict[str, int] = json.loads(output)
        return counts


if __name__ == "__main__":
    sys.stdout.write(json.dumps({clause: len(cases) for clause, cases in planned_cases().items()}))
