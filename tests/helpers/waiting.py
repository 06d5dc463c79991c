"""How long the tests wait: for conditions, never for an amount of time.

No test asserts on either number. They end what hangs, on the slowest machine and not before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PATIENCE_SECONDS: Final = 120.0
"""For one thing to happen: an answer, the start or the end of a program, a thread."""

RUN_SECONDS: Final = 1200.0
"""For a program that does many things: a run of the suite, a nested run of pytest, a command in another language."""

BRIEF_SECONDS: Final = 0.05
"""How long a client waits whose patience is to end: for what never comes, so that no machine is too slow for it."""


def await_that(holds: Callable[[], bool]) -> bool:
    """Whether something came to hold."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
