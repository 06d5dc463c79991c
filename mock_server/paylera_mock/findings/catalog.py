"""Client findings: what a client does that the contract forbids, or that is unwise, and what to do about it.

`KINDS` are all of them. A finding is one kind, one token and one route, however often it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from paylera_mock.core.clock import written

_MOST: Final = 500
"""Findings of one namespace that keep their token apart; further ones are told by kind and route alone."""

_EXCHANGES_NAMED: Final = 10


class Severity(StrEnum):
    """How bad it is: an error breaks the contract or leaks a secret, a hint is legal but unwise."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True)
class FindingKind:
    """One thing that a client can do wrong: what it did, the fix, and the clause that is about it, if there is one."""

    id: str
    severity: Severity
    message: str
    fix: str
    clause: str | None = None


TOKEN_IN_URL: Final = FindingKind(
    "token-in-query",
    Severity.ERROR,
    "A secret stands in the URL, where logs, proxies and histories keep it.",
    "Send the token as `Authorization: Bearer <token>` and nowhere else.",
    "credential.only-in-header",
)
TOKEN_IN_BODY: Final = FindingKind(
    "token-in-body",
    Severity.ERROR,
    "A secret stands in the body of a request, where it is no credential and is stored with the rest.",
    "Send the token as `Authorization: Bearer <token>` and nowhere else.",
    "credential.only-in-header",
)
TO_ANOTHER_ORIGIN: Final = FindingKind(
    "authorization-to-another-origin",
    Severity.ERROR,
    "A redirect led to another origin, and `Authorization` went along: a stranger has the token now.",
    "Follow no redirect, or drop `Authorization` where scheme, host or port change (RFC 9110, section 15.4).",
)
KEY_MISSING: Final = FindingKind(
    "key-missing",
    Severity.ERROR,
    "A POST that creates something or moves money came without an Idempotency-Key, and was refused.",
    "Send an Idempotency-Key of its own with each such POST, and the same one with each retry of it.",
    "idempotency.required",
)
KEY_REUSED: Final = FindingKind(
    "key-reused",
    Severity.ERROR,
    "An Idempotency-Key came again with another body, and was refused.",
    "Make a new key for each new request; keep a key for retries of the very same bytes.",
    "idempotency.body-mismatch",
)
NEW_KEY: Final = FindingKind(
    "new-key-on-retry",
    Severity.ERROR,
    "A request was sent again under a new Idempotency-Key after a failure that may have done the work: it may be done"
    " twice.",
    "Make the key once for each operation, before the first try, and send it with every retry.",
    "idempotency.replay",
)
NEW_KEY_AFTER_LIMIT: Final = replace(
    NEW_KEY,
    severity=Severity.HINT,
    message="A request was sent again under a new Idempotency-Key after a 429. Nothing was done, so nothing is done"
    " twice; after a 5xx it would be.",
)
RETRY_ON_401: Final = FindingKind(
    "retry-on-401",
    Severity.ERROR,
    "A request that was refused with 401 was sent again with the same credential, and could only be refused again.",
    "Take a 401 for final: raise an error, or get another token first.",
    "token.unknown",
)
OLD_SECRET: Final = FindingKind(
    "old-secret",
    Severity.ERROR,
    "The old secret of a rotated token is used although it has expired and the client has the new one.",
    "Put the new secret in the place of the old one as soon as the rotation has answered.",
    "rotation.grace-ends",
)
OLD_SECRET_IN_GRACE: Final = replace(
    OLD_SECRET,
    severity=Severity.HINT,
    message="The old secret of a rotated token is used although the client has the new one: it ends with its grace.",
    clause="rotation.grace-holds",
)
NO_VERSION: Final = FindingKind(
    "no-version-pinned",
    Severity.HINT,
    "Requests come without Paylera-Version: the answers are those of the version that was current when the token was"
    " made, so that another token may get others.",
    "Send Paylera-Version with the version that the client was written for.",
    "version.default",
)
VERSION_DROPPED: Final = FindingKind(
    "version-dropped",
    Severity.WARNING,
    "Some requests carry Paylera-Version and this one does not: two versions may answer one client.",
    "Set Paylera-Version in one place, for every request, retries and further pages included.",
    "version.pinned",
)
RETRY_TOO_EARLY: Final = FindingKind(
    "retry-too-early",
    Severity.WARNING,
    "A request was sent again before the time that Retry-After had named was over.",
    "Wait as many seconds as Retry-After says; in a test, advance the fake's clock rather than not wait.",
    "rate-limit.refusal",
)
LIVE_OVER_HTTP: Final = FindingKind(
    "live-token-over-http",
    Severity.ERROR,
    "A live token was sent over plain http to a host that is not this machine: whoever is on the way can read it.",
    "Use an https URL for live.",
)

KINDS: Final[tuple[FindingKind, ...]] = (
    TOKEN_IN_URL,
    TOKEN_IN_BODY,
    TO_ANOTHER_ORIGIN,
    LIVE_OVER_HTTP,
    KEY_MISSING,
    KEY_REUSED,
    NEW_KEY,
    RETRY_ON_401,
    OLD_SECRET,
    VERSION_DROPPED,
    RETRY_TOO_EARLY,
    NEW_KEY_AFTER_LIMIT,
    OLD_SECRET_IN_GRACE,
    NO_VERSION,
)
"""What is listed first is worst."""

IDS: Final[tuple[str, ...]] = tuple(dict.fromkeys(kind.id for kind in KINDS))

_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True)
class Observation:
    """One occasion: in which exchange, when in the namespace's time, by which token (its label) and on which route.

    `habit`: what it would be a habit of, where it is no finding for a client that was seen to do otherwise.
    """

    kind: FindingKind
    token: str | None
    route: str
    number: int
    at: float
    habit: Hashable = None


@dataclass
class ClientFinding:
    """One kind of occasion, with the first exchanges in which it was seen, and since when."""

    kind: FindingKind
    token: str | None
    route: str
    first_at: float
    namespace: str | None = None
    count: int = 0
    exchanges: list[int] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """The finding as JSON shows it."""
        return {
            "id": self.kind.id,
            "severity": self.kind.severity.value,
            "message": self.kind.message,
            "fix": self.kind.fix,
            "clause": self.kind.clause,
            "token": self.token,
            "route": self.route,
            "namespace": self.namespace,
            "count": self.count,
            "exchanges": list(self.exchanges),
            "first_at": written(self.first_at),
        }


class FindingTable:
    """The findings of one namespace. Bounded; not thread-safe by itself."""

    def __init__(self, namespace: str | None = None, most: int = _MOST) -> None:
        self._namespace = namespace
        self._most = most
        self._found: dict[Hashable, tuple[ClientFinding, Hashable]] = {}

    def add(self, seen: Observation) -> None:
        """Note an occasion."""
        key: Hashable = (seen.kind, seen.token, seen.route, seen.habit)
        token = seen.token
        if key not in self._found and len(self._found) >= self._most:
            if seen.habit is not None:
                return
            # Beyond the bound only what does not grow with the number of clients is kept apart.
            key, token = (seen.kind, None, seen.route), None
        if key not in self._found:
            self._found[key] = (ClientFinding(seen.kind, token, seen.route, seen.at, self._namespace), seen.habit)
        found, _ = self._found[key]
        found.count += 1
        if len(found.exchanges) < _EXCHANGES_NAMED:
            found.exchanges.append(seen.number)

    def clear(self) -> None:
        """Forget what was found."""
        self._found.clear()

    def listed(self, is_no_habit: Callable[[Hashable], bool]) -> list[ClientFinding]:
        """Copies of what was found, the worst first, but for habits that the client turned out not to have."""
        shown = (found for found, habit in self._found.values() if habit is None or not is_no_habit(habit))
        copies = [replace(found, exchanges=list(found.exchanges)) for found in shown]
        return sorted(copies, key=lambda found: _RANK[found.kind])


class PastFindings:
    """What was found in namespaces that are no more, by kind and route: it does not grow with their number."""

    def __init__(self) -> None:
        self._found: dict[tuple[FindingKind, str], ClientFinding] = {}

    def fold(self, findings: Iterable[ClientFinding]) -> None:
        """Take over what was found."""
        for found in findings:
            kept = self._found.setdefault((found.kind, found.route), replace(found, count=0))
            kept.count += found.count
            kept.first_at = min(kept.first_at, found.first_at)
            # Of several tokens or namespaces none is named.
            kept.token = found.token if found.token == kept.token else None
            if found.namespace != kept.namespace:
                kept.namespace, kept.exchanges = None, []

    def clear(self) -> None:
        """Forget it all."""
        self._found.clear()

    def __iter__(self) -> Iterator[ClientFinding]:
        """Copies of what was found, the worst first."""
        return iter(sorted((replace(found) for found in self._found.values()), key=lambda found: _RANK[found.kind]))


def summary(findings: Iterable[ClientFinding]) -> dict[str, Any]:
    """Findings as JSON shows them, the worst first, with how many there are of each severity."""
    ordered = sorted(findings, key=lambda found: _RANK[found.kind])
    counted = {severity: sum(found.kind.severity is severity for found in ordered) for severity in Severity}
    return {
        "data": [found.view() for found in islice(ordered, _MOST)],
        "errors": counted[Severity.ERROR],
        "warnings": counted[Severity.WARNING],
        "hints": counted[Severity.HINT],
    }
