"""One whole Paylera in memory: time, tenants, tokens, objects, keys."""

from __future__ import annotations

import hashlib
import secrets
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from .messages import Answer
from .policy import GRACE, RATE_MOST, RATE_WINDOW, VERSIONS, Policy
from .problems import ABSENT, GONE, RefusalError

Owner: TypeAlias = tuple[str, str]
"""A tenant, and the environment in which it owns something."""

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567-._~+/"
"""Of secrets: no source gives one (RFC 6750, section 2.1, what a header can carry)."""

ANYWHERE: Final = "any environment"
"""Where actors are: the registry is the tenant's, not the environment's."""

_DOCUMENTED_ID: Final = frozenset({"invoice", "payment", "webhook_endpoint", "subscription"})


@dataclass
class Token:
    """What a secret stands for; it changes only by being revoked."""

    ident: str
    number: int
    tenant: str
    environment: str
    audience: str
    scopes: tuple[str, ...]
    aal: int
    version: str
    label: str
    customer: str | None
    revoked: bool = False

    @property
    def owner(self) -> Owner:
        """Whose objects it sees."""
        return self.tenant, self.environment

    def grants(self, scope: str) -> bool:
        """Whether a scope is among its own, compared whole."""
        return scope in self.scopes or "*" in self.scopes

    def view(self) -> dict[str, Any]:
        """What may be read of it, which is never a secret."""
        return {
            "api_token_id": self.ident,
            "label": self.label,
            "issued_for": self.audience,
            "may": list(self.scopes),
            "assurance": self.aal,
            "api_version": self.version,
            "state": "revoked" if self.revoked else "usable",
        }


@dataclass(frozen=True)
class Grant:
    """One secret of a token, and when it ends."""

    token: Token
    ends: datetime | None = None


@dataclass
class Thing:
    """One object. `customer` is whose data it is; `gone` ones are remembered, to be told apart from unknown ones."""

    kind: str
    ident: str
    owner: Owner
    number: int
    customer: str | None
    members: dict[str, Any]
    gone: bool = False

    def view(self) -> dict[str, Any]:
        """The object as it is read."""
        name = "id" if self.kind in _DOCUMENTED_ID else f"{self.kind}_id"
        return {name: self.ident, **self.members}


@dataclass
class Record:
    """What is remembered of a key; no answer yet while the first request runs."""

    fingerprint: str
    since: datetime
    answer: Answer | None = None


@dataclass(frozen=True)
class Quota:
    """Where a tenant stands in the current window."""

    used: int
    ends: datetime

    @property
    def left(self) -> int:
        """How many requests are left in it."""
        return max(0, RATE_MOST - self.used)

    @property
    def within(self) -> bool:
        """Whether the last one counted was still among them."""
        return self.used <= RATE_MOST


class World:
    """Everything there is. Whoever touches it holds `lock`.

    - `frozen`: whether time stands still until it is moved.
    """

    def __init__(self, name: str, policy: Policy, *, frozen: bool) -> None:
        self.name = name
        self.policy = policy
        self.lock = threading.RLock()
        self._frozen = frozen
        self.reset()

    def reset(self) -> None:
        """Make it as it was at the start."""
        self._start = datetime.now(UTC)
        self._moved = timedelta()
        self._count = 0
        self.versions = list(VERSIONS)
        self.enforced = False
        self.tenants = [f"tenant-{uuid.uuid4()}"]
        self.tokens: dict[str, Token] = {}
        self.things: dict[tuple[Owner, str, str], Thing] = {}
        self.records: dict[tuple[str, ...], Record] = {}
        self._grants: dict[str, Grant] = {}
        self._quotas: dict[tuple[str, str], Quota] = {}

    # Time

    @property
    def now(self) -> datetime:
        """The time in this world."""
        return (self._start if self._frozen else datetime.now(UTC)) + self._moved

    def advance(self, seconds: float) -> None:
        """Move time on."""
        self._moved += timedelta(seconds=seconds)

    @property
    def version(self) -> str:
        """The default for tokens to come."""
        return self.versions[-1]

    def count(self, tenant: str, group: str, *, by: int) -> Quota:
        """Count requests in their tenant's window."""
        quota = self._quotas.get((tenant, group))
        if quota is None or quota.ends <= self.now:
            quota = Quota(0, self.now + RATE_WINDOW)
        self._quotas[tenant, group] = quota = replace(quota, used=quota.used + by)
        return quota

    # Tokens

    def issue(self, **members: Any) -> tuple[Token, str]:
        """A new token and its secret."""
        token = Token(ident=str(uuid.uuid4()), number=len(self.tokens), version=self.version, **members)
        self.tokens[token.ident] = token
        return token, self._new_secret(token)

    def token(self, ident: str, owner: Owner) -> Token:
        """One token of an owner, revoked ones too. Raises `RefusalError`."""
        token = self.tokens.get(ident)
        if token is None or token.owner != owner:
            raise RefusalError(ABSENT, "You have no token of that name.")
        return token

    def rotate(self, token: Token) -> str:
        """Another secret; the one so far ends after the grace, earlier ones when they were to end anyway."""
        for digest, grant in self._grants.items():
            if grant.token is token and grant.ends is None:
                self._grants[digest] = Grant(token, self.now + GRACE)
        return self._new_secret(token)

    def rename(self, token: Token) -> None:
        """Give a token another id: the one so far names nothing any more."""
        del self.tokens[token.ident]
        token.ident = str(uuid.uuid4())
        self.tokens[token.ident] = token

    def grant(self, secret: str) -> Grant | None:
        """What a secret gives, if anybody has it."""
        return self._grants.get(_digest(secret))

    def _new_secret(self, token: Token) -> str:
        secret = f"sk_{token.environment}_{''.join(secrets.choice(_ALPHABET) for _ in range(32))}"
        self._grants[_digest(secret)] = Grant(token)
        return secret

    # Objects

    def add(
        self, kind: str, owner: Owner, members: dict[str, Any], *, customer: str | None = None, ident: str = ""
    ) -> Thing:
        """Put a new object into the world."""
        self._count += 1
        ident = ident or _new_ident(kind)
        members = {**members, "created_at": self.now.isoformat()}
        thing = Thing(kind, ident, owner, self._count, ident if kind == "customer" else customer, members)
        self.things[owner, kind, ident] = thing
        return thing

    def get(self, kind: str, owner: Owner, ident: str) -> Thing:
        """One object. Raises `RefusalError`: never there for this owner, or gone."""
        thing = self.things.get((owner, kind, ident))
        if thing is None:
            raise RefusalError(ABSENT, f"You have no {kind} of that name.")
        if thing.gone:
            raise RefusalError(GONE, f"That {kind} was deleted.")
        return thing

    def all(self, kind: str, owner: Owner) -> Iterator[Thing]:
        """An owner's objects of a kind, newest first."""
        found = (t for t in self.things.values() if (t.kind, t.owner) == (kind, owner) and not t.gone)
        return iter(sorted(found, key=lambda thing: -thing.number))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_ident(kind: str) -> str:
    """Ids have the shape of UUIDs (reference, Environments) behind the prefixes that the pages show."""
    prefixes = {
        "customer": "cus_",
        "invoice": "inv_",
        "payment": "pay_",
        "subscription": "sub_",
        "wallet": "wal_",
        "webhook_endpoint": "we_",
        "actor": "actor_",
    }
    return f"{prefixes.get(kind, '')}{uuid.uuid4()}"
