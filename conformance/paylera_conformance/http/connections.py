"""HTTP/1.1 over kept connections, by the standard library's `http.client`.

A library that makes events of each request and answer takes more than twice the time, and a run sends thousands.
"""

from __future__ import annotations

import select
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache, partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

from paylera_conformance.http.answer import BoundedResponse

_KEPT: Final = 4
"""Idle connections to one host that are kept."""

_SAFE: Final = "!$%&'()*+,-./:;=?@[]^_|~"
"""Characters that stand in a request target as they are; others are percent-encoded (RFC 3986)."""

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


@cache
def tls_context() -> ssl.SSLContext:
    """The verifying context that every connection shares, since making one takes 40 ms."""
    return ssl.create_default_context()


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
    - `deadline`: seconds that one whole answer may take, from the start of its request.
    """

    def __init__(self, *, timeout: float, deadline: float) -> None:
        self._timeout = timeout
        self._deadline = deadline
        self._idle: dict[_Origin, deque[HTTPConnection]] = defaultdict(deque)
        self._proxies: dict[_Origin, str | None] = {}

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
        connection = self._new(origin) if fresh else self._idle_one(origin) or self._new(origin)
        is_reusable = False
        try:
            if self._proxy_to(origin) and origin.scheme == "http":
                target = f"http://{host}{target}"
            with closing(self._begin(connection, method, target, [("Host", host.encode()), *headers], body)) as answer:
                yield answer
                is_reusable = not fresh and answer.isclosed() and answer.status >= HTTPStatus.OK
        finally:
            if is_reusable and connection.sock and len(self._idle[origin]) < _KEPT:
                self._idle[origin].append(connection)
            else:
                connection.close()

    def _begin(
        self,
        connection: HTTPConnection,
        method: str,
        target: str,
        headers: Iterable[tuple[str, bytes]],
        body: bytes | None,
    ) -> HTTPResponse:
        """Send a request and read the head of its answer."""
        deadline = time.monotonic() + self._deadline
        # The answer of a proxy to CONNECT is read by it too.
        vars(connection)["response_class"] = partial(BoundedResponse, deadline=deadline, timeout=self._timeout)
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
        return connection.getresponse()

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
        """A connection that is still to be made."""
        proxy = self._proxy_to(origin)
        scheme, host, port = origin
        if proxy is None:
            return self._connection(scheme, host, port)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if parts.scheme != "http" or not parts.hostname:
            raise HTTPException("the proxy that the environment names has no http:// URL")
        connection = self._connection(scheme, parts.hostname, parts.port or 80)
        if scheme == "https":
            connection.set_tunnel(host, port or 443)
        return connection

    def _connection(self, scheme: str, host: str, port: int | None) -> HTTPConnection:
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=self._timeout, context=tls_context())
        return HTTPConnection(host, port, timeout=self._timeout)

    def _proxy_to(self, origin: _Origin) -> str | None:
        """The proxy before a host: the environment names them (`HTTPS_PROXY`, `NO_PROXY` and so on)."""
        if origin not in self._proxies:
            self._proxies[origin] = None if proxy_bypass(origin.host) else getproxies().get(origin.scheme)
        return self._proxies[origin]


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
