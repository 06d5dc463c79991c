"""The values that the packages pass to each other: request, reply, answer, decision."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeAlias

from paylera_fixtures.api.operations import Match, Operation, match
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.credential import Authorization, Missing
from paylera_mock.core.problems import Problem

BODILESS: Final = frozenset({"GET", "HEAD", "DELETE"})
"""Methods whose body means nothing, and that take no idempotency key."""

BODILESS_STATUSES: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
"""Statuses of answers that have no body, and say no length (RFC 9110, section 8.6)."""

HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name of a header (RFC 9110, section 5.6.2)."""

HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""A value of a header, as one line of Latin-1 (RFC 9110, section 5.5)."""

FRAMING_HEADERS: Final = frozenset({"connection", "content-length", "transfer-encoding"})
"""Headers that the server writes by itself, in lower case."""

READY_HEADER: Final = "Paylera-Mock-Ready"
"""Has the secret by which a fake knows the request that it sends itself, to see that it serves."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An operation's success before it is written down.

    `issues_secret`: the body's member `secret` holds one, which is shown this once. `pieces`: the body as JSON, in the
    place of `body`, where it is long.
    """

    status: int
    body: Object | None = None
    object_id: str | None = None
    issues_secret: bool = False
    pieces: Iterable[str] | None = None


class Answer(NamedTuple):
    """An answer as it goes over the wire; `chunked`: in pieces, without saying before how long it is."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: bool = False


Outcome: TypeAlias = Reply | Problem
"""What comes of an operation."""

Decision: TypeAlias = Reply | Problem | Answer
"""What a rule may decide; an `Answer` is one that was given before and is replayed."""

RecordKey: TypeAlias = tuple[Any, ...]
"""What an idempotency record is kept under."""

Object: TypeAlias = dict[str, Any]
"""One object as JSON shows it."""


# A tuple, as are `Answer` and `Judgement`: each request makes one of each, and frozen dataclasses are slower to make.
class Request(NamedTuple):
    """A request as far as the contract looks at it. Header values are as sent, `None` where the header is not there.

    - `method`: as sent, but `HEAD` reads `GET`: it goes through the very same checks; `sent_method`: as sent;
    - `path`: below the prefix of namespace and environment, percent-decoded once, otherwise untouched;
    - `instance`: the whole path as WSGI has it, for the problem document;
    - `authorization`: every `Authorization` header, in order, and `credential`: what was read in them;
    - `body`: `None` where it is beyond the limit, and so was not read;
    - `scheme`, `host`, `user_agent`: of no clause's concern, but they tell how a client behaves;
    - `headers`: every header, its name in lower case, as WSGI has them: repeated ones joined, and in any order;
    - `ignored_headers`: the names, as sent, of those that were left out for an underscore.
    """

    method: str
    path: str
    environment: Environment = Environment.SANDBOX
    authorization: tuple[str, ...] = ()
    credential: Authorization = Missing()
    instance: str = ""
    query: str = ""
    version: str | None = None
    acting_as: str | None = None
    idempotency_key: str | None = None
    content_type: str | None = None
    body: bytes | None = b""
    accept_encoding: str = ""
    scheme: str = "http"
    host: str = ""
    user_agent: str = ""
    sent_method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    ignored_headers: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """A header by its name, without regard to case; empty where it is not there."""
        return next((value for each, value in self.headers if each == name.lower()), "")

    @property
    def match(self) -> Match | None:
        """What the path means; `None` where it is none of the contract's."""
        return match(self.path)

    @property
    def route(self) -> str | None:
        """The path of the contract that the path means, as `/v1/customers/{id}`."""
        found = self.match
        return found.route if found else None

    @property
    def operation(self) -> Operation | None:
        """The operation that is called; `None` where the path or the method is none of the contract's."""
        found = self.match
        return found.operations.get(self.method) if found else None
