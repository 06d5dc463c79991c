"""The fake as an ASGI application: one event loop for every connection, and threads for what may take its time.

A body that does not come and a request that waits hold no thread that another would need. The API is judged on the loop
itself, unless that would block it; the control API and the documents, which Flask answers, have threads.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

from flask import Flask

from paylera_fixtures.redaction import mask_secrets
from paylera_mock import control
from paylera_mock.app import EXTENSION, Views
from paylera_mock.core import problems
from paylera_mock.core.messages import BODILESS, Answer
from paylera_mock.http.broken_responses import PAUSES_AT_ONCE
from paylera_mock.http.environ import make_environ
from paylera_mock.http.flask_response import run_flask
from paylera_mock.http.framing import frame
from paylera_mock.http.handler import Exchange, Pause, Transmission, next_step, pause_seconds

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_LOG: Final = logging.getLogger(__name__)

_THREADS: Final = 64
"""For what may block: twice what the contract's widest race sends, as some may wait for each other."""

_WAITING_THREADS: Final = 512
"""For what waits until something happens: more wait in turn, and hold up nobody but themselves."""

_BETWEEN_LOOKS_SECONDS: Final = 0.02
"""How often is looked whether a pause is over before its time."""

_DISCARDED_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a body that are read after the answer: a client that still sends would miss it if the connection ended."""


class AsgiFake:
    """A fake as an ASGI application. `body_seconds`: how long a client may take to send a body."""

    def __init__(self, app: Flask, *, body_seconds: float) -> None:
        self._app = app
        self._views: Views = app.extensions[EXTENSION]
        self._body_seconds = body_seconds
        self._threads = ThreadPoolExecutor(_THREADS, "paylera")
        self._waiting = ThreadPoolExecutor(_WAITING_THREADS, "paylera-waiting")
        self._pausing = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = _Body(receive, scope["headers"], self._body_seconds)
        try:
            transmission = await self._answer(scope, body)
        except _ClientLeftError:
            return
        if transmission.pieces is None:
            await _send(transmission, send)
        else:
            await self._send_pieces(transmission.answer, transmission.pieces, send)
        await body.discard()

    async def _answer(self, scope: Message, body: _Body) -> Transmission:
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        content = io.BytesIO()
        method, server = scope["method"], (scope["server"][0], int(scope["server"][1]))
        environ = make_environ(
            method, f"{path}?{query}" if query else path, headers, content, scheme=scope["scheme"], server=server
        )
        path = environ["PATH_INFO"]
        is_api = self._views.is_api(path)
        if not is_api or method not in BODILESS:
            try:
                content.write(await body.read(self._views.body_limit(is_api=is_api)))
            except TimeoutError:
                return self._views.answer_failure(problems.body_too_slow(), environ)
            content.seek(0)
        try:
            if is_api:
                return await self._exchange(self._views.begin(environ), body)
            may_wait = control.may_wait(method, path)
            executor = self._waiting if may_wait else self._threads
            return await asyncio.get_running_loop().run_in_executor(executor, run_flask, self._app, environ)
        except Exception:  # noqa: BLE001 - whatever it was, the client gets a problem document
            _LOG.exception("no answer to %s %s", method, mask_secrets(path))
            return self._views.answer_failure(problems.internal(), environ)

    async def _exchange(self, exchange: Exchange, body: _Body) -> Transmission:
        while isinstance(step := await self._next_step(exchange), Pause):
            # Where too many wait already, it does not.
            if step.departure.at is None and self._pausing < PAUSES_AT_ONCE:
                self._pausing += 1
                try:
                    await self._wait(step, body)
                finally:
                    self._pausing -= 1
        return step

    async def _wait(self, pause: Pause, body: _Body) -> None:
        """Wait on the loop: a thread would be held until the pause is over, though its client has left long since."""
        ends_at = time.monotonic() + pause_seconds(pause)
        leaving = asyncio.ensure_future(body.wait_for_departure())
        try:
            while not pause.over.is_set() and (left := ends_at - time.monotonic()) > 0:
                pause.departure.seen_at = time.monotonic()
                await asyncio.wait((leaving,), timeout=min(left, _BETWEEN_LOOKS_SECONDS))
                if leaving.done():
                    pause.departure.note()
                    return
        finally:
            leaving.cancel()

    async def _next_step(self, exchange: Exchange) -> Pause | Transmission:
        """Go on at once, or in a thread where something holds the namespace, or judging may wait."""
        namespace = exchange.namespace
        if namespace is None:
            return next_step(exchange.steps)
        if not namespace.may_block and namespace.lock.acquire(blocking=False):
            try:
                return next_step(exchange.steps)
            finally:
                namespace.lock.release()
        return await asyncio.get_running_loop().run_in_executor(self._threads, next_step, exchange.steps)

    async def _send_pieces(self, answer: Answer, pieces: Iterator[bytes], send: Send) -> None:
        """Send a body whose pieces are made one by one, in a thread, since one may have to be waited for."""
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": answer.status, "headers": _encode(answer.headers)})
        while (piece := await loop.run_in_executor(self._waiting, next, pieces, None)) is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _ClientLeftError(Exception):
    """The connection ended before the request did."""


class _Body:
    """The body of a request, as it comes."""

    def __init__(self, receive: Receive, headers: Iterable[tuple[bytes, bytes]], seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        found = {name: value for name, value in headers if name in {b"content-length", b"transfer-encoding"}}
        is_chunked = b"transfer-encoding" in found
        self._declared = None if is_chunked else int(found.get(b"content-length", b"0"))
        self._is_read = self._declared == 0

    async def read(self, limit: int) -> bytes:
        """Read it: one byte more than the limit where it is longer, and nothing where it says so itself.

        Raises `TimeoutError` where it does not come in time, `_ClientLeftError` where it never will.
        """
        content = bytearray()
        if self._is_read or (self._declared is not None and self._declared > limit):
            return b""
        async with asyncio.timeout(self._seconds):
            while not self._is_read and len(content) <= limit:
                content += await self._next_piece()
        return bytes(content[: limit + 1])

    async def wait_for_departure(self) -> None:
        """Wait until the client has left, also while it still sends a body that nobody reads."""
        try:
            while True:
                await self._next_piece()
        except _ClientLeftError:
            return

    async def discard(self) -> None:
        """Read what is left of it, and forget it."""
        if self._is_read:
            return
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while not self._is_read and size < _DISCARDED_AT_MOST:
                    size += len(await self._next_piece())
        except (TimeoutError, _ClientLeftError):
            return

    async def _next_piece(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise _ClientLeftError
        self._is_read = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


def _encode(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _send(transmission: Transmission, send: Send) -> None:
    """Send an answer; where a fault breaks it off, bytes are missing, so that the server drops the connection."""
    framed = frame(transmission.answer, transmission.broken_by)
    await send({"type": "http.response.start", "status": framed.status, "headers": _encode(framed.headers)})
    pieces = framed.pieces or (b"",)
    for index, piece in enumerate(pieces, 1):
        is_more = framed.cut_from is not None or index < len(pieces)
        await send({"type": "http.response.body", "body": piece, "more_body": is_more})
