"""Serves any WSGI application on a free port of this machine.

A fake answers on an event loop, as under `paylera-mock`; any other application has a thread for each request, which may
hang for ever. Who has a fake that waits in code of its own gives its `wsgi_app`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from functools import partial
from queue import Queue
from typing import TYPE_CHECKING, Any

from flask import Flask

from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.app import EXTENSION
from paylera_mock.core.messages import Answer
from paylera_mock.http.flask_response import run_wsgi
from paylera_mock.http.handler import Transmission
from paylera_mock.server.answering import Answering, in_thread
from paylera_mock.server.http_connection import Answers, HttpConnection
from paylera_mock.server.loop import run_server
from paylera_mock.server.port import reserve
from paylera_mock.server.shutdown import Stop

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_BODY_LIMIT = 256 * 1024 * 1024


class _Application:
    """An application as what answers all connections (`Answers`). What it raises is 500, and in the log."""

    body_seconds = PATIENCE_SECONDS

    def __init__(self, app: WSGIApplication) -> None:
        self.connections: set[HttpConnection] = set()
        self._app = app

    def expect(self, environ: WSGIEnvironment) -> tuple[bool, int]:
        """All of every body."""
        del environ
        return False, _BODY_LIMIT

    def answer(self, environ: WSGIEnvironment, **_: object) -> Coroutine[Any, Any, Transmission]:
        """What the application answers."""
        return in_thread(partial(self._run, environ))

    def _run(self, environ: WSGIEnvironment) -> Transmission:
        try:
            transmission = run_wsgi(self._app, environ)
            body = transmission.answer.body + b"".join(transmission.pieces or ())
            return Transmission(transmission.answer._replace(body=body))
        except Exception:
            logging.getLogger(__name__).exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return Transmission(Answer(500, (("Content-Type", "text/plain"),), b"the application failed"))

    def answer_late_body(self, environ: WSGIEnvironment) -> Transmission:
        """No answer that any application would give."""
        del environ
        return Transmission(Answer(408, (), b""))

    async def next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        """The next piece; every body is whole here."""
        return next(pieces, None)


def _answers_of(app: WSGIApplication) -> Answers:
    if isinstance(app, Flask) and EXTENSION in app.extensions:
        return Answering(app, body_seconds=PATIENCE_SECONDS)
    return _Application(app)


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application for as long as the block runs; gives its base URL."""
    stops: Queue[Stop] = Queue()
    with closing(reserve("127.0.0.1", 0)) as reservation:
        reservation.listen()
        run = partial(asyncio.run, run_server(_answers_of(app), reservation.socket, stops.put))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        stop = stops.get()
        try:
            yield reservation.url()
        finally:
            stop()
            thread.join()
