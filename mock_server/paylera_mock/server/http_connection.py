"""One connection of a client: its requests are read by h11 (RFC 9112), and answered in their order.

What is sent is written here: faults send half an answer, none at all, or what is no HTTP, as no library would.
"""

from __future__ import annotations

import asyncio
import io
import logging
import struct
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Any, Final, Protocol

import h11

from paylera_fixtures.redaction import mask_secrets
from paylera_mock.core.messages import BODILESS, BODILESS_STATUSES, Answer
from paylera_mock.faults.model import Action
from paylera_mock.http.environ import has_control_character, make_environ
from paylera_mock.http.framing import GARBAGE, frame
from paylera_mock.http.handler import Transmission
from paylera_mock.server.wire import CLOSE, LAST_CHUNK, Headers, encode_chunk, encode_head, new_parser, origin_form

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment  # the stubs of the type checker alone have it

_LOG: Final = logging.getLogger(__name__)

_AHEAD: Final = 64 * 1024
"""Bytes of later requests that are taken in while one is being answered; then the client has to wait."""

_DISCARDED_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes that are read after the answer: a client that still sends would miss it if the connection ended."""

_QUIET_SECONDS: Final = 2
"""After so long without a byte the client has noticed that the connection is over."""

_RESET: Final = struct.pack("ii", 1, 0)
"""The value of `SO_LINGER` by which closing a connection resets it."""


class Answers(Protocol):
    """What answers the requests of all connections.

    - `body_seconds`: how long a client may take to send a body;
    - `connections`: those that there are now.
    """

    body_seconds: float
    connections: set[HttpConnection]

    def expect(self, environ: WSGIEnvironment) -> tuple[bool, int]:
        """Whether a request is one to the API, and how many bytes of its body are read."""

    def answer(
        self, environ: WSGIEnvironment, *, is_api: bool, departed: asyncio.Event
    ) -> Transmission | Coroutine[Any, Any, Transmission]:
        """The answer to a request, or what will be it. `departed`: is set when nobody waits for it any more."""

    def answer_late_body(self, environ: WSGIEnvironment) -> Transmission:
        """The answer to a request whose body does not come."""

    async def next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """The next piece of a body, which may have to be waited for; `None` behind the last."""


@dataclass(slots=True)
class _Reading:
    """A request that is being read, and is answered as soon as there is enough of it.

    - `is_new`: it speaks HTTP/1.1, and knows chunks;
    - `limit`: bytes of the body that are wanted; `size`: bytes that have come;
    - `keeps`: the connection goes on afterwards;
    - `is_asked`: its answer is being made; `is_answered`: that was sent; `is_whole`: all of the request has come.
    """

    environ: WSGIEnvironment
    body: io.BytesIO
    method: str
    is_api: bool
    is_new: bool
    limit: int
    keeps: bool
    size: int = 0
    is_asked: bool = False
    is_answered: bool = False
    is_whole: bool = False


class HttpConnection(asyncio.Protocol):
    """Reads requests, has them answered, and sends the answers.

    - `departed`: is set when the client has left, or sends nothing more, by which libraries mean the same.
    """

    def __init__(self, answering: Answers) -> None:
        self.departed = asyncio.Event()
        self._answering = answering
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = new_parser()
        self._request: _Reading | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._can_write = asyncio.Event()
        self._ahead = 0
        self._is_half_closed = False
        self._is_over = False

    # What the loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what loops give for a stream
        self._transport = transport
        self._scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
        host, port = transport.get_extra_info("sockname")[:2]
        self._address = (str(host), int(port))
        self._can_write.set()
        self._answering.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is at its end."""
        del exc
        self._stop_waiting()
        self.departed.set()
        self._can_write.set()
        self._answering.connections.discard(self)

    def eof_received(self) -> bool:
        """The client sends nothing more: whether the connection stays, since an answer is under way."""
        self.departed.set()
        self._is_half_closed = True
        return self._request is not None and self._request.is_whole and not self._is_over

    def pause_writing(self) -> None:
        """The client is slower than the answers: it is to ask for no more of them."""
        self._can_write.clear()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._can_write.set()
        if not self._is_over:
            self._read_on()

    def data_received(self, data: bytes) -> None:
        """Something has come."""
        if self._is_over:
            self._pass_over(data)
            return
        if self._request is not None and self._request.is_whole:
            self._ahead += len(data)
            if self._ahead > _AHEAD:
                self._transport.pause_reading()
        self._feed(data)
        self._read_on()

    # Reading

    def _feed(self, data: bytes) -> None:
        """Give the parser what has come. Before a request there may be empty lines (RFC 9112, section 2.2)."""
        if self._request is None and data[:1] in b"\r\n" and not self._parser.trailing_data[0]:
            data = data.lstrip(b"\r\n")
        if data:  # no bytes would mean that there are no more
            self._parser.receive_data(data)

    def _read_on(self) -> None:
        """Go on with what has come, as far as it goes."""
        try:
            while self._may_go_on() and (event := self._parser.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Request):
                    self._request = self._begin(event)
                elif self._request is None or event is h11.PAUSED:
                    break  # it is being answered
                elif isinstance(event, h11.Data):
                    self._take(self._request, event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self._request.is_whole = True
                    self._stop_waiting()
                    self._ask(self._request)
                    self._end_if_done(self._request)
        except h11.RemoteProtocolError as error:
            self._refuse(error.error_status_hint)
        if not self._is_over:
            self._wait_for_more()

    def _may_go_on(self) -> bool:
        """Whether more is read of a request, or a new one begun: not while the client takes no answer."""
        return not self._is_over and (self._request is not None or self._can_write.is_set())

    def _wait_for_more(self) -> None:
        """Have it come, where more must come of what has begun to come, and a client have the next request."""
        request = self._request
        is_begun = not request.is_whole if request else bool(self._parser.trailing_data[0])
        if self._is_half_closed and self._can_write.is_set() and (is_begun or request is None):
            self._transport.close()  # nothing more will come
            return
        if is_begun and self._deadline is None:
            self._deadline = self._loop.call_later(self._answering.body_seconds, self._give_up)
        if self._can_write.is_set() and (is_begun or self._ahead <= _AHEAD):
            self._transport.resume_reading()

    def _begin(self, event: h11.Request) -> _Reading:
        headers = [(name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers]
        target, method = origin_form(event.target.decode("ascii")), event.method.decode("ascii")
        if has_control_character(headers):
            raise h11.RemoteProtocolError("a control character in a header")
        body = io.BytesIO()
        environ = make_environ(method, target, headers, body, scheme=self._scheme, server=self._address)
        is_api, limit = self._answering.expect(environ)
        is_new = event.http_version >= b"1.1"
        keeps = is_new and "close" not in environ.get("HTTP_CONNECTION", "").lower()
        request = _Reading(environ, body, method, is_api, is_new, limit, keeps)
        if (is_api and method in BODILESS) or int(environ.get("CONTENT_LENGTH") or 0) > limit:
            self._ask(request)
        elif self._parser.they_are_waiting_for_100_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return request

    def _take(self, request: _Reading, piece: bytes) -> None:
        """Take a piece of the body, or pass over it where nobody wants it any more."""
        request.size += len(piece)
        if not request.is_asked:
            request.body.write(piece)
            if request.size > request.limit:
                self._ask(request)
        elif request.size > _DISCARDED_AT_MOST:
            self._transport.abort()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Answer a request whose body does not come; of what else does not come, the connection ends."""
        self._deadline = None
        request = self._request
        if request is None or request.is_answered:
            self._transport.abort()
        elif request.is_asked:  # nobody needs its body, and its answer is under way
            request.keeps = False
        else:
            request.is_asked = True
            self._send(request, self._answering.answer_late_body(request.environ))

    def _refuse(self, status: int) -> None:
        """Answer what is no request, and take nothing more from who sent it."""
        self._transport.write(encode_head(status, (("Content-Length", "0"), CLOSE)))
        self._end()

    # Answering

    def _ask(self, request: _Reading) -> None:
        """Have a request answered, unless it is or was."""
        if request.is_asked:
            return
        request.is_asked = True
        request.body.seek(0)
        answer = self._answering.answer(request.environ, is_api=request.is_api, departed=self.departed)
        if isinstance(answer, Transmission):
            self._send(request, answer)
        else:
            self._task = self._loop.create_task(self._send_later(request, answer))

    async def _send_later(self, request: _Reading, answer: Coroutine[Any, Any, Transmission]) -> None:
        transmission = await answer
        if self._is_over or self._transport.is_closing():
            return
        if transmission.pieces is None:
            self._send(request, transmission)
        else:
            try:
                await self._send_pieces(request, transmission.answer, transmission.pieces)
            except Exception:  # noqa: BLE001 - whatever it was, the client must not wait for more
                _LOG.exception(
                    "the answer to %s %s broke off", request.method, mask_secrets(request.environ["PATH_INFO"])
                )
                self._transport.abort()
                return
        self._end_if_done(request)
        self._read_on()

    def _send(self, request: _Reading, transmission: Transmission) -> None:
        """Send an answer, or what a fault makes of it."""
        answer, fault = transmission.answer, transmission.broken_by
        if fault is not None and fault.action is not Action.TRUNCATE:
            self._break_off(fault.action)
            return
        has_body = request.method != "HEAD" and answer.status not in BODILESS_STATUSES
        framed = frame(answer, fault if has_body else None)
        is_cut = framed.cut_from is not None
        pieces = framed.pieces if has_body else ()
        request.keeps = request.keeps and not is_cut and CLOSE not in framed.headers
        if framed.in_chunks:
            head = self._head_in_chunks(request, framed.status, framed.headers)
            pieces = (*map(encode_chunk, pieces), LAST_CHUNK) if has_body and request.is_new else pieces
        else:
            head = self._head(request, framed.status, framed.headers)
        self._transport.write(b"".join((head, *pieces)))
        self._note_sent(request)
        if is_cut:
            self._end()

    async def _send_pieces(self, request: _Reading, answer: Answer, pieces: Iterator[bytes]) -> None:
        """Send a body whose pieces are made one by one, in a thread, since one may have to be waited for."""
        in_chunks = request.is_new and request.method != "HEAD"
        self._transport.write(self._head_in_chunks(request, answer.status, answer.headers))
        while not self._transport.is_closing() and (piece := await self._answering.next_piece(pieces)) is not None:
            self._transport.write(encode_chunk(piece) if in_chunks else piece)
            await self._can_write.wait()
        self._transport.write(LAST_CHUNK if in_chunks else b"")
        self._note_sent(request)

    def _head_in_chunks(self, request: _Reading, status: int, headers: Headers) -> bytes:
        """The head of an answer without a length, which a client of HTTP/1.0 reads to the end of the connection."""
        in_chunks = (("Transfer-Encoding", "chunked"),) if request.is_new else ()
        return self._head(request, status, (*headers, *in_chunks))

    def _head(self, request: _Reading, status: int, headers: Headers) -> bytes:
        return encode_head(status, headers if request.keeps or CLOSE in headers else (*headers, CLOSE))

    def _break_off(self, action: Action) -> None:
        """End the connection in the place of an answer."""
        if action is Action.GARBAGE:
            self._transport.write(GARBAGE)
        if action is Action.RESET:
            self._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
            self._transport.abort()
        self._end()

    # The end

    def _note_sent(self, request: _Reading) -> None:
        request.is_answered = True
        if not request.keeps and not request.is_whole:
            self._end()

    def _end_if_done(self, request: _Reading) -> None:
        """Go on to the next request, or end the connection, once this one was read and answered."""
        if self._is_over or not (request.is_whole and request.is_answered):
            return
        if not request.keeps:
            self._end()
            return
        ahead, _ = self._parser.trailing_data
        self._parser, self._request = new_parser(), None
        self._feed(ahead)
        self._ahead = len(ahead)

    def _end(self) -> None:
        """Send nothing more. What still comes is passed over for a while, else the client might miss the answer."""
        self._is_over, self._ahead = True, 0
        self._stop_waiting()
        if self._transport.is_closing():
            return
        if self._request is not None and self._request.is_whole:
            self._transport.close()
            return
        if self._transport.can_write_eof():  # not over TLS
            try:
                self._transport.write_eof()
            except OSError:  # the client has left
                self._transport.abort()
                return
        self._pass_over(b"")

    def _pass_over(self, data: bytes) -> None:
        """Take no notice of what comes, until nothing does."""
        self._stop_waiting()
        self._ahead += len(data)
        if self._ahead > _DISCARDED_AT_MOST:
            self._transport.abort()
        else:
            self._deadline = self._loop.call_later(_QUIET_SECONDS, self._transport.close)

    def stop(self) -> None:
        """End the connection, once what is being answered is."""
        if self._task is None or self._task.done() or self._request is None:
            self._transport.close()
        else:
            self._request.keeps = False

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()
