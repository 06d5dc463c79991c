"""Servers that keep no contract at all, and runs of the suite against them, in which nothing may pass.

Each answers every connection in one way, on a port of the loopback interface. They are plain sockets, since no HTTP
library does most of what they do.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import msgspec

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.diff import run_program
from paylera_fixtures.tokens import new_secret
from paylera_fixtures.vocabulary import RELEASES, Environment, Header

_CONNECTION_SECONDS: Final = 30.0
"""Seconds after which a server gives a connection up, whatever its client does."""

TAR_PIT_SECONDS: Final = 10.0

PROBLEM: Final = {
    "type": "https://errors.paylera.io/auth/missing-token",
    "title": "Authorization header required",
    "status": 401,
    "detail": "No token was sent.",
    "instance": "/v1/customers",
    "problem": "auth.missing_token",
    "trace_id": "01JD0000000000000000000000",
}
_CUSTOMER: Final = {"id": "cus_1", "object": "customer", "customer_id": "cus_1", "email": "ada@example.com"}
_LIST: Final = {"data": [_CUSTOMER], "has_more": False, "next_cursor": None, **_CUSTOMER, "status": "active"}

Connection = socket.socket
Behaviour = Callable[[Connection, bytes, threading.Event], None]
"""What a server does with a connection and the head of a request; the event is set when it is to stop."""


def answer(status: str, body: bytes, media_type: str = "application/json", *more: str) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def _answer_always(response: bytes) -> Behaviour:
    def behave(connection: Connection, _head: bytes, _stop: threading.Event) -> None:
        connection.sendall(response)

    return behave


def _send_endlessly(connection: Connection, _head: bytes, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not stop.is_set():
        connection.sendall(b"1," * 32768)


def _send_slowly(connection: Connection, _head: bytes, stop: threading.Event) -> None:
    for byte in answer("200 OK", json.dumps(_LIST).encode()):
        if stop.wait(0.5):
            return
        connection.sendall(bytes([byte]))


def _answer_late(connection: Connection, _head: bytes, stop: threading.Event) -> None:
    if not stop.wait(TAR_PIT_SECONDS):
        connection.sendall(answer("200 OK", json.dumps(_LIST).encode()))


BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "200-empty-object": _answer_always(answer("200 OK", b"{}")),
    "200-plausible-list": _answer_always(answer("200 OK", json.dumps(_LIST).encode())),
    "401-perfect-problem": _answer_always(
        answer(
            "401 Unauthorized",
            json.dumps(PROBLEM).encode(),
            "application/problem+json",
            "WWW-Authenticate: Bearer realm=x",
            f"{Header.VERSION}: {RELEASES[-1]}",
        )
    ),
    "403-forbidden": _answer_always(answer("403 Forbidden", b'{"message": "Forbidden"}')),
    "404-html": _answer_always(answer("404 Not Found", b"<html><h1>Not Found</h1></html>", "text/html")),
    "500-html": _answer_always(answer("500 Internal Server Error", b"<html>Oops</html>", "text/html")),
    "echo": lambda connection, head, _: connection.sendall(answer("200 OK", head, "message/http")),
    "redirect-to-login": _answer_always(answer("302 Found", b"", "text/html", "Location: /login")),
    "empty-reply": lambda _connection, _head, _stop: None,
    # With this option set, closing resets the connection.
    "reset": lambda connection, _head, _stop: connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
    ),
    "endless-body": _send_endlessly,
    "slow-drip": _send_slowly,
    "garbage": _answer_always(bytes(range(256)) * 16),
    "tar-pit": _answer_late,
    # The alert record that a TLS server answers to a plain request.
    "tls-on-plain-port": _answer_always(b"\x15\x03\x03\x00\x02\x02\x0a"),
}
"""Every null server by its name."""


@contextmanager
def null_server(behave: Behaviour) -> Iterator[str]:
    """A null server for as long as the block runs: its base URL."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        listening.settimeout(0.1)
        accepting = threading.Thread(target=_accept, args=(listening, behave, stop), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            accepting.join()


def _accept(listening: socket.socket, behave: Behaviour, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            continue
        threading.Thread(target=_serve, args=(connection, behave, stop), daemon=True).start()


def _serve(connection: Connection, behave: Behaviour, stop: threading.Event) -> None:
    # A client that leaves, or that waits longer than anyone should, is the end of the connection and of nothing else.
    with suppress(OSError), connection:
        connection.settimeout(_CONNECTION_SECONDS)
        behave(connection, _read_head(connection), stop)


def _read_head(connection: Connection) -> bytes:
    """The head of a request, and as much of its body as came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            break
        received += chunk
    return received


# Runs of the suite against them


BOUND_SECONDS: Final = 600.0
"""How long one run may take before it counts as one that does not end."""

_TIMEOUT: Final = "2"
_CONFIG: Final = f"""
[target]
mode = "full"
[tokens.service]
token = "${{SERVICE}}"
id = "tok_1"
disposable = true
[tokens.admin]
token = "${{ADMIN}}"
audience = "admin"
aal = 2
[tokens.customer]
token = "${{CUSTOMER}}"
audience = "customer"
customer_id = "cus_1"
[versions]
supported = {json.dumps(RELEASES)}
current = {json.dumps(RELEASES[-1])}
[actors]
known = "actor_1"
foreign = "actor_2"
[operations]
aal2 = "POST /v1/payments/{{id}}/cancel"
"""


class NullResult(msgspec.Struct, frozen=True):
    """A run against one null server: `passed` names the clauses that the suite let pass, which is wrong."""

    name: str
    exit_code: int
    verdict: str
    passed: tuple[str, ...]
    first_line: str
    seconds: float

    @property
    def is_wrongly_accepted(self) -> bool:
        """Whether a clause passed, the exit code was 0, or the run did not end: each is a fault of the suite."""
        return bool(self.passed) or self.exit_code == 0 or self.verdict == "did not end"


def run_null_servers(
    names: Iterable[str], stop: threading.Event, on_result: Callable[[NullResult], None]
) -> list[NullResult]:
    """Run the suite against each null server named, in turn, until it is to stop.

    `on_result` is called with each result.
    """
    results = []
    for name in names:
        with null_server(BEHAVIOURS[name]) as url:
            result = _run_suite(name, url)
        if stop.is_set():
            break  # what ended the selftest may have ended that run
        on_result(result)
        results.append(result)
    return results


def _run_suite(name: str, url: str) -> NullResult:
    secrets = {role: new_secret(Environment.SANDBOX) for role in ("SERVICE", "ADMIN", "CUSTOMER")}
    started = time.monotonic()
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as config:
        config.write(_CONFIG)
        config.flush()
        arguments = ["--config", config.name, "--timeout", _TIMEOUT]
        try:
            ended, results, _ = run_program(url, arguments, env={**os.environ, **secrets}, timeout=BOUND_SECONDS)
        except subprocess.TimeoutExpired:
            return NullResult(name, -1, "did not end", (), "", BOUND_SECONDS)
    seconds = round(time.monotonic() - started, 1)
    passed = tuple(row["id"] for row in results.get("clauses", ()) if row["outcome"] == Outcome.PASS)
    first_line = next((line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip(". ")), "")
    return NullResult(name, ended.returncode, str(results.get("verdict", "none")), passed, first_line, seconds)
