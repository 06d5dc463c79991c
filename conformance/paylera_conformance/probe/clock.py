"""The target's time, as one case reads and moves it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from paylera_conformance.model.case_results import PassedTime
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.probe.recording import Recording
from paylera_conformance.target.provisioner import Provisioner

_MARGIN: Final = timedelta(minutes=1)
"""How much later than a deadline is looked, where time is only waited for: clocks differ."""


class TargetClock:
    """The target's time: moved by a control API, or waited for. `evidence` says how time passed for what was seen."""

    def __init__(self, provisioner: Provisioner, recording: Recording | None = None) -> None:
        self._provisioner = provisioner
        self._recording = recording
        self.evidence: PassedTime = ""
        self.instants = 0

    def now(self) -> datetime:
        """The target's time. Raises `Blocked` where there is no clock to read."""
        return self._recording.now() if self._recording else self._provisioner.now()

    def move_to(
        self, start: datetime, *, hours: float = 0, seconds: float = 0, window: tuple[float, float] | None = None
    ) -> None:
        """Move to an instant after a start. Where the clock cannot be moved, what has really passed counts.

        - `window`: hours after the start between which an observer who can only wait may look instead; without it, any
          time from the instant on.

        Raises `Blocked` where that instant is past, `Pending` where it must be waited for, `MissedError` after the
        window.
        """
        after = timedelta(hours=hours, seconds=seconds)
        if self._recording is not None:
            due = start + (timedelta(hours=window[0]) if window else after + _MARGIN)
            latest = start + timedelta(hours=window[1]) if window else None
            self._recording.wait_until(due, latest, what=f"{hours:g} h {seconds:+g} s after it began")
            self.evidence = "wall clock"
            self.instants += 1
            return
        self.evidence = "moved clock"
        ahead = (start + after - self._provisioner.now()).total_seconds()
        if ahead < 0:
            raise Blocked("the instant to be looked at had passed before the target's clock could be moved to it")
        if not self._provisioner.stands_still:
            ahead = math.floor(ahead) if seconds < 0 else math.ceil(ahead)
        self._provisioner.advance(ahead)
        self.instants += 1

    def advance(self, seconds: float) -> None:
        """Go on by so much. Raises `Blocked` where the clock cannot be moved."""
        self._provisioner.advance(seconds)
        self.evidence = "moved clock"
        self.instants += 1
