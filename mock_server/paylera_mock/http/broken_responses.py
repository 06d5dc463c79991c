"""Sending under a real server: waits that a thread sleeps through, and answers that break on the way."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from paylera_mock.core.messages import Answer
from paylera_mock.faults.model import Action, Fault
from paylera_mock.http.flask_response import WholeResponse
from paylera_mock.http.handler import ExchangeSteps, Pause, Transmission, next_step, pause_seconds

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

PAUSES_AT_ONCE: Final = 128
"""How many requests of one fake may wait at once, so that no fault takes every thread or connection there is."""

GARBAGE: Final = b"\x16\x03\x01\x00\xffHTTP/9.9 two hundred\r\n\r\n\x00\xfe"
"""What is no HTTP, and is sent in the place of an answer."""

_BETWEEN_LOOKS_SECONDS: Final = 0.02
"""How often is looked whether a client that waits is still there."""

_CLOSE_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""The value of `SO_LINGER` by which closing a connection resets it."""


class WaitLimit:
    """Lets so many requests of one fake wait at a time."""

    def __init__(self, count: int = PAUSES_AT_ONCE) -> None:
        self._free = threading.Semaphore(count)

    def finish(self, exchanging: ExchangeSteps, connection: socket.socket | None = None) -> Transmission:
        """Go through an exchange, and sleep where it waits. Where too many sleep already, it does not wait.

        `connection`: by which it is seen that the client has left.
        """
        while isinstance(step := next_step(exchanging), Pause):
            if step.departure.at is None and self._free.acquire(blocking=False):
                try:
                    _wait(step, connection)
                finally:
                    self._free.release()
        return step


def _wait(pause: Pause, connection: socket.socket | None) -> None:
    ends_at = time.monotonic() + pause_seconds(pause)
    while (left := ends_at - time.monotonic()) > 0:
        if connection is not None:
            looked_at = time.monotonic()
            if _has_ended(connection):
                pause.departure.note()
                return
            pause.departure.seen_at = looked_at
        if pause.over.wait(min(left, _BETWEEN_LOOKS_SECONDS)):
            return


def _has_ended(connection: socket.socket) -> bool:
    """Whether the client has closed a connection on which it had sent nothing more."""
    with selectors.DefaultSelector() as selector:
        # The connection has a timeout, for which reading would wait.
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(0):
            return False
    try:
        # Past TLS, which reads nothing without taking it.
        return not socket.socket.recv(connection, 1, socket.MSG_PEEK)
    except OSError:
        return True


class BrokenResponse(WholeResponse):
    """An answer that a fault breaks off; it ends before the length that it declares.

    It is broken at its connection where the server gives it in `werkzeug.socket`; else the server drops the connection,
    since bytes are missing.
    """

    def __init__(self, answer: Answer, fault: Fault) -> None:
        super().__init__(answer, fault)
        self._action = fault.action

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """The head, and the beginning of the body; no head where the connection is within reach and nothing is sent."""
        connection = connection_of(environ)
        if connection is not None and self._action is not Action.TRUNCATE:
            self._break(connection)
        return self._body(connection), self.status, self.headers.to_wsgi_list()

    def _body(self, connection: socket.socket | None) -> Iterator[bytes]:
        yield from self.iter_encoded()
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _break(self, connection: socket.socket) -> None:
        """Break it before anything of the answer was sent."""
        with contextlib.suppress(OSError):
            if self._action is Action.RESET:
                # The server keeps the descriptor's number, of a connection that is at its end.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_AT_ONCE)
                ours, theirs = socket.socketpair()
                theirs.close()
                os.dup2(ours.fileno(), connection.fileno())
                ours.close()
                return
            if self._action is Action.GARBAGE:
                connection.sendall(GARBAGE)
            connection.shutdown(socket.SHUT_RDWR)


def connection_of(environ: WSGIEnvironment) -> socket.socket | None:
    """The connection by which a request came, where the server lets it be reached."""
    found = environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None
