"""The command `snapshot`: saves the state of a running fake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from paylera_mock.cli.options import ca_file_option, control_token_option, tls_folder_option
from paylera_mock.server.settings import DEFAULT_URL


@click.command()
@click.option(
    "--control-url",
    metavar="URL",
    default=f"{DEFAULT_URL}/_mock",
    show_default=True,
    help="The control API of the fake, or of a namespace of it.",
)
@control_token_option
@tls_folder_option
@ca_file_option
@click.option(
    "--output",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: stdout]",
)
def snapshot(
    *, control_url: str, control_token: str | None, tls_folder: Path, ca_file: Path | None, output: Path | None
) -> None:
    """Save the state of a running fake.

    --load of serve and exec begins with it.

    Tokens, objects, idempotency records, versions, clock; no secret is in it.
    """
    # HTTP and TLS take a while to import, and `--help` needs neither.
    from paylera_mock.cli.control_client import ControlClientError, call_control  # noqa: PLC0415
    from paylera_mock.server.http_client import trust_authority  # noqa: PLC0415
    from paylera_mock.server.output_file import CannotWriteError, FileKind, open_output_file  # noqa: PLC0415

    document = call_control(
        "GET",
        f"{control_url.rstrip('/')}/snapshot",
        member="tokens",
        control_token=control_token,
        context=trust_authority(control_url, tls_folder, ca_file),
    )
    text = json.dumps(document, indent=1)
    if output is None:
        click.echo(text)
        return
    try:
        with open_output_file(output, FileKind("snapshot", "--output", _is_snapshot)) as file:
            file.write(f"{text}\n")
    except CannotWriteError as error:
        raise ControlClientError(str(error)) from error


def _is_snapshot(beginning: str) -> bool:
    return re.match(r'\{\s*"schema":\s*\d+,\s*"kind":\s*"snapshot"', beginning) is not None
