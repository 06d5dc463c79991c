"""What is wrong with a problem document or with a page of a list, in a few words each; empty where nothing is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from paylera_conformance.model.messages import Exchange, Response

_HTTPS_URI: Final = re.compile(r"https://[^\s/?#]+[^\s]*")
"""Absolute, with a host, and nothing that would have to be escaped (RFC 3986)."""


def of_members(response: Response) -> str:
    """What of the four members every error has is missing or of another type (clause problem.members)."""
    if not response.object:
        return f"no JSON object but {response.media_type or 'a body without media type'}"
    return ", ".join(_wrong_members(response))


def _wrong_members(response: Response) -> Iterator[str]:
    for name in ("type", "title", "problem"):
        value = response.object.get(name)
        if not isinstance(value, str):
            yield f"{name} {_shown(response.object, name)}"
    status = response.object.get("status")
    if isinstance(status, bool) or not isinstance(status, int):
        yield f"status {_shown(response.object, 'status')}"
    elif status != response.status:
        yield f"status {status} in the body of a {response.status}"


def of_occurrence(exchange: Exchange) -> str:
    """What is missing of the members about the one occurrence (clause problem.occurrence)."""
    return ", ".join(_wrong_occurrence(exchange))


def _wrong_occurrence(exchange: Exchange) -> Iterator[str]:
    body = exchange.response.object
    for name in ("detail", "trace_id"):
        if not (isinstance(body.get(name), str) and body[name]):
            yield f"{name} {_shown(body, name)}"
    if body.get("instance") not in {exchange.request.path.partition("?")[0], urlsplit(exchange.url).path}:
        yield f"instance {_shown(body, 'instance')}"


def of_type_uri(response: Response) -> str:
    """Why `type` is no absolute https URI (clause problem.type-uri)."""
    value = response.object.get("type")
    return "" if isinstance(value, str) and _HTTPS_URI.fullmatch(value) else f"type {_shown(response.object, 'type')}"


def of_page(response: Response) -> str:
    """What of a page's three members is missing or does not fit the others (clause pagination.envelope)."""
    return ", ".join(_wrong_page(response.object))


def _wrong_page(page: dict[str, Any]) -> Iterator[str]:
    if not isinstance(page.get("data"), list):
        yield f"data {_shown(page, 'data')}"
    more, cursor = page.get("has_more"), page.get("next_cursor", 0)
    if not isinstance(more, bool):
        yield f"has_more {_shown(page, 'has_more')}"
    elif more and not (isinstance(cursor, str) and cursor):
        yield f"has_more true, but next_cursor {_shown(page, 'next_cursor')}"
    elif not more and cursor is not None:
        yield f"has_more false, but next_cursor {_shown(page, 'next_cursor')}"


def _shown(body: dict[str, Any], name: str) -> str:
    """A member as a message shows it; what is long or nested is only named."""
    if name not in body:
        return "missing"
    value = body[name]
    return type(value).__name__ if isinstance(value, list | dict) else repr(value)[:80]
