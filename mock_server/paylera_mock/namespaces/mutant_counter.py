"""How often the code of each deliberate defect ran, which shows that a test has reached it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial


class MutantCounter:
    """How often each mutant's code ran in a namespace, and in all that were made from it. Thread-safe."""

    def __init__(self, parent: MutantCounter | None = None) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, mutant: str) -> None:
        """Count once, here and in every namespace that this one descends from."""
        with self._lock:
            self._counts[mutant] += 1
        if self._parent is not None:
            self._parent.note(mutant)

    def note_of(self, mutant: str) -> Callable[[], None]:
        """What a mutant's code calls when it runs."""
        return partial(self.note, mutant)

    def count(self, mutant: str) -> int:
        """How often a mutant's code ran."""
        return self._counts[mutant]
