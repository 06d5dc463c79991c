"""What clients do to connections, and what they get: each test looks at stderr too, where nothing may be."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from helpers.http_client import http_client
from helpers.mock_program import Program, Programs
from helpers.suite import always
from helpers.waiting import PATIENCE_SECONDS, await_that
from helpers.wsgi_server import served
from paylera_mock.server import loop
from paylera_mock.server.http_connection import HttpConnection

MEBIBYTE: Final = 1024 * 1024
POST: Final = (
    "POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
    "Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: 27\r\n{more}\r\n"
)
EMAIL: Final = b'{"email":"ada@example.com"}'
GET: Final = "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n{more}\r\n"


@dataclass
class Served:
    """A served fake, and what is sent to it."""

    program: Program
    ready: dict[str, Any]
    context: ssl.SSLContext | None = None

    @property
    def secret(self) -> str:
        """That of a token which may do everything."""
        return str(self.ready["tokens"]["serviceall"])

    def connect(self) -> socket.socket:
        """A new connection."""
        parts = urlsplit(self.ready["url"])
        plain = socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)
        return self.context.wrap_socket(plain, server_hostname="localhost") if self.context else plain

    def post(self, *, key: str = "first", more: str = "") -> bytes:
        """The head of a POST, whose body is `EMAIL`."""
        return POST.format(secret=self.secret, key=key, more=more).encode()

    def get(self, path: str = "/v1/customers", *, more: str = "") -> bytes:
        """A GET."""
        return GET.format(secret=self.secret, path=path, more=more).encode()

    def fault(self, **fault: Any) -> None:
        """Ask for a fault."""
        with http_client() as client:
            client.post(f"{self.ready['control_url']}/faults", json=fault).raise_for_status()

    def call(self, path: str) -> int:
        """Call the control API: the status."""
        with http_client() as client:
            return client.get(f"{self.ready['control_url']}/{path}").status_code


Serve = Callable[..., Served]


@pytest.fixture
def serve(programs: Programs) -> Iterator[Serve]:
    """Serves a fake, of which nothing must be said on stderr."""
    started: list[Served] = []

    def make(*options: str) -> Served:
        program = programs.serve(*options)
        started.append(Served(program, program.ready()))
        return started[-1]

    yield make
    for each in started:
        assert (each.program.stop(), each.program.errors.read_text()) == (0, "")


def read(connection: socket.socket, method: str = "GET") -> tuple[int, bytes]:
    """The next answer: its status and its body."""
    answer = HTTPResponse(connection, method=method)
    answer.begin()
    return answer.status, answer.read()


def test_what_no_path_asks_for_is_broken_too(serve: Serve) -> None:
    """`/` is the API's as well, but for a browser; and what hangs there holds up nobody."""
    fake = serve()
    fake.fault(action="drop")
    with fake.connect() as connection:
        connection.sendall(fake.get("/"))
        assert connection.recv(1) == b""
    fake.fault(action="hang", times=80)
    connections = [fake.connect() for _ in range(80)]
    for connection in connections:
        connection.sendall(fake.get("/"))
    assert fake.call("health") == 200
    for connection in connections:
        connection.close()


def test_client_that_leaves_a_refused_body_is_no_news(serve: Serve) -> None:
    """It has read the beginning of its 413, and is gone."""
    fake = serve()
    head = f"POST /_mock/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: {100 * MEBIBYTE}\r\n\r\n"
    for _ in range(50):
        with fake.connect() as connection:
            connection.sendall(head.encode())
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert fake.call("health") == 200


@pytest.mark.parametrize("more", ["", "Connection: Upgrade\r\nUpgrade: h2c\r\n"], ids=["plain", "upgrade"])
@pytest.mark.parametrize("behind", [b"", b"GET /v1"], ids=["alone", "pipelined"])
def test_delay_longer_than_a_body_may_take_is_waited_for(serve: Serve, more: str, behind: bytes) -> None:
    """The request has come as a whole: what its own body may take is over, and of the next one has only begun."""
    fake = serve("--body-seconds=0.2")
    fake.fault(action="delay", seconds=0.6)
    with fake.connect() as connection:
        connection.sendall(fake.post(more=more))
        connection.sendall(EMAIL + behind)
        assert read(connection, "POST")[0] == 201


def test_many_requests_on_one_connection_are_answered_in_their_order(serve: Serve) -> None:
    """Sent at once, the first of them held up; an empty line before one is passed over."""
    fake = serve()
    fake.fault(action="delay", seconds=0.05, method="POST")
    with fake.connect() as connection, connection.makefile("rb") as answer:
        connection.sendall(fake.post() + EMAIL + b"\r\n" + fake.get() + fake.get("/v1/nothing"))
        statuses = []
        for _ in range(3):
            statuses.append(int(answer.readline().split()[1]))
            length = 0
            while line := answer.readline().strip().lower():
                length = int(line.split()[1]) if line.startswith(b"content-length") else length
            answer.read(length)
    assert statuses == [201, 200, 404]


@pytest.mark.parametrize("target", ["http://[/x", "a://[b]c/", "x y"])
def test_target_that_is_no_url_is_400(serve: Serve, target: str) -> None:
    """And the connection ends."""
    fake = serve()
    with fake.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert read(connection) == (400, b"")
        assert connection.recv(1) == b""


def test_body_that_turns_out_to_be_none_while_its_answer_waits_is_400(serve: Serve) -> None:
    """The answer that comes too late is for nobody."""
    fake = serve()
    fake.fault(action="delay", seconds=0.1)
    with fake.connect() as connection:
        connection.sendall(fake.get(more="Transfer-Encoding: chunked\r\n") + b"zz\r\n")
        assert read(connection)[0] == 400
    assert await_that(lambda: fake.call("journal?status=200&wait=1") == 200)


@pytest.mark.parametrize("path", ["/_mock/journal", "/openapi/json", "/v1/customers"])
def test_head_has_no_body(serve: Serve, path: str) -> None:
    """Streamed or not: the next answer comes right behind it."""
    fake = serve()
    with fake.connect() as connection:
        connection.sendall(fake.get(path).replace(b"GET", b"HEAD") + fake.get("/v1/nothing"))
        head, _, rest = connection.recv(65536).partition(b"\r\n\r\n")
        while b"\r\n\r\n" not in rest:
            rest += connection.recv(65536)
    assert rest.startswith(b"HTTP/1.1 404 "), (head, rest)


@pytest.mark.parametrize("path", ["/_mock/clock", "/v1/customers"])
def test_client_that_sends_nothing_more_gets_its_answer(serve: Serve, path: str) -> None:
    """As `nc -N` has it."""
    fake = serve()
    with fake.connect() as connection:
        connection.sendall(fake.get(path))
        connection.shutdown(socket.SHUT_WR)
        assert read(connection)[0] == 200
        assert connection.recv(1) == b""


@pytest.mark.parametrize("path", ["/_mock/clock", "/v1/customers"])
def test_all_that_was_asked_before_the_end_is_answered(serve: Serve, path: str) -> None:
    """Each answer of a pipeline, whichever the end came behind."""
    fake = serve()
    with fake.connect() as connection:
        connection.sendall(fake.get(path) * 3)
        connection.shutdown(socket.SHUT_WR)
        whole = b"".join(iter(lambda: connection.recv(65536), b""))
    assert whole.count(b"HTTP/1.1 200 ") == 3


def test_refusal_of_a_large_body_arrives_over_tls(serve: Serve, tmp_path: Path) -> None:
    """The client sends on until it has read it."""
    fake = serve("--tls", f"--tls-dir={tmp_path / 'tls'}")
    fake.context = ssl.create_default_context(cafile=fake.ready["ca_file"])
    head = f"POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: {8 * MEBIBYTE}\r\n\r\n"
    with fake.connect() as connection:
        connection.sendall(head.encode() + b" " * (8 * MEBIBYTE))
        assert read(connection, "POST")[0] in {401, 413}


def test_stop_lets_a_client_read_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large answer is not cut off where its client reads on."""
    body, is_stopping, stop = b"x" * (32 * MEBIBYTE), threading.Event(), HttpConnection.stop

    def note_stop(connection: HttpConnection) -> None:
        stop(connection)
        is_stopping.set()

    monkeypatch.setattr(loop, "_STOP_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(HttpConnection, "stop", note_stop)
    with ExitStack() as server:
        parts = urlsplit(server.enter_context(served(always("200 OK", "text/plain", body))))
        with socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            whole = bytearray(connection.recv(1000))
            stopping = threading.Thread(target=server.close)
            stopping.start()
            assert is_stopping.wait(PATIENCE_SECONDS)
            while piece := connection.recv(MEBIBYTE):
                whole += piece
        stopping.join(PATIENCE_SECONDS)
    assert len(whole.partition(b"\r\n\r\n")[2]) == len(body)


def test_connections_for_which_no_descriptor_is_left_wait(programs: Programs) -> None:
    """One line says so, and not a traceback for each again and again; they are served once others have ended."""
    limited = ("sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    program = programs.start("serve", "--port=0", "--quiet", "--max-seconds=600", prefix=limited)
    fake = Served(program, program.ready())
    connections = [fake.connect() for _ in range(60)]
    assert await_that(lambda: program.errors.read_text() != "")
    for connection in connections:
        connection.close()
    assert fake.call("health") == 200
    reason = "no more files may be open (Too many open files): close some, or raise `ulimit -n`"
    assert set(program.errors.read_text().splitlines()) == {f"ERROR: connections wait, since {reason}"}
