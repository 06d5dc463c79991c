"""Serves a fake: one process, and in it one event loop for every connection."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from paylera_mock.server.answering import Answering
from paylera_mock.server.http_connection import Answers, HttpConnection
from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.shutdown import Stop, stop_signals
from paylera_mock.server.tls import Identity

_STOP_SECONDS: Final = 1
"""How long running requests may take once the fake is to stop. Then they are cut off, which is no failure."""

_BETWEEN_LOOKS_SECONDS: Final = 0.005
_TURNS: Final = 3
"""Of the loop, until it has made a connection of what it accepted."""

_BACKLOG: Final = 128
"""Connections that queue."""

_NO_DESCRIPTOR: Final = frozenset({errno.EMFILE, errno.ENFILE})
_BETWEEN_COMPLAINTS_SECONDS: Final = 5

_COLLECT_AFTER: Final = (20_000, 20, 20)
"""Thresholds of the garbage collector: a journal grows with each request, and is no garbage however often it looks."""


def serve(app: ServedApp) -> None:
    """Serve an application until a signal or a call of its `Stop` ends it."""
    logging.basicConfig(level=app.level.upper(), format="%(levelname)s: %(message)s")
    asyncio.run(_serve(app))


async def _serve(app: ServedApp) -> None:
    loop = asyncio.get_running_loop()
    numbers = stop_signals()

    def started(stop: Stop) -> None:
        for number in numbers:
            try:
                loop.add_signal_handler(number, stop)
            except NotImplementedError:  # the loop of Windows, which any signal wakes
                signal.signal(number, lambda *_: stop())
        app.started(stop)

    flask = app.load()
    gc.freeze()  # what is there now stays to the end
    gc.set_threshold(*_COLLECT_AFTER)
    app.reservation.listen()
    context = _context(app.identity) if app.identity else None
    await run_server(Answering(flask, body_seconds=app.body_seconds), app.reservation.socket, started, context)
    for number in numbers:  # it ends by the first; a second one must not end it otherwise
        with suppress(NotImplementedError):
            loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


class _Complaints:
    """Says of connections for which no descriptor is left, in one line, what asyncio says of each in a traceback."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what no task of the loop does."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_DESCRIPTOR:
            loop.default_exception_handler(context)
        elif loop.time() >= self._next:
            self._next = loop.time() + _BETWEEN_COMPLAINTS_SECONDS
            logging.getLogger(__name__).error(
                "connections wait, since no more files may be open (%s): close some, or raise `ulimit -n`",
                error.strerror,
            )


async def run_server(
    answering: Answers,
    listening: socket.socket,
    started: Callable[[Stop], None],
    context: ssl.SSLContext | None = None,
) -> None:
    """Serve at a socket until the `Stop` that `started` is given is called. `context`: over TLS."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(_Complaints())
    connect = partial(HttpConnection, answering)
    server = await loop.create_server(connect, sock=listening, ssl=context, backlog=_BACKLOG)

    def stop() -> None:
        with suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(stopping.set)

    started(stop)
    await stopping.wait()
    await _close(server, listening, answering)


async def _close(server: asyncio.Server, listening: socket.socket, answering: Answers) -> None:
    """End every connection, in order where that takes no longer than `_STOP_SECONDS`, and all that is under way."""
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # the loop of Windows
        loop.remove_reader(listening)
    for _ in range(_TURNS):  # what was accepted becomes a connection
        await asyncio.sleep(0)
    for connection in answering.connections.copy():
        connection.stop()
    ends_at = time.monotonic() + _STOP_SECONDS
    while answering.connections and time.monotonic() < ends_at:  # noqa: ASYNC110 - many events, and no hurry
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
    for connection in answering.connections.copy():
        connection.abort()
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _context(identity: Identity) -> ssl.SSLContext:
    """TLS from 1.2 on: some runtimes of clients have no later one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity.certificate, identity.key)
    return context
