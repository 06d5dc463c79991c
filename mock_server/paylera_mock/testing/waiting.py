"""Going through an exchange as a client without a socket does: it waits where the server would, as long as it likes.

A server does not know that a client has left. So the request happens in any case, and at once when the patience of its
client ends: whoever looks at what became of it need not wait.
"""

from __future__ import annotations

import time
from math import inf

from paylera_mock.faults.model import LONGEST_PAUSE_SECONDS
from paylera_mock.http.handler import Exchanging, Pause, Transmission


def through(exchanging: Exchanging, patience: float | None) -> Transmission:
    """Go through an exchange in the client's own thread. `patience`: seconds, `None` for ever.

    Raises `TimeoutError` where it ends.
    """
    ends_at = inf if patience is None else time.monotonic() + patience
    while isinstance(step := step_of(exchanging), Pause):
        seconds, left = seconds_of(step), ends_at - time.monotonic()
        if not step.over.wait(max(0.0, min(seconds, left))) and left < seconds:
            leave(exchanging)
            raise TimeoutError("timed out")
    return step


def step_of(exchanging: Exchanging) -> Pause | Transmission:
    """Go on to the next wait, or to the end."""
    try:
        return next(exchanging)
    except StopIteration as end:
        delivery: Transmission = end.value
        return delivery


def seconds_of(pause: Pause) -> float:
    """How long a server would wait; also in a process without one, a hang ends some time."""
    return LONGEST_PAUSE_SECONDS if pause.seconds is None else min(pause.seconds, LONGEST_PAUSE_SECONDS)


def leave(exchanging: Exchanging) -> None:
    """Let the request happen for nobody."""
    while isinstance(step_of(exchanging), Pause):
        pass
