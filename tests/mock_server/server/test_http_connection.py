"""A connection by itself, whose transport does what a network does at bad moments."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from paylera_mock.core.messages import Answer
from paylera_mock.http.handler import Transmission
from paylera_mock.server.http_connection import HttpConnection

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
TOO_LONG = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what is sent.

    - `has_left`: the client has, so that the connection cannot be half closed; `can_half_close`: not over TLS.
    """

    def __init__(self, *, has_left: bool = False, can_half_close: bool = True) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended: list[str] = []
        self.is_reading_now = True
        self._has_left = has_left
        self._can_half_close = can_half_close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """An address."""
        return ("127.0.0.1", 1) if name == "sockname" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written.append(bytes(data))

    def can_write_eof(self) -> bool:
        """As the class says."""
        return self._can_half_close

    def write_eof(self) -> None:
        """End one half, where somebody is there."""
        if self._has_left:
            raise OSError(errno.ENOTCONN, "nobody is there")
        self.ended.append("half")

    def close(self) -> None:
        """End it."""
        self.ended.append("close")

    def abort(self) -> None:
        """End it at once."""
        self.ended.append("abort")

    def is_closing(self) -> bool:
        """Once it was ended."""
        return bool({"close", "abort"} & {*self.ended})

    def pause_reading(self) -> None:
        """Take nothing more."""
        self.is_reading_now = False

    def resume_reading(self) -> None:
        """Go on."""
        self.is_reading_now = True


class Same:
    """Answers everything alike, and wants bodies of ten bytes at the most."""

    body_seconds = 1000.0

    def __init__(self) -> None:
        self.connections: set[HttpConnection] = set()

    def expect(self, environ: WSGIEnvironment) -> tuple[bool, int]:
        """All of it is the API's."""
        del environ
        return True, 10

    def answer(self, environ: WSGIEnvironment, **_: object) -> Transmission:
        """One answer."""
        del environ
        return Transmission(Answer(200, (), b"same"))

    answer_late_body = answer

    async def next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """Nothing is streamed."""
        return next(pieces, None)


def play(wire: Wire, scene: Callable[[HttpConnection], None]) -> None:
    """Do something with a connection, on a loop."""

    async def run() -> None:
        connection = HttpConnection(Same())
        connection.connection_made(wire)
        scene(connection)
        connection.connection_lost(None)

    asyncio.run(run())


def test_client_that_takes_no_answer_is_asked_for_no_more() -> None:
    """What waits for it is answered once it has caught up."""
    wire = Wire()

    def scene(connection: HttpConnection) -> None:
        connection.pause_writing()
        connection.data_received(GET * 3)
        assert (wire.written, wire.is_reading_now) == ([], False)
        connection.resume_writing()
        assert (len(wire.written), wire.is_reading_now) == (3, True)

    play(wire, scene)


def test_connection_whose_client_has_left_is_ended_without_a_word() -> None:
    """The half that it would have read from cannot be ended any more."""
    wire = Wire(has_left=True)
    play(wire, lambda connection: connection.data_received(TOO_LONG.replace(b"POST", b"PO ST")))
    assert wire.ended == ["abort"]


def test_refused_body_is_passed_over_where_a_connection_has_no_halves() -> None:
    """Over TLS too the client may send on until it has read its answer, which an end at once would take from it."""
    wire = Wire(can_half_close=False)

    def scene(connection: HttpConnection) -> None:
        connection.data_received(TOO_LONG.replace(b"Host", b"Connection: close\r\nHost"))
        connection.data_received(b"x" * 900)
        assert (len(wire.written), wire.ended) == (1, [])

    play(wire, scene)


def test_refused_body_is_passed_over_behind_the_first_half() -> None:
    """Elsewhere the client sees at once that nothing more comes."""
    wire = Wire()
    play(wire, lambda connection: connection.data_received(TOO_LONG.replace(b"Host", b"Connection: close\r\nHost")))
    assert (len(wire.written), wire.ended) == (1, ["half"])
