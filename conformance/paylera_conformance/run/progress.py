"""Shows how far a run is, while it runs under pytest."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Final

import pytest

from paylera_conformance.run.session import RUN
from paylera_fixtures.progress import Work, show_progress

_USUAL: Final = -2
"""The verbosity under which the program runs pytest; more has pytest show each case, less asks for silence."""


class RunProgress:
    """The pytest plugin that shows how many cases have ended, and how many requests were sent.

    - `title`: what is said before the cases are counted;
    - `unit`: what the cases are called;
    - `counts_requests`: whether requests are told, and the pace at which they are sent where there is one.
    """

    def __init__(
        self, title: str = "collecting the cases", unit: str = "cases", *, counts_requests: bool = True
    ) -> None:
        self.work = Work(title, unit=unit, note=self._describe_requests if counts_requests else str)
        self._shown = ExitStack()
        self._config: pytest.Config | None = None
        self._is_ending = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Begin, unless the user asked pytest for more or less words, or for no run."""
        self._config = config
        if config.get_verbosity() == _USUAL and not config.option.collectonly:
            self._shown.enter_context(show_progress(self.work))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep xdist from saying that its workers are being started."""
        plugins = session.config.pluginmanager
        controller = plugins.get_plugin("dsession")
        if controller is not None and session.config.get_verbosity() == _USUAL:
            plugins.unregister(name="terminaldistreporter")
            controller.terminal = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many cases there are."""
        self.work.total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note how many cases there are where workers of xdist collect them, all the same ones."""
        self.work.total = len(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case that has ended."""
        self.work.done += report.when == "teardown"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Say what is left to do, and take the line away before pytest prints the summary."""
        self._is_ending = True
        yield
        self._shown.close()

    def pytest_unconfigure(self) -> None:
        """Take it away where the session ended otherwise."""
        self._shown.close()

    def _describe_requests(self) -> str:
        run = self._config.stash.get(RUN, None) if self._config else None
        if run is None:
            return ""
        pace = "" if run.settings.is_loopback else f" at {run.settings.rps:g} a second"
        ending = " · making the report" if self._is_ending else ""
        return f"{run.requests:,} requests{pace}{ending}"
