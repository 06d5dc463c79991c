"""Ctrl-C and `kill`: they end a run with its report, and the processes that it was shared out among at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import pytest

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """The pytest plugin that ends the run in this process where a signal says so, and in its workers.

    - `was_interrupted`: one did, also where pytest says nothing of it.
    """

    def __init__(self) -> None:
        self.was_interrupted = False
        self._is_ending = False
        self._workers: list[int] = []
        self._awaited = 0

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Have Ctrl-C and `kill` end the run with its report, while the block runs."""
        before = {number: signal.signal(number, self.interrupt) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            _hear_ctrl_c()

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Raise `KeyboardInterrupt`, the first time, unless the report is being written."""
        # Once: a second one, as CI sends it when it gets impatient, must not end the writing either.
        if not (self.was_interrupted or self._is_ending):
            self.was_interrupted = True
            # Only a terminal sends it to the workers too, and xdist waits for what they are at.
            for worker in self._workers:
                with suppress(OSError):  # it has ended
                    os.kill(worker, signal.SIGTERM)
            raise KeyboardInterrupt

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[Any]) -> None:
        """Have the processes that xdist starts begin deaf to Ctrl-C, which they could only answer by a traceback."""
        self._awaited = len(specs)
        _hear_ctrl_c(now=False)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """Note the process that xdist has started; one on another machine has a number that means another here."""
        if gateway.spec.popen:
            channel = gateway.remote_exec("import os; channel.send(os.getpid())")
            self._workers.append(channel.receive())
            channel.waitclose()
        self._awaited -= 1
        if self._awaited == 0:
            _hear_ctrl_c()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Stop after a case in which the interrupt was lost, as it is in a callback (Hypothesis has such)."""
        if self.was_interrupted:
            item.session.shouldstop = "interrupted"

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Have nothing end the writing of the report."""
        self._is_ending = True
        return (yield)


def _hear_ctrl_c(*, now: bool = True) -> None:
    """Have it wait, in this process and in those that it starts, or take what has come meanwhile and whatever comes."""
    if hasattr(signal, "pthread_sigmask"):  # Windows has none
        signal.pthread_sigmask(signal.SIG_UNBLOCK if now else signal.SIG_BLOCK, {signal.SIGINT})


def end_worker_at_signals(config: pytest.Config) -> None:
    """Have this process, a worker, end as the run does: at the first signal, from whichever side it comes."""
    interrupts = Interrupts()
    for number in SIGNALS:
        signal.signal(number, interrupts.interrupt)
    _hear_ctrl_c()
    config.pluginmanager.register(interrupts)
