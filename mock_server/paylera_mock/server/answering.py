"""What answers the requests of all connections: on the loop itself, unless that would block it, and else in threads.

A body that does not come and a request that waits hold no thread that another would need. The API is judged on the
loop, and so are the calls of the control API that take as little; the others, the dashboard and the documents have
threads, by which a short call would take about twice as long.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from flask import Flask

from paylera_fixtures.redaction import mask_secrets
from paylera_mock.app import EXTENSION, Views
from paylera_mock.core import problems
from paylera_mock.http.flask_response import run_wsgi
from paylera_mock.http.handler import Exchange, Pause, Transmission, next_step, pause_seconds
from paylera_mock.http.waits import PAUSES_AT_ONCE
from paylera_mock.server.http_connection import HttpConnection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment  # the stubs of the type checker alone have it

_LOG: Final = logging.getLogger(__name__)

_SHORT_BODY: Final = 16 * 1024
"""Bytes of a body that is read on the loop: it holds up others for some milliseconds at the most."""

_BETWEEN_LOOKS_SECONDS: Final = 0.02
"""How often is looked whether a pause is over before its time."""


_Result = TypeVar("_Result")


async def in_thread(work: Callable[[], _Result]) -> _Result:
    """Do what may take its time in a thread of its own, which holds up no end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def run() -> None:
        try:
            tell: Callable[[], None] = partial(_settle, done, work())
        except Exception as error:  # noqa: BLE001 - who waits for it gets it
            tell = partial(_fail, done, error)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, name="paylera", daemon=True).start()
    return await done


def _settle(done: asyncio.Future[_Result], result: _Result) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)


class Answering:
    """Answers what the connections of one fake have read (`Answers`)."""

    def __init__(self, app: Flask, *, body_seconds: float) -> None:
        self.body_seconds = body_seconds
        self.connections: set[HttpConnection] = set()
        self._app = app
        self._views: Views = app.extensions[EXTENSION]
        self._pausing = 0

    def expect(self, environ: WSGIEnvironment) -> tuple[bool, int]:
        """Whether a request is one to the API, and how many bytes of its body are read."""
        is_api = self._views.is_api(environ)
        return is_api, self._views.body_limit(environ["PATH_INFO"], is_api=is_api)

    def answer(
        self, environ: WSGIEnvironment, *, is_api: bool, departed: asyncio.Event
    ) -> Transmission | Coroutine[Any, Any, Transmission]:
        """The answer to a request, or what will be it. `departed`: is set when nobody waits for it any more."""
        if not is_api:
            return self._call_at_once(environ) or self._answer_by_flask(environ)
        try:
            exchange = self._views.begin(environ)
            step = self._step_at_once(exchange)
        except Exception:  # noqa: BLE001 - whatever it was, the client gets a problem document
            return self._answer_failure(environ)
        return step if isinstance(step, Transmission) else self._finish(exchange, step, environ, departed)

    def answer_late_body(self, environ: WSGIEnvironment) -> Transmission:
        """The answer to a request whose body does not come."""
        return self._views.answer_failure(problems.body_too_slow(), environ)

    async def next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """The next piece of a body, which may have to be waited for; `None` behind the last."""
        return await in_thread(partial(next, pieces, None))

    def _answer_failure(self, environ: WSGIEnvironment) -> Transmission:
        _LOG.exception("no answer to %s %s", environ["REQUEST_METHOD"], mask_secrets(environ["PATH_INFO"]))
        return self._views.answer_failure(problems.internal(), environ)

    def _call_at_once(self, environ: WSGIEnvironment) -> Transmission | None:
        """The answer to a short call of the control API; `None` where it is none, or something holds its namespace."""
        body = environ["wsgi.input"]
        size = body.seek(0, os.SEEK_END)
        body.seek(0)
        namespace = self._views.namespace_of_quick_call(environ) if size <= _SHORT_BODY else None
        if namespace is None or not namespace.lock.acquire(blocking=False):
            return None
        try:
            return run_wsgi(self._app.wsgi_app, environ)
        except Exception:  # noqa: BLE001 - whatever it was, the client gets a problem document
            return self._answer_failure(environ)
        finally:
            namespace.lock.release()

    async def _answer_by_flask(self, environ: WSGIEnvironment) -> Transmission:
        try:
            return await in_thread(partial(run_wsgi, self._app.wsgi_app, environ))
        except Exception:  # noqa: BLE001 - as above
            return self._answer_failure(environ)

    def _step_at_once(self, exchange: Exchange) -> Pause | Transmission | None:
        """The next step; `None` where something holds the namespace, or judging may wait: a thread has to take it."""
        namespace = exchange.namespace
        if namespace is None:
            return next_step(exchange.steps)
        if namespace.may_block or not namespace.lock.acquire(blocking=False):
            return None
        try:
            return next_step(exchange.steps)
        finally:
            namespace.lock.release()

    async def _finish(
        self, exchange: Exchange, step: Pause | None, environ: WSGIEnvironment, departed: asyncio.Event
    ) -> Transmission:
        """Go on with an exchange to its end."""
        following: Pause | Transmission | None = step
        try:
            while not isinstance(following, Transmission):
                if following is None:
                    following = await in_thread(partial(next_step, exchange.steps))
                else:
                    await self._wait(following, departed)
                    following = self._step_at_once(exchange)
        except Exception:  # noqa: BLE001 - as above
            return self._answer_failure(environ)
        return following

    async def _wait(self, pause: Pause, departed: asyncio.Event) -> None:
        """Wait on the loop, since a thread would be held though its client has left; not where too many do."""
        if pause.departure.at is not None or self._pausing >= PAUSES_AT_ONCE:
            return
        ends_at = time.monotonic() + pause_seconds(pause)
        self._pausing += 1
        try:
            while not pause.over.is_set() and (left := ends_at - time.monotonic()) > 0:
                if departed.is_set():
                    pause.departure.note()
                    return
                pause.departure.seen_at = time.monotonic()
                with suppress(TimeoutError):
                    await asyncio.wait_for(departed.wait(), min(left, _BETWEEN_LOOKS_SECONDS))
        finally:
            self._pausing -= 1
