"""What ends a served fake: signals, and an event that a signal handler may set."""

from __future__ import annotations

import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias

Stop: TypeAlias = Callable[[], None]
"""Ends the fake, from any thread."""


class SignalEvent(threading.Event):
    """An event that the handler of a signal may set at any moment.

    `threading.Event` takes a lock that is not reentrant: set by a handler while the main thread is about to wait, it
    blocks for ever. And where the system delivers a signal to another thread, nothing ends the main thread's wait, so
    that the handler never runs. Here the wait is for a socket, which the signal itself makes readable.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_set = False
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)  # noqa: FBT003 - the name of the method says it

    def wake_by_signals(self) -> None:
        """Have every signal that has a handler wake `wait`. To be called in the main thread."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def set_by_stop_signals(self) -> None:
        """Have the signals that end the fake set it. To be called in the main thread."""
        self.wake_by_signals()
        for number in stop_signals():
            signal.signal(number, lambda *_: self.set())

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._is_set

    def set(self) -> None:
        """End every wait, now and later."""
        self._is_set = True
        # Where the buffer is full there is enough to read already.
        with suppress(BlockingIOError):
            self._writer.send(b"\0")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds without a signal: whether it is set. It stays set."""
        while not self._is_set:
            if not select.select([self._reader], [], [], timeout)[0]:
                break
            self._reader.recv(4096)
        return self._is_set

    def clear(self) -> None:
        """Let waits block again."""
        self._is_set = False

    def close(self) -> None:
        """Close its sockets. Signals must have been given another wakeup descriptor before."""
        self._reader.close()
        self._writer.close()


SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that end the fake: that of a closed terminal too, unless `nohup` or the like has it ignored."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return SIGNALS
    return (*SIGNALS, signal.SIGHUP)
