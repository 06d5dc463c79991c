"""The wire of a process without sockets: which hosts answer, and what of a request and of an answer crosses it.

Clients of different libraries put the same bytes on it. How they wait, and what they raise, is up to each.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import Flask

from paylera_fixtures.hosts import DEFAULT_PORTS
from paylera_fixtures.vocabulary import PRODUCTION_HOSTS
from paylera_mock.app import EXTENSION, Views
from paylera_mock.core.messages import BODILESS_STATUSES, Answer
from paylera_mock.faults.model import Action
from paylera_mock.http.environ import is_well_formed, make_environ
from paylera_mock.http.flask_response import run_wsgi
from paylera_mock.http.framing import frame
from paylera_mock.http.handler import ELSEWHERE, ELSEWHERE_HOST, ExchangeSteps, Transmission, answer_at_once
from paylera_mock.namespaces.namespace import Namespace

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIEnvironment

HOSTS: Final = (*PRODUCTION_HOSTS, ELSEWHERE_HOST)
"""The hosts that answer: both of production, and another origin to which a redirect may lead."""


class NobodyThereError(Exception):
    """A connection to an address where nobody listens. The text says where somebody does."""


class ServerAddress(NamedTuple):
    """Where a client connects to. `port` is `None` where the scheme's own is meant."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def authority(self) -> str:
        """How a `Host` header names it."""
        return self.host if self.port in {None, DEFAULT_PORTS.get(self.scheme)} else f"{self.host}:{self.port}"


class WireRequest(NamedTuple):
    """A request as it crosses the wire, its texts in Latin-1: one character for each byte.

    `target`: path and query as on the request line; `body`: whole, without the framing of its chunks.
    """

    method: str
    address: ServerAddress
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class StartedExchange(NamedTuple):
    """An exchange that has begun: `steps` ends in its answer. `may_block`: an event loop must leave it to a thread."""

    steps: ExchangeSteps
    may_block: bool = False


@dataclass(frozen=True)
class WireResponse:
    """An answer as a client gets it: its head, and the pieces of its body.

    - `expected`: the bytes of the body that the head declares, where the connection ends before they have come;
    - `chunked`: the head declares no length, and each piece is a chunk.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]
    expected: int | None = None
    chunked: bool = False

    @property
    def reason(self) -> str:
        """The phrase beside the status; empty for a status that has none."""
        return responses.get(self.status, "")


class Wire:
    """Connects clients of this process with one namespace, which has both hosts of production for itself."""

    def __init__(self, app: Flask, namespace: Namespace) -> None:
        self._app = app
        self._namespace = namespace
        self._views: Views = app.extensions[EXTENSION]

    def connect(self, address: ServerAddress) -> None:
        """Raise `NobodyThereError` for an address where nobody listens, and for any once the namespace is deleted."""
        if address.host not in HOSTS or address.port not in {None, DEFAULT_PORTS.get(address.scheme)}:
            played = f"https and http on their own ports of {', '.join(HOSTS)} are played"
            raise NobodyThereError(f"nobody listens at {address.authority} in this process: {played}")
        own = self._namespace.id
        if own is not None and self._views.namespaces.find(own) is not self._namespace:
            raise NobodyThereError("the fake behind this client is gone: it ends with the test that it is for")

    def start(self, request: WireRequest) -> StartedExchange:
        """Begin the exchange that a request asks for. Raises `NobodyThereError`, as `connect` does."""
        self.connect(request.address)
        if not is_well_formed(request.target, request.headers):
            refused = Answer(HTTPStatus.BAD_REQUEST, (("Connection", "close"),), b"")
            return StartedExchange(answer_at_once(Transmission(refused)))
        address = request.address
        environ = make_environ(
            request.method,
            request.target,
            request.headers,
            io.BytesIO(request.body),
            scheme=address.scheme,
            server=(address.host, address.port or DEFAULT_PORTS[address.scheme]),
        )
        path: str = environ["PATH_INFO"]
        prefix = f"/ns/{self._namespace.id}" if self._namespace.id else ""
        if request.address.host == ELSEWHERE_HOST and not path.removeprefix(prefix).startswith(f"{ELSEWHERE}/"):
            raise NobodyThereError(f"{ELSEWHERE_HOST} has nothing but what is below {ELSEWHERE}/")
        if self._views.is_api(environ):
            steps, namespace = self._views.begin(environ, self._namespace)
            return StartedExchange(steps, may_block=namespace is not None and namespace.may_block)
        if not path.startswith("/ns/"):
            environ["PATH_INFO"] = prefix + path
        return StartedExchange(_run_flask(self._app, environ), may_block=True)


def _run_flask(app: Flask, environ: WSGIEnvironment) -> ExchangeSteps:
    """What Flask answers, once somebody asks; whole, since a client of this process waits for all of it."""
    transmission = run_wsgi(app.wsgi_app, environ)
    body = transmission.answer.body + b"".join(transmission.pieces or ())
    return Transmission(transmission.answer._replace(body=body))
    yield  # an exchange like any other, in which nobody waits


def find_loss(transmission: Transmission) -> Action | None:
    """The fault by which the whole answer is lost; `None` where at least its head arrives."""
    action = transmission.broken_by.action if transmission.broken_by else None
    return None if action is Action.TRUNCATE else action


def receive_response(method: str, transmission: Transmission) -> WireResponse:
    """What arrives of an answer that is not lost."""
    answer = transmission.answer
    has_body = method != "HEAD" and answer.status not in BODILESS_STATUSES
    framed = frame(answer, transmission.broken_by if has_body else None)
    headers, pieces = framed.headers, framed.pieces if has_body else ()
    if framed.cut_from is not None:
        size = sum(map(len, pieces))
        return WireResponse(answer.status, headers, pieces, framed.cut_from if size < framed.cut_from else None)
    if framed.in_chunks:
        return WireResponse(answer.status, (*headers, ("Transfer-Encoding", "chunked")), pieces, chunked=has_body)
    return WireResponse(answer.status, headers, pieces)
