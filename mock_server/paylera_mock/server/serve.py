"""Makes the application that is served, by the settings of the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from paylera_fixtures.terminal import wants_styles
from paylera_mock.server.settings import DEFAULT_HOST, FakeSettings, LogFormat

if TYPE_CHECKING:  # start-up time: the port is taken before Flask is loaded
    from flask import Flask

    from paylera_mock.http.request_log import RequestLog


def build_app(
    settings: FakeSettings,
    *,
    control_token: str | None,
    host: str = DEFAULT_HOST,
    ready_secret: str | None = None,
    log_format: LogFormat | None = None,
) -> Flask:
    """The fake as a WSGI application with these settings.

    - `host`: where it listens; `ready_secret`: by which it knows the request that it sends itself;
    - `log_format`: how each request is logged on stderr; `None`: not at all.

    Raises `InvalidInputError` for a flawed file.
    """
    # Imported once the port is taken, and not where one is taken already.
    from paylera_mock.app import EXTENSION, create_app  # noqa: PLC0415
    from paylera_mock.core.policy import Policy, WebhookTerms  # noqa: PLC0415
    from paylera_mock.http.access import Access, ControlSettings  # noqa: PLC0415
    from paylera_mock.http.cors import CorsPolicy  # noqa: PLC0415
    from paylera_mock.http.hosts import OwnHosts  # noqa: PLC0415

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
        cors=CorsPolicy(frozenset(settings.cors)) if settings.cors else None,
        request_log=None if log_format is None else _make_log(log_format),
        explain_headers=settings.explain,
        mutants=settings.mutants,
        seed=settings.seed,
        socket_faults=True,
    )
    if settings.load is not None:
        from paylera_mock.namespaces.initial_state import load_initial_state  # noqa: PLC0415

        app.extensions[EXTENSION].namespaces.default.begin_with(load_initial_state(settings.load))
    return app


def _make_log(log_format: LogFormat) -> RequestLog:
    """A log on stderr."""
    # Imported where a log is wanted.
    from paylera_mock.http.request_log import RequestLog  # noqa: PLC0415
    from paylera_mock.server.log_stream import LogStream  # noqa: PLC0415

    as_json = log_format is LogFormat.JSON
    stream = LogStream(sys.stderr.fileno(), "utf-8" if as_json else sys.stderr.encoding)
    colored = not as_json and sys.stderr.isatty() and wants_styles()
    return RequestLog(stream.write, as_json=as_json, colored=colored)
