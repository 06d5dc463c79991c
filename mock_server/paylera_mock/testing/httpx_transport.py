"""One httpx transport for sync and async clients, which behaves as a connection to a server would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Final

import anyio
import anyio.lowlevel
import anyio.to_thread
import h11
import httpx

from paylera_fixtures.redaction import redact
from paylera_mock.faults.model import Action
from paylera_mock.http.framing import GARBAGE
from paylera_mock.http.handler import ExchangeSteps, Pause, Transmission, finish_at_once, next_step, pause_seconds
from paylera_mock.testing.in_process import (
    NobodyThereError,
    ServerAddress,
    StartedExchange,
    Wire,
    WireRequest,
    WireResponse,
    find_loss,
    receive_response,
)
from paylera_mock.testing.waiting import run_exchange

_LOSSES: Final[Mapping[Action, tuple[type[httpx.TransportError], str]]] = {
    Action.DROP: (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    Action.HANG: (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    Action.RESET: (httpx.ReadError, "[Errno 104] Connection reset by peer"),
    Action.GARBAGE: (httpx.RemoteProtocolError, f"illegal status line: {bytearray(GARBAGE.splitlines()[0])}"),
}
"""What httpx raises over a socket where the whole answer is lost."""

_BETWEEN_LOOKS_SECONDS: Final = 0.005
"""How often is looked whether a pause is over: an event of threads wakes no event loop."""


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
        with _httpx_errors():
            self._wire.connect(_address(request))
        body = b"".join(request.stream)
        with _httpx_errors():
            transmission = run_exchange(self._start(request, body).steps, _read_timeout(request))
        return _response(request, transmission)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of an async client, under asyncio or trio. Raises as `handle_request` does."""
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - httpx sees to it
        with _httpx_errors():
            self._wire.connect(_address(request))
        # Others go first, as with every use of a connection; a client that is cancelled leaves here.
        await anyio.lowlevel.checkpoint()
        body = b"".join([piece async for piece in request.stream])
        with _httpx_errors():
            transmission = await _run_exchange_async(self._start(request, body), _read_timeout(request))
        return _response(request, transmission)

    def _start(self, request: httpx.Request, body: bytes) -> StartedExchange:
        _check(request, len(body))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        target = request.url.raw_path.decode("latin-1")
        return self._wire.start(WireRequest(request.method, _address(request), target, headers, body))


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise what goes wrong on the wire as httpx does."""
    try:
        yield
    except NobodyThereError as error:
        raise httpx.ConnectError(str(error)) from None
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from None


def _address(request: httpx.Request) -> ServerAddress:
    return ServerAddress(request.url.scheme, request.url.host, request.url.port)


def _read_timeout(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


def _check(request: httpx.Request, size: int) -> None:
    """Refuse to send what h11 refuses, as a client with a socket does."""
    try:
        h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    except h11.LocalProtocolError as flaw:
        raise httpx.LocalProtocolError(redact(str(flaw))) from None
    declared = request.headers.get("Content-Length")
    if declared is not None and int(declared) != size:
        amount = "little" if size < int(declared) else "much"
        # httpx passes this one on as it is.
        raise h11.LocalProtocolError(f"Too {amount} data for declared Content-Length")


async def _run_exchange_async(exchange: StartedExchange, timeout: float | None) -> Transmission:  # noqa: ASYNC109
    """Run an exchange while the event loop goes on. Raises `TimeoutError` where the timeout is over before its end.

    A client that is cancelled has left, as one whose timeout is over.
    """
    if exchange.may_block:
        return await anyio.to_thread.run_sync(run_exchange, exchange.steps, timeout)
    ends_at = inf if timeout is None else anyio.current_time() + timeout
    while isinstance(step := next_step(exchange.steps), Pause):
        seconds, left = pause_seconds(step), ends_at - anyio.current_time()
        await _wait(step, min(seconds, left), exchange.steps)
        if left < seconds and not step.over.is_set():
            step.departure.note()
            finish_at_once(exchange.steps)
            raise TimeoutError
    return step


async def _wait(pause: Pause, seconds: float, steps: ExchangeSteps) -> None:
    """Wait until a pause is over, at most so many seconds."""
    ends_at = anyio.current_time() + seconds
    try:
        while not pause.over.is_set() and (left := ends_at - anyio.current_time()) > 0:  # noqa: ASYNC110 - see above
            await anyio.sleep(min(left, _BETWEEN_LOOKS_SECONDS))
    except anyio.get_cancelled_exc_class():
        pause.departure.note()
        finish_at_once(steps)
        raise


def _response(request: httpx.Request, transmission: Transmission) -> httpx.Response:
    if loss := find_loss(transmission):
        error, message = _LOSSES[loss]
        raise error(message)
    answer = receive_response(request.method, transmission)
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
            size = sum(map(len, self._answer.pieces))
            counts = f"received {size} bytes, expected {self._answer.expected}"
            raise httpx.RemoteProtocolError(f"peer closed connection without sending complete message body ({counts})")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece
