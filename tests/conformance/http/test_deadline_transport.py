"""Answers end: a deadline holds for each whole answer, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from paylera_conformance.http.client import tls_context
from paylera_conformance.http.deadline_transport import BoundedTransport


@pytest.fixture
def url_of_a_dripping_server() -> Iterator[str]:
    """A server that sends an answer's head byte by byte, and never ends it."""
    stop = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not stop.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        stop.set()
        thread.join()


def test_dripping_head_is_given_up(url_of_a_dripping_server: str) -> None:
    """Though the next byte always comes within the timeout for one."""
    transport = BoundedTransport(0.3, context=tls_context())
    request = httpx.Request("GET", url_of_a_dripping_server, extensions={"timeout": httpx.Timeout(10).as_dict()})
    with pytest.raises(httpx.ReadTimeout):
        transport.handle_request(request)
    transport.close()
