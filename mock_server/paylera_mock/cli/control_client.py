"""Calls the control API of a running fake over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final

import click

from paylera_fixtures.redaction import redact
from paylera_fixtures.secret_reference import resolve_secret
from paylera_fixtures.trouble import describe_trouble
from paylera_mock.server.http_client import send_request

_OK: Final = 200


class ControlClientError(click.ClickException):
    """A call of the control API failed: what to do about it. It ends a command as wrong usage does."""

    exit_code = 2


def call_control(
    method: str,
    url: str,
    *,
    member: str,
    control_token: str | None,
    context: ssl.SSLContext | None = None,
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make one call: the JSON object that it is answered with, which has a member of the name `member`.

    `control_token`: a reference to the control token, see `resolve_secret`; `context`: whom to trust.
    Raises `ControlClientError` where nobody answers, or with anything but a 200 and such an object.
    """
    secret = resolve_secret(control_token, "--control-token") if control_token else None
    text, headers = (None, {}) if body is None else (json.dumps(body), {"Content-Type": "application/json"})
    try:
        status, answer = send_request(method, url, secret=secret, headers=headers, body=text, context=context)
    except (OSError, http.client.HTTPException) as error:
        trouble = f"no fake answers at {url}: {describe_trouble(url, error)} (`paylera-mock serve`)"
        raise ControlClientError(redact(trouble)) from error
    except ValueError as error:
        raise ControlClientError(f"--control-url: {redact(str(error))}") from error
    with contextlib.suppress(ValueError):
        document = json.loads(answer)
        if isinstance(document, dict) and status != _OK:
            says = describe_problem(document)
            # The API refuses so a path that it does not have; a control API names the option that its token is for.
            is_api = str(document.get("problem")).startswith(("auth.", "route.")) and "--control-token" not in says
            if is_api and "/_mock/" not in url:
                raise ControlClientError(f"{redact(url)} is no control API: give its URL, which ends in /_mock")
            raise ControlClientError(f"{redact(url)} answers with status {status}: {says}")
        if isinstance(document, dict) and member in document:
            return document
    raise ControlClientError(f"what answers at {redact(url)} is no control API of paylera-mock")


def describe_problem(problem: Mapping[str, Any]) -> str:
    """What a problem document finds wrong with a call: each member, or the whole."""
    flaws = [f"{flaw['field']}: {flaw['message']}" for flaw in problem.get("errors", ()) if isinstance(flaw, dict)]
    return redact("; ".join(flaws) or str(problem.get("detail", "")))
