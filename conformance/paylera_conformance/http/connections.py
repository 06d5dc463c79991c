"""HTTP/1.1 over kept connections, which the standard library's `http.client` makes.

A library that makes events of each request and answer takes more than twice the time, and a run sends thousands.
"""

from __future__ import annotations

import select
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from functools import cache, partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from paylera_conformance.http.answer import BoundedResponse
from paylera_conformance.http.proxies import Proxy, find_proxy
from paylera_fixtures.hosts import dial

_KEPT: Final = 4
"""Idle connections to one host that are kept."""

_SAFE: Final = "!$%&'()*+,-./:;=?@[]^_|~"
"""Characters that stand in a request target as they are; others are percent-encoded (RFC 3986)."""

_CLOSED: Final = (RemoteDisconnected, BrokenPipeError, ConnectionAbortedError, ConnectionResetError)
"""How a connection looks that was closed before any answer came."""

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


@cache
def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """The verifying context that every connection shares, since making one takes 40 ms.

    - `ca_file`: certificates in PEM that are trusted beside those of the system.

    Raises `OSError`, `ssl.SSLError` among them, where that is no such file.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


class Answer(Protocol):
    """An answer whose head has arrived. `length`: how many bytes of its body are to come, where it said so."""

    @property
    def status(self) -> int: ...  # noqa: D102 - as the class says

    @property
    def length(self) -> int | None: ...  # noqa: D102

    def getheaders(self) -> list[tuple[str, str]]:
        """The headers in order, repeats included."""

    def read(self, amt: int, /) -> bytes:
        """That much of the body, or what is left of it."""


class Wire(Protocol):
    """What sends requests; a test puts its own in the place of the network."""

    def exchange(
        self, method: str, url: str, headers: Sequence[tuple[str, bytes]], body: bytes | None, *, fresh: bool
    ) -> AbstractContextManager[Answer]:
        """Send a request; its answer is to be read within. Raises `OSError`, `HTTPException` or `ValueError`.

        - `fresh`: on a connection of its own.
        """

    def close(self) -> None:
        """Close every connection."""


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int | None


class Connections:
    """Kept connections, as many to a host as there are requests at a time. Thread-safe.

    - `timeout`: seconds without a byte, for connecting, sending and reading;
    - `deadline`: seconds that one whole answer may take, from the start of its request;
    - `ca_file`: see `tls_context`.
    """

    def __init__(self, *, timeout: float, deadline: float, ca_file: str | None = None) -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._deadline = deadline
        self._idle: dict[_Origin, deque[HTTPConnection]] = defaultdict(deque)
        self._proxies: dict[_Origin, Proxy | None] = {}

    def close(self) -> None:
        """Close every connection that is kept."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    @contextmanager
    def exchange(
        self, method: str, url: str, headers: Sequence[tuple[str, bytes]], body: bytes | None, *, fresh: bool
    ) -> Iterator[HTTPResponse]:
        """Send a request; its answer is to be read within. Raises `OSError`, `HTTPException` or `ValueError`.

        - `fresh`: on a connection of its own, which is closed behind it.
        """
        origin, host, target = _split(url)
        sent = [("Host", host.encode()), *headers]
        proxy = self._proxy_before(origin) if origin.scheme == "http" else None
        if proxy is not None:
            target = f"http://{host}{target}"
            sent += [(name, value.encode()) for name, value in proxy.headers.items()]
        connection, begun = self._open(origin, partial(self._begin, method, target, sent, body), fresh=fresh)
        is_reusable = False
        try:
            with closing(begun) as answer:
                if proxy is not None and answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                    raise HTTPException(f"the proxy {proxy} asks for a user and a password: put them in its URL")
                yield answer
                is_reusable = not (fresh or answer.will_close) and answer.isclosed() and answer.status >= HTTPStatus.OK
        finally:
            if is_reusable and len(self._idle[origin]) < _KEPT:
                self._idle[origin].append(connection)
            else:
                connection.close()

    def _open(
        self, origin: _Origin, begin: Callable[[HTTPConnection], HTTPResponse], *, fresh: bool
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """A connection on which an answer has begun."""
        kept = None if fresh else self._idle_one(origin)
        if kept is not None:
            # The other side may close it just as it is used again (RFC 9112, section 9.5).
            with suppress(*_CLOSED):
                return kept, begin(kept)
        connection = self._new(origin)
        return connection, begin(connection)

    def _begin(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, bytes]],
        body: bytes | None,
        connection: HTTPConnection,
    ) -> HTTPResponse:
        """Send a request and read the head of its answer; a connection on which none came is closed."""
        deadline = time.monotonic() + self._deadline
        answering = partial(BoundedResponse, deadline=deadline, timeout=self._timeout)
        sent = _encode(method, target, headers, body)
        with ExitStack() as stack:
            stack.callback(connection.close)
            if connection.sock is None:
                vars(connection)["response_class"] = answering  # of a proxy to CONNECT
                connection.connect()
            connection.sock.settimeout(self._timeout)
            # It may have answered before reading all, and closed: what it said is still to be read.
            with suppress(ConnectionError):
                connection.sock.sendall(sent)
            answer = answering(connection.sock, method=method)
            stack.callback(answer.close)
            answer.begin()
            stack.pop_all()
        return answer

    def _idle_one(self, origin: _Origin) -> HTTPConnection | None:
        """A kept connection that the host has not closed."""
        idle = self._idle[origin]
        with suppress(IndexError):
            while True:
                connection = idle.pop()
                if not select.select([connection.sock], [], [], 0)[0]:
                    return connection
                connection.close()
        return None

    def _new(self, origin: _Origin) -> HTTPConnection:
        """A connection that is still to be made; a proxy passes on what is not encrypted by itself."""
        tunnels = origin.scheme == "https"
        return make_connection(*origin, timeout=self._timeout, tunnels=tunnels, ca_file=self._ca_file)

    def _proxy_before(self, origin: _Origin) -> Proxy | None:
        if origin not in self._proxies:
            self._proxies[origin] = find_proxy(*origin)
        return self._proxies[origin]


def make_connection(
    scheme: str, host: str, port: int | None, *, timeout: float, tunnels: bool, ca_file: str | None = None
) -> HTTPConnection:
    """A connection that is still to be made, by way of the proxy that the environment names.

    - `tunnels`: the proxy is asked to pass on bytes (CONNECT; RFC 9110, section 9.3.6), not requests;
    - `ca_file`: see `tls_context`.

    Raises `ProxyError`.
    """
    proxy = find_proxy(scheme, host, port)
    address = (host, port) if proxy is None else (proxy.host, proxy.port)
    connection = (
        HTTPSConnection(*address, timeout=timeout, context=tls_context(ca_file))
        if scheme == "https"
        else HTTPConnection(*address, timeout=timeout)
    )
    connection._create_connection = dial  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    if proxy is not None and tunnels:
        connection.set_tunnel(host, port or connection.default_port, headers=dict(proxy.headers))
    return connection


def _encode(method: str, target: str, headers: Sequence[tuple[str, bytes]], body: bytes | None) -> bytes:
    """A request as it is sent, all at once: many servers wait for the rest of one that comes in two pieces.

    Raises `ValueError` for what is no ASCII, or would end a line of the head.
    """
    lines = [
        f"{method} {target} HTTP/1.1".encode("ascii"),
        *(name.encode("ascii") + b": " + value for name, value in headers),
    ]
    is_framed = any(name.lower() in _FRAMING for name, _ in headers)
    if not is_framed and (body is not None or method in {"POST", "PUT", "PATCH"}):
        lines.append(b"Content-Length: %d" % len(body or b""))
    head = b"\r\n".join(lines)
    if not head.count(b"\r") == head.count(b"\n") == len(lines) - 1:
        raise ValueError("a header of the request has a line break")
    return b"".join((head, b"\r\n\r\n", body or b""))


def _split(url: str) -> tuple[_Origin, str, str]:
    """Whom a URL asks, the `Host` header for that, and the request target. Raises `ValueError`."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0]
    target = rest[len(host) :]
    return *_origin(scheme, host), quote(target if target.startswith("/") else f"/{target}", safe=_SAFE)


@cache
def _origin(scheme: str, host: str) -> tuple[_Origin, str]:
    parts = urlsplit(f"{scheme}://{host}")
    named = host.removesuffix(":443" if scheme == "https" else ":80")
    return _Origin(scheme, parts.hostname or "", parts.port), named if named.isascii() else named.encode(
        "idna"
    ).decode()
