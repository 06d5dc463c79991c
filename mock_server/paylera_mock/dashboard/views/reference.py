"""The view of the API reference: the OpenAPI document of the namespace, by which each operation can be tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment
from paylera_mock.dashboard.messages import Handler, Response, Shown, Visit
from paylera_mock.state.token_names import ready_name

_NONE: Final = "none"
_MINTED: Final[Mapping[str, Mapping[str, Any]]] = {
    "mint-service": {"audience": Audience.SERVICE.value, "aal": 1},
    "mint-admin": {"audience": Audience.ADMIN.value, "aal": 2},
}
"""Tokens that are made when they are picked, with every scope: nobody here has the secrets of those that are there."""


def show_reference(visit: Visit) -> Response:
    """The document as a page."""
    return _show(visit)


def use_token(visit: Visit) -> Response:
    """Have what is tried sent with a token: a well-known one, or one that is minted now. Its secret is on this page."""
    picked = visit.form.get("token", _NONE)
    if picked in _MINTED:
        body = {**_MINTED[picked], "scopes": [WILDCARD], "environment": _environment(visit), "name": "reference"}
        return _show(visit, picked=picked, secret=visit.ask("POST", "tokens", body=body)["secret"])
    secret = next((token.secret for token in WELL_KNOWN if ready_name(token) == picked), "")
    return _show(visit, picked=picked if secret else _NONE, secret=secret)


def _show(visit: Visit, picked: str = _NONE, secret: str = "") -> Response:
    environment = _environment(visit)
    prefix = "" if visit.namespace_id is None else f"/ns/{quote(visit.namespace_id, safe='')}"
    prefix += "/live" if environment == Environment.LIVE else ""
    # They are the default namespace's.
    known = [] if visit.namespace_id else [(ready_name(token), token.purpose) for token in WELL_KNOWN]
    values = {
        "document": f"{prefix}/openapi/v1.json",
        "environment": environment,
        "environments": [each.value for each in Environment],
        "known": known,
        "picked": picked,
        "secret": secret,
    }
    return Shown("reference.html.j2", values)


def _environment(visit: Visit) -> str:
    """The environment that the query names; the sandbox where it names none."""
    named = visit.query.get("environment", "")
    return named if named in list(Environment) else Environment.SANDBOX.value


PAGES: Final[Mapping[str, Handler]] = {"": show_reference, "token": show_reference}
ACTIONS: Final[Mapping[str, Handler]] = {"token": use_token}
