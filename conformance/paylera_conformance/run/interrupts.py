"""Ctrl-C and `kill`: they end a run with its report, and the processes that it was shared out among at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
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
        self._workers: list[int] = []

    @contextmanager
    def handle_signals(self) -> Iterator[None]:
        """Have Ctrl-C and `kill` end the run with its report, while the block runs."""
        before = {number: signal.signal(number, self.interrupt) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Raise `KeyboardInterrupt`, the first time."""
        # Once: a second one, as CI sends it when it gets impatient, must not end the writing of the report.
        if not self.was_interrupted:
            self.was_interrupted = True
            # Only a terminal sends it to the workers too, and xdist waits for what they are at.
            for worker in self._workers:
                with suppress(OSError):  # it has ended
                    os.kill(worker, signal.SIGTERM)
            raise KeyboardInterrupt

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """Note the process that xdist has started; one on another machine has a number that means another here."""
        if not gateway.spec.popen:
            return
        channel = gateway.remote_exec("import os; channel.send(os.getpid())")
        self._workers.append(channel.receive())
        channel.waitclose()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Stop after a case in which the interrupt was lost, as it is in a callback (Hypothesis has such)."""
        if self.was_interrupted:
            item.session.shouldstop = "interrupted"


def end_worker_at_signals(config: pytest.Config) -> None:
    """Have this process, a worker, end as the run does: at the first signal, from whichever side it comes."""
    interrupts = Interrupts()
    for number in SIGNALS:
        signal.signal(number, interrupts.interrupt)
    config.pluginmanager.register(interrupts)
