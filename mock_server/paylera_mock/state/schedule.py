"""What is going to happen in a namespace by its clock alone, in the order in which it falls due."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from paylera_fixtures.vocabulary import Environment


class ScheduledEffect(StrEnum):
    """What can happen to an object without a request."""

    TRIAL_WILL_END = "trial_will_end"
    TRIAL_END = "trial_end"
    CHARGE_BACK = "charge_back"
    DISPUTE_WON = "dispute_won"
    ENDPOINT_REJECTS = "endpoint_rejects"
    DELIVERY_FAILED = "delivery_failed"


@dataclass(frozen=True, slots=True)
class ScheduledItem:
    """One thing that is going to happen: when, in seconds since the epoch, what, and to which object of whom."""

    at: float
    effect: ScheduledEffect
    tenant_id: str
    environment: Environment
    object_id: str


@dataclass(order=True, frozen=True, slots=True)
class _Entry:
    at: float
    sequence: int
    due: ScheduledItem = field(compare=False)


class Schedule:
    """Everything that is going to happen in one namespace. Thread-safe.

    `next_at`: when the first of it falls due, in seconds since the epoch; infinity where nothing is on it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._sequence = 0
        self.next_at = inf

    def __iter__(self) -> Iterator[ScheduledItem]:
        """What is on it, in the order in which it falls due."""
        with self._lock:
            return iter([entry.due for entry in sorted(self._entries)])

    def put(self, due: ScheduledItem) -> None:
        """Let something happen. What falls due at the same moment happens in the order in which it was put here."""
        with self._lock:
            self._sequence += 1
            heapq.heappush(self._entries, _Entry(due.at, self._sequence, due))
            self.next_at = self._entries[0].at

    def take(self, now: float) -> ScheduledItem | None:
        """Take off the first thing that is due; `None` where nothing is."""
        with self._lock:
            if self.next_at > now:
                return None
            due = heapq.heappop(self._entries).due
            self.next_at = self._entries[0].at if self._entries else inf
            return due
