"""Serves a WSGI application with werkzeug's server: slow, in one process, and with the socket within reach.

`environ["werkzeug.socket"]` is the connection.
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.serving import DechunkedInput, WSGIRequestHandler, make_server

from paylera_mock.http.environ import is_well_formed, make_environ
from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.shutdown import SignalEvent
from paylera_mock.server.tls import Identity

if TYPE_CHECKING:  # the type checker's own stubs
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment


class Handler(WSGIRequestHandler):
    """Reads a request as the other servers do, sends without delay, and logs no request.

    `body_seconds`: how long a client may take to send a body.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, *arguments: Any, body_seconds: float) -> None:
        self.body_seconds = body_seconds
        super().__init__(*arguments)

    def setup(self) -> None:
        """Wait no longer for the head of a request, or for a client that takes no answer."""
        super().setup()
        self.connection.settimeout(self.body_seconds)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the journal has every request."""

    def send_header(self, keyword: str, value: str) -> None:
        """Add a header; that the connection ends is said once, though werkzeug would say it of every answer again."""
        if keyword == "Connection" and b"Connection: close\r\n" in self._headers_buffer:
            return
        super().send_header(keyword, value)

    @property
    def _target(self) -> str:
        return self.requestline.split(" ")[1]

    def run_wsgi(self) -> None:
        """Answer a request, if its head is one at all."""
        # What http.server cannot read of the headers, it leaves out together with all that follows.
        if not self.headers.defects and is_well_formed(self._target, self.headers.items()):
            super().run_wsgi()
            return
        self.send_response(HTTPStatus.BAD_REQUEST)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def make_environ(self) -> WSGIEnvironment:
        """The environment of a request, from the line as it was sent: http.server takes slashes off its path."""
        target = self._target
        if not target.startswith("/") and "://" in target:
            parts = urlsplit(target)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        stream = io.BufferedReader(_PunctualBody(self))
        address, port = self.connection.getsockname()[:2]
        environ = make_environ(
            self.command,
            target,
            self.headers.items(),
            stream,
            scheme="http" if self.server.ssl_context is None else "https",
            server=(address, port),
        )
        if self.headers.get("Transfer-Encoding"):
            environ["wsgi.input"] = io.BufferedReader(DechunkedInput(stream))
        else:
            # The connection goes on behind the body.
            del environ["wsgi.input_terminated"]
        return {**environ, "werkzeug.socket": self.connection}


class _PunctualBody(io.RawIOBase):
    """What follows the head of a request. Raises `TimeoutError` where it does not come in time as a whole."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._ends_at = time.monotonic() + handler.body_seconds

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what is there, and wait for it as long as is left."""
        connection: socket.socket = self._handler.connection
        view = memoryview(buffer)
        try:
            connection.settimeout(max(0.001, self._ends_at - time.monotonic()))
            piece = self._handler.rfile.read1(len(view))
        except TimeoutError:
            # From now on it raises another error; what still comes is for nobody.
            self._handler.rfile = io.BufferedReader(io.BytesIO())
            raise
        finally:
            connection.settimeout(self._handler.body_seconds)
        view[: len(piece)] = piece
        return len(piece)


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
    handler: Any = partial(Handler, body_seconds=app.body_seconds)
    server = make_server(
        app.reservation.host,
        app.reservation.port,
        app.load(),
        threaded=True,
        request_handler=handler,
        fd=app.reservation.socket.fileno(),
        ssl_context=_context(app.identity) if app.identity else None,
    )
    stopping = SignalEvent()
    stopping.set_by_stop_signals()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    app.started(stopping.set)
    stopping.wait()
    server.shutdown()
