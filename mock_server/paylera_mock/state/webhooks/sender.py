"""One POST of a webhook over the network: where it may go, and what came of it."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from paylera_fixtures.hosts import DEFAULT_PORTS, LOOPBACK_ADDRESSES, is_local_name, is_loopback

_READ_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class PostResult:
    """What came of a POST: the status of the answer, or `None` and why there was none."""

    status: int | None
    reason: str = ""


def obstacle(url: str, *, anywhere: bool) -> str | None:
    """Why nothing can be sent to a URL, `None` where it can. Nothing is looked up: not even a DNS query leaves."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "the URL cannot be read: write it as http://127.0.0.1:8000/path"
    if parts.hostname is None or port == 0:
        return "the URL names no host, or port 0: write it as http://127.0.0.1:8000/path"
    if anywhere or is_loopback(parts.hostname):
        return None
    return "not a loopback address: start the fake with --webhooks-anywhere to have it delivered"


def post(url: str, headers: Mapping[str, str], body: bytes, *, timeout: float, anywhere: bool) -> PostResult:
    """Send a body, and wait `timeout` seconds at most for the whole answer. A redirect is an answer like any other.

    The host is looked up once, and the connection goes to an address that was looked at: no second lookup can lead
    elsewhere.
    """
    if reason := obstacle(url, anywhere=anywhere):
        return PostResult(None, reason)
    parts = urlsplit(url)
    try:
        with closing(_connection(parts, timeout, anywhere=anywhere)) as connection, _deadline(connection, timeout):
            connection.request("POST", _target(parts), body, dict(headers))
            with connection.getresponse() as response:
                response.read(_READ_AT_MOST)
            return PostResult(response.status)
    except TimeoutError:
        return PostResult(None, f"no answer within {timeout:g} seconds")
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error's own words name what the receiver sent or the path; its kind is enough.
        return PostResult(None, f"no connection, or no answer that is HTTP ({type(error).__name__})")


def _target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def _connection(parts: SplitResult, timeout: float, *, anywhere: bool) -> http.client.HTTPConnection:
    """A connection that is open already, to an address that may be sent to."""
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    opened = _open(host, port, timeout, anywhere=anywhere)
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    if parts.scheme == "https":
        opened = ssl.create_default_context().wrap_socket(opened, server_hostname=host)
        connection.default_port = DEFAULT_PORTS["https"]
    connection.sock = opened
    return connection


def _open(host: str, port: int, timeout: float, *, anywhere: bool) -> socket.socket:
    """Connect to the first address of a host that answers, of those that may be sent to."""
    failure: OSError = ConnectionRefusedError()
    for address in _addresses(host, port):
        if not anywhere and not is_loopback(address):
            continue
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host. Names of this machine are looked up nowhere (RFC 6761, section 6.3)."""
    if is_local_name(host):
        return list(LOOPBACK_ADDRESSES)
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@contextmanager
def _deadline(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Cut a connection off that is still open after some seconds: one byte at a time can take for ever."""
    passed = threading.Event()
    timer = threading.Timer(seconds, _cut, (connection.sock, passed))
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        if passed.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
    if passed.is_set():
        raise TimeoutError


def _cut(opened: socket.socket, passed: threading.Event) -> None:
    passed.set()
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
