"""The command `explain`: judges a request as the fake would, without sending it, and shows every check."""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from paylera_fixtures.files import read_file
from paylera_fixtures.redaction import redact
from paylera_fixtures.terminal import PIPED_COLUMNS, print_lines
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import RELEASES, Header, Profile
from paylera_mock.cli.options import ca_file_option, contract_options, control_token_option, tls_folder_option
from paylera_mock.server.settings import DEFAULT_HOST
from paylera_mock.state.token_names import ready_name

_LONGEST_HEADLINE: Final = 78
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a body that is read from a file."""


def _parse_headers(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            # Not repeated: it may be a token without its header's name.
            raise click.BadParameter(f"a header is written 'Name: value', as in '{Header.VERSION}: {RELEASES[-1]}'")
        headers[name.strip()] = value.strip()
    return headers


def _read_body(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    """The body; with @ before it the name of a file that has it, without its line breaks as curl sends it."""
    if given is None or not given.startswith("@"):
        return given
    name = given.removeprefix("@")
    try:
        content = sys.stdin.buffer.read(_MOST_BYTES) if name == "-" else read_file(Path(name), _MOST_BYTES)
        return content.decode().replace("\r", "").replace("\n", "")
    except OSError as error:
        raise click.BadParameter(f"{name} cannot be read ({error.strerror}): name a file that has the body") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{name} is no text in UTF-8: name a file that has the body") from None


@click.command()
@click.option("-X", "--request", "method", metavar="METHOD", help="The method.  [default: GET, or POST with -d]")
@click.option(
    "-H",
    "--header",
    "headers",
    metavar="NAME:VALUE",
    multiple=True,
    callback=_parse_headers,
    help="A header. Repeatable.",
)
@click.option(
    "-d",
    "--data",
    "body",
    metavar="BODY",
    callback=_read_body,
    help="The body, or @FILE; as JSON, where no Content-Type says otherwise.",
)
@click.option(
    "-t",
    "--token",
    "token",
    metavar="NAME",
    type=click.Choice([ready_name(each) for each in WELL_KNOWN]),
    help="Send a well-known token: `paylera-mock tokens` lists them.",
)
@contract_options
@click.option("--control-url", metavar="URL", help="Ask a running fake, by the URL of its control API.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"Ask the fake that runs on {DEFAULT_HOST} at this port.")
@control_token_option
@tls_folder_option
@ca_file_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.argument("words", metavar="[METHOD] PATH", nargs=-1, required=True)
@click.pass_context
def explain(
    context: click.Context,
    /,
    *,
    words: tuple[str, ...],
    method: str | None,
    headers: dict[str, str],
    body: str | None,
    token: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Judge a request to PATH without sending it.

    Shows every check in order, and what it saw.

    As in: paylera-mock explain -t serviceread -X POST /v1/customers

    It goes to a fresh fake of its own, which has the well-known tokens; with --control-url or --port to a running one,
    where it leaves no trace. Exit status: 0 where the request would be accepted, 1 where it would be refused.
    """
    method, path = _read_request_line(words, method)
    if token is not None:
        if any(name.lower() == Header.AUTHORIZATION.lower() for name in headers):
            raise click.UsageError("--token and a header Authorization exclude each other: leave one out")
        secret = next(known.secret for known in WELL_KNOWN if ready_name(known) == token)
        headers = {**headers, Header.AUTHORIZATION: f"Bearer {secret}"}
    method = method or ("GET" if body is None else "POST")
    request = {"method": method, "path": path, "headers": headers} | ({} if body is None else {"body": body})
    explanation = _explain_request(context, request, **options)
    if as_json:
        click.echo(json.dumps(explanation, indent=2))
    else:
        headline = redact(f"{method.upper()} {path}")[:_LONGEST_HEADLINE]
        from paylera_mock.explain.trace_text import explanation_lines  # noqa: PLC0415 - start-up time, as below

        print_lines(explanation_lines(headline, explanation), width=PIPED_COLUMNS)
    context.exit(int(explanation["verdict"]["status"] >= HTTPStatus.BAD_REQUEST))


def _read_request_line(words: tuple[str, ...], method: str | None) -> tuple[str | None, str]:
    """The method and the path of `[METHOD] PATH`. Raises `UsageError` for more, and for two methods."""
    *before, path = words
    if len(before) > 1 or (before and not before[0].isalpha()):
        raise click.UsageError("got unexpected extra arguments: give one path, and at most a method before it")
    if before and method is not None:
        raise click.UsageError("--request and the method before the path exclude each other: leave one out")
    return (before[0].upper() if before else method), path


def _explain_request(
    context: click.Context, request: dict[str, Any], *, control_url: str | None, port: int | None, **options: Any
) -> dict[str, Any]:
    if control_url is not None and port is not None:
        raise click.UsageError("--control-url and --port exclude each other: leave one out")
    of_running = {name: options.pop(name) for name in ("control_token", "tls_folder", "ca_file")}
    if control_url is None and port is None:
        return _ask_fresh(request, **options)
    for parameter in context.command.params:
        # What is left are the options of the contract, which a running fake has settled.
        if parameter.name in options and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            asks = "--control-url" if port is None else "--port"
            raise click.UsageError(f"{parameter.opts[0]} is of a fresh fake: leave it out with {asks}")
    return _ask_running(request, control_url, port, **of_running)


# What follows takes a tenth of a second to import, which `--help` need not wait for.


def _ask_running(
    request: dict[str, Any],
    control_url: str | None,
    port: int | None,
    *,
    control_token: str | None,
    tls_folder: Path,
    ca_file: Path | None,
) -> dict[str, Any]:
    """What a fake says that runs, at a URL or at a port of this machine."""
    import http.client  # noqa: PLC0415

    from paylera_mock.cli.control_client import ControlClientError, call_control  # noqa: PLC0415
    from paylera_mock.server.http_client import trust_authority  # noqa: PLC0415

    url = f"{(control_url or f'http://{DEFAULT_HOST}:{port}/_mock').rstrip('/')}/explain"
    trust = trust_authority(url, tls_folder, ca_file)
    try:
        return call_control("POST", url, member="ladder", control_token=control_token, context=trust, body=request)
    except ControlClientError as error:
        if port is not None and isinstance(error.__cause__, http.client.HTTPException | ConnectionResetError):
            raise ControlClientError(
                f"what listens at port {port} speaks no HTTP: if it serves TLS, give --control-url"
                f" https://localhost:{port}/_mock in the place of --port"
            ) from error
        raise


def _ask_fresh(
    request: dict[str, Any], *, profile: str, readings: dict[str, str], mutants: tuple[str, ...]
) -> dict[str, Any]:
    """What a fake of its own says, as it is at the start."""
    from paylera_mock.cli.control_client import ControlClientError, describe_problem  # noqa: PLC0415
    from paylera_mock.control import ControlRequest, answer  # noqa: PLC0415
    from paylera_mock.core.messages import Reply  # noqa: PLC0415
    from paylera_mock.core.policy import Policy  # noqa: PLC0415
    from paylera_mock.mutants import apply_mutants  # noqa: PLC0415
    from paylera_mock.namespaces.namespace import Namespaces  # noqa: PLC0415
    from paylera_mock.namespaces.well_known import seed_default  # noqa: PLC0415

    policy = Policy.for_profile(Profile(profile), **readings)
    namespaces = Namespaces(policy, seed_default, mutants=mutants, add_mutants=apply_mutants)
    outcome = answer("POST", "explain", ControlRequest(namespaces, namespaces.default, request, lambda _: {}))
    if not isinstance(outcome, Reply):
        raise ControlClientError(describe_problem(outcome.body("", "")))
    return dict(outcome.body or {})
