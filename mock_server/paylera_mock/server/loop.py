"""Serves a fake: one process, and in it one event loop for every connection."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from paylera_mock.server.answering import Answering
from paylera_mock.server.http_connection import Answers, HttpConnection
from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.shutdown import Stop, stop_signals
from paylera_mock.server.tls import Identity

_STOP_SECONDS: Final = 1
"""How long running requests may take once the fake is to stop. Then they are cut off, which is no failure."""

_COLLECT_AFTER: Final = (20_000, 20, 20)
"""Thresholds of the garbage collector: a journal grows with each request, and is no garbage however often it looks."""


def serve(app: ServedApp) -> None:
    """Serve an application until a signal or a call of its `Stop` ends it."""
    logging.basicConfig(level=app.level.upper(), format="%(levelname)s: %(message)s")
    asyncio.run(_serve(app))


async def _serve(app: ServedApp) -> None:
    loop = asyncio.get_running_loop()

    def started(stop: Stop) -> None:
        for number in stop_signals():
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


async def run_server(
    answering: Answers,
    listening: socket.socket,
    started: Callable[[Stop], None],
    context: ssl.SSLContext | None = None,
) -> None:
    """Serve at a socket until the `Stop` that `started` is given is called. `context`: over TLS."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    connect = partial(HttpConnection, answering)
    server = await loop.create_server(connect, sock=listening, ssl=context, backlog=socket.SOMAXCONN)

    def stop() -> None:
        with suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(stopping.set)

    started(stop)
    await stopping.wait()
    server.close()
    if tasks := [task for connection in answering.connections.copy() if (task := connection.stop())]:
        await asyncio.wait(tasks, timeout=_STOP_SECONDS)
    for connection in answering.connections.copy():
        connection.abort()
    answering.close()


def _context(identity: Identity) -> ssl.SSLContext:
    """TLS from 1.2 on: some runtimes of clients have no later one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity.certificate, identity.key)
    return context
