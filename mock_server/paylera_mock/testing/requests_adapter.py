"""An adapter for requests, which behaves as a connection to a server would.

It replaces sockets alone: http.client, urllib3 and requests do all else as ever, so that framing, timeouts, retries and
exceptions are theirs.
"""

from __future__ import annotations

import email.message
import errno
import http.client
import io
import os
from functools import partial
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from paylera_mock.faults.model import Action
from paylera_mock.http.broken_responses import GARBAGE
from paylera_mock.http.handler import Transmission
from paylera_mock.testing.in_process import (
    NobodyThereError,
    ServerAddress,
    Wire,
    WireRequest,
    WireResponse,
    lost_by,
    received,
)
from paylera_mock.testing.waiting import through

_HEAD_ENDS: Final = b"\r\n\r\n"


class PayleraAdapter(HTTPAdapter):
    """Connects a session with the fake in this process: `session.mount("https://", adapter)`.

    `settings` are those of requests' own adapter, as `max_retries` is.
    """

    def __init__(self, wire: Wire, **settings: Any) -> None:
        self._wire = wire
        super().__init__(**settings)

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        """Make the pools, with connections that lead to the fake."""
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, wire=self._wire),
            "https": partial(_SecurePool, wire=self._wire),
        }


class _Pool(HTTPConnectionPool):
    def __init__(self, *arguments: Any, wire: Wire, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._wire = wire

    def _new_conn(self) -> _Connection:
        return _Connection(self._wire, ServerAddress("http", self.host, self.port))


class _SecurePool(HTTPSConnectionPool):
    def __init__(self, *arguments: Any, wire: Wire, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._wire = wire

    def _new_conn(self) -> _Connection:  # type: ignore[override]  # there is no TLS without a socket
        return _Connection(self._wire, ServerAddress("https", self.host, self.port))


class _Connection(HTTPConnection):
    """A connection whose socket is none."""

    def __init__(self, wire: Wire, place: ServerAddress) -> None:
        super().__init__(place.host, place.port)
        self._wire = wire
        self._place = place

    def connect(self) -> None:
        """Find the other side. Raises `NewConnectionError` where nobody listens."""
        try:
            self._wire.connect(self._place)
        except NobodyThereError as error:
            raise NewConnectionError(self, str(error)) from None
        self.sock: Any = _Socket(self._wire, self._place)
        self.is_verified = True

    @property
    def is_connected(self) -> bool:
        """Whether the other side is there still: it closes nothing that is not in use."""
        return self.sock is not None


class _Socket:
    """What `http.client` needs of a socket: the request is written to it, and the answer read from its file."""

    def __init__(self, wire: Wire, place: ServerAddress) -> None:
        self._wire = wire
        self._place = place
        self._written = bytearray()
        self._patience: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """Wait for an answer no longer than this."""
        self._patience = seconds

    def sendall(self, data: bytes) -> None:
        """Write a part of the request."""
        self._written += data

    def makefile(self, *_mode: str) -> io.BufferedIOBase:
        """Read the answer. Raises `TimeoutError` or `ConnectionResetError`, as reading from a socket does."""
        sent = _sent(bytes(self._written), self._place)
        self._written.clear()
        delivery = through(self._wire.begin(sent).exchanging, self._patience)
        return io.BytesIO(_bytes_of(sent.method, delivery))

    def shutdown(self, _how: int) -> None:
        """Nothing is to be shut down."""

    def close(self) -> None:
        """Nothing is to be closed."""


def _sent(written: bytes, place: ServerAddress) -> WireRequest:
    """The request in what was written."""
    head, _, body = written.partition(_HEAD_ENDS)
    request_line, _, fields = head.partition(b"\r\n")
    method, target, _ = request_line.decode("latin-1").split(" ")
    headers: email.message.Message = http.client.parse_headers(io.BytesIO(fields + _HEAD_ENDS))
    chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
    return WireRequest(method, place, target, headers.items(), _unframed(body) if chunked else body)


def _unframed(framed: bytes) -> bytes:
    """The pieces of a body put together (RFC 9112, section 7.1)."""
    body = bytearray()
    while framed:
        size, _, rest = framed.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        framed = rest[length + 2 :]
    return bytes(body)


def _bytes_of(method: str, delivery: Transmission) -> bytes:
    """What comes over the wire. Raises `ConnectionResetError` where the connection is reset."""
    match lost_by(delivery):
        case None:
            return _written(received(method, delivery))
        case Action.RESET:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        case Action.GARBAGE:
            return GARBAGE
        case _:
            return b""


def _written(answer: WireResponse) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.headers)]
    head = "\r\n".join(lines).encode("latin-1") + _HEAD_ENDS
    if not answer.chunked:
        return head + b"".join(answer.pieces)
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in answer.pieces if piece]
    return head + b"".join(chunks) + b"0" + _HEAD_ENDS
