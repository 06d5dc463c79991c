"""Waiting for a fault under a WSGI server, whose threads sleep through it."""

from __future__ import annotations

import threading
from typing import Final

from paylera_mock.http.handler import ExchangeSteps, Pause, Transmission, next_step, pause_seconds

PAUSES_AT_ONCE: Final = 128
"""How many requests of one fake may wait at once, so that no fault takes every thread or connection there is."""


class WaitLimit:
    """Lets so many requests of one fake wait at a time."""

    def __init__(self, count: int = PAUSES_AT_ONCE) -> None:
        self._free = threading.Semaphore(count)

    def finish(self, exchanging: ExchangeSteps) -> Transmission:
        """Go through an exchange, and sleep where it waits. Where too many sleep already, it does not wait."""
        while isinstance(step := next_step(exchanging), Pause):
            if step.departure.at is None and self._free.acquire(blocking=False):
                try:
                    step.over.wait(pause_seconds(step))
                finally:
                    self._free.release()
        return step
