"""Whatever is seen counts: answers that no right server gives, whichever clause they were sent for.

A case looks at its own clause. What it sees of another, as that a token is accepted which it has just revoked, must not
be lost because the case itself ends as blocked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.model.tokens import TokenState
from paylera_conformance.run.flawed_answers import (
    MOST_BYTES,
    SEEN,
    Key,
    Seen,
    base_of,
    find_flawed_problem,
    find_missing_headers,
    sent_header,
    sent_key,
)
from paylera_conformance.scenarios.credential_forms import ALTERED_ROLE
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.tokens import TOKEN_FORM
from paylera_fixtures.vocabulary import Audience, Header

_REVOKE: Final = BY_ID["revoke_api_token"]
_CREATE: Final = BY_ID["create_api_token"]
_ROTATE: Final = BY_ID["rotate_api_token"]
_ISSUING: Final = frozenset({_CREATE, _ROTATE})
_PREFIX: Final = "sk_"

_CREATED: Final = "credential.not-disclosed"
_ROTATED: Final = "rotation.secret-once"
"""The clauses by which a secret stands in no other answer, by what issued it."""

_WHOLE_STRING: Final = re.compile(f'"({TOKEN_FORM.pattern})"')
"""A JSON string that is a secret."""

_MOST_SECRETS: Final = 10_000
"""So many issued secrets are remembered: a run issues some hundreds."""


@dataclass
class _Case:
    """What is remembered from one exchange of a case to the next. The next case may be in another namespace.

    - `keys`: the idempotency keys that were sent: an answer under one may be that of an earlier request;
    - `defaults`: what tokens were answered by where they named no version, and by which secret;
    - `answered`: the versions that accepted requests were answered by, with the base URL;
    - `announced`: the versions of which an answer said that they end, with the base URL: that is said for good;
    - `unserved`: pinned requests that were answered by another version, by the one that they named.
    """

    keys: set[str] = field(default_factory=set)
    defaults: dict[Key, tuple[str, str]] = field(default_factory=dict)
    answered: set[Key] = field(default_factory=set)
    announced: set[Key] = field(default_factory=set)
    unserved: dict[Key, Exchange] = field(default_factory=dict)


class Contradictions:
    """Goes over the exchanges of one process, and remembers which tokens were revoked, and which secrets issued."""

    def __init__(self) -> None:
        self._revoked: dict[Key, datetime] = {}
        self._issued: dict[str, str] = {}

    def find(self, exchanges: Iterable[Exchange]) -> Iterator[Seen]:
        """The clauses that exchanges violate, each once, with what was seen, in whichever order they are given."""
        found: dict[str, Violation] = {}
        case = _Case()
        for exchange in sorted(exchanges, key=lambda each: each.at):  # a cell's come behind what prepared it
            for clause, violation in self._look_at(exchange, case, found):
                found.setdefault(clause, violation)
        yield from found.items()

    def forget_revocations(self) -> None:
        """Have no token known as revoked: others may have their ids from now on."""
        self._revoked.clear()

    def _look_at(self, exchange: Exchange, case: _Case, found: Container[str]) -> Iterator[Seen]:
        response = exchange.response
        if response.refused:
            yield from find_flawed_problem(exchange)
        yield from self._find_secret(exchange)
        if not response.ok or exchange.request.operation is None:
            return
        self._note_revocation(exchange)
        for clause, (words, is_wrong) in _WRONG.items():
            if clause not in found and is_wrong(exchange.request):
                yield clause, _violation(words, exchange)
        if self._is_revoked(exchange):
            yield "revocation.immediate", _violation("a token whose revocation was answered 2xx", exchange)
        yield from find_missing_headers(exchange, case.announced, is_replay=sent_key(exchange) in case.keys)
        yield from _find_other_version(exchange, case)

    def _note_revocation(self, exchange: Exchange) -> None:
        if exchange.request.operation is _REVOKE and exchange.at:
            key = Key(base_of(exchange), unquote(exchange.request.path.rpartition("/")[2]))
            self._revoked.setdefault(key, _time(exchange) + timedelta(seconds=exchange.seconds))

    def _is_revoked(self, exchange: Exchange) -> bool:
        token = exchange.request.token
        ended = self._revoked.get(Key(base_of(exchange), token.id)) if token and token.id else None
        return ended is not None and bool(exchange.at) and _time(exchange) > ended

    def _find_secret(self, exchange: Exchange) -> Iterator[Seen]:
        """A whole secret in another answer than the one that issued it, or one like it (a replay of that)."""
        request, response = exchange.request, exchange.response
        body = response.body if len(response.body) <= MOST_BYTES else b""
        texts = [value for _, value in response.headers if _PREFIX in value]
        # Some write a slash as `\/`; a body is not read as JSON, which may be as deep as its sender likes.
        texts += [body.decode("utf-8", "replace").replace("\\/", "/")] if _PREFIX.encode() in body else []
        operation = request.operation if texts else None
        if response.ok and operation in _ISSUING:
            for match in _WHOLE_STRING.finditer(" ".join(texts)) if len(self._issued) < _MOST_SECRETS else ():
                self._issued.setdefault(match[1], _ROTATED if operation is _ROTATE else _CREATED)
            return
        for match in TOKEN_FORM.finditer(" ".join(texts)):
            issued = {match[0], match[0].rstrip("._~+/-=")} & self._issued.keys()
            for secret in issued:
                # Who is told what it has sent itself is told no secret of somebody's.
                clause = _CREATED if _holds(request, secret) else self._issued[secret]
                wanted, got = "no secret that was issued by another answer", "one, whole"
                yield clause, Violation(wanted, got, hint=SEEN, exchange=exchange)


def _holds(request: Request, secret: str) -> bool:
    """Whether a request holds a secret, as its credential or anywhere else."""
    if request.token is not None and request.token.secret.reveal() == secret:
        return True
    in_text = any(secret in text for text in (request.path, *(value for _, value in request.headers)))
    return in_text or secret.encode() in (request.body or b"")


def _find_other_version(exchange: Exchange, case: _Case) -> Iterator[Seen]:
    """An accepted request that was answered by another version than the one it named, or than its token's default."""
    echo = exchange.response.header(Header.VERSION)
    key = sent_key(exchange)
    if key is not None and key in case.keys:
        return  # a replay shows the version of the first
    case.keys.update([key] if key else [])
    if echo is None:
        return
    base = base_of(exchange)
    named = sent_header(exchange, Header.VERSION)
    pinned = named is not None
    case.answered.add(Key(base, echo))
    if named is not None and named != echo:
        case.unserved.setdefault(Key(base, named), exchange)
    # What is no version at all, and answered all the same, is the business of version.unknown.
    for version in case.answered & case.unserved.keys():
        shown = case.unserved[version]
        got = f"one by {shown.response.header(Header.VERSION)}"
        wanted, change = f"an answer by version {version.value}", f"{Header.VERSION}: {version.value}"
        yield "version.pinned", Violation(wanted, got, change=change, hint=SEEN, exchange=shown)
    if not pinned:
        yield from _find_other_default(exchange, echo, base, case)


def _find_other_default(exchange: Exchange, echo: str, base: str, case: _Case) -> Iterator[Seen]:
    token = exchange.request.token
    if token is None or token.secret.role == ALTERED_ROLE or exchange.request.credential != Request.credential:
        return
    secret = token.secret.reveal()
    for value in (secret, token.id):
        if value is None:
            continue
        before, by = case.defaults.setdefault(Key(base, value), (echo, secret))
        if before != echo:
            clause = "version.default" if by == secret else "version.rotation-keeps"
            change = f"no {Header.VERSION} header, by {token}"
            wanted, got = f"an answer by version {before}, as before", f"one by {echo}"
            yield clause, Violation(wanted, got, change=change, hint=SEEN, exchange=exchange)


def _time(exchange: Exchange) -> datetime:
    return datetime.fromisoformat(exchange.at)


def _violation(words: str, exchange: Exchange) -> Violation:
    return Violation("a refusal", str(exchange.response), change=words, hint=SEEN, exchange=exchange)


def _has_no_credential(request: Request) -> bool:
    """Neither where it belongs nor anywhere else: a token in a query or a cookie is another clause's business."""
    texts = [request.path, *(value for _, value in request.headers), (request.body or b"").decode("latin-1")]
    return request.token is None and not any(_PREFIX in text or "Authorization" in text for text in texts)


def _has_no_key(request: Request) -> bool:
    named = any(name.lower() == Header.IDEMPOTENCY_KEY.lower() for name, _ in request.headers)
    operation = request.operation
    return operation is not None and operation.key_when_creating and request.key is None and not named


def _is_by(audience: Audience) -> Callable[[Request], bool]:
    return lambda request: request.token is not None and request.token.issued and request.token.audience is audience


def _by_other_than_admin(request: Request) -> bool:
    operation, token = request.operation, request.token
    return bool(operation and operation.is_admin and token and token.issued and token.audience is not Audience.ADMIN)


def _writes_as_customer(request: Request) -> bool:
    operation = request.operation
    return bool(operation and not operation.is_read) and _is_by(Audience.CUSTOMER)(request)


def _is_in_state(state: TokenState) -> Callable[[Request], bool]:
    return lambda request: request.token is not None and request.token.state is state


_WRONG: Final[Mapping[str, tuple[str, Callable[[Request], bool]]]] = {
    "credential.missing": ("no Authorization header", _has_no_credential),
    "token.unknown": (
        "a token that nobody issued",
        lambda request: request.token is not None and not request.token.issued,
    ),
    "token.revoked": ("a token that was revoked", _is_in_state(TokenState.REVOKED)),
    "rotation.grace-ends": ("a secret whose grace has ended", _is_in_state(TokenState.EXPIRED)),
    "audience.admin-api-needs-admin": ("a token that is no admin's", _by_other_than_admin),
    "audience.customer-cannot-write": ("a customer token that writes", _writes_as_customer),
    "idempotency.required": ("no Idempotency-Key header", _has_no_key),
}
"""For each clause what a request is that must never be accepted, in words and as a test of it."""
