"""What ends the fake can be set by the handler of a signal at any moment."""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.server.shutdown import SignalEvent

needs_alarm = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGALRM")


@pytest.fixture
def event() -> Iterator[SignalEvent]:
    """One that nobody has set."""
    event = SignalEvent()
    yield event
    event.close()


def test_a_wait_ends_once_it_is_set(event: SignalEvent) -> None:
    """From another thread, as a limit of time sets it."""
    waiting = threading.Thread(target=event.wait)
    waiting.start()
    event.set()
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()


def test_it_stays_set_until_it_is_cleared(event: SignalEvent) -> None:
    """The server below looks at it twice."""
    event.set()
    event.wait()
    event.wait()
    event.clear()
    assert not event.wait(timeout=0)


@pytest.fixture
def alarm(event: SignalEvent) -> Iterator[SignalEvent]:
    """An event that SIGALRM sets."""
    before = signal.signal(signal.SIGALRM, lambda *_: event.set())
    event.wake_by_signals()
    yield event
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGALRM, before)


@needs_alarm
def test_a_signal_given_to_another_thread_ends_the_wait(alarm: SignalEvent) -> None:
    """The system chooses the thread, and the handler runs in the main one, once that wakes."""
    other = threading.Timer(0.05, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGALRM))
    other.start()
    assert alarm.wait(PATIENCE_SECONDS)
    other.join()


@needs_alarm
@pytest.mark.parametrize("step", range(12))
def test_a_signal_on_the_way_into_the_wait_is_not_lost(alarm: SignalEvent, step: int) -> None:
    """It comes at one step after the other, where a lock might be held."""
    with interrupted_at(step):
        assert alarm.wait(PATIENCE_SECONDS)


@contextmanager
def interrupted_at(step: int) -> Iterator[None]:
    """Raise SIGALRM at one line of what is traced, or a moment later where there are fewer lines."""
    lines = itertools.count()

    def trace(_frame: FrameType, what: str, _argument: object) -> object:
        if what == "line" and next(lines) == step:
            signal.raise_signal(signal.SIGALRM)
        return trace

    signal.setitimer(signal.ITIMER_REAL, 0.1)
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.settrace(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
