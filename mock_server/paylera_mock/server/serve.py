"""Serves the fake over HTTP until a signal ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paylera_mock.server.served_app import ServedApp
from paylera_mock.server.settings import DEFAULT_HOST, FakeSettings, ServerKind

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask


def serve_app(app: ServedApp, server: ServerKind) -> None:
    """Serve an application by a server until a signal, or a call of its `Stop`, ends it.

    Raises `SystemExit` with a status other than 0 where the worker died by itself.
    """
    # Each server is imported where it is used, as they take a tenth of a second.
    if server is ServerKind.WERKZEUG:
        from paylera_mock.server.on_werkzeug import serve as run  # noqa: PLC0415
    else:
        from paylera_mock.server.on_granian import serve as run  # noqa: PLC0415
    run(app)


def build_app(
    settings: FakeSettings, *, control_token: str | None, host: str = DEFAULT_HOST, ready_secret: str | None = None
) -> Flask:
    """The fake as a WSGI application with these settings.

    `host`: where it listens; `ready_secret`: by which it knows the request that it sends itself.
    Raises `InvalidInputError` for a flawed file.
    """
    # Imported in the worker alone: the main process needs none of it, and starts the worker sooner.
    from paylera_mock.app import EXTENSION, Access, ControlSettings, OwnHosts, create_app  # noqa: PLC0415
    from paylera_mock.core.policy import Policy, WebhookTerms  # noqa: PLC0415

    policy = Policy.for_profile(settings.profile, **settings.readings).but(
        rates_enforced=settings.rate_limits,
        webhooks=WebhookTerms(anywhere=settings.webhooks_anywhere),
        journal_size=settings.journal_size,
        strict_bodies=settings.strict_bodies,
    )
    access = Access(
        OwnHosts.listening_on(host, settings.allow_host),
        ControlSettings(enabled=settings.control, dashboard=settings.dashboard, token=control_token),
        ready_secret,
    )
    app = create_app(
        policy,
        access=access,
        explain_headers=settings.explain,
        mutants=settings.mutants,
        seed=settings.seed,
        socket_faults=settings.server is ServerKind.WERKZEUG,
    )
    if settings.load is not None:
        from paylera_mock.namespaces.initial_state import load_initial_state  # noqa: PLC0415

        app.extensions[EXTENSION].namespaces.default.begin_with(load_initial_state(settings.load))
    return app
