"""Sends GETs as fast as they are answered, from one thread over kept connections, and measures each.

`python benchmarks/load.py URL SECRET CONNECTIONS REQUESTS` prints one line of JSON. A client library would cost more
time than the server does, and so would measure itself.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

LOOPBACK: Final = ("127.0.0.1", "::1")
END_OF_HEADERS: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE_SECONDS: Final = 30.0


@dataclass
class Connection:
    """A kept connection with one request under way: what has come of the answer, and when the request went out."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, request: bytes) -> None:
        """Send the next request."""
        self.received.clear()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come, and tell whether the answer is whole. Raises `RuntimeError` for any but a 200."""
        chunk = self.socket.recv(65536)
        self.received += chunk
        head, separator, body = bytes(self.received).partition(END_OF_HEADERS)
        if not chunk or (separator and not head.startswith(b"HTTP/1.1 200 ")):
            raise RuntimeError(f"the server should have answered 200: {head[:200]!r}")
        length = LENGTH.search(head)
        return bool(separator and length and len(body) >= int(length[1]))


def measure(url: SplitResult, secret: str, connections: int, requests: int) -> list[float]:
    """The seconds that each request took, in the order of the answers; more are under way than are waited for."""
    request = (
        f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {secret}\r\n"
        "Accept: application/json\r\n\r\n"
    ).encode()
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = Connection(socket.create_connection((url.hostname, url.port), PATIENCE_SECONDS))
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
    taken: list[float] = []
    while len(taken) < requests:
        events = selector.select(PATIENCE_SECONDS)
        if not events:
            raise RuntimeError(f"no answer for {PATIENCE_SECONDS} seconds")
        for key, _ in events:
            if key.data.receive():
                taken.append(time.perf_counter() - key.data.sent_at)
                key.data.send(request)
    return taken


def main() -> None:
    """Measure, and print requests a second, and the median and the 99th percentile in milliseconds."""
    url, secret, connections, requests = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if url.hostname not in LOOPBACK:
        raise SystemExit("load is for this machine alone: give a loopback URL")
    began = time.perf_counter()
    taken = measure(url, secret, connections, requests)
    rate = len(taken) / (time.perf_counter() - began)
    percentiles = statistics.quantiles(taken, n=100)
    print(json.dumps({"rate": rate, "p50_ms": percentiles[49] * 1000, "p99_ms": percentiles[98] * 1000}))


if __name__ == "__main__":
    main()
