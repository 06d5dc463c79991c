"""What every answer must have, whichever clause its request was sent for: headers, and the members of a problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias

from paylera_conformance.model.messages import Exchange, Response
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.probe.refusals import has_bearer_challenge
from paylera_fixtures.vocabulary import GUIDE_CODES, PROBLEM_MEDIA_TYPE, Header

SEEN: Final = "seen in another case, which was about another clause"

MOST_BYTES: Final = 1 << 18
"""Bytes of a body beyond which it is not read: no answer that is looked at here is as large."""

_CODES: Final = frozenset(problem.code for problem in GUIDE_CODES)

_ON_EVERY_ANSWER: Final[Mapping[str, str]] = {
    Header.VERSION: "version.echo",
    **dict.fromkeys((Header.RATE_LIMIT, Header.RATE_REMAINING, Header.RATE_RESET), "rate-limit.headers"),
}
"""The clauses by which every answer has a header."""

Seen: TypeAlias = tuple[str, Violation]


class Key(NamedTuple):
    """Something of one deployment: a version, or a token by its secret or by the id that its secrets have in common."""

    base: str
    value: str


def find_flawed_problem(exchange: Exchange) -> Iterator[Seen]:
    """An error of a code that the guide names, without what every such error has."""
    response = exchange.response
    is_read = exchange.request.method != "HEAD" and len(response.body) <= MOST_BYTES
    if not is_read or response.problem not in _CODES:
        return
    if not _has_members(response):
        members = {name: response.object.get(name) for name in ("type", "title", "status")}
        wanted = f"string type and title, and integer status {response.status}"
        yield "problem.members", Violation(wanted, str(members), hint=SEEN, exchange=exchange)
    if response.media_type != PROBLEM_MEDIA_TYPE:
        wanted, got = f"Content-Type: {PROBLEM_MEDIA_TYPE}", response.media_type or "no Content-Type"
        yield "problem.media-type", Violation(wanted, got, hint=SEEN, exchange=exchange)
    if response.status == HTTPStatus.UNAUTHORIZED and not has_bearer_challenge(response):
        wanted, got = (
            "WWW-Authenticate with a Bearer challenge",
            f"{Header.CHALLENGE}: {response.header(Header.CHALLENGE)}",
        )
        yield "credential.challenge", Violation(wanted, got, hint=SEEN, exchange=exchange)
    if response.header(Header.VERSION) is None:
        yield "version.echo", _without_header(exchange, Header.VERSION)


def find_missing_headers(exchange: Exchange, announced: set[Key], *, is_replay: bool) -> Iterator[Seen]:
    """An accepted request whose answer lacks what every answer has, or what others by the same version had.

    - `announced`: the versions of which an answer said that they end; one that says so is added.
    """
    headers = {name.lower(): value for name, value in exchange.response.headers}
    for name in _ON_EVERY_ANSWER:
        if name.lower() not in headers:
            yield _ON_EVERY_ANSWER[name], _without_header(exchange, name)
    version = headers.get(Header.VERSION.lower())
    if version is None:
        return
    key = Key(base_of(exchange), version)
    lacks = [name for name in (Header.DEPRECATION, Header.SUNSET) if name.lower() not in headers]
    if not lacks:
        announced.add(key)
    elif key in announced and not is_replay:
        yield "version.old-announced", _without_header(exchange, lacks[0], f"an answer by version {key.value}")


def _without_header(exchange: Exchange, name: str, change: str = "") -> Violation:
    return Violation(f"a header {name}", "none", change=change, hint=SEEN, exchange=exchange)


def _has_members(response: Response) -> bool:
    body = response.object
    status = body.get("status")
    texts = isinstance(body.get("type"), str) and isinstance(body.get("title"), str)
    return texts and isinstance(status, int) and not isinstance(status, bool) and status == response.status


def sent_header(exchange: Exchange, name: str) -> str | None:
    """The value of a header as it was sent."""
    return next((value for each, value in exchange.sent if each.lower() == name.lower()), None)


def sent_key(exchange: Exchange) -> str | None:
    """The idempotency key that was sent."""
    return sent_header(exchange, Header.IDEMPOTENCY_KEY)


def base_of(exchange: Exchange) -> str:
    """The base URL of the deployment, or of the namespace, that was asked."""
    return exchange.url.removesuffix(exchange.request.path)
