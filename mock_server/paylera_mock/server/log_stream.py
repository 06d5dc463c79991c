"""Lines on a stream that may be a pipe which nobody reads: no request waits for who reads its log."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from paylera_fixtures.terminal import PLAIN_SIGNS

_PATIENCE_MS: Final = 100
"""How long is waited for a slow reader, once; after that, lines are left out until the stream takes some again."""

_LONGEST_LINE: Final = 4096
"""Bytes that a pipe takes at once if it takes any (POSIX: at least 512; Linux: 4,096)."""


class LogStream:
    """Writes lines to a descriptor, each whole. Thread-safe.

    Where nobody reads what was written before, a line is left out, and how many were is said later.
    """

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._lock = threading.Lock()
        self._left_out = 0
        self._is_ready = _make_is_ready(descriptor)

    def write(self, line: str) -> None:
        """Write a line, or leave it out."""
        data = line.encode(self._encoding, PLAIN_SIGNS)[: _LONGEST_LINE - 1] + b"\n"
        with self._lock, suppress(OSError):
            if not self._is_ready(0 if self._left_out else _PATIENCE_MS):
                self._left_out += 1
                return
            if self._left_out:
                note = f"paylera-mock: {self._left_out} lines are left out here: nobody read what came before\n"
                data = note.encode() + data
                data = data[:_LONGEST_LINE]
                self._left_out = 0
            os.write(self._descriptor, data)


def _make_is_ready(descriptor: int) -> Callable[[int], bool]:
    """Gives a function that tells whether a descriptor takes a line within so many milliseconds."""
    if not hasattr(select, "poll"):
        return lambda _milliseconds: True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return lambda milliseconds: bool(poll.poll(milliseconds))
