"""The command `serve`: serves a fake until a signal or its time ends it."""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import click

from paylera_fixtures.secret_reference import resolve_secret
from paylera_mock.cli.options import fake_options
from paylera_mock.cli.text import format_banner
from paylera_mock.server.port import CannotListenError, reserve, resolves_to_loopback
from paylera_mock.server.settings import DEFAULT_HOST, DEFAULT_PORT, FakeSettings, LogFormat
from paylera_mock.server.tls import TlsError, issue_identity


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--allow-remote", is_flag=True, help="Listen beyond loopback; the control API then needs a token.")
@fake_options
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the ready line to this file too; it is removed when the fake stops.",
)
@click.option("--max-seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after so many seconds.")
@click.option(
    "--exit-with-parent",
    "parent",
    is_flag=True,
    # Noted before anything slow is imported: what started this process may be gone a moment later.
    callback=lambda _context, _parameter, given: os.getppid() if given else None,
    help="Stop when the process that started this one is gone.",
)
@click.option("--banner/--no-banner", default=True, show_default=True, help="Greet people on stderr.")
@click.option(
    "--log-format",
    type=click.Choice([each.value for each in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    callback=lambda _context, _parameter, name: LogFormat(name),
    help="How the line looks that is written on stderr for each request.",
)
@click.option("-q", "--quiet", is_flag=True, help="Write no such lines, and no banner.")
def serve(
    *,
    host: str,
    port: int,
    allow_remote: bool,
    settings: FakeSettings,
    ready_file: Path | None,
    banner: bool,
    log_format: LogFormat,
    quiet: bool,
    **watched: Any,
) -> None:
    """Serve the fake until Ctrl-C.

    The sandbox is at / and live at /live. Once it answers, one JSON line on stdout says so, with its pid, its URLs and
    the well-known tokens.
    """
    # These take longer to import than all of `--help`.
    from paylera_mock.server.loop import serve as serve_app  # noqa: PLC0415
    from paylera_mock.server.output_file import CannotWriteError  # noqa: PLC0415
    from paylera_mock.server.ready import Ready  # noqa: PLC0415
    from paylera_mock.server.serve import build_app  # noqa: PLC0415
    from paylera_mock.server.served_app import ServedApp  # noqa: PLC0415
    from paylera_mock.server.supervisor import Supervisor, open_ready_file  # noqa: PLC0415

    color = click.get_current_context().color
    ready_secret = token_urlsafe()
    supervisor = Supervisor(**watched)
    try:
        _refuse_open_control(host, settings, allow_remote=allow_remote)
        secret = resolve_secret(settings.control_token, "--control-token") if settings.control_token else None
        with (
            closing(reserve(host, port)) as reservation,
            issue_identity(settings.tls, host) if settings.tls else nullcontext() as identity,
            open_ready_file(ready_file) as write_ready_file,
        ):
            url = reservation.url("https" if identity else "http")
            ready = Ready.at(
                url,
                has_control=settings.control,
                has_dashboard=settings.dashboard,
                ca_file=identity.ca_file if identity else None,
            )

            def announce() -> None:
                if banner and not quiet:
                    click.echo(format_banner(ready, settings.profile, settings.mutants), err=True, color=color)
                write_ready_file(ready.to_line())
                click.echo(ready.to_line())

            app = ServedApp(
                partial(
                    build_app,
                    settings,
                    control_token=secret,
                    host=host,
                    ready_secret=ready_secret,
                    log_format=None if quiet else log_format,
                ),
                reservation,
                settings.log_level,
                started=lambda stop: supervisor.watch(
                    ready, announce, control_token=secret, ready_secret=ready_secret, stop=stop
                ),
                identity=identity,
                body_seconds=settings.body_seconds,
            )
            serve_app(app)
    except (CannotListenError, CannotWriteError, TlsError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if supervisor.failure is not None:
        raise click.ClickException(supervisor.failure)


def _refuse_open_control(host: str, settings: FakeSettings, *, allow_remote: bool) -> None:
    if resolves_to_loopback(host):
        return
    if not allow_remote:
        raise click.UsageError(f"{host} can be reached by other machines: add --allow-remote if that is meant")
    if settings.control and settings.control_token is None:
        raise click.UsageError("other machines could steer the fake: protect it with --control-token, or --no-control")
