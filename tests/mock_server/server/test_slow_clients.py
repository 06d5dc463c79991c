"""Clients that send nothing more, or wait, hold up nobody: neither the API nor the control API."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from http.client import HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from helpers.http_client import http_client
from helpers.mock_program import Answer, Programs
from helpers.waiting import PATIENCE_SECONDS

Ask = Callable[..., Answer]
Serve = Callable[[], dict[str, Any]]

CLIENTS: Final = 160
"""More than twice the threads that serve."""

HEAD: Final = "Host: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
PAGE: Final = "http://page.example"
HALF_A_POST: Final = f"POST /v1/customers HTTP/1.1\r\n{HEAD}Content-Length: 100\r\n\r\n{{{{"
HALF_A_CALL: Final = f"POST /_mock/tokens HTTP/1.1\r\n{HEAD}Content-Length: 100\r\n\r\n{{{{"
HALF_A_CHUNK: Final = f"POST /v1/customers HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n64\r\n{{{{"
WAIT: Final = "GET /_mock/journal?path=/never&wait=30 HTTP/1.1\r\nHost: localhost\r\n\r\n"

SLOW: Final = {"a body": HALF_A_POST, "a chunk": HALF_A_CHUNK, "the body of a call": HALF_A_CALL, "a wait": WAIT}
LATE: Final = {name: text for name, text in SLOW.items() if text != WAIT}


@pytest.fixture(scope="module")
def serve(served_by: type[Programs], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves once."""
    programs = served_by(tmp_path_factory.mktemp("served"))
    yield cache(lambda: programs.serve().ready())
    programs.end()


def begin(ready: dict[str, Any], text: str) -> socket.socket:
    """Send the beginning of a request, and no more."""
    parts = urlsplit(ready["url"])
    connection = socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)
    connection.sendall(text.format(secret=ready["tokens"]["serviceall"]).encode())
    return connection


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
def test_slow_clients_hold_up_nobody(serve: Serve, ask: Ask, text: str) -> None:
    """However many there are, all else is answered, and a new fake can be had."""
    ready = serve()
    with ExitStack() as connections:
        for _ in range(CLIENTS):
            connections.enter_context(begin(ready, text))
        statuses = [
            ask(f"{ready['url']}/v1/customers", ready["tokens"]["serviceall"]).status,
            ask(f"{ready['control_url']}/health").status,
            ask(f"{ready['control_url']}/journal").status,
        ]
        with http_client() as client:
            statuses.append(client.post(f"{ready['control_url']}/namespaces", json={}).status_code)
    assert statuses == [200, 200, 200, 201]


@pytest.mark.parametrize("text", LATE.values(), ids=LATE)
def test_a_body_has_a_deadline(programs: Programs, text: str) -> None:
    """A request whose body does not come is answered with 408, and its connection ends (RFC 9110, section 15.5.9)."""
    ready = programs.serve("--body-seconds=0.2").ready()
    with begin(ready, text) as connection:
        answer = HTTPResponse(connection)
        answer.begin()
        seen = (answer.status, answer.getheader("Content-Type"), answer.getheader("Connection"))
        answer.read()
        rest = connection.recv(1)
    assert (seen, rest) == ((408, "application/problem+json", "close"), b"")


@pytest.mark.parametrize(
    ("path", "origin", "allowed"), [("/v1/customers", PAGE, PAGE), ("/_mock/clock", "http://localhost", None)]
)
def test_a_page_may_read_that_its_body_did_not_come(
    programs: Programs, path: str, origin: str, allowed: str | None
) -> None:
    """Where pages may call at all. There is a line for it, with the time that was waited."""
    options = ("--body-seconds=0.2", f"--cors={PAGE}", "--log-format=json")
    program = programs.start("serve", "--port=0", "--no-banner", *options)
    head = f"POST {path} HTTP/1.1\r\nOrigin: {origin}\r\n{HEAD}Content-Length: 100\r\n\r\n{{{{"
    with begin(program.ready(), head) as connection:
        answer = HTTPResponse(connection)
        answer.begin()
        seen = (answer.status, answer.getheader("Access-Control-Allow-Origin"))
    program.stop()
    lines = [json.loads(line) for line in program.errors.read_text().splitlines() if line.startswith("{")]
    assert seen == (408, allowed)
    assert [(line["path"], line["status"], line["ms"] > 100) for line in lines] == [(path, 408, True)]


def test_a_body_that_comes_slowly_has_the_same_deadline(programs: Programs) -> None:
    """A byte now and then does not prolong it."""
    ready = programs.serve("--body-seconds=1").ready()
    with begin(ready, HALF_A_POST.replace("100", "1000000")) as connection:
        connection.settimeout(0.05)
        assert b" 408 " in _trickle(connection)


def _trickle(connection: socket.socket) -> bytes:
    """Send a byte at a time until an answer comes: its beginning."""
    while True:
        connection.sendall(b" ")
        try:
            return connection.recv(100)
        except TimeoutError:
            continue
