"""Serves a WSGI application with werkzeug's server: slow, in one process, and with the socket within reach.

`environ["werkzeug.socket"]` is the connection.
"""

from __future__ import annotations

import signal
import ssl
import threading
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.shutdown import SignalEvent, stop_signals
from paylera_mock.server.tls import Identity


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


def serve(app: ServedApp) -> None:
    """Serve an application until a signal or a call of its `Stop` ends it.

    Its `level` matters nothing, since werkzeug's server logs requests only, and those not here.
    """
    app.reservation.listen()
    server = make_server(
        app.reservation.host,
        app.reservation.port,
        app.load(),
        threaded=True,
        request_handler=_QuietHandler,
        fd=app.reservation.socket.fileno(),
        ssl_context=_context(app.identity) if app.identity else None,
    )
    stopping = SignalEvent()
    stopping.wake_by_signals()
    for number in stop_signals():
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    app.started(stopping.set)
    stopping.wait()
    server.shutdown()
