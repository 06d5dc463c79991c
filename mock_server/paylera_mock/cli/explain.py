"""The command `explain`: judges a request as the fake would, without sending it, and shows every check."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import click

from paylera_fixtures.redaction import redact
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import Header, Profile
from paylera_mock.cli.options import contract_options, control_token_option
from paylera_mock.server.settings import DEFAULT_HOST
from paylera_mock.state.token_names import ready_name

_OK: Final = 200
_FIRST_REFUSAL: Final = 400
_TIMEOUT_SECONDS: Final = 10.0
_LONGEST_HEADLINE: Final = 78


class CannotAskError(click.ClickException):
    """The explanation could not be had: what to do about it. Ends as wrong usage does."""

    exit_code = 2


def _parse_headers(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            # Not repeated: it may be a token without its header's name.
            raise click.BadParameter("a header is written 'Name: value', as in 'Paylera-Version: 2026-04-01'")
        headers[name.strip()] = value.strip()
    return headers


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
@click.option("-d", "--data", "body", metavar="BODY", help="The body; as JSON, where no Content-Type says otherwise.")
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
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.argument("path")
@click.pass_context
def explain(
    context: click.Context,
    /,
    *,
    path: str,
    method: str | None,
    headers: dict[str, str],
    body: str | None,
    token: str | None,
    **options: Any,
) -> None:
    """Judge a request to PATH without sending it: every check in order, and what it saw.

    As in: paylera-mock explain -t serviceread -X POST /v1/customers

    It goes to a fresh fake of its own, which has the well-known tokens; with --control-url or --port to a running one,
    where it leaves no trace. Exit status: 0 where the request would be accepted, 1 where it would be refused.
    """
    if token is not None:
        if any(name.lower() == Header.AUTHORIZATION.lower() for name in headers):
            raise click.UsageError("--token and a header Authorization exclude each other: leave one out")
        headers = {**headers, Header.AUTHORIZATION: f"Bearer {_secret(token)}"}
    asked = {"method": method or ("GET" if body is None else "POST"), "path": path, "headers": headers}
    explanation = _explanation(asked if body is None else {**asked, "body": body}, options)
    if options["as_json"]:
        click.echo(json.dumps(explanation, indent=2))
    else:
        _show(asked, explanation, color=context.find_root().color)
    context.exit(int(explanation["verdict"]["status"] >= _FIRST_REFUSAL))


def _secret(name: str) -> str:
    return next(token.secret for token in WELL_KNOWN if ready_name(token) == name)


def _explanation(asked: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    url, port = options["control_url"], options["port"]
    if url is not None and port is not None:
        raise click.UsageError("--control-url and --port exclude each other: leave one out")
    if url is None and port is None:
        return _of_a_fresh_fake(asked, options)
    reference = options["control_token"]
    token = resolve_secret(reference, "--control-token") if reference else None
    return _of_a_running_fake(asked, url or f"http://{DEFAULT_HOST}:{port}/_mock", token)


def _of_a_fresh_fake(asked: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    from paylera_mock.control import ControlRequest, answer  # noqa: PLC0415 - a tenth of a second that `--help` need not wait
    from paylera_mock.core.messages import Reply  # noqa: PLC0415
    from paylera_mock.core.policy import Policy  # noqa: PLC0415
    from paylera_mock.mutants import apply_mutants  # noqa: PLC0415
    from paylera_mock.namespaces.namespace import Namespaces  # noqa: PLC0415
    from paylera_mock.namespaces.well_known import seed_default  # noqa: PLC0415

    policy = Policy.for_profile(Profile(options["profile"]), **options["readings"])
    namespaces = Namespaces(policy, seed_default, mutants=options["mutants"], add_mutants=apply_mutants)
    outcome = answer("POST", "explain", ControlRequest(namespaces, namespaces.default, asked, lambda _: {}))
    if isinstance(outcome, Reply):
        return dict(outcome.body or {})
    return _complain(outcome.body("", ""))


def _of_a_running_fake(asked: dict[str, Any], control_url: str, token: str | None) -> dict[str, Any]:
    parts = urlsplit(control_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.UsageError("--control-url takes a whole URL, as in http://127.0.0.1:4242/_mock")
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
    headers = {"Content-Type": "application/json", **({Header.AUTHORIZATION: f"Bearer {token}"} if token else {})}
    try:
        connection.request("POST", f"{parts.path.rstrip('/')}/explain", json.dumps(asked), headers)
        response = connection.getresponse()
        status, answered = response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise CannotAskError(
            f"no fake answers at {redact(control_url)} ({error}): start `paylera-mock serve`"
        ) from error
    except ValueError as error:
        raise CannotAskError(f"what answers at {redact(control_url)} is no control API of paylera-mock") from error
    finally:
        connection.close()
    if not isinstance(answered, dict) or status != _OK or "ladder" not in answered:
        return _complain(answered if isinstance(answered, dict) else {})
    return answered


def _complain(problem: Mapping[str, Any]) -> NoReturn:
    """End with what the control API says is wrong with the question."""
    errors = problem.get("errors") or [{}]
    field, message = errors[0].get("field"), errors[0].get("message")
    raise CannotAskError(redact(f"{field}: {message}" if field else str(problem.get("detail", "no explanation came"))))


def _show(asked: Mapping[str, Any], explanation: Mapping[str, Any], *, color: bool | None) -> None:
    from paylera_mock.explain.trace_text import explanation_text, has_symbols  # noqa: PLC0415

    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    symbols = has_symbols(encoding)
    headline = redact(f"{asked['method'].upper()} {asked['path']}")[:_LONGEST_HEADLINE]
    text = explanation_text(headline, explanation, symbols=symbols)
    # Names come from whoever made them: what the terminal cannot show is replaced.
    click.echo(text.encode(encoding, "replace").decode(encoding), color=color)
