"""HTTP/1.1 over kept connections, by the standard library's `http.client`.

A library that makes events of each request and answer takes more than twice the time, and a run sends thousands.
"""

from __future__ import annotations

import select
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
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
                is_reusable = not fresh and answer.isclosed() and answer.status >= HTTPStatus.OK
        finally:
            if is_reusable and connection.sock and len(self._idle[origin]) < _KEPT:
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
        headers: Iterable[tuple[str, bytes]],
        body: bytes | None,
        connection: HTTPConnection,
    ) -> HTTPResponse:
        """Send a request and read the head of its answer; a connection on which none came is closed."""
        deadline = time.monotonic() + self._deadline
        # The answer of a proxy to CONNECT is read by it too.
        vars(connection)["response_class"] = partial(BoundedResponse, deadline=deadline, timeout=self._timeout)
        with ExitStack() as stack:
            stack.callback(connection.close)
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._timeout)
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            is_framed = False
            for name, value in headers:
                connection.putheader(name, value)
                is_framed = is_framed or name.lower() in _FRAMING
            if not is_framed and (body is not None or method in {"POST", "PUT", "PATCH"}):
                connection.putheader("Content-Length", str(len(body or b"")))
            # It may have answered before reading all, and closed: what it said is still to be read.
            with suppress(ConnectionError):
                connection.endheaders(body)
            answer = connection.getresponse()
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
