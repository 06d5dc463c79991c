"""Requests byte by byte over a socket: what no HTTP library would send.

Only clauses about malformed requests use it. What comes back is a `Response`, or `None` where the connection was closed
without one.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

from paylera_conformance.http.answer import BoundedResponse
from paylera_conformance.http.connections import tls_context
from paylera_conformance.http.content import read_content
from paylera_conformance.model.messages import Response
from paylera_conformance.model.outcomes import TransportTrouble


def send_raw(
    base_url: str,
    target: str,
    headers: Iterable[tuple[str, bytes]],
    *,
    method: str = "GET",
    body: bytes | None = None,
    host: str | None = None,
    timeout: float = 10.0,
) -> Response | None:
    """Send one request whose header values and request target are bytes as given, on a connection of its own.

    - `target`: the request target (RFC 9112, section 3.2): a path below the base URL's host, or absolute;
    - `body`: sent with its length; its media type is the caller's to give;
    - `host`: the `Host` header, the URL's own unless given.

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
        with closing(_connect(parts, timeout)) as connection:
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


def _connect(parts: SplitResult, timeout: float) -> socket.socket:
    secure = parts.scheme == "https"
    address = (parts.hostname or "", parts.port or (443 if secure else 80))
    try:
        plain = socket.create_connection(address, timeout)
        return tls_context().wrap_socket(plain, server_hostname=parts.hostname) if secure else plain
    except TimeoutError:
        raise
    except (OSError, ssl.SSLError) as error:
        raise TransportTrouble(f"no connection to {parts.netloc}: {error.strerror or type(error).__name__}") from None
