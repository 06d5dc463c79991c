"""One httpx transport for sync and async clients, which behaves as a connection to a server would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import h11
import httpx

from paylera_fixtures.redaction import redact
from paylera_mock.faults.model import Action
from paylera_mock.http.broken_responses import GARBAGE
from paylera_mock.http.handler import Transmission
from paylera_mock.testing.in_process import (
    NobodyThereError,
    ServerAddress,
    StartedExchange,
    Wire,
    WireRequest,
    WireResponse,
    lost_by,
    received,
)
from paylera_mock.testing.waiting import through
from paylera_mock.testing.waiting_async import give_way, through_async

_LOST: Final[Mapping[Action, tuple[type[httpx.TransportError], str]]] = MappingProxyType(
    {
        Action.DROP: (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
        Action.HANG: (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
        Action.RESET: (httpx.ReadError, "[Errno 104] Connection reset by peer"),
        Action.GARBAGE: (httpx.RemoteProtocolError, f"illegal status line: {bytearray(GARBAGE.splitlines()[0])}"),
    }
)
"""What a client raises where the whole answer is lost, as httpx does over a socket."""


class PayleraTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Connects httpx clients, sync and async, with the fake in this process.

    Timeouts of reading are kept to, bodies are streamed, faults are raised as httpx raises what happens to a socket,
    and parallel requests do not wait for one another. Any number of clients may share it, and closing one of them does
    not close it.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of a sync client. Raises what httpx raises for a connection that fails."""
        assert isinstance(request.stream, httpx.SyncByteStream)  # noqa: S101 - httpx sees to it
        self._connect(request)
        begun = self._begin(request, b"".join(request.stream))
        try:
            delivery = through(begun.exchanging, _read_timeout(request))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from None
        return _response(request, delivery)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of an async client, under asyncio or trio. Raises as `handle_request` does."""
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - httpx sees to it
        self._connect(request)
        await give_way()
        begun = self._begin(request, b"".join([piece async for piece in request.stream]))
        try:
            delivery = await through_async(begun, _read_timeout(request))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from None
        return _response(request, delivery)

    def _connect(self, request: httpx.Request) -> None:
        """Find the other side before any of the request's body is read."""
        try:
            self._wire.connect(_place(request))
        except NobodyThereError as error:
            raise httpx.ConnectError(str(error)) from None

    def _begin(self, request: httpx.Request, body: bytes) -> StartedExchange:
        _check(request, len(body))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        target = request.url.raw_path.decode("latin-1")
        try:
            return self._wire.begin(WireRequest(request.method, _place(request), target, headers, body))
        except NobodyThereError as error:
            raise httpx.ConnectError(str(error)) from None


def _place(request: httpx.Request) -> ServerAddress:
    return ServerAddress(request.url.scheme, request.url.host, request.url.port)


def _read_timeout(request: httpx.Request) -> float | None:
    found: float | None = request.extensions.get("timeout", {}).get("read")
    return found


def _check(request: httpx.Request, size: int) -> None:
    """Refuse to send what h11 refuses, as a client with a socket does."""
    try:
        h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    except h11.LocalProtocolError as flaw:
        raise httpx.LocalProtocolError(redact(str(flaw))) from None
    declared = request.headers.get("Content-Length")
    if declared is not None and int(declared) != size:
        amount = "little" if size < int(declared) else "much"
        # httpx hands on this one as it is.
        raise h11.LocalProtocolError(f"Too {amount} data for declared Content-Length")


def _response(request: httpx.Request, delivery: Transmission) -> httpx.Response:
    lost = lost_by(delivery)
    if lost is not None:
        error, message = _LOST[lost]
        raise error(message)
    answer = received(request.method, delivery)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    extensions = {"http_version": b"HTTP/1.1", "reason_phrase": answer.reason.encode("ascii")}
    return httpx.Response(answer.status, headers=headers, stream=_Body(answer), extensions=extensions)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer, piece by piece; a connection that ends too early is noticed at its end."""

    def __init__(self, answer: WireResponse) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.pieces
        if self._answer.expected is not None:
            counts = f"received {self._answer.size} bytes, expected {self._answer.expected}"
            raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({counts})")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece
