"""A forward proxy on loopback: it passes on requests, or bytes, to hosts that nobody else knows."""

from __future__ import annotations

import http.client
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from helpers.waiting import PATIENCE_SECONDS

_OWN: Final = frozenset({"connection", "transfer-encoding", "content-length"})
"""Headers that are written anew (RFC 9110, section 7.6.1)."""


@dataclass
class Proxy:
    """What a proxy knows, and what it was asked for.

    - `hosts`: the address of each host that it reaches;
    - `user`: user and password that it asks for; `tunnels`: whether it passes on bytes.
    """

    hosts: Mapping[str, tuple[str, int]]
    user: str = ""
    tunnels: bool = True
    lines: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def url_with_user(self) -> str:
        """Its URL with what it asks for."""
        return self.url.replace("://", f"://{self.user}@")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def handle_expect_100(self) -> bool:
        """Leave that to the target."""
        return True

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Pass on requests of every method."""
        if name.startswith("do_"):
            return self._tunnel if name == "do_CONNECT" else self._pass_on
        raise AttributeError(name)

    def _is_let_in(self) -> bool:
        proxy = self.server.proxy
        proxy.lines.append(self.requestline)
        expected = f"Basic {b64encode(proxy.user.encode()).decode()}"
        if not proxy.user or self.headers.get("Proxy-Authorization") == expected:
            return True
        self._refuse(407)
        return False

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _tunnel(self) -> None:
        if not self._is_let_in():
            return
        if not self.server.proxy.tunnels:
            self._refuse(403)
            return
        address = self.server.proxy.hosts[self.path.partition(":")[0]]
        with socket.create_connection(address, PATIENCE_SECONDS) as upstream:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pump, args=(upstream, self.connection), daemon=True)
            back.start()
            _pump(self.connection, upstream)
            back.join()
        self.close_connection = True

    def _pass_on(self) -> None:
        if not self._is_let_in():
            return
        parts = urlsplit(self.path)
        headers = {name: value for name, value in self.headers.items() if name != "Proxy-Authorization"}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = self.server.proxy.hosts[parts.hostname or ""]
        with closing(http.client.HTTPConnection(*address, timeout=PATIENCE_SECONDS)) as upstream:
            upstream.request(self.command, urlunsplit(("", "", parts.path, parts.query, "")), body or None, headers)
            answer = upstream.getresponse()
            content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        if answer.status not in {204, 304}:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def serving(proxy: Proxy) -> Iterator[Proxy]:
    """Serve a proxy on a free port for as long as the block runs."""
    with _Server(proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield proxy
        server.shutdown()
