"""The clock of a namespace: it runs, or it stands still until advanced."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

END_OF_TIME = 221_845_392_000.0
"""The year 9000 in seconds since the epoch: what is reckoned from a time before it is a date that can be written."""


class Clock:
    """What time it is in one fake Paylera.

    `running`: time passes as outside, plus what it was advanced by; else only advancing moves it.
    """

    def __init__(self, *, running: bool, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.running = running
        self._start = source()
        self._advanced = 0.0

    def epoch(self) -> float:
        """The time in seconds since the epoch."""
        return (self._source() if self.running else self._start) + self._advanced

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.fromtimestamp(self.epoch(), tz=UTC)

    def text(self) -> str:
        """The time as objects show it: RFC 3339 in UTC, to the millisecond."""
        return written(self.epoch())

    def advance(self, seconds: float) -> None:
        """Move forward. Raises `ValueError` for a step backwards or beyond the year 9000."""
        if not 0 <= seconds < END_OF_TIME or self.epoch() + seconds >= END_OF_TIME:
            raise ValueError("a clock can only be advanced, and not beyond the year 9000")
        self._advanced += seconds

    def reset(self) -> None:
        """Go back to where it started (running: to the time outside)."""
        self._advanced = 0.0


def written(epoch: float) -> str:
    """A time in seconds since the epoch as objects show it."""
    moment = datetime.fromtimestamp(epoch, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
