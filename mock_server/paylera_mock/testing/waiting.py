"""Runs an exchange for a client without a socket: it pauses where a server would, as long as the client's timeout.

A server does not know that its client has left. So the request takes effect in any case, and at once when the client's
timeout is over: a test that looks at the effect need not wait.
"""

from __future__ import annotations

import time
from math import inf

from paylera_mock.http.handler import ExchangeSteps, Pause, Transmission, finish_at_once, next_step, pause_seconds


def run_exchange(steps: ExchangeSteps, timeout: float | None) -> Transmission:
    """Run an exchange to its end in the client's own thread. `timeout`: seconds, `None` for none.

    Raises `TimeoutError` where it is over before.
    """
    ends_at = inf if timeout is None else time.monotonic() + timeout
    while isinstance(step := next_step(steps), Pause):
        seconds, left = pause_seconds(step), ends_at - time.monotonic()
        if not step.over.wait(max(0.0, min(seconds, left))) and left < seconds:
            step.departure.note()
            # The request takes effect after its client has left.
            finish_at_once(steps)
            raise TimeoutError("timed out")
    return step
