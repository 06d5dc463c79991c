"""The conduct of the clients of one namespace: what they did wrong, and which clauses they have met.

While a request is served it is only put aside: it is looked at when somebody asks, or when so many wait that the
journal may soon forget them.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final

from paylera_mock.findings.catalog import ClientFinding, PastFindings
from paylera_mock.findings.observer import Observer, TestStep
from paylera_mock.journal.recorder import JournalEntry

_CLOCK: Final = "clock"


class FindingHistory:
    """The conduct of clients in namespaces that are no more, or that were reset. Bounded, and thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._findings = PastFindings()
        self._met: Counter[str] = Counter()

    def fold(self, findings: Iterable[ClientFinding], met: Mapping[str, int]) -> None:
        """Take over what was found, and how often each clause was met."""
        with self._lock:
            self._findings.fold(findings)
            self._met.update(met)

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        with self._lock:
            return list(self._findings)

    def met(self) -> Counter[str]:
        """How often each clause was met."""
        with self._lock:
            return self._met.copy()

    def clear_findings(self) -> None:
        """Forget what was found."""
        with self._lock:
            self._findings.clear()


class FindingCollector:
    """What the clients of one namespace did. Thread-safe.

    `namespace`: its id, `None` for the default one; `patience`: how many exchanges may wait to be looked at; `history`:
    what takes over all that was found when the namespace begins anew, or ends.
    """

    def __init__(self, namespace: str | None, patience: int) -> None:
        self.history = FindingHistory()
        self._namespace = namespace
        self._patience = patience
        self._pending: deque[JournalEntry | TestStep] = deque()
        self._lock = threading.Lock()
        self._observer = Observer(namespace)

    def note(self, exchange: JournalEntry) -> None:
        """Put an exchange aside. Every request waits for this."""
        pending = self._pending
        pending.append(exchange)
        if len(pending) > self._patience:
            self._look()

    def staged(self, call: str) -> None:
        """A test is about to call the control API, by a call that changes something."""
        self._pending.append(TestStep.CLOCK if call.partition("/")[0] == _CLOCK else TestStep.EPISODE)

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        self._look()
        with self._lock:
            return self._observer.findings()

    def met(self) -> Counter[str]:
        """How often each clause was met."""
        self._look()
        with self._lock:
            return self._observer.coverage.met()

    def clear_findings(self) -> None:
        """Forget what was found. What is known of the clients stays known."""
        self._look()
        with self._lock:
            self._observer.clear_findings()

    def fold(self) -> None:
        """Begin anew, and leave what was found to the history of the fake."""
        self._look()
        with self._lock:
            self.history.fold(self._observer.findings(), self._observer.coverage.met())
            self._observer = Observer(self._namespace)

    def _look(self) -> None:
        """Look at what was put aside, in the order in which it came."""
        with self._lock:
            # Taken one by one: others put aside meanwhile.
            while self._pending:
                waiting = self._pending.popleft()
                if isinstance(waiting, TestStep):
                    self._observer.step(waiting)
                else:
                    self._observer.observe(waiting)
