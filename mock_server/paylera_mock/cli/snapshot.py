"""The command `snapshot`: saves the state of a running fake."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from paylera_fixtures.secret_reference import resolve_secret
from paylera_mock.cli.control_client import NoAnswerError, asked
from paylera_mock.cli.healthcheck import trusting
from paylera_mock.cli.options import control_token_option, tls_folder_option
from paylera_mock.server.settings import DEFAULT_HOST, DEFAULT_PORT


class CannotSaveError(click.ClickException):
    """There is no snapshot: what to do about it. Ends as wrong usage does."""

    exit_code = 2


@click.command()
@click.option(
    "--control-url",
    metavar="URL",
    default=f"http://{DEFAULT_HOST}:{DEFAULT_PORT}/_mock",
    show_default=True,
    help="The control API of the fake, or of a namespace of it.",
)
@control_token_option
@tls_folder_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.  [default: stdout]")
def snapshot(*, control_url: str, control_token: str | None, tls_folder: Path, output: Path | None) -> None:
    """Save the state of a running fake, to begin with: see --load of serve and exec.

    Tokens, objects, idempotency records, versions, clock; no secret is in it.
    """
    parts = urlsplit(control_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.UsageError(f"--control-url takes a whole URL, as in http://{DEFAULT_HOST}:{DEFAULT_PORT}/_mock")
    context = trusting(tls_folder) if parts.scheme == "https" else None
    token = resolve_secret(control_token, "--control-token") if control_token else None
    try:
        document = asked(f"{control_url.rstrip('/')}/snapshot", context, token)
    except NoAnswerError as error:
        raise CannotSaveError(str(error)) from error
    text = json.dumps(document, indent=1)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotSaveError(f"{output} cannot be written: {error.strerror}") from error
