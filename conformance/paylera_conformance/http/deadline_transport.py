"""An httpx transport whose answers end: a deadline holds for each whole answer, its head included.

httpx bounds the time without a byte; a server that sends one byte at a time could still delay a run without end.
"""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any, Final

import httpcore
import httpx

_CONNECTIONS: Final = 64
_KEPT: Final = 4
"""Idle connections that are kept: the pool looks at each of them at every request."""


class _Deadline(threading.local):
    """When the answer that this thread waits for must have ended."""

    at: float = float("inf")


class BoundedTransport(httpx.HTTPTransport):
    """HTTP/1.1 over pooled connections.

    - `seconds`: how long one whole answer may take, from the start of its request. Reading then raises
      `httpx.ReadTimeout`;
    - `proxy`: the URL of an HTTP proxy, `None` for none.
    """

    def __init__(self, seconds: float, *, context: ssl.SSLContext, proxy: str | None = None) -> None:
        super().__init__(verify=context)
        self._seconds = seconds
        self._deadline = _Deadline()
        pool: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _KEPT,
            "network_backend": _Backend(self._deadline),
        }
        # In the place of the pool that httpx made: it has no option for the network backend.
        self._pool = httpcore.HTTPProxy(proxy, **pool) if proxy else httpcore.ConnectionPool(**pool)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the body is still to be read. Raises httpx's exceptions."""
        self._deadline.at = time.monotonic() + self._seconds
        return super().handle_request(request)


class _Backend(httpcore.SyncBackend):
    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*args, **kwargs), self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection on which no read goes beyond the deadline of the thread that reads."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._deadline.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer did not end in time")
        return self._inner.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(*args, **kwargs), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
