"""The view of API tokens: what each may do, minted, rotated, revoked; and who may call what."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.views.paging import page_query, read_cursor

_LISTED: Final = 50
_COLUMNS: Final = 16
"""Tokens of the matrix at once."""


def list_tokens(visit: Visit) -> Response:
    """The tokens of the namespace, the newest first."""
    return _show(visit)


def _show(visit: Visit, **more: Any) -> Response:
    cursor = read_cursor(visit)
    listed = visit.ask("GET", "tokens", query=page_query(cursor, _LISTED))
    values = {
        **listed,
        "cursor": cursor,
        "here": partial(visit.url, ""),
        "audiences": [each.value for each in Audience],
        "environments": [each.value for each in Environment],
        "scopes": [*_scopes(visit), WILDCARD],
        "issued": None,
        "minted": {},
        **more,
    }
    return Shown("tokens.html.j2", values)


def _scopes(visit: Visit) -> list[str]:
    """The scopes of the namespace's profile."""
    required = visit.ask("GET", "permissions", query={"limit": 1})["operations"]
    return sorted({operation["scope"] for operation in required if operation["scope"]})


def mint(visit: Visit) -> Response:
    """Make a token: its secret is shown this once."""
    form = visit.form
    named = {name: text for name in ("name", "customer_id", "tenant_id") if (text := form.get(name, "").strip())}
    other = form.get("other_scopes", "").split()
    body = {
        "audience": form.get("audience", Audience.SERVICE.value),
        "environment": form.get("environment", Environment.SANDBOX.value),
        "scopes": list(dict.fromkeys([*form.getlist("scopes"), *other])),
        "aal": 2 if form.get("aal") == "2" else 1,
        **named,
    }
    issued = visit.ask("POST", "tokens", body=body)
    return _show(visit, issued={**issued, "what": "minted", "label": body.get("name") or issued["id"]})


def rotate(visit: Visit) -> Response:
    """Give a token a new secret, which is shown this once."""
    issued = visit.ask("POST", f"tokens/{visit.identifier}/rotate")
    label = visit.ask("GET", f"tokens/{visit.identifier}")["label"]
    return _show(visit, issued={**issued, "what": "rotated", "label": label})


def revoke(visit: Visit) -> Response:
    """End a token at once."""
    visit.ask("DELETE", f"tokens/{visit.identifier}")
    return Led(visit.url())


def show_endpoint(visit: Visit) -> Response:
    """What one endpoint requires, and which tokens may call it."""
    chosen = visit.query.get("operation") or OPERATIONS[0].id
    cursor = read_cursor(visit)
    page = page_query(cursor, _LISTED)
    table = visit.ask("GET", "permissions", query={"operation": chosen, **page})
    tokens = {each["id"]: each for each in visit.ask("GET", "tokens", query=page)["data"]}
    values = {
        "cursor": cursor,
        "operation": table["operations"][0],
        "operations": OPERATIONS,
        "tokens": tokens,
        "count": table["count"],
        "next_cursor": table["next_cursor"],
        "here": partial(visit.url, "tokens/endpoint", operation=chosen),
    }
    return Shown("tokens_endpoint.html.j2", values)


def show_matrix(visit: Visit) -> Response:
    """Every operation by every token: accepted, or refused with which code."""
    cursor = read_cursor(visit)
    table = visit.ask("GET", "permissions", query=page_query(cursor, _COLUMNS))
    return Shown("tokens_matrix.html.j2", {**table, "cursor": cursor, "here": partial(visit.url, "tokens/matrix")})


PAGES: Final[Mapping[str, Handler]] = {"": list_tokens, "endpoint": show_endpoint, "matrix": show_matrix}
ACTIONS: Final[Mapping[str, Handler]] = {"mint": mint, "{id}/rotate": rotate, "{id}/revoke": revoke}
