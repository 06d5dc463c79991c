"""What stands in the place of the suite's network: a function from request to answer, both as httpx has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import httpx

Handler: TypeAlias = Callable[[httpx.Request], httpx.Response]


class HandlerWire:
    """Answers every request by a function, which may raise what a connection would."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    @contextmanager
    def exchange(
        self, method: str, url: str, headers: Sequence[tuple[str, bytes]], body: bytes | None, *, fresh: bool
    ) -> Iterator[HandlerAnswer]:
        """Hand the request over."""
        del fresh
        sent = [(name.encode(), value) for name, value in headers]
        yield HandlerAnswer(self._handler(httpx.Request(method, url, headers=sent, content=body)))

    def close(self) -> None:
        """There is nothing to close."""


class HandlerAnswer:
    """An answer of a handler, its body as it comes."""

    length = None

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._response = response
        self._chunks = response.iter_raw() if not hasattr(response, "_content") else iter([response.content])

    def getheaders(self) -> list[tuple[str, str]]:
        """The headers in order."""
        return [(name.decode(), value.decode()) for name, value in self._response.headers.raw]

    def read(self, _amount: int, /) -> bytes:
        """The next chunk."""
        return next(self._chunks, b"")
