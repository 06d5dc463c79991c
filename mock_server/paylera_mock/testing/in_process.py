"""The wire of a process without sockets: which hosts answer, and what of a request and of an answer goes over it.

Clients of different libraries put the same bytes on it. How they wait, and what they raise, is theirs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.test import run_wsgi_app

from paylera_fixtures.vocabulary import Environment
from paylera_mock.app import EXTENSION, Views
from paylera_mock.core.messages import Answer
from paylera_mock.core.problems import Problem
from paylera_mock.faults.model import Action
from paylera_mock.http.broken_responses import declared_length
from paylera_mock.http.handler import ELSEWHERE, ELSEWHERE_HOST, Exchanging, Transmission
from paylera_mock.namespaces.namespace import Namespace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOSTS: Final = (*(environment.production_host for environment in Environment), ELSEWHERE_HOST)
"""Who answers: both hosts of production, and another origin to which a redirect may lead."""

_PORTS: Final = {"http": 80, "https": 443}
_UNPREFIXED: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})  # PEP 3333: these two alone have no HTTP_
_FRAMING: Final = "HTTP_TRANSFER_ENCODING"


class NobodyThereError(Exception):
    """A connection to where nobody listens. The text says who does."""


class ServerAddress(NamedTuple):
    """Where a client connects to. `port` is `None` where the scheme's own is meant."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def authority(self) -> str:
        """How a `Host` header names it."""
        return self.host if self.port in {None, _PORTS.get(self.scheme)} else f"{self.host}:{self.port}"


class WireRequest(NamedTuple):
    """A request as it goes over the wire, its texts in Latin-1: one character for each byte.

    `target`: path and query as on the request line; `body`: whole, without the framing of its pieces.
    """

    method: str
    place: ServerAddress
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class StartedExchange(NamedTuple):
    """An exchange that has begun. `may_block`: to go on may keep a thread, so that an event loop must not do it."""

    exchanging: Exchanging
    may_block: bool = False


@dataclass(frozen=True)
class WireResponse:
    """An answer as a client gets it: its head, and the pieces of its body.

    - `expected`: the bytes of the body that the head declares, where the connection ends before they have come;
    - `chunked`: nothing is said of its length before.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]
    expected: int | None = None
    chunked: bool = False

    @property
    def reason(self) -> str:
        """The phrase beside the status."""
        return HTTPStatus(self.status).phrase

    @property
    def size(self) -> int:
        """The bytes of the body that come."""
        return sum(map(len, self.pieces))


class Wire:
    """Connects clients of this process with one namespace, which has both hosts of production for itself."""

    def __init__(self, app: Flask, namespace: Namespace) -> None:
        self._app = app
        self._namespace = namespace
        self._shell: Views = app.extensions[EXTENSION]

    def connect(self, place: ServerAddress) -> None:
        """Raise `NobodyThereError` for a place where nobody listens, and for any once the namespace is gone."""
        if place.host not in HOSTS or place.port not in {None, _PORTS.get(place.scheme)}:
            raise NobodyThereError(f"nobody listens at {place.authority} in this process: {_who()}")
        own = self._namespace.id
        if own is not None and self._shell.namespaces.find(own) is not self._namespace:
            raise NobodyThereError("the fake behind this client is gone: it ends with the test that it is for")

    def begin(self, sent: WireRequest) -> StartedExchange:
        """Begin the exchange that a request asks for. Raises `NobodyThereError`, as `connect` does."""
        self.connect(sent.place)
        environ = environ_of(sent)
        path: str = environ["PATH_INFO"]
        own = f"/ns/{self._namespace.id}" if self._namespace.id else ""
        if sent.place.host == ELSEWHERE_HOST and not path.removeprefix(own).startswith(f"{ELSEWHERE}/"):
            raise NobodyThereError(f"{ELSEWHERE_HOST} has nothing but what is below {ELSEWHERE}/")
        if self._is_of_the_api(path):
            begun = self._shell.begin(environ, self._namespace)
            if not isinstance(begun, Problem):
                return StartedExchange(begun)
        elif not path.startswith("/ns/"):
            environ["PATH_INFO"] = own + path
        return StartedExchange(_answered(self._app, environ), may_block=True)

    def _is_of_the_api(self, path: str) -> bool:
        """Whether a path is neither of the control API nor of a document, which Flask answers."""
        endpoint: str = self._app.url_map.bind("").match(path)[0]
        return endpoint == "api"


def _who() -> str:
    return "https and http on their own ports of " + ", ".join(HOSTS) + " are played"


def environ_of(sent: WireRequest) -> WSGIEnvironment:
    """A request as servers hand it to an application (PEP 3333), its body at its end where its stream ends."""
    path, _, query = sent.target.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": sent.place.host,
        "SERVER_PORT": str(sent.place.port or _PORTS[sent.place.scheme]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": sent.place.scheme,
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        key = key if key in _UNPREFIXED else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if environ.pop(_FRAMING, None) is not None:
        # The pieces are put together: no length that was said beside them counts (RFC 9112, section 6.3).
        environ.pop("CONTENT_LENGTH", None)
    return environ


def _answered(app: Flask, environ: WSGIEnvironment) -> Exchanging:
    """What Flask answers, as an exchange in which nobody waits."""
    pieces, status, headers = run_wsgi_app(app, environ, buffered=True)
    return Transmission(Answer(int(status[:3]), tuple(headers.to_wsgi_list()), b"".join(pieces)))
    yield  # a generator, as every exchange is


def lost_by(delivery: Transmission) -> Action | None:
    """How the whole answer is lost; `None` where its head arrives at least."""
    action = delivery.broken_by.action if delivery.broken_by else None
    return None if action is Action.TRUNCATE else action


def received(method: str, delivery: Transmission) -> WireResponse:
    """What arrives of an answer that is not lost."""
    answer, fault = delivery.answer, delivery.broken_by
    empty = method == "HEAD" or answer.status == HTTPStatus.NO_CONTENT
    if fault is not None and not empty:
        length = declared_length(answer)
        piece = answer.body[: fault.size]
        expected = length if len(piece) < length else None
        return WireResponse(answer.status, _with_length(answer, length), (piece,), expected)
    if answer.chunked:
        half = len(answer.body) // 2
        pieces = () if empty else (answer.body[:half], answer.body[half:])
        return WireResponse(
            answer.status, (*answer.headers, ("Transfer-Encoding", "chunked")), pieces, chunked=not empty
        )
    return WireResponse(answer.status, _with_length(answer, len(answer.body)), () if empty else (answer.body,))


def _with_length(answer: Answer, length: int) -> tuple[tuple[str, str], ...]:
    if answer.status == HTTPStatus.NO_CONTENT or any(name == "Content-Length" for name, _ in answer.headers):
        return answer.headers
    return (*answer.headers, ("Content-Length", str(length)))
