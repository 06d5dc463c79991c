"""Requests byte by byte over a socket: what no HTTP library would send.

Only clauses about malformed requests use it. What comes back is a `Response`, or `None` where the connection was closed
without one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

from paylera_conformance.http.answer import BoundedResponse
from paylera_conformance.http.connections import make_connection
from paylera_conformance.http.content import read_content
from paylera_conformance.http.proxies import find_proxy
from paylera_conformance.model.messages import Response
from paylera_conformance.model.outcomes import Blocked, TransportTrouble


def send_raw(
    base_url: str,
    target: str,
    headers: Iterable[tuple[str, bytes]],
    *,
    method: str = "GET",
    body: bytes | None = None,
    host: str | None = None,
    timeout: float = 10.0,
    ca_file: str | None = None,
) -> Response | None:
    """Send one request whose header values and request target are bytes as given, on a connection of its own.

    - `target`: the request target (RFC 9112, section 3.2): a path below the base URL's host, or absolute;
    - `body`: sent with its length; its media type is the caller's to give;
    - `host`: the `Host` header, the URL's own unless given;
    - `ca_file`: certificates that are trusted beside those of the system.

    Raises `TransportTrouble` where no connection was made or no answer came in time.
    """
    parts = urlsplit(base_url)
    lines = [f"{method} {target} HTTP/1.1".encode("latin-1", "replace")]
    lines.append(f"Host: {host or parts.netloc}".encode("latin-1", "replace"))
    lines.extend(name.encode("ascii") + b": " + value for name, value in headers)
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    payload = b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
    deadline = time.monotonic() + 2 * timeout
    try:
        with closing(_connect(parts, timeout, ca_file)) as connection:
            # It may have answered before reading all, and closed: what it said is still to be read.
            with suppress(ConnectionError):
                connection.sendall(payload)
            answer = BoundedResponse(connection, method=method, deadline=deadline, timeout=timeout)
            answer.begin()
            received = tuple(answer.getheaders())
            return Response(answer.status, received, read_content(answer, received, deadline=deadline))
    except (HTTPException, ConnectionError, ValueError):
        return None
    except TimeoutError:
        raise TransportTrouble(f"no answer came within {timeout:g} s to a raw request") from None


def _connect(parts: SplitResult, timeout: float, ca_file: str | None) -> socket.socket:
    """A connection to a host, through the proxy where there is one. Raises `Blocked` where that passes no bytes on."""
    host = parts.hostname or ""
    connection = make_connection(parts.scheme, host, parts.port, timeout=timeout, tunnels=True, ca_file=ca_file)
    try:
        # The answer of a proxy to CONNECT is read by it.
        vars(connection)["response_class"] = partial(
            BoundedResponse, deadline=time.monotonic() + 2 * timeout, timeout=timeout
        )
        connection.connect()
    except TimeoutError:
        raise
    except (OSError, HTTPException) as error:
        proxy = find_proxy(parts.scheme, host, parts.port)
        if proxy is not None:
            raise Blocked(f"the proxy {proxy} passes no bytes on, as malformed requests need: {error}") from None
        cause = getattr(error, "strerror", None) or type(error).__name__
        raise TransportTrouble(f"no connection to {parts.netloc}: {cause}") from None
    opened: socket.socket = connection.sock
    return opened
