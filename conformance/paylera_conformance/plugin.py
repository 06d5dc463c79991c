"""The pytest plugin: options and fixtures of the conformance suite.

pytest imports this in every run of every user who has the package, so it imports nothing but pytest and its options;
what the suite needs is imported once there is a suite to run.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import pytest

from paylera_conformance.marker import MARKER, MARKER_LINES
from paylera_conformance.run.options import OPTIONS

pytest.register_assert_rewrite("paylera_conformance.clauses")

if TYPE_CHECKING:  # start-up time of every user's pytest: see the module's docstring
    from paylera_conformance.probe.probe import Probe
    from paylera_conformance.run.session import ConformanceRun

RUN_PLUGIN = "paylera_conformance_run"
SEED = "paylera_seed"
_RUN_ID = "paylera_run_id"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("paylera", "Paylera conformance")
    for name, settings in OPTIONS:
        group.addoption(f"--paylera-{name}", dest=f"paylera_{name.replace('-', '_')}", **settings)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark; begin a conformance run at once where a target was named."""
    made_up = {SEED: secrets.randbelow(2**32), _RUN_ID: f"run{secrets.token_hex(4)}"}
    given: dict[str, Any] = getattr(config, "workerinput", {})
    for name, value in made_up.items():
        if getattr(config.option, name) is None:
            setattr(config.option, name, given.get(name, value))
    config.pluginmanager.register(Listener(config))
    for line in MARKER_LINES:
        config.addinivalue_line("markers", line)
    if config.getoption("paylera_url") or config.getoption("paylera_config"):
        active_run(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of xdist the seed and the id of the run: it gets nothing but the command line otherwise."""
    node.workerinput.update({name: getattr(node.config.option, name) for name in (SEED, _RUN_ID)})


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin a conformance run where its tests were collected, and count them before any is deselected."""
    marked = [item for item in items if item.get_closest_marker(MARKER)]
    if marked:
        others = [item for item in items if not item.get_closest_marker(MARKER)]
        items[:] = [*others, *active_run(config).plan(marked)]


class Listener:
    """Passes on the result of each case: under xdist the process that reports has collected nothing itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result of a case of the suite; other tests are not looked at."""
        if hasattr(report, "paylera"):
            active_run(self._config).add_result(report)


def active_run(config: pytest.Config) -> ConformanceRun:
    """The conformance run of this pytest run, begun if need be. Raises `pytest.UsageError` for bad settings."""
    run: ConformanceRun | None = config.pluginmanager.get_plugin(RUN_PLUGIN)
    if run is None:
        from paylera_conformance.run.session import begin  # noqa: PLC0415 - see the module's docstring

        run = begin(config)
        config.pluginmanager.register(run, RUN_PLUGIN)
    return run


@pytest.fixture(scope="session")
def paylera_parts(request: pytest.FixtureRequest) -> int:
    """In how many parts the operations are looked at, each by one process."""
    return active_run(request.config).parts


@pytest.fixture(scope="session")
def paylera_shared_probes(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Probe]]:
    """Gives the probe of all cases of a part, which go on together, in one namespace where the target has such."""
    probes = active_run(request.config).probes
    with ExitStack() as stack:
        yield cache(lambda _part: stack.enter_context(probes.of_many_cases()))


@pytest.fixture(scope="session")
def paylera_shared_probe(paylera_shared_probes: Callable[[int], Probe]) -> Probe:
    """The probe of those that are in no particular part."""
    return paylera_shared_probes(0)


@pytest.fixture(scope="session")
def paylera_following_probe(
    request: pytest.FixtureRequest, paylera_shared_probe: Probe
) -> Callable[[str], Probe | None]:
    """Gives the probe of what all those cases look at in each session, by its name; `None` where no run waits."""
    return partial(active_run(request.config).probes.following, paylera_shared_probe)


@pytest.fixture
def paylera_probe(request: pytest.FixtureRequest) -> Iterator[Probe]:
    """The probe of one test, in a namespace of its own where the target has such."""
    with active_run(request.config).probes.of_case(request.node) as probe:
        yield probe


@pytest.fixture
def paylera_cell(request: pytest.FixtureRequest) -> Probe:
    """The probe of a case that ends as a cell of the matrix did: it sends nothing itself."""
    return active_run(request.config).probes.of_silent_case(request.node)
