"""Sends one request to a fake, as a program beside it does."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from paylera_fixtures.hosts import dial
from paylera_fixtures.vocabulary import Header
from paylera_mock.server.settings import DEFAULT_URL
from paylera_mock.server.tls import find_authority

_TIMEOUT_SECONDS: Final = 30.0
"""For one answer. It only ends what hangs: no fake takes so long, however busy the machine is."""


def send_request(
    method: str,
    url: str,
    *,
    secret: str | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    body: str | None = None,
    context: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    """Send one request on a connection of its own: the status and the body of the answer.

    `secret` is sent as a Bearer token; `context` says whom to trust where the URL is one of https.
    Raises `OSError` or `http.client.HTTPException` where no answer comes, `ValueError` for what is no whole URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"give a whole URL, as in {DEFAULT_URL}")
    connection = (
        http.client.HTTPSConnection(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS, context=context)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
    )
    connection._create_connection = dial  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    bearer = {Header.AUTHORIZATION: f"Bearer {secret}"} if secret else {}
    with closing(connection):
        connection.request(
            method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, {**headers, **bearer}
        )
        response = connection.getresponse()
        return response.status, response.read()


def trust_authority(url: str, tls_folder: Path, ca_file: Path | None = None) -> ssl.SSLContext | None:
    """Whom a client of a URL trusts: whom the system trusts, and the authority kept in a folder, if there is one.

    - `ca_file`: certificates in PEM that are trusted too.

    `None` where the URL is not one of https. Raises `OSError`, `ssl.SSLError` among them, where the file has none.
    """
    if not url.lower().startswith("https:"):
        return None
    context = ssl.create_default_context()
    for file in (find_authority(tls_folder), ca_file):
        if file:
            context.load_verify_locations(file)
    return context
