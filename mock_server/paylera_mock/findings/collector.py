"""What the clients of one namespace do: put aside while a request is served, and looked at later.

It is looked at when somebody asks, or a few at a time when so many exchanges wait that the journal may forget them.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Final, cast

from paylera_mock.findings.observer import Observer, TestStep
from paylera_mock.findings.refusals import Refusal
from paylera_mock.findings.table import ClientFinding, FindingHistory
from paylera_mock.journal.recorder import Departure, JournalEntry

_CLOCK: Final = "clock"

_AT_ONCE: Final = 32
"""So many exchanges are looked at while a request waits: some milliseconds."""

_BETWEEN_LOOKS_SECONDS: Final = 0.002
_LOOKED_WITHIN_SECONDS: Final = 1.0
"""By then every server has looked whether its client is still there; it only ends what hangs."""


class FindingCollector:
    """What the clients of one namespace do. Thread-safe.

    `namespace`: its id, `None` for the default one; `backlog`: how many exchanges may wait to be looked at; `history`:
    what takes over all that was found when the namespace begins anew, or ends.
    """

    def __init__(self, namespace: str | None, backlog: int) -> None:
        self.history = FindingHistory()
        self._namespace = namespace
        self._backlog = backlog
        self._pending: deque[JournalEntry | TestStep] = deque()
        self._in_order: list[tuple[float, int, JournalEntry]] = []
        self._arrivals = count()
        self._held: dict[Departure, None] = {}
        self._lock = threading.Lock()
        self._observer = Observer(namespace)

    @contextmanager
    def holding(self, departure: Departure) -> Iterator[None]:
        """While an exchange is under way that a fault may hold up."""
        self._held[departure] = None
        try:
            yield
        finally:
            departure.over_at = time.monotonic()
            del self._held[departure]

    def note_exchange(self, entry: JournalEntry) -> None:
        """Put an exchange aside. Every request waits for this."""
        self._pending.append(entry)
        if len(self._pending) + len(self._in_order) > self._backlog:
            self._observe_pending(_AT_ONCE)

    def note_control_call(self, path: str) -> None:
        """A test is about to call the control API, by a call that changes something."""
        self._pending.append(TestStep.CLOCK if path.partition("/")[0] == _CLOCK else TestStep.EPISODE)

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        self._await_departures()
        self._observe_pending()
        with self._lock:
            return self._observer.findings()

    def clause_counts(self) -> Counter[str]:
        """How often each clause was covered."""
        self._observe_pending()
        with self._lock:
            return self._observer.coverage.clause_counts()

    @property
    def requests(self) -> int:
        """How many requests there were."""
        self._observe_pending()
        return self._observer.requests

    def refusals(self) -> list[tuple[Refusal, int]]:
        """What was refused, each with how often, the latest last."""
        self._observe_pending()
        with self._lock:
            return self._observer.refusals.items()

    def clear_findings(self) -> None:
        """Forget what was found. What is known of the clients stays known."""
        self._observe_pending()
        with self._lock:
            self._observer.clear_findings()

    def forget_exchanges(self) -> None:
        """Name the exchanges no more in which something was found: the journal numbers from 1 again."""
        self._observe_pending()
        with self._lock:
            self._observer.forget_exchanges()

    def begin_anew(self) -> None:
        """Know nothing of any client, and leave what was found to the history of the fake."""
        self._observe_pending()
        with self._lock:
            self.history.add(self._observer.findings(), self._observer.coverage.clause_counts())
            self.history.add_requests(self._observer.requests, self._observer.refusals.items())
            self._observer = Observer(self._namespace)

    def _await_departures(self) -> None:
        """Wait until it is known which clients have left that a fault held up: servers look now and then."""
        asked_at = time.monotonic()
        while not all(departure.is_known_at(asked_at) for departure in self._held.copy()):
            if time.monotonic() - asked_at > _LOOKED_WITHIN_SECONDS:
                return
            time.sleep(_BETWEEN_LOOKS_SECONDS)

    def _observe_pending(self, most: int = sys.maxsize) -> None:
        """Look at what was put aside, or at so much of it."""
        with self._lock:
            for _ in range(most):
                following = self._take()
                if following is None:
                    return
                self._observer.observe(following)

    def _take(self) -> JournalEntry | TestStep | None:
        """What is looked at next: what came before a step of a test, in order of time, and then the step."""
        # Taken one by one: others are put aside meanwhile, and what was held up is put aside late.
        while self._pending and not isinstance(self._pending[0], TestStep):
            entry = cast("JournalEntry", self._pending.popleft())
            heappush(self._in_order, (entry.began, next(self._arrivals), entry))
        if self._in_order:
            return heappop(self._in_order)[-1]
        return self._pending.popleft() if self._pending else None
