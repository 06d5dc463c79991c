"""Asks a fake whether it answers, in a way that leaves no trace in it: no token, no journal, no rate, no key."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from paylera_mock.server.ready import connect
from paylera_mock.server.tls import known_authority

_DOCUMENT: Final = "/openapi/v1.json"
_OK: Final = 200


def ailment(url: str, tls_folder: Path) -> str | None:
    """What is wrong with the fake at a base URL; `None` where nothing is. `tls_folder`: of its authority."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return "give a whole base URL, as in --url http://127.0.0.1:4242"
        context = trusting(tls_folder) if parts.scheme == "https" else None
        connection = connect(url, context)
        connection.request("HEAD", f"{parts.path.rstrip('/')}{_DOCUMENT}")
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return None if status == _OK else f"it answers with status {status}"


def trusting(tls_folder: Path) -> ssl.SSLContext:
    """A context that trusts what the system does, and the authority of the folder, if it holds one."""
    context = ssl.create_default_context()
    if ca_file := known_authority(tls_folder):
        context.load_verify_locations(ca_file)
    return context
