"""nginx on loopback, for as long as a test needs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from helpers.waiting import PATIENCE_SECONDS, await_that

NGINX: Final = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

CONFIGURATION: Final = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events { }
http {
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {servers}
}
"""


def require_nginx() -> None:
    """Skip the test where there is none, unless it must not be skipped."""
    if NGINX is None and os.environ.get("PAYLERA_TESTS_NEED_NGINX"):
        pytest.fail("there is no nginx, and PAYLERA_TESTS_NEED_NGINX is set")
    if NGINX is None:
        pytest.skip("there is no nginx on the PATH")


@contextmanager
def running_nginx(folder: Path, servers: str) -> Iterator[int]:
    """The port of nginx with these servers, whose configuration has it as `{port}`, and the folder as `{folder}`."""
    assert NGINX is not None
    port = free_port()
    text = CONFIGURATION.replace("{servers}", servers).replace("{folder}", str(folder)).replace("{port}", str(port))
    (folder / "nginx.conf").write_text(text, "utf-8")
    process = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder)])
    try:
        assert await_that(lambda: process.poll() is not None or _is_open(port))
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    """A port that was free a moment ago: nginx cannot be told to choose one."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
