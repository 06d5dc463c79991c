"""What ended states kept, freed a little at a time: to free a hundred thousand objects at once holds up everybody."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterator, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

STEP: Final = 64
"""Objects that are freed at a time."""

_SMALL: Final = 1_000
"""Objects that are freed at once."""

_MOST: Final = 2
"""Ended states of which something is left; of a further one's the oldest is freed at once."""

Part: TypeAlias = MutableMapping[Any, Any] | list[Any]


class Ended(Protocol):
    """A state that has ended."""

    def take_out(self) -> Iterator[None]:
        """Have its secrets forgotten, some at each step."""

    def parts(self) -> list[Part]:
        """What it consists of."""


class Discarded:
    """What is left of ended states. Thread-safe; shared by all namespaces."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Rest] = deque()

    def add(self, state: Ended) -> None:
        """Take over what a state kept."""
        rest = _Rest(state)
        if sum(map(len, rest.parts)) <= _SMALL:
            rest.finish()
            return
        with self._lock:
            self._waiting.append(rest)
            if len(self._waiting) > _MOST:
                self._waiting.popleft().finish()

    def free_some(self) -> None:
        """Free a few objects, where there are any. Whoever writes does it, and nobody waits for it."""
        if self._waiting and self._lock.acquire(blocking=False):
            try:
                if self._waiting and self._waiting[0].is_done():
                    self._waiting.popleft()
            finally:
                self._lock.release()


class _Rest:
    """What is left of one state. Requests that were under way when it ended still see it whole."""

    def __init__(self, state: Ended) -> None:
        self.parts = state.parts()
        self._state = weakref.ref(state)
        self._take_out = state.take_out()

    def is_done(self) -> bool:
        """Free a few objects: whether there are no more."""
        if next(self._take_out, self) is not self:
            return False
        if self._state() is None and self.parts:
            _shrink(self.parts[-1])
            if not self.parts[-1]:
                self.parts.pop()
        return not self.parts

    def finish(self) -> None:
        """Forget every secret at once, and leave the objects to whoever still uses them."""
        for _ in self._take_out:
            pass
        self.parts.clear()


def _shrink(part: Part) -> None:
    if isinstance(part, list):
        del part[-STEP:]
        return
    for _ in range(min(STEP, len(part))):
        part.popitem()
