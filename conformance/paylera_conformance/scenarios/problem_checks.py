"""What the clauses ask of a problem document and of a page of a list, member by member."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.probe.probe import Probe
from paylera_fixtures.printable import shorten
from paylera_fixtures.vocabulary import PROBLEM_MEDIA_TYPE

_HTTPS_URI: Final = re.compile(r"https://[^\s/?#]+[^\s]*")
"""Absolute, with a host, and nothing that would have to be escaped (RFC 3986)."""

_MOST_SHOWN: Final = 80


def expect_members(probe: Probe, error: Exchange, *, hint: str = "") -> None:
    """An error has the four members that every error has (clause problem.members). Raises `Violation`."""
    wanted = f"string type, title, problem and integer status {error.response.status}"
    _expect_flawless(probe, error, wanted, _flaws_of_members(error.response), hint=hint)


def _flaws_of_members(response: Response) -> Iterator[str]:
    if not response.object:
        yield f"no JSON object but {response.media_type or 'a body without media type'}"
        return
    for name in ("type", "title", "problem"):
        if not isinstance(response.object.get(name), str):
            yield f"{name} {_show(response.object, name)}"
    status = response.object.get("status")
    if isinstance(status, bool) or not isinstance(status, int):
        yield f"status {_show(response.object, 'status')}"
    elif status != response.status:
        yield f"status {status} in the body of a {response.status}"


def expect_occurrence(probe: Probe, error: Exchange) -> None:
    """An error has the members about the one occurrence (clause problem.occurrence). Raises `Violation`."""
    wanted = "strings detail and trace_id, and instance the path of the request"
    _expect_flawless(probe, error, wanted, _flaws_of_occurrence(error))


def _flaws_of_occurrence(error: Exchange) -> Iterator[str]:
    body = error.response.object
    for name in ("detail", "trace_id"):
        if not (isinstance(body.get(name), str) and body[name]):
            yield f"{name} {_show(body, name)}"
    if not _is_instance(body.get("instance"), error):
        yield f"instance {_show(body, 'instance')}"


def _is_instance(value: object, error: Exchange) -> bool:
    """Whether it is the path of a request, with all of the base URL's prefix, none, or what a proxy has left of it."""
    path, whole = error.request.path.partition("?")[0], urlsplit(error.url).path
    if not isinstance(value, str):
        return False
    return value == path or (value.startswith("/") and whole.endswith(value) and value.endswith(path))


def expect_type_uri(probe: Probe, error: Exchange) -> None:
    """The `type` of an error is an absolute https URI (clause problem.type-uri). Raises `Violation`."""
    value = error.response.object.get("type")
    holds = isinstance(value, str) and _HTTPS_URI.fullmatch(value) is not None
    got = f"type {_show(error.response.object, 'type')}"
    probe.expect(error, "type an absolute https URI", holds=holds, got=got)


def expect_media_type(probe: Probe, error: Exchange) -> None:
    """An error is declared to be a problem document (clause problem.media-type). Raises `Violation`."""
    media_type = error.response.media_type
    wanted, got = f"Content-Type: {PROBLEM_MEDIA_TYPE}", media_type or "no Content-Type"
    probe.expect(error, wanted, holds=media_type == PROBLEM_MEDIA_TYPE, got=got)


def expect_page(probe: Probe, answer: Exchange) -> None:
    """The three members of a page are there, and agree (clause pagination.envelope). Raises `Violation`."""
    wanted = "data, has_more, and next_cursor that is null at the end"
    _expect_flawless(probe, answer, wanted, _flaws_of_page(answer.response.object))


def _flaws_of_page(page: dict[str, Any]) -> Iterator[str]:
    if not isinstance(page.get("data"), list):
        yield f"data {_show(page, 'data')}"
    more, cursor = page.get("has_more"), page.get("next_cursor", 0)
    if not isinstance(more, bool):
        yield f"has_more {_show(page, 'has_more')}"
    elif more and not (isinstance(cursor, str) and cursor):
        yield f"has_more true, but next_cursor {_show(page, 'next_cursor')}"
    elif not more and cursor is not None:
        yield f"has_more false, but next_cursor {_show(page, 'next_cursor')}"


def _expect_flawless(probe: Probe, exchange: Exchange, wanted: str, flaws: Iterator[str], *, hint: str = "") -> None:
    found = ", ".join(flaws)
    probe.expect(exchange, wanted, holds=not found, got=found, hint=hint)


def _show(body: dict[str, Any], name: str) -> str:
    """A member as a message shows it; what is long or nested is only named."""
    if name not in body:
        return "missing"
    value = body[name]
    return type(value).__name__ if isinstance(value, list | dict) else shorten(repr(value), _MOST_SHOWN)
