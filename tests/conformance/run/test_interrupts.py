"""Ctrl-C and `kill`, in a run's own process and in its workers."""

from __future__ import annotations

import signal
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.waiting import PATIENCE_SECONDS
from paylera_conformance.run.interrupts import Interrupts


def test_second_signal_does_not_end_the_report() -> None:
    """CI sends one when it gets impatient; the first is an interrupt like Ctrl-C."""
    interrupts = Interrupts()
    with interrupts.handle_signals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)


def test_no_signal_ends_the_writing_of_the_report() -> None:
    """The verdict is reached by then, and a report of which half is written is worth nothing."""
    interrupts = Interrupts()
    writing = interrupts.pytest_sessionfinish()
    next(writing)
    interrupts.interrupt(signal.SIGTERM, None)
    assert not interrupts.was_interrupted
    with pytest.raises(StopIteration):
        next(writing)


def test_signals_are_as_before_afterwards() -> None:
    """The handlers are those of whoever called."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interrupts().handle_signals():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_interrupt_that_was_lost_stops_the_run_after_its_case(pytester: pytest.Pytester) -> None:
    """An exception in a callback goes nowhere, such as in those by which Hypothesis follows garbage collection."""
    interrupts = Interrupts()
    item = pytester.getitem("def test_it(): pass", "test_it")
    with pytest.raises(KeyboardInterrupt):
        interrupts.interrupt(signal.SIGINT, None)
    interrupts.pytest_runtest_teardown(item)
    assert item.session.shouldstop


def test_processes_that_begin_do_not_hear_ctrl_c() -> None:
    """They would answer it by a traceback, from the middle of their imports; this one hears it once all are there."""
    interrupts, deaf = Interrupts(), []
    with interrupts.handle_signals():  # whatever happens, its end has Ctrl-C heard again
        interrupts.pytest_xdist_setupnodes(["first", "second"])
        for number in (1, 2):
            deaf.append(is_deaf())
            interrupts.pytest_xdist_newgateway(gateway_to(number, is_here=False))
        assert [*deaf, is_deaf()] == [True, True, False]


def test_run_that_could_not_begin_leaves_nobody_deaf() -> None:
    """A process that was to begin may not have."""
    interrupts = Interrupts()
    with interrupts.handle_signals():
        interrupts.pytest_xdist_setupnodes(["first"])
        assert is_deaf()
    assert not is_deaf()


def test_workers_are_ended_too() -> None:
    """They are told at once: xdist waits for what they are at, for longer than CI waits for the run."""
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    interrupts = Interrupts()
    interrupts.pytest_xdist_newgateway(gateway_to(worker.pid))
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupts.interrupt(signal.SIGINT, None)
        assert worker.wait(PATIENCE_SECONDS) == -signal.SIGTERM
    finally:
        worker.kill()
        worker.wait()


def test_worker_that_is_gone_is_no_trouble() -> None:
    """It may have crashed."""
    worker = subprocess.Popen([sys.executable, "-c", ""])
    worker.wait()
    interrupts = Interrupts()
    interrupts.pytest_xdist_newgateway(gateway_to(worker.pid))
    with pytest.raises(KeyboardInterrupt):
        interrupts.interrupt(signal.SIGINT, None)


def test_process_on_another_machine_is_not_taken_for_one_of_this() -> None:
    """Its number may be that of anything here."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    interrupts = Interrupts()
    interrupts.pytest_xdist_newgateway(gateway_to(bystander.pid, is_here=False))
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupts.interrupt(signal.SIGINT, None)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        assert bystander.wait() == -signal.SIGKILL  # nothing else had ended it


def is_deaf() -> bool:
    """Whether this process does not hear Ctrl-C for now."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def gateway_to(pid: int, *, is_here: bool = True) -> Any:
    """What xdist reaches a process by, as far as it is used here."""
    channel = SimpleNamespace(receive=lambda: pid, waitclose=lambda: None)
    return SimpleNamespace(spec=SimpleNamespace(popen=is_here), remote_exec=lambda _source: channel)
