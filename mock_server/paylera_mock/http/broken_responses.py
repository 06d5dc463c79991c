"""Sending under a real server: waits that a thread sleeps through, and answers that break on the way."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from paylera_mock.core.messages import Answer
from paylera_mock.faults.model import LONGEST_PAUSE_SECONDS, Action
from paylera_mock.http.handler import Exchanging, Transmission

PAUSES_AT_ONCE: Final = 32
"""How many requests may wait at once: a half of the threads that serve, so that no fault holds up other requests."""

GARBAGE: Final = b"\x16\x03\x01\x00\xffHTTP/9.9 two hundred\r\n\r\n\x00\xfe"
"""What is no HTTP, and is sent in the place of an answer."""

_LINGER_NOT: Final = struct.pack("ii", 1, 0)


@dataclass
class WaitLimit:
    """The waits of one fake. `places`: how many more may begin."""

    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(PAUSES_AT_ONCE))

    def out(self, exchanging: Exchanging) -> Transmission:
        """Go through an exchange, and sleep where it waits. Where too many sleep already, it does not wait."""
        while True:
            try:
                pause = next(exchanging)
            except StopIteration as end:
                delivery: Transmission = end.value
                return delivery
            if self.places.acquire(blocking=False):
                try:
                    limit = LONGEST_PAUSE_SECONDS
                    pause.over.wait(limit if pause.seconds is None else min(pause.seconds, limit))
                finally:
                    self.places.release()


def broken_body(delivery: Transmission, connection: socket.socket | None) -> Iterator[bytes]:
    """The body of an answer that a fault breaks, as a server sends it piece by piece: it ends before its length.

    `connection`: where the server lets us have it; without it the server drops the connection for the missing bytes.
    """
    action = delivery.broken_by.action if delivery.broken_by else Action.DROP
    if action is Action.TRUNCATE and delivery.broken_by is not None:
        yield delivery.answer.body[: delivery.broken_by.size]
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def breaks_before_head(delivery: Transmission) -> bool:
    """Whether nothing of the answer is sent at all, where the connection is within reach."""
    return delivery.broken_by is not None and delivery.broken_by.action is not Action.TRUNCATE


def break_connection(delivery: Transmission, connection: socket.socket) -> None:
    """Break it before anything of the answer was sent."""
    action = delivery.broken_by.action if delivery.broken_by else Action.DROP
    with contextlib.suppress(OSError):
        if action is Action.RESET:
            _reset(connection)
            return
        if action is Action.GARBAGE:
            connection.sendall(GARBAGE)
        connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    """Close it hard. The server keeps a descriptor with the same number, of a connection that is at its end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    ours, theirs = socket.socketpair()
    theirs.close()
    os.dup2(ours.fileno(), connection.fileno())
    ours.close()


def declared_length(answer: Answer) -> int:
    """The length that a broken answer claims: never the empty one, which would be whole."""
    return max(1, len(answer.body)) if answer.status != HTTPStatus.NO_CONTENT else 0


def connection_of(environ: Mapping[str, Any]) -> socket.socket | None:
    """The connection of a request, where the server lets us have it."""
    found = environ.get("werkzeug.socket")
    return found if isinstance(found, socket.socket) else None
