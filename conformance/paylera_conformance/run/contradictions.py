"""Whatever is seen counts: answers that no right server gives, whichever clause they were sent for.

A case looks at its own clause. What it sees of another, as that a token is accepted which it has just revoked, must not
be lost because the case itself ends as blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Violation
from paylera_conformance.model.tokens import TokenState
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import Audience, Header

_REVOKE: Final = BY_ID["revoke_api_token"]
_PREFIX: Final = "sk_"
_SEEN: Final = "seen in another case, which was about another clause"


class Contradictions:
    """Goes over the exchanges of one process, and remembers which tokens were revoked."""

    def __init__(self) -> None:
        self._revoked: dict[str, datetime] = {}

    def find(self, exchanges: Iterable[Exchange]) -> Iterator[tuple[str, Violation]]:
        """The clauses that exchanges violate, each once, with what was seen; the exchanges in the order of sending."""
        found: dict[str, Violation] = {}
        for exchange in exchanges:
            if not exchange.response.ok or exchange.request.operation is None:
                continue
            self._note_revocation(exchange)
            for clause, (words, is_wrong) in _WRONG.items():
                if clause not in found and is_wrong(exchange.request):
                    found[clause] = _violation(words, exchange)
            if self._is_revoked(exchange):
                found.setdefault(
                    "revocation.immediate", _violation("a token whose revocation was answered 2xx", exchange)
                )
        yield from found.items()

    def _note_revocation(self, exchange: Exchange) -> None:
        if exchange.request.operation is _REVOKE and exchange.at:
            identifier = unquote(exchange.request.path.rpartition("/")[2])
            self._revoked.setdefault(identifier, _time(exchange) + timedelta(seconds=exchange.seconds))

    def _is_revoked(self, exchange: Exchange) -> bool:
        token = exchange.request.token
        ended = self._revoked.get(token.id) if token and token.id else None
        return ended is not None and bool(exchange.at) and _time(exchange) > ended


def _time(exchange: Exchange) -> datetime:
    return datetime.fromisoformat(exchange.at)


def _violation(words: str, exchange: Exchange) -> Violation:
    return Violation("a refusal", str(exchange.response), change=words, hint=_SEEN, exchange=exchange)


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
