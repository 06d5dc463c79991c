"""The wire, over real sockets: every answer ends, is read as it came, and leaves a connection that serves again."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

import pytest

from helpers.scripted_server import ScriptedServer
from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.connections import Connections
from paylera_conformance.http.content import BODY_LIMIT
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import TransportTrouble

LIST = Request("GET", "/v1/customers")
CREATE = Request("POST", "/v1/customers").with_json({"email": "ada@example.com"})
Scripted: TypeAlias = Callable[..., ScriptedServer]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def client() -> Iterator[Client]:
    """A client on real connections."""
    made = Client(ClientSettings(run_id="run1"))
    yield made
    made.close()


@pytest.fixture
def url_of_a_dripping_server() -> Iterator[str]:
    """A server that sends an answer's head byte by byte, and never ends it."""
    stop = threading.Event()

    def drip(listening: socket.socket) -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while not stop.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)  # also where nobody came
        thread.join()


def test_dripping_head_is_given_up(url_of_a_dripping_server: str) -> None:
    """Though the next byte always comes within the timeout for one."""
    connections = Connections(timeout=10, deadline=0.3)
    with pytest.raises(TimeoutError), connections.exchange("GET", url_of_a_dripping_server, (), None, fresh=False):
        pass
    connections.close()


def test_connection_serves_again(scripted: Scripted, client: Client) -> None:
    """A new one for each request would cost more than the request."""
    server = scripted([OK, OK, OK])
    for request in (LIST, Request("DELETE", LIST.path), LIST):
        client.send(request, server.url)
    assert [len(each) for each in server.requests] == [3]


def test_request_may_have_a_connection_of_its_own(scripted: Scripted, client: Client) -> None:
    """A fresh one, which is not kept either: each may come to another process behind the address."""
    server = scripted([OK], [OK], [OK])
    for request in (LIST, replace(LIST, fresh=True), replace(LIST, fresh=True)):
        client.send(request, server.url)
    assert [len(each) for each in server.requests] == [1, 1, 1]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_request_on_a_kept_connection_that_is_closed_without_a_word_is_sent_again(
    scripted: Scripted, client: Client, method: str
) -> None:
    """On a fresh one, once: servers close what was idle just as it is used again."""
    server = scripted([OK, b""], [OK])
    client.send(LIST, server.url)
    again = Request(method, LIST.path, key="once" if method == "POST" else None)
    assert client.send(again, server.url).response.status == 200
    assert [len(each) for each in server.requests] == [2, 1]


def test_post_without_key_is_never_sent_on_a_kept_connection(scripted: Scripted, client: Client) -> None:
    """Where that is closed without a word, nobody knows whether it was done."""
    server = scripted([OK], [OK])
    client.send(LIST, server.url)
    client.send(CREATE, server.url)
    assert [len(each) for each in server.requests] == [1, 1]


def test_write_goes_out_once_though_the_kept_connection_was_closed(scripted: Scripted, client: Client) -> None:
    """That the other side has closed is seen before anything is sent, so that nothing is lost or sent twice."""
    server = scripted([OK], [OK])
    client.send(LIST, server.url)
    server.closed.acquire()
    assert client.send(CREATE, server.url).response.status == 200
    assert [[sent.split(b" ")[0] for sent in each] for each in server.requests] == [[b"GET"], [b"POST"]]


# Answers, and the status and the body that they are read as.
READ = {
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200, b"{}"),
    "until-closed": (b"HTTP/1.1 200 OK\r\n\r\n{}", 200, b"{}"),
    "http-1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
    "no-content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "no-content-in-chunks": (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, b""),
    "not-modified-of-a-length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304, b""),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"{}"),
    "early-hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK, 200, b"{}"),
    "no-reason": (b"HTTP/1.1 404\r\nContent-Length: 2\r\n\r\n{}", 404, b"{}"),
    "length-twice": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}"),
    "gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}"), 200, b"{}"),
    "deflate": (b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"{}"), 200, b"{}"),
    "bare-deflate": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"{}", wbits=-15),
        200,
        b"{}",
    ),
}


@pytest.mark.parametrize(("answer", "status", "body"), READ.values(), ids=READ)
def test_answer_is_read(scripted: Scripted, client: Client, answer: bytes, status: int, body: bytes) -> None:
    """In each way in which HTTP/1.1 lets a body end; interim answers are none."""
    response = client.send(LIST, scripted([answer]).url).response
    assert (response.status, response.body) == (status, body)


def test_headers_are_kept_as_they_came(scripted: Scripted, client: Client) -> None:
    """Their order, repeats, and bytes that a reader of mail would take for the end of a line."""
    head = b"HTTP/1.1 200 OK\r\nB: \x85 1\r\nA:2\r\nb: 3 \r\n folded\r\nContent-Length: 0\r\n\r\n"
    assert client.send(LIST, scripted([head]).url).response.headers == (
        ("B", "\x85 1"),
        ("A", "2"),
        ("b", "3 folded"),
        ("Content-Length", "0"),
    )


BROKEN = {
    "no-http": (b"SSH-2.0-OpenSSH\r\n", "BadStatusLine"),
    "tls": (b"\x15\x03\x03\x00\x02\x02\x32", "BadStatusLine"),
    "nothing": (b"", "RemoteDisconnected"),
    "half-a-head": (b"HTTP/1.1 200 OK\r\nContent-Le", "no end"),
    "no-header": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "no header"),
    "endless-head": (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n", "no header, or too much"),
    "endless-line": (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000 + b"\r\n\r\n", "no end"),
    "two-lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "is no number"),
    "negative-length": (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", "is no number"),
    "half-a-body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "broke off 7 bytes before"),
    "chunk-of-less-than-nothing": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}", "has no size"),
    "chunk-of-no-number": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}", "has no size"),
    "half-a-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", "IncompleteRead"),
    "no-gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{}", "not what its Content-Encoding says"),
    "half-a-gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:-4],
        "not what its Content-Encoding says",
    ),
    "gzip-bomb": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(BODY_LIMIT + 1)),
        f"goes on beyond {BODY_LIMIT} bytes",
    ),
    "long-body": (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(BODY_LIMIT + 1), f"goes on beyond {BODY_LIMIT} bytes"),
}


@pytest.mark.parametrize(("answer", "says"), BROKEN.values(), ids=BROKEN)
def test_answer_that_is_none_is_trouble(scripted: Scripted, client: Client, answer: bytes, says: str) -> None:
    """And no evidence."""
    with pytest.raises(TransportTrouble, match=says):
        client.send(LIST, scripted([answer], [answer]).url)


def test_line_break_in_a_header_is_not_sent(scripted: Scripted, client: Client) -> None:
    """It would be another request."""
    with pytest.raises(TransportTrouble, match="a header of the request has a line break"):
        client.send(LIST.with_header("X-A", "b\r\nX-C: d"), scripted().url)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v1/x?limit=1&a[]=%zz", b"/v1/x?limit=1&a[]=%zz"),
        ("/v1/{id} é#", b"/v1/%7Bid%7D%20%C3%A9%23"),
        ("", b"/"),
        ("?a=b", b"/?a=b"),
    ],
)
def test_target_is_sent_as_it_stands(scripted: Scripted, client: Client, path: str, target: bytes) -> None:
    """But for what a request line cannot hold."""
    server = scripted([OK])
    client.send(Request("GET", path), server.url)
    assert server.requests[0][0].split(b" ")[1] == target


@pytest.mark.parametrize(
    ("url", "line"),
    [("http://api.test", b"GET http://api.test/v1/customers HTTP/1.1"), ("https://api.test", b"CONNECT api.test:443 ")],
)
def test_proxy_of_the_environment_is_asked(
    scripted: Scripted, client: Client, monkeypatch: pytest.MonkeyPatch, url: str, line: bytes
) -> None:
    """For a tunnel where the target speaks TLS, else for the answer itself."""
    server = scripted([OK], [OK])
    monkeypatch.setenv("HTTP_PROXY".lower(), server.url)
    monkeypatch.setenv("HTTPS_PROXY".lower(), server.url)
    with suppress(TransportTrouble):  # behind the tunnel nobody speaks TLS
        client.send(LIST, url)
    assert server.requests[0][0].startswith(line)


def test_answer_of_no_server_names_the_reason(client: Client) -> None:
    """Nobody listens where a server was stopped."""
    server = ScriptedServer()
    server.stop()
    with pytest.raises(TransportTrouble, match="ConnectionRefusedError"):
        client.send(LIST, server.url)
