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

if TYPE_CHECKING:
    from flask import Flask

    from paylera_mock.server.tls import Identity


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections alive, answers at once, and logs no request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a request is the business of its sender."""


class _PatientContext(ssl.SSLContext):
    """Leaves the handshake to the thread of the connection: a client that says nothing would hold up all others."""

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As it is, but for the handshake, which comes with the first byte that is read."""
        return super().wrap_socket(*arguments, **{**options, "do_handshake_on_connect": False})


def _context(identity: Identity) -> ssl.SSLContext:
    context = _PatientContext(ssl.PROTOCOL_TLS_SERVER)
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

    With an `identity`, by TLS.
    """
    del level  # werkzeug's server has nothing to say
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
