"""What every test run of this repository shares."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# Before the first import of a helper: a failed assertion in one shows its values.
pytest.register_assert_rewrite("helpers")

pytest_plugins = ["pytester"]

SLOW_FIXTURES = frozenset({"browser", "deploy", "make_program", "program", "programs", "scene", "served_by"})
"""Each starts programs for one test or for a few: whoever uses one is slow."""


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs a pytest as users have one, in a folder of the test's own."""
    from helpers.lean_pytest import LEAN  # noqa: PLC0415 - the suite is collected below this file too, without helpers

    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(LEAN))
    return pytester


def pytest_configure() -> None:
    """Have the programs that tests start hear every signal, also where they run in the background or under `nohup`.

    What a process ignores, the programs that it starts ignore too; what it has a handler for, they do not.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer a quick look at whether a version of Python or of a library will do."""
    parser.addoption("--first-rows", action="store_true", help="run each test with the first of its parameters alone")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow who starts programs of its own, and begin with the files that have such.

    Several processes, each with whole files, are then done at about the same time.
    """
    if config.getoption("--first-rows", default=False):  # the suite is collected below this file too
        first = {*{item.nodeid.partition("[")[0]: item for item in reversed(items)}.values()}
        config.hook.pytest_deselected(items=[item for item in items if item not in first])
        items[:] = [item for item in items if item in first]
    for item in items:
        if isinstance(item, pytest.Function) and not SLOW_FIXTURES.isdisjoint(item.fixturenames):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


# A red run must be red again: the examples depend on the test alone, and a slow machine is no failure.
settings.register_profile(
    "repository", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repository")
