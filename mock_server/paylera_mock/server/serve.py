"""Serves the fake over HTTP until a signal ends it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from paylera_mock.server.port import Reservation
from paylera_mock.server.settings import FakeSettings, ServerKind
from paylera_mock.server.shutdown import Stop

if TYPE_CHECKING:
    from flask import Flask

    from paylera_mock.server.tls import Identity


def serve(
    reservation: Reservation,
    behaviour: FakeSettings,
    *,
    control_token: str | None,
    identity: Identity | None,
    started: Callable[[Stop], None],
) -> None:
    """Serve the fake on a reserved port until a signal, or a call of the `Stop` that `started` is given, ends it.

    With an `identity`, by TLS. `started` is called once, when the server has been started, which is before it answers.
    Raises `SystemExit` with a status other than 0 where the worker died by itself.
    """
    load = partial(build_app, behaviour, control_token=control_token)
    serve_app(load, reservation, behaviour, identity=identity, started=started)


def serve_app(
    load: Callable[[], Flask],
    reservation: Reservation,
    behaviour: FakeSettings,
    *,
    started: Callable[[Stop], None],
    identity: Identity | None = None,
) -> None:
    """Serve any application, by the server and with the settings of the fake."""
    # Each server is imported where it is used, as they cost a tenth of a second.
    if behaviour.server is ServerKind.WERKZEUG:
        from paylera_mock.server.on_werkzeug import serve as run  # noqa: PLC0415
    else:
        from paylera_mock.server.on_granian import serve as run  # noqa: PLC0415
    run(reservation, load, level=behaviour.log_level, identity=identity, started=started)


def build_app(behaviour: FakeSettings, *, control_token: str | None) -> Flask:
    """The fake as a WSGI application that behaves as asked, for a server of this process."""
    # granian puts the process's environment into every request's, where HTTP_AUTHORIZATION would be a header.
    for name in [name for name in os.environ if name.startswith("HTTP_")]:
        del os.environ[name]
    return fake_app(behaviour, control_token=control_token)


def fake_app(behaviour: FakeSettings, *, control_token: str | None) -> Flask:
    """The fake as a WSGI application that behaves as asked. Raises `LoadError` where it cannot begin with its file."""
    # Imported in the worker alone, while the main process makes ready to ask it.
    from paylera_mock.app import EXTENSION, ControlSettings, create_app  # noqa: PLC0415
    from paylera_mock.core.policy import Policy, WebhookTerms  # noqa: PLC0415

    policy = Policy.for_profile(behaviour.profile, **behaviour.readings).but(
        rates_enforced=behaviour.rate_limits,
        webhooks=WebhookTerms(anywhere=behaviour.webhooks_anywhere),
        journal_size=behaviour.journal_size,
    )
    # Behind a token, the name by which the fake is called says nothing about the caller.
    control = ControlSettings(enabled=behaviour.control, token=control_token, any_host=control_token is not None)
    app = create_app(
        policy,
        control=control,
        explain_headers=behaviour.explain,
        mutants=behaviour.mutants,
        seed=behaviour.seed,
        socket_faults=behaviour.server is ServerKind.WERKZEUG,
    )
    if behaviour.load is not None:
        from paylera_mock.namespaces.initial_state import filling_from  # noqa: PLC0415

        app.extensions[EXTENSION].namespaces.default.begin_with(filling_from(behaviour.load))
    return app
