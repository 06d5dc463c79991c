"""Credentials: a secret that is never printed, and what the token is said to be allowed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import WILDCARD, Audience, Environment


class TokenState(StrEnum):
    """Whether a token works: it does while active, and in the grace after a rotation."""

    ACTIVE = "active"
    GRACE = "grace"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Credential:
    """A credential and the facts about it. Equal tokens have equal secrets; printing one shows role and fingerprint."""

    secret: Secret
    audience: Audience = Audience.SERVICE
    scopes: tuple[str, ...] = (WILDCARD,)
    aal: int = 1
    environment: Environment = Environment.SANDBOX
    id: str | None = None
    tenant_id: str | None = None
    customer_id: str | None = None
    default_version: str | None = None
    state: TokenState = TokenState.ACTIVE
    disposable: bool = False
    may_cross: bool = False
    issued: bool = True

    def with_secret(self, value: str, role: str) -> Credential:
        """The same grants under another secret: a rotated, altered or forged one."""
        return replace(self, secret=Secret(value, role))

    def grants(self, scope: str | None) -> bool:
        """Whether the token is said to have a scope."""
        return scope is None or scope in self.scopes or WILDCARD in self.scopes

    def __str__(self) -> str:
        return str(self.secret)


def forge_credential(value: str, role: str) -> Credential:
    """A credential that nobody issued."""
    return Credential(secret=Secret(value, role), may_cross=True, issued=False)
