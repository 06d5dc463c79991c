"""The clock of a namespace: it runs, or it stands still until advanced."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

MINUTE: Final = 60
"""The seconds of a minute."""

DAY: Final = 24 * 60 * MINUTE
"""The seconds of a day."""

END_OF_TIME: Final = 221_845_392_000.0
"""The year 9000 in seconds since the epoch: some time later is still a date that can be written."""

SEEDED_START: Final = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
"""When it is in a fake with a seed: any instant would do, as long as it is always the same."""


class _Reading(NamedTuple):
    """What a clock shows: `base`, to which the time outside is added while it runs, and what it was advanced by.

    These are kept apart so that steps that add up to a whole day end exactly a day later.
    """

    running: bool
    base: float
    advanced: float = 0.0


def _read_time() -> float:
    """The time outside. It is looked up each time, since a test may have put another function in its place."""
    return time.time()


class Clock:
    """What time it is in one namespace.

    `running`: time passes as outside, plus what it was advanced by; else only advancing moves it. `at`: what it shows
    at first, in seconds since the epoch; the time outside where it is not given.
    """

    _reading: _Reading

    def __init__(self, *, running: bool, source: Callable[[], float] = _read_time, at: float | None = None) -> None:
        self._source = source
        self._start = source() if at is None and not running else at
        self._starts_running = running
        self.reset()

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return self._reading.running

    def epoch(self) -> float:
        """The time in seconds since the epoch."""
        running, base, advanced = self._reading
        return (self._source() + base if running else base) + advanced

    def text(self) -> str:
        """The time as objects show it: RFC 3339 in UTC, to the millisecond."""
        return format_time(self.epoch())

    def advance(self, seconds: float) -> None:
        """Move forward. Raises `ValueError` for a step backwards or beyond the year 9000."""
        if not 0 <= seconds < END_OF_TIME or self.epoch() + seconds >= END_OF_TIME:
            raise ValueError("a clock can only be advanced, and not beyond the year 9000")
        self._reading = self._reading._replace(advanced=self._reading.advanced + seconds)

    def to(self, epoch: float) -> None:
        """Move forward to an instant: exactly, where it stands still.

        Raises `ValueError` for an instant that is past or beyond the year 9000.
        """
        if not self.epoch() <= epoch < END_OF_TIME:
            raise ValueError(f"a clock goes forward only, and not beyond the year 9000: it is {self.text()} now")
        self.restore(epoch, running=self.running)

    def freeze(self) -> None:
        """Stand still from now on."""
        self.restore(self.epoch(), running=False)

    def run(self) -> None:
        """Let time pass from now on."""
        if not self.running:
            self.restore(self.epoch(), running=True)

    def restore(self, epoch: float, *, running: bool) -> None:
        """Show an instant from now on, be it before or after what it shows."""
        # In one step, since others read without a lock.
        self._reading = _Reading(running, epoch - self._source() if running else epoch)

    def reset(self) -> None:
        """Go back to where it started: a running clock that was given no start, to the time outside."""
        if self._start is None:
            self._reading = _Reading(running=True, base=0.0)
        else:
            self.restore(self._start, running=self._starts_running)


def format_time(epoch: float) -> str:
    """A time in seconds since the epoch as objects show it."""
    moment = datetime.fromtimestamp(epoch, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
