"""Going through an exchange in an event loop, of asyncio or trio."""

from __future__ import annotations

import threading
from math import inf
from typing import Final

import anyio
import anyio.lowlevel
import anyio.to_thread

from paylera_mock.http.handler import Exchanging, Pause, Transmission
from paylera_mock.testing.in_process import StartedExchange
from paylera_mock.testing.waiting import leave, seconds_of, step_of, through

_LOOK_SECONDS: Final = 0.005
"""How often is looked whether a wait is over: an event of threads wakes no event loop."""


async def give_way() -> None:
    """Let others go first, as every use of a connection does; a client that is cancelled leaves here."""
    await anyio.lowlevel.checkpoint()


async def through_async(begun: StartedExchange, patience: float | None) -> Transmission:
    """Go through an exchange while the event loop goes on. Raises `TimeoutError` where the patience ends.

    A client that is cancelled has left like one that has lost its patience.
    """
    if begun.may_block:
        return await anyio.to_thread.run_sync(through, begun.exchanging, patience)
    ends_at = inf if patience is None else anyio.current_time() + patience
    while isinstance(step := step_of(begun.exchanging), Pause):
        seconds, left = seconds_of(step), ends_at - anyio.current_time()
        if not await _is_over(step.over, min(seconds, left), begun.exchanging) and left < seconds:
            leave(begun.exchanging)
            raise TimeoutError
    return step


async def _is_over(event: threading.Event, seconds: float, exchanging: Exchanging) -> bool:
    ends_at = anyio.current_time() + seconds
    try:
        while not event.is_set() and (left := ends_at - anyio.current_time()) > 0:  # noqa: ASYNC110 - see above
            await anyio.sleep(min(left, _LOOK_SECONDS))
    except anyio.get_cancelled_exc_class():
        leave(exchanging)
        raise
    return event.is_set()
