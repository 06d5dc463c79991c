"""The program: sockets, and the command line."""

from __future__ import annotations

import argparse
import json
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from .control import urls
from .messages import Answer, Request
from .policy import BODY_MOST, PROFILES
from .problems import HTTP, NO_LENGTH, TOO_LARGE, RefusalError
from .site import Site

_PIECE: Final = 100
_NO_BODY: Final = frozenset({204, 304})


class Server(ThreadingHTTPServer):
    """One thread for each connection; `site` answers."""

    daemon_threads = True
    request_queue_size = 128
    site: Site


class Handler(BaseHTTPRequestHandler):
    """Reads requests off a connection and writes the answers."""

    protocol_version = "HTTP/1.1"
    server_version = "reference"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: Server

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST and so on: here every method goes the same way, known or not.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            request = self._read()
        except RefusalError as refusal:
            self.close_connection = True
            self._write(_as_answer(refusal))
            return
        self._write(self.server.site.answer(request))

    def _read(self) -> Request:
        """The request as it was sent, a HEAD as a GET. Raises `RefusalError` where its end cannot be told."""
        target = urlsplit(self.path) if self.path.lower().startswith("http://") else None
        path, _, query = (target.path + ("?" + target.query) * bool(target.query) if target else self.path).partition(
            "?"
        )
        headers: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = (*headers.get(name.lower(), ()), value.strip(" \t"))
        method = "GET" if self.command == "HEAD" else self.command
        return Request(method, path, dict(parse_qsl(query, keep_blank_values=True)), headers, self._body())

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") is not None:
            raise RefusalError(NO_LENGTH, "Send Content-Length.")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            raise RefusalError(HTTP, "Content-Length is no length.")
        if int(length) > BODY_MOST:
            raise RefusalError(TOO_LARGE, f"No more than {BODY_MOST} bytes.")
        return self.rfile.read(int(length))

    def _write(self, answer: Answer) -> None:
        chunked = answer.chunked and self.request_version == "HTTP/1.1"
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("transfer-encoding", "chunked")
        elif answer.status not in _NO_BODY:
            self.send_header("content-length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(_in_chunks(answer.body) if chunked else answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the HTTP layer refuses by itself is a problem document too."""
        self.close_connection = True
        refusal = RefusalError(HTTP.having(code), explain or message or "It could not be read.")
        self._write(_as_answer(refusal))

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: logs of requests show what is in them."""


def _as_answer(refusal: RefusalError) -> Answer:
    return refusal.answer(instance="/", trace_id=uuid.uuid4().hex)


def _in_chunks(body: bytes) -> bytes:
    pieces = [body[start : start + _PIECE] for start in range(0, len(body), _PIECE)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def main() -> None:
    """Serve until killed; one line on stdout says where."""
    parser = argparse.ArgumentParser(prog="reference_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--profile", choices=PROFILES, default="guide")
    parser.add_argument("--one-world", action="store_true", help="offer no namespaces in the control API")
    options = parser.parse_args()
    with Server(("127.0.0.1", options.port), Handler) as server:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        server.site = Site(PROFILES[options.profile], base, namespaces=not options.one_world)
        print(json.dumps({"event": "ready", "schema": 1, **urls(server.site.main, base)}), flush=True)  # noqa: T201
        server.serve_forever()
