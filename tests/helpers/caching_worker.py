"""Two workers behind nginx, each of which remembers for a while what a token was answered.

A worker passes everything on to the fake. Where the fake no longer knows a token, a worker that has seen it accepted
answers from its memory; a revocation or rotation that comes by way of a worker empties the memory of that one alone.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from helpers.suite import served
from helpers.waiting import PATIENCE_SECONDS, await_that

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NGINX: Final = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "date", "server"})

CONFIGURATION: Final = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream workers {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://workers; proxy_set_header Host $http_host; }}
  }}
}}
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
    assert NGINX is not None
    with ExitStack() as stack:
        urls = [stack.enter_context(served(caching_worker(upstream, seconds=seconds))) for _ in range(2)]
        port = _free_port()
        servers = " ".join(f"server {urlsplit(url).netloc};" for url in urls)
        (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, servers=servers, port=port), "utf-8")
        process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)])
        try:
            assert await_that(lambda: process.poll() is not None or _is_open(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _free_port() -> int:
    """A port that was free a moment ago: nginx cannot be told to choose one."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
