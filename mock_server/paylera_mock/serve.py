"""Serves the fake over HTTP until a signal ends it.

granian's main process, which the world sees, starts one worker, which alone holds the state. The worker dies with the
main process, and keeps out of its process group, so that Ctrl-C reaches the main process alone, which then
stops the worker in order.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer
from werkzeug.serving import WSGIRequestHandler, make_server

# Imported before the worker is forked, which so finds it in memory.
from paylera_mock.app import ControlSettings, create_app
from paylera_mock.listening import Reservation
from paylera_mock.policy import Policy
from paylera_mock.settings import Behaviour, ServerKind

if TYPE_CHECKING:
    from flask import Flask

Stop: TypeAlias = Callable[[], None]

BLOCKING_THREADS: Final = 64
"""Requests served at once. Twice what the contract's widest race sends, as some may wait for each other."""

_STOP_SECONDS: Final = 1
"""How long requests that are still running may take once the fake is told to stop."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

_LOG_TO_STDERR: Final = {
    "handlers": {
        "console": {"formatter": "generic", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"formatter": "access", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
    }
}
"""stdout is the ready line's alone."""


def serve(
    reservation: Reservation, behaviour: Behaviour, *, control_token: str | None, started: Callable[[Stop], None]
) -> None:
    """Serve the fake on a reserved port until a signal, or a call of the `Stop` that `started` is given, ends it.

    `started` is called once, when the server has been started, which is before it answers. Raises `SystemExit` with a
    status other than 0 where the worker died by itself.
    """
    load = partial(build_app, behaviour, control_token=control_token)
    run = {ServerKind.GRANIAN: _serve_granian, ServerKind.WERKZEUG: _serve_werkzeug}[behaviour.server]
    with contextlib.closing(reservation):
        run(reservation, load, level=LogLevels(behaviour.log_level), started=started)


def build_app(behaviour: Behaviour, *, control_token: str | None) -> Flask:
    """The fake as a WSGI application that behaves as asked."""
    policy = Policy.for_profile(behaviour.profile, **behaviour.readings).but(rates_enforced=behaviour.rate_limits)
    # Behind a token, the name by which the fake is called says nothing about the caller.
    control = ControlSettings(enabled=behaviour.control, token=control_token, any_host=control_token is not None)
    return create_app(policy, control=control, explain_headers=behaviour.explain)


class _Granian(MPServer):
    """granian's server, which says when its worker has been started, and which SIGHUP stops.

    By its own ways a SIGHUP (the terminal was closed) starts another worker, with a state of its own.
    """

    def __init__(self, started: Callable[[Stop], None], **options: Any) -> None:
        super().__init__("paylera_mock", **options)
        self._started = started
        self._stops_on_hangup = len(_stop_signals()) > len(_SIGNALS)

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call] # granian types its options only
        self._started(self.signal_handler_interrupt)

    def signal_handler_reload(self, *_: object) -> None:
        if self._stops_on_hangup:
            self.signal_handler_interrupt()  # type: ignore[no-untyped-call] # as above


def _serve_granian(
    reservation: Reservation, load: Callable[[], Flask], *, level: LogLevels, started: Callable[[Stop], None]
) -> None:
    # A fork has the imports done already. Other systems than Linux are not safe to fork, and import them again.
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn", force=True)
    reservation.share_with_granian()
    server = _Granian(
        started,
        address=reservation.host,
        port=reservation.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=BLOCKING_THREADS,
        workers_kill_timeout=_STOP_SECONDS,
        log_level=level,
        log_dictconfig=_LOG_TO_STDERR,
    )
    server.serve(target_loader=partial(_load_in_worker, load), wrap_loader=False)


def _load_in_worker(load: Callable[[], Flask]) -> Flask:
    """Run in the worker, before it serves."""
    if sys.platform != "win32":
        os.setpgid(0, 0)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    return load()


def _die_with_parent() -> None:
    """Wait for the end of the main process, however it comes, and end this one: no request may hold it up."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections alive, answers at once, and logs no request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a request is the business of its sender."""


def _serve_werkzeug(
    reservation: Reservation, load: Callable[[], Flask], *, level: LogLevels, started: Callable[[Stop], None]
) -> None:
    del level  # werkzeug's server has nothing to say
    reservation.socket.listen(socketserver.TCPServer.request_queue_size)
    server = make_server(
        reservation.host,
        reservation.port,
        load(),
        threaded=True,
        request_handler=_QuietHandler,
        fd=reservation.socket.fileno(),
    )
    stopping = threading.Event()
    for number in _stop_signals():
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    started(stopping.set)
    stopping.wait()
    server.shutdown()


def _stop_signals() -> tuple[signal.Signals, ...]:
    """What ends the fake: a closed terminal too, unless `nohup` or the like has it ignored."""
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return _SIGNALS
    return (*_SIGNALS, signal.SIGHUP)
