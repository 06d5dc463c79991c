"""What a target's own clock said at each moment of a case, from what its control API was asked about the clock."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from paylera_conformance.model.messages import Exchange

_CLOCK: Final = "/clock"
_ADVANCE: Final = "/clock/advance"


@dataclass(frozen=True)
class _Reading:
    at: datetime
    now: datetime


def _moment(reading: _Reading) -> datetime:
    return reading.at


class TargetTimes:
    """The target's time by the wall clock's, without a request of its own.

    - `stands_still`: the clock moves only when it is told to; others go on between two readings.
    """

    def __init__(self, calls: Sequence[Exchange] = (), *, stands_still: bool) -> None:
        self._readings: list[_Reading] = []
        self._stands_still = stands_still
        self._read = 0
        self.read(calls)

    def read(self, calls: Sequence[Exchange]) -> None:
        """Learn from the calls that were made since the last time: all are given each time, and only get more."""
        for call in islice(calls, self._read, None):
            if call.request.path.startswith(_CLOCK):  # most are about something else
                self._readings += _read_clock(call, is_first=not self._readings)
        self._read = len(calls)
        self._readings.sort(key=_moment)

    def at(self, moment: str) -> str:
        """What the clock said at a moment, both RFC 3339; empty where nothing tells."""
        if not self._readings or not moment:
            return ""
        wall = datetime.fromisoformat(moment)
        reading = self._readings[max(bisect_right(self._readings, wall, key=_moment) - 1, 0)]
        passed = timedelta() if self._stands_still else wall - reading.at
        return (reading.now + passed).isoformat()


def _read_clock(call: Exchange, *, is_first: bool) -> Iterator[_Reading]:
    """What a call tells of the clock; the first move tells what the clock said before it, too."""
    path = call.request.path.partition("?")[0]
    now = _read_instant(call.response.object.get("now"))
    if now is None or not call.response.ok or path not in {_CLOCK, _ADVANCE} or not call.at:
        return
    sent = datetime.fromisoformat(call.at)
    if is_first and path == _ADVANCE:
        moved = json.loads(call.request.body or b"{}").get("seconds", 0)
        yield _Reading(datetime.min.replace(tzinfo=sent.tzinfo), now - timedelta(seconds=moved))
    yield _Reading(sent + timedelta(seconds=call.seconds), now)


def _read_instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None
