"""An adapter for requests, which behaves as a connection to a server would.

It replaces sockets alone: http.client, urllib3 and requests do all else, so that framing, timeouts, retries and
exceptions are theirs.
"""

from __future__ import annotations

import email.message
import errno
import http.client
import inspect
import io
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from paylera_mock.faults.model import Action
from paylera_mock.http.framing import GARBAGE
from paylera_mock.http.handler import Transmission
from paylera_mock.testing.in_process import (
    NobodyThereError,
    ServerAddress,
    Wire,
    WireRequest,
    find_loss,
    receive_response,
)
from paylera_mock.testing.waiting import run_exchange

if TYPE_CHECKING:  # the type checker's own stubs
    from _typeshed import WriteableBuffer

_HEAD_ENDS: Final = b"\r\n\r\n"


class PayleraAdapter(HTTPAdapter):
    """Connects a session with the fake in this process: `session.mount("https://", adapter)`.

    `settings` are those of requests' own adapter, as `max_retries` is.
    """

    def __init__(self, wire: Wire, **settings: Any) -> None:
        self._wire = wire
        super().__init__(**settings)

    def send(self, request: PreparedRequest, *arguments: Any, **named: Any) -> Response:
        """Send a request to the fake, by no proxy: the environment may name one, which would ask whom the URL names."""
        given = inspect.signature(super().send).bind(request, *arguments, **named).arguments
        return super().send(**{**given, "proxies": None})

    def cert_verify(self, *_arguments: Any, **_named: Any) -> None:
        """Look for no file of certificates: there is no TLS here, and where files are faked there are none."""

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        """Make the pools, with connections that lead to the fake."""
        super().init_poolmanager(*arguments, **more)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Pool, wire=self._wire),
            "https": partial(_SecurePool, wire=self._wire),
        }


if TYPE_CHECKING:
    _TrueConnection = HTTPConnection
else:
    # Within a cassette vcrpy has put a class of its own here, which names the one that it stands for.
    _TrueConnection = getattr(HTTPConnection, "_baseclass", HTTPConnection)


class _Connection(_TrueConnection):
    """A connection that reads and writes a `_Socket`."""

    def __init__(self, wire: Wire, address: ServerAddress) -> None:
        super().__init__(address.host, address.port)
        self._wire = wire
        self._address = address

    def connect(self) -> None:
        """Connect to the fake. Raises `NewConnectionError` where nobody listens."""
        try:
            self._wire.connect(self._address)
        except NobodyThereError as error:
            raise NewConnectionError(self, str(error)) from None
        self.sock: Any = _Socket(self._wire, self._address)
        self.is_verified = True

    @property
    def is_connected(self) -> bool:
        """Whether the fake is still connected: it closes no connection that is not in use."""
        return self.sock is not None


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection
    """Also for who replaces the class of the base, as vcrpy does, and waits for a connection of it."""

    def __init__(self, *arguments: Any, wire: Wire, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._wire = wire

    def _new_conn(self) -> _Connection:
        assert self.scheme is not None  # noqa: S101 - of both classes of pools
        return _Connection(self._wire, ServerAddress(self.scheme, self.host, self.port))


class _SecurePool(_Pool, HTTPSConnectionPool):  # type: ignore[misc]  # there is no TLS without a socket
    ConnectionCls = _Connection  # type: ignore[assignment]  # as above


class _Socket:
    """What `http.client` needs of a socket: the request is written to it, and the answer read from its file."""

    def __init__(self, wire: Wire, address: ServerAddress) -> None:
        self._wire = wire
        self._address = address
        self._written = bytearray()
        self._timeout: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """Wait for an answer no longer than this."""
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Write a part of the request."""
        self._written += data

    def makefile(self, *_mode: str) -> io.BufferedReader:
        """A file of the answer to what was written."""
        request = _parse_request(bytes(self._written), self._address)
        self._written.clear()
        return io.BufferedReader(_Answer(self._wire, request, self._timeout))

    def shutdown(self, _how: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class _Answer(io.RawIOBase):
    """The answer to one request. It is waited for when it is read, and not before: a socket raises its errors then."""

    def __init__(self, wire: Wire, request: WireRequest, timeout: float | None) -> None:
        self._wire = wire
        self._request = request
        self._timeout = timeout
        self._content: io.BytesIO | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes. Raises `TimeoutError` or `ConnectionResetError` where there is no answer."""
        if self._content is None:
            transmission = run_exchange(self._wire.start(self._request).steps, self._timeout)
            self._content = io.BytesIO(_format_response(self._request.method, transmission))
        return self._content.readinto(buffer)


def _parse_request(written: bytes, address: ServerAddress) -> WireRequest:
    head, _, body = written.partition(_HEAD_ENDS)
    request_line, _, fields = head.partition(b"\r\n")
    method, target, _ = request_line.decode("latin-1").split(" ")
    headers: email.message.Message = http.client.parse_headers(io.BytesIO(fields + _HEAD_ENDS))
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = _join_chunks(body)
    return WireRequest(method, address, target, headers.items(), body)


def _join_chunks(chunked: bytes) -> bytes:
    """The content of a chunked body (RFC 9112, section 7.1)."""
    body = bytearray()
    while chunked:
        size, _, rest = chunked.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        chunked = rest[length + 2 :]
    return bytes(body)


def _format_response(method: str, transmission: Transmission) -> bytes:
    """The bytes that arrive of an answer. Raises `ConnectionResetError` where the connection is reset."""
    match find_loss(transmission):
        case None:
            pass
        case Action.RESET:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        case Action.GARBAGE:
            return GARBAGE
        case _:
            return b""
    answer = receive_response(method, transmission)
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in answer.headers)]
    head = "\r\n".join(lines).encode("latin-1") + _HEAD_ENDS
    if not answer.chunked:
        return head + b"".join(answer.pieces)
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in answer.pieces if piece]
    return head + b"".join(chunks) + b"0" + _HEAD_ENDS
