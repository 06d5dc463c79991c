"""Clients of four kinds, and two lines by which they reach a fake: a real socket, and none.

What a client sees is put in one form, so that both lines are held against the same table.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import anyio
import h11
import httpx
import pytest
import requests

from helpers.http_client import TLS, http_client
from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.testing import Paylera, PayleraTransport


@dataclass(frozen=True)
class Seen:
    """What a client got: an answer, or the name of the exception. `head`: the status of an answer that broke off."""

    error: str | None = None
    head: int | None = None
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True)
class Ask:
    """A request: the pieces of its body are streamed where there are any, and `patience` is for the answer alone."""

    method: str = "GET"
    target: str = "/v1/customers"
    headers: Sequence[tuple[str, str]] = ()
    pieces: Sequence[bytes] = ()
    patience: float = PATIENCE_SECONDS
    follow: bool = False

    def but(self, **changes: Any) -> Ask:
        """The same with these changes."""
        return replace(self, **changes)

    @property
    def timeout(self) -> httpx.Timeout:
        """How long a client waits: `patience` for each read, and long for all else."""
        return httpx.Timeout(PATIENCE_SECONDS, read=self.patience)

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers in bytes, as httpx takes any of them."""
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]


@dataclass(frozen=True)
class Line:
    """How clients reach one namespace. `adapter` makes an adapter for requests; over a socket both are `None`."""

    url: str
    control_url: str
    transport: PayleraTransport | None = None
    adapter: Callable[[], Any] | None = None

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Make one call of the control API: its answer."""
        with http_client(transport=self.transport) as client:
            answer = client.request(method, f"{self.control_url}/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def secret(self) -> str:
        """Mint a token that may do everything: its secret."""
        return str(self.control("POST", "tokens", audience="service", scopes=["*"])["secret"])

    def exchanges(self, **filters: object) -> list[dict[str, Any]]:
        """The exchanges that pass the filters; where there is none yet, wait for one."""
        query = "&".join(f"{name}={value}" for name, value in {"wait": 30, **filters}.items())
        deadline = time.monotonic() + PATIENCE_SECONDS
        # One call waits for half a minute at most, which can be too short on a busy machine.
        while not (found := self.control("GET", f"journal?{query}")["data"]) and time.monotonic() < deadline:
            continue
        return list(found)


Caller = Callable[[Line, Ask], Seen]
"""What sends a request: a client of some kind."""


def name_of(error: Exception) -> str:
    """The name of an exception: of httpx's and requests' own without the library."""
    name = type(error).__name__
    return f"h11.{name}" if isinstance(error, h11.LocalProtocolError) else name


def httpx_options(line: Line, ask: Ask) -> Any:
    """What a client of httpx is made with, sync or async."""
    return {"verify": TLS, "transport": line.transport, "timeout": ask.timeout, "follow_redirects": ask.follow}


def by_httpx(line: Line, ask: Ask) -> Seen:
    """A sync client of httpx."""
    head = None
    content = iter(ask.pieces) if ask.pieces else None
    try:
        with (
            httpx.Client(
                verify=TLS, transport=line.transport, timeout=ask.timeout, follow_redirects=ask.follow
            ) as client,
            client.stream(ask.method, line.url + ask.target, headers=ask.raw_headers, content=content) as answer,
        ):
            head = answer.status_code
            body = answer.read()
            return Seen(None, head, head, body, answer.headers, str(answer.url))
    except (httpx.HTTPError, h11.LocalProtocolError) as error:
        return Seen(name_of(error), head)


async def _by_async_httpx(line: Line, ask: Ask) -> Seen:
    head = None
    content = _streamed(ask.pieces) if ask.pieces else None
    try:
        async with (
            httpx.AsyncClient(
                verify=TLS, transport=line.transport, timeout=ask.timeout, follow_redirects=ask.follow
            ) as client,
            client.stream(ask.method, line.url + ask.target, headers=ask.raw_headers, content=content) as answer,
        ):
            head = answer.status_code
            body = await answer.aread()
            return Seen(None, head, head, body, answer.headers, str(answer.url))
    except (httpx.HTTPError, h11.LocalProtocolError) as error:
        return Seen(name_of(error), head)


async def _streamed(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def by_asyncio(line: Line, ask: Ask) -> Seen:
    """An async client of httpx under asyncio."""
    return anyio.run(_by_async_httpx, line, ask)


def by_trio(line: Line, ask: Ask) -> Seen:
    """An async client of httpx under trio."""
    return anyio.run(partial(_by_async_httpx, line, ask), backend="trio")


def by_requests(line: Line, ask: Ask) -> Seen:
    """A session of requests."""
    head = None
    data = iter(ask.pieces) if ask.pieces else None
    with contextlib.closing(requests.Session()) as session:
        if line.adapter:
            session.mount("https://", line.adapter())
        try:
            answer = session.request(
                ask.method,
                line.url + ask.target,
                headers=dict(ask.headers),
                data=data,
                timeout=(PATIENCE_SECONDS, ask.patience),
                allow_redirects=ask.follow,
                stream=True,
            )
            head = answer.status_code
            return Seen(None, head, head, answer.content, answer.headers, answer.url)
        except requests.RequestException as error:
            return Seen(type(error).__name__, head)


HTTPX: Mapping[str, Caller] = {"httpx": by_httpx, "asyncio": by_asyncio, "trio": by_trio}
"""The clients of httpx, whose exceptions are the same."""

CALLERS: Mapping[str, Caller] = {**HTTPX, "requests": by_requests}
"""Every client."""


MakeLine = Callable[..., Line]


def _in_process(request: pytest.FixtureRequest) -> MakeLine:
    app = request.getfixturevalue("application")

    def make(**settings: Any) -> Line:
        fake = Paylera(app, settings)
        request.addfinalizer(fake.close)
        return Line(fake.url, fake.control_url, fake.transport, fake.requests_adapter)

    return make


def _by_socket(request: pytest.FixtureRequest) -> MakeLine:
    ready = request.getfixturevalue("served")

    def make(**settings: Any) -> Line:
        made = Line(ready.url, ready.control_url).control("POST", "namespaces", **settings)
        line = Line(made["url"], made["control_url"])
        request.addfinalizer(lambda: line.control("DELETE", "faults"))
        return line

    return make
