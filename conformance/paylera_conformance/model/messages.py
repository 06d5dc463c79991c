"""Requests and their answers as values: what a probe sends, and what it keeps as evidence."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from paylera_conformance.model.tokens import Credential, TokenState
from paylera_fixtures.api.operations import Operation, find_operation
from paylera_fixtures.printable import shorten
from paylera_fixtures.vocabulary import Audience, Environment, Header

Seconds = Annotated[float, Meta(ge=0)]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

_MOST_OF_A_CODE: Final = 200
"""Characters of a `problem` that messages show."""

_DEEPEST: Final = 100
"""Levels of a JSON value that are read."""

FRESH_KEY: Final = "\0fresh"
"""Stands for an idempotency key that is made anew each time the request is sent."""


def read_json(text: str | bytes) -> Any:
    """A text read as JSON, `None` where it is none; what is nested too deep to be walked through is left empty."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    opening = ("{", "[") if isinstance(text, str) else (b"{", b"[")
    if sum(map(text.count, opening)) <= _DEEPEST:  # type: ignore[arg-type] # both are of the text's type
        return value
    level = [value]
    for _ in range(_DEEPEST):
        items = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [inner for each in items for inner in each if isinstance(inner, dict | list)]
        if not level:
            return value
    for item in level:
        item.clear()
    return value


@dataclass(frozen=True)
class Request:
    """One request to the target. Every method gives a copy with one change.

    - `path`: below the base URL, query included;
    - `token`: sent in the header `carrier` as `credential` says (`{}` is the secret); `None`: no such header;
    - `key`: the `Idempotency-Key`; `FRESH_KEY` makes one for each send, `None` sends none;
    - `headers`: further ones, in order, repeats allowed;
    - `live`: goes to the other environment's base URL;
    - `fresh`: goes over a connection of its own, though nothing in it says so;
    - `repeatable`: may be sent again where no answer came, as what it makes twice is of no matter;
    - `consumes`: an accepted one uses up the object that it names, so that it cannot be its own control twice.
    """

    method: str
    path: str
    token: Credential | None = None
    body: bytes | None = None
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    live: bool = False
    fresh: bool = False
    repeatable: bool = False
    consumes: bool = False
    carrier: str = Header.AUTHORIZATION
    credential: str = "Bearer {}"

    def without_token(self) -> Request:
        """The same without credential."""
        return replace(self, token=None)

    def by(self, token: Credential) -> Request:
        """The same with another credential."""
        return replace(self, token=token)

    def with_header(self, name: str, value: str) -> Request:
        """The same with one header more."""
        return replace(self, headers=(*self.headers, (name, value)))

    def without_header(self, name: str) -> Request:
        """The same without the further headers of a name."""
        return replace(self, headers=tuple((other, text) for other, text in self.headers if other != name))

    def with_credential(self, credential: str, carrier: str = Header.AUTHORIZATION) -> Request:
        """The same with its token written otherwise: `{}` in `credential` is the secret."""
        return replace(self, credential=credential, carrier=carrier)

    def with_version(self, version: str) -> Request:
        """The same with a `Paylera-Version` header."""
        return self.with_header(Header.VERSION, version)

    def acting_as(self, actor: str) -> Request:
        """The same with an `X-Paylera-Acting-As` header."""
        return self.with_header(Header.ACTING_AS, actor)

    def with_key(self, key: str | None) -> Request:
        """The same with another idempotency key, `None` for no such header."""
        return replace(self, key=key)

    def at(self, path: str) -> Request:
        """The same on another path."""
        return replace(self, path=path)

    def with_json(self, body: object) -> Request:
        """The same with another JSON body."""
        return replace(self, body=json.dumps(body).encode())

    def with_body(self, body: bytes | None) -> Request:
        """The same with other bytes as body."""
        return replace(self, body=body)

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body) if self.body else None

    @property
    def operation(self) -> Operation | None:
        """The operation of the contract that this asks for, `None` where it is none."""
        return find_operation(self.method, self.path.partition("?")[0])

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Response:
    """An answer: status, headers in order, body bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False, default=b"")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The value of a header, several joined by commas (RFC 9110, section 5.2); `None` where it is not there."""
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def ok(self) -> bool:
        """Whether the request was accepted: a 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, section 15.3

    @property
    def refused(self) -> bool:
        """Whether the request was refused: a 4xx."""
        return 400 <= self.status < 500  # noqa: PLR2004 - RFC 9110, section 15.5

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The body read as JSON, `None` where it is none."""
        return read_json(self.body)

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object, empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def problem(self) -> str | None:
        """The `problem` member, where the body has one."""
        code = self.object.get("problem")
        return code if isinstance(code, str) else None

    def __str__(self) -> str:
        return f"{self.status} {shorten(self.problem, _MOST_OF_A_CODE)}" if self.problem else f"{self.status}"


@dataclass(frozen=True)
class Exchange:
    """A request as it went out, and the answer.

    - `url`, `sent`: what was really sent;
    - `seconds`: how long the answer took, from the start of the request;
    - `at`: when the request began, RFC 3339 in UTC.
    """

    request: Request
    url: str
    sent: tuple[tuple[str, str], ...]
    response: Response
    seconds: float = 0.0
    at: str = ""


class AnswerRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of an exchange, as reports keep it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


class ExchangeRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An exchange as reports keep it: text, and no secret in it. `record.record_of` makes it.

    - `role`: the label of the token that was sent, `None` for a request without one;
    - `at`: when it was sent; `target_time`: what the target's own clock said then, where that is known;
    - `deciding`: the outcome of its case rests on it; `curl`: a command line that sends the same, of such a one.
    """

    method: str
    url: str
    role: str | None
    headers: tuple[tuple[str, str], ...]
    body: str | None
    answer: AnswerRecord
    at: str
    seconds: Seconds
    curl: str = ""
    target_time: str = ""
    deciding: bool = False


class CredentialNote(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a credential that a case sent is said to be. `label`: how it stands in the exchanges.

    - `tenant`: `other` for one of another tenant than the run's own;
    - `issued`: false where nobody issued it.
    """

    label: str
    audience: Audience
    scopes: tuple[str, ...]
    aal: int
    environment: Environment
    state: TokenState
    id: str = ""
    tenant: str = ""
    issued: bool = True
