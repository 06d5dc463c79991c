"""A relay in front of a server: it passes requests on byte by byte, and writes the heads of answers otherwise.

For the dialects of HTTP that the fake's own server cannot speak. One request for each connection.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from helpers.waiting import PATIENCE_SECONDS

HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding"})
BUFFER: Final = 65536

Head = Callable[[int, str, list[tuple[str, str]]], str]
"""Writes a head from status, reason and headers, up to the empty line, which is not its business."""


def in_http_1_0(status: int, reason: str, headers: list[tuple[str, str]]) -> str:
    """The older protocol: the end of the connection is that of the body, and names are written in capitals."""
    lines = [f"{name.upper()}: {value}" for name, value in headers if name.lower() != "content-length"]
    return "\r\n".join([f"HTTP/1.0 {status} {reason}", *lines])


def in_odd_letters(status: int, reason: str, headers: list[tuple[str, str]]) -> str:
    """Names of headers in capitals and small letters by turns, without a space behind the colon, and no reason."""
    del reason
    lines = [f"{_by_turns(name)}:{value}" for name, value in headers]
    return "\r\n".join([f"HTTP/1.1 {status} ", *lines, "Connection: close"])


def _by_turns(name: str) -> str:
    return "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(name))


@contextmanager
def relay(url: str, head: Head) -> Iterator[str]:
    """A relay to the server of a URL, for as long as the block runs: the URL under which it answers."""
    upstream = urlsplit(url)
    address = (str(upstream.hostname), int(upstream.port or 80))
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        threading.Thread(target=_accept, args=(listener, address, head), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{upstream.path}"
        # A thread that waits for a connection does not see that its socket was closed.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, address: tuple[str, int], head: Head) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, address, head), daemon=True).start()


def _serve(client: socket.socket, address: tuple[str, int], head: Head) -> None:
    with suppress(OSError), client, socket.create_connection(address, PATIENCE_SECONDS) as server:
        client.settimeout(PATIENCE_SECONDS)
        first = client.recv(BUFFER)
        server.sendall(first)
        threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
        answer = HTTPResponse(server, method=first.partition(b" ")[0].decode("latin-1"))
        with suppress(HTTPException):
            answer.begin()
            headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            written = head(answer.status, answer.reason, headers)
            client.sendall(written.encode("latin-1") + b"\r\n\r\n" + answer.read())
        # To close it is not enough while another thread reads from it.
        client.shutdown(socket.SHUT_RDWR)


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while received := client.recv(BUFFER):
            server.sendall(received)
