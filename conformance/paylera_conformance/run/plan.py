"""Every case that the suite has for each clause, found by collecting the suite itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TypeAlias

import pytest

from paylera_conformance.marker import MARKER, MARKER_LINES
from paylera_conformance.run.launch import SUITE_ARGUMENTS

Plan: TypeAlias = Mapping[str, frozenset[str]]
"""For each clause the names of its cases."""


class PlanError(Exception):
    """The installed suite cannot be collected."""


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
    options = ["--disable-plugin-autoload", "-p", "no:cacheprovider", "--collect-only", "-qq"]
    with redirect_stdout(StringIO()):  # pytest lists what it collects
        code = pytest.main([*options, *SUITE_ARGUMENTS], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise PlanError(f"the installed suite cannot be collected (pytest ended with {int(code)}): install it anew")
    return {clause: frozenset(cases) for clause, cases in collector.cases.items()}
