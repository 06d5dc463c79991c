"""The view of all namespaces, and the way from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit, page_url
from paylera_mock.dashboard.views.paging import page_query, read_cursor

_LISTED: Final = 100


def show_namespaces(visit: Visit) -> Response:
    """Every namespace with what is in it."""
    cursor = read_cursor(visit)
    listed = visit.ask("GET", "namespaces", query=page_query(cursor, _LISTED))
    return Shown("namespaces.html.j2", {**listed, "cursor": cursor, "here": partial(visit.url, "")})


def choose(visit: Visit) -> Response:
    """Lead to the namespace that was picked, and there to the view from which one comes."""
    return Led(page_url(visit.query.get("id") or None, visit.query.get("view") or "requests"))


PAGES: Final[Mapping[str, Handler]] = {"": show_namespaces, "choose": choose}
ACTIONS: Final[Mapping[str, Handler]] = {}
