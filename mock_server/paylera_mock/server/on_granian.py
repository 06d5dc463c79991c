"""Serves a fake with granian, as an ASGI application.

granian's main process, whose pid is the fake's, starts one worker, which alone holds the state. The worker ends with
the main process, and is in a process group of its own, so that Ctrl-C reaches the main process alone, which then stops
the worker in order.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.shutdown import SIGNALS, SignalEvent, Stop, stop_signals

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask

    from paylera_mock.server.asgi import AsgiFake

_STOP_SECONDS: Final = 1
"""How long running requests may take once the fake is to stop. Then the worker is killed, which is no failure."""

_COLLECT_AFTER: Final = (20_000, 20, 20)
"""Thresholds of the garbage collector: a journal grows with each request, and is no garbage however often it looks."""


class _StopFilter(logging.Filter):
    """Drops granian's warning that it kills a worker which still runs `_STOP_SECONDS` after a stop: see there."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.funcName != "_stop_workers" or record.levelno != logging.WARNING


_LOG_TO_STDERR: Final = {
    "filters": {"stop": {"()": _StopFilter}},
    "handlers": {
        "console": {
            "formatter": "generic",
            "filters": ["stop"],
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
        },
        "access": {"formatter": "access", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
    },
}
"""granian logs to stdout by default, where only the ready line may be."""


class _Granian(MPServer):
    """granian's server, with a call once its worker has been started, and stopped by SIGHUP.

    By itself, granian starts another worker on SIGHUP (the terminal was closed), which would have a state of its own.
    """

    def __init__(self, started: Callable[[Stop], None], **options: Any) -> None:
        super().__init__("paylera_mock", **options)
        # granian's signal handlers set this event, and its main thread waits for it.
        self.main_loop_interrupt = event = SignalEvent()
        event.wake_by_signals()
        self._started = started
        self._stops_on_hangup = len(stop_signals()) > len(SIGNALS)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call] # granian types its options only
        self._started(self.signal_handler_interrupt)

    def signal_handler_reload(self, *_: object) -> None:
        if self._stops_on_hangup:
            self.signal_handler_interrupt()  # type: ignore[no-untyped-call] # as above


def serve(app: ServedApp) -> None:
    """Serve an application, which is made in the worker, until a signal or a call of its `Stop` ends it.

    With an identity, over TLS from 1.2 on: some runtimes of clients have no later one.
    Raises `SystemExit` with status 1 where the worker died by itself.
    """
    # A fork need not import everything again. Other systems than Linux are not safe to fork.
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn", force=True)
    app.reservation.share_with_granian()
    identity = app.identity
    server = _Granian(
        app.started,
        address=app.reservation.host,
        port=app.reservation.port,
        interface=Interfaces.ASGINL,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=LogLevels(app.level),
        log_dictconfig=_LOG_TO_STDERR,
        ssl_cert=identity.certificate if identity else None,
        ssl_key=identity.key if identity else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    load = partial(_load_in_worker, app.load, body_seconds=app.body_seconds)
    server.serve(target_loader=load, wrap_loader=False)


def _load_in_worker(load: Callable[[], Flask], *, body_seconds: float) -> AsgiFake:
    """Run in the worker, before it serves."""
    if sys.platform != "win32":
        os.setpgid(0, 0)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from paylera_mock.server.asgi import AsgiFake  # noqa: PLC0415 - all of the fake, which the main process needs not

    fake = AsgiFake(load(), body_seconds=body_seconds)
    gc.freeze()  # what is there now stays to the end
    gc.set_threshold(*_COLLECT_AFTER)
    return fake


def _die_with_parent() -> None:
    """Wait for the end of the main process, whatever its cause, and end this one without waiting for requests."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
