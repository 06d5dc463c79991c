"""Asks a running fake over HTTP, as a program beside it does."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Header
from paylera_mock.server.ready import connect

_OK: Final = 200


class NoAnswerError(Exception):
    """What was asked for did not come; the text says why, and what to do about it."""


def asked(url: str, context: ssl.SSLContext | None, token: str | None) -> Any:
    """The JSON that a GET is answered with. `context`: whom to trust; `token`: the control token.

    Raises `NoAnswerError` where nobody answers, or with anything but a 200 and JSON.
    """
    connection = connect(url, context)
    headers = {Header.AUTHORIZATION: f"Bearer {token}"} if token else {}
    parts = urlsplit(url)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers)
        response = connection.getresponse()
        status, document = response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"no fake answers at {redact(url)} ({error}): start `paylera-mock serve`") from error
    except ValueError as error:
        raise NoAnswerError(f"what answers at {redact(url)} is no control API of paylera-mock") from error
    finally:
        connection.close()
    if status != _OK:
        raise NoAnswerError(f"{redact(url)} answers with status {status}: {redact(_detail(document))}")
    return document


def _detail(document: Any) -> str:
    return str(document.get("detail", "")) if isinstance(document, dict) else ""
