"""Serves the fake over HTTP until a signal ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from paylera_mock.server.port import Reservation
from paylera_mock.server.settings import FakeSettings, ServerKind
from paylera_mock.server.shutdown import Stop
from paylera_mock.server.tls import Identity

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask


def serve_app(
    load: Callable[[], Flask],
    reservation: Reservation,
    settings: FakeSettings,
    *,
    started: Callable[[Stop], None],
    identity: Identity | None = None,
) -> None:
    """Serve an application on a reserved port until a signal, or a call of the `Stop` that `started` is given, ends it.

    `load` makes the application in the process that serves it; with an `identity` it is served over TLS. `started` is
    called once, when the server has been started, which is before it answers.
    Raises `SystemExit` with a status other than 0 where the worker died by itself.
    """
    # Each server is imported where it is used, as they take a tenth of a second.
    if settings.server is ServerKind.WERKZEUG:
        from paylera_mock.server.on_werkzeug import serve as run  # noqa: PLC0415
    else:
        from paylera_mock.server.on_granian import serve as run  # noqa: PLC0415
    run(reservation, load, level=settings.log_level, identity=identity, started=started)


def build_app(settings: FakeSettings, *, control_token: str | None) -> Flask:
    """The fake as a WSGI application with these settings. Raises `InvalidInputError` for a flawed file."""
    # Imported in the worker alone: the main process needs none of it, and starts the worker sooner.
    from paylera_mock.app import EXTENSION, ControlSettings, create_app  # noqa: PLC0415
    from paylera_mock.core.policy import Policy, WebhookTerms  # noqa: PLC0415

    policy = Policy.for_profile(settings.profile, **settings.readings).but(
        rates_enforced=settings.rate_limits,
        webhooks=WebhookTerms(anywhere=settings.webhooks_anywhere),
        journal_size=settings.journal_size,
    )
    # The check of the Host header keeps other origins out; with a token it is not needed.
    control = ControlSettings(enabled=settings.control, token=control_token, any_host=control_token is not None)
    app = create_app(
        policy,
        control=control,
        explain_headers=settings.explain,
        mutants=settings.mutants,
        seed=settings.seed,
        socket_faults=settings.server is ServerKind.WERKZEUG,
    )
    if settings.load is not None:
        from paylera_mock.namespaces.initial_state import load_initial_state  # noqa: PLC0415

        app.extensions[EXTENSION].namespaces.default.begin_with(load_initial_state(settings.load))
    return app
