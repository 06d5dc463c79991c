"""The null servers do what they are called after, and end with the test that started them."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from helpers.waiting import PATIENCE_SECONDS
from paylera_conformance.selftest import null_servers
from paylera_conformance.selftest.null_servers import BEHAVIOURS, NullResult, null_server, run_null_servers

FIRST_BYTES = {
    "200-empty-object": b"HTTP/1.1 200 OK",
    "200-plausible-list": b"HTTP/1.1 200 OK",
    "401-perfect-problem": b"HTTP/1.1 401 Unauthorized",
    "403-forbidden": b"HTTP/1.1 403 Forbidden",
    "404-html": b"HTTP/1.1 404 Not Found",
    "500-html": b"HTTP/1.1 500 Internal Server Error",
    "echo": b"HTTP/1.1 200 OK",
    "redirect-to-login": b"HTTP/1.1 302 Found",
    "empty-reply": b"",
    "endless-body": b"HTTP/1.1 200 OK",
    "slow-drip": b"H",
    "garbage": bytes(range(16)),
    "tls-on-plain-port": b"\x15\x03\x03",
}
"""What each says first; the others say nothing for a while, or break the connection."""


def first_bytes(url: str, length: int) -> bytes:
    """The beginning of the answer to a GET."""
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS)) as connection:
        connection.sendall(b"GET /v1/customers HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.recv(max(length, 1))


@pytest.mark.parametrize(("name", "expected"), FIRST_BYTES.items(), ids=FIRST_BYTES.keys())
def test_each_answers_as_its_name_says(name: str, expected: bytes) -> None:
    """A null server that did something else would show nothing."""
    with null_server(BEHAVIOURS[name]) as url:
        assert first_bytes(url, len(expected))[: len(expected)] == expected


def test_a_reset_is_a_reset() -> None:
    """Not a polite end: the client's own error handling is what is looked at."""
    with null_server(BEHAVIOURS["reset"]) as url, pytest.raises(ConnectionResetError):
        first_bytes(url, 1)


def test_nobody_listens_after_the_block() -> None:
    """A server ends with the test that started it."""
    with null_server(BEHAVIOURS["empty-reply"]) as url:
        port = urlsplit(url).port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0), timeout=PATIENCE_SECONDS)


def test_no_server_is_begun_once_the_selftest_is_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is anything said of the one that was being run: what ended the selftest may have ended that too."""
    stop, begun = threading.Event(), list[str]()
    told: list[NullResult] = []

    def run(name: str, _url: str) -> NullResult:
        begun.append(name)
        stop.set()
        return NullResult(name, 1, "", (), "", 0.0)

    monkeypatch.setattr(null_servers, "_run_suite", run)
    assert run_null_servers(["reset", "echo"], stop, told.append) == []
    assert (begun, told) == (["reset"], [])
