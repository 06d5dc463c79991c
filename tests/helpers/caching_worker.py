"""Two workers behind nginx, each of which remembers for a while what a token was answered.

A worker passes everything on to the fake. Where the fake no longer knows a token, a worker that has seen it accepted
answers from its memory; a revocation or rotation that comes by way of a worker empties the memory of that one alone.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from helpers.nginx import running_nginx
from helpers.waiting import PATIENCE_SECONDS
from helpers.wsgi_server import served

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})

CONFIGURATION: Final = """
upstream workers { {servers} }
server {
  listen 127.0.0.1:{port};
  location / { proxy_pass http://workers; proxy_set_header Host $http_host; }
}
"""


def caching_worker(upstream: str, *, seconds: float) -> WSGIApplication:
    """A worker in front of the server at `upstream`, which remembers for so many seconds; 0: not at all."""
    host = urlsplit(upstream).netloc
    remembered: dict[tuple[str, str], tuple[float, str, list[tuple[str, str]], bytes]] = {}

    def answer(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
        status, headers, body = forward(environ, path)
        place = (environ.get("HTTP_AUTHORIZATION", ""), path)
        if environ["REQUEST_METHOD"] == "GET" and status.startswith("200"):
            remembered[place] = (time.monotonic() + seconds, status, headers, body)
        elif environ["REQUEST_METHOD"] == "GET" and place in remembered and time.monotonic() < remembered[place][0]:
            _, status, headers, body = remembered[place]
        elif environ["REQUEST_METHOD"] != "GET" and "/api-tokens/" in path:
            remembered.clear()
        start(status, headers)
        return [body]

    def forward(environ: WSGIEnvironment, path: str) -> tuple[str, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
        sent = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        sent |= {"Content-Type": environ["CONTENT_TYPE"]} if environ.get("CONTENT_TYPE") else {}
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        connection.request(environ["REQUEST_METHOD"], path, content or None, sent | {"CONNECTION": "close"})
        received = connection.getresponse()
        body = received.read()
        connection.close()
        kept = [(name, value) for name, value in received.getheaders() if name.lower() not in HOP_BY_HOP]
        return f"{received.status} {received.reason}", kept, body

    return answer


@contextmanager
def workers_behind_nginx(folder: Path, upstream: str, *, seconds: float) -> Iterator[str]:
    """The URL of nginx in front of two workers, which take turns."""
    with ExitStack() as stack:
        urls = [stack.enter_context(served(caching_worker(upstream, seconds=seconds))) for _ in range(2)]
        servers = " ".join(f"server {urlsplit(url).netloc};" for url in urls)
        port = stack.enter_context(running_nginx(folder, CONFIGURATION.replace("{servers}", servers)))
        yield f"http://127.0.0.1:{port}"
