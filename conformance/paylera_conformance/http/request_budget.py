"""What a run may send at all: reads only where it observes, and no more than it was allowed.

The client asks before each request, so that no test can go further by any way.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from paylera_conformance.model.outcomes import NotRun

_UNANSWERED: Final = 10
"""After so many requests in a row that nobody answered, a run ends: each takes up to the timeout."""


_LOST_SECONDS: Final = 300.0
"""So long a run waits in all for answers that do not come: a target may hang on some requests, or limit them for ever,
and answer others."""


class Limits:
    """The bounds of a run's requests.

    - `reads_only`: whether anything but a GET is refused;
    - `most`: how many requests may go out in all, `None` for any number. What was created reserves one request of
      them, by which it is removed again;
    - `seconds`: for how long they may go out, `None` for ever; later nothing does but a DELETE, by which it is removed;
    - `sent`: how many went out, by method.
    """

    def __init__(
        self,
        *,
        reads_only: bool = False,
        most: int | None = None,
        seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reads_only = reads_only
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._began = clock()
        self._unanswered = 0
        self._lost_seconds = 0.0
        self.sent: Counter[str] = Counter()
        self._reserved = 0
        self._lock = threading.Lock()

    def admit(self, method: str) -> None:
        """Let one request go out. Raises `NotRun` where it may not."""
        if self._reads_only and method != "GET":
            raise NotRun(f"a {method} is more than mode observe sends: it sends GETs only")
        if self._seconds is not None and method != "DELETE" and self._clock() - self._began > self._seconds:
            raise NotRun(f"--max-seconds {self._seconds:g} were over")
        if self._unanswered >= _UNANSWERED:
            raise NotRun(f"the target has answered none of {_UNANSWERED} requests in a row: nothing more was sent")
        if self._lost_seconds > _LOST_SECONDS:
            raise NotRun(
                f"for {_LOST_SECONDS:.0f} s in all no answer came to what was asked, or none but 429: nothing more was"
                " sent"
            )
        # Room for one more where something may be created, or it could not be removed again.
        room = 2 if method == "POST" else 1
        with self._lock:
            if self._most is not None and self.sent.total() + self._reserved + room > self._most:
                raise NotRun(f"--max-requests {self._most} were sent")
            self.sent[method.upper()] += 1

    def count(self) -> int:
        """How many requests went out."""
        with self._lock:
            return self.sent.total()

    # These are thread-safe as far as it matters: one request too many is no harm.

    def note_answer(self) -> None:
        """Note that an answer to a request began."""
        self._unanswered = 0

    def note_loss(self, seconds: float, *, was_answered: bool) -> None:
        """Note that a request ended without a whole answer, after so many seconds. `was_answered`: one had begun."""
        self._unanswered += not was_answered
        self._lost_seconds += seconds

    def reserve(self) -> None:
        """Reserve one request, for the removal of what was created."""
        with self._lock:
            self._reserved += 1

    def release(self) -> None:
        """Give back a request that was reserved."""
        with self._lock:
            self._reserved -= 1
