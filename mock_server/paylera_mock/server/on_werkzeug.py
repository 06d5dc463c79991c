"""Serves a WSGI application with werkzeug's server: slow, in one process, and with the socket within reach.

`environ["werkzeug.socket"]` is the connection.
"""

from __future__ import annotations

import signal
import ssl
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from paylera_mock.server.port import Reservation
from paylera_mock.server.settings import LogLevel
from paylera_mock.server.shutdown import SignalEvent, Stop, stop_signals
from paylera_mock.server.tls import Identity

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections alive, sends without delay, and logs no request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the journal has every request."""


class _LateHandshakeContext(ssl.SSLContext):
    """Leaves the handshake to the connection's thread: else a client that sends nothing would block all others."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Wrap without the handshake, which then happens when the first byte is read."""
        return super().wrap_socket(*arguments, **{**options, "do_handshake_on_connect": False})


def _context(identity: Identity) -> ssl.SSLContext:
    context = _LateHandshakeContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    return context


def serve(
    reservation: Reservation,
    load: Callable[[], Flask],
    *,
    level: LogLevel,
    identity: Identity | None,
    started: Callable[[Stop], None],
) -> None:
    """Serve until a signal or a call of the `Stop` that `started` is given, the application that `load` makes.

    With an `identity`, over TLS.
    """
    del level  # werkzeug's server logs requests only
    reservation.listen()
    server = make_server(
        reservation.host,
        reservation.port,
        load(),
        threaded=True,
        request_handler=_QuietHandler,
        fd=reservation.socket.fileno(),
        ssl_context=_context(identity) if identity else None,
    )
    stopping = SignalEvent()
    stopping.wake_by_signals()
    for number in stop_signals():
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    started(stopping.set)
    stopping.wait()
    server.shutdown()
