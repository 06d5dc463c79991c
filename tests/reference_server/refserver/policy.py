"""The numbers and readings of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

GRACE: Final = timedelta(hours=24)
KEY_LIFETIME: Final = timedelta(hours=24)
KEY_LENGTH: Final = 255
PAGE_DEFAULT: Final = 25
PAGE_MOST: Final = 100
BODY_MOST: Final = 1 << 20
RATE_MOST: Final = 40
RATE_WINDOW: Final = timedelta(seconds=20)
VERSIONS: Final = ("2026-04-01",)
AUDIT_DELAY: Final = 0.15
"""Seconds by which the audit log lags behind."""

OVERLAP: Final = timedelta(days=400)
"""How long a version is served after the next one ships: 12 months at the least (reference, Versioning)."""

_GUIDE: Final = frozenset(
    [
        "catalog:read",
        "catalog:write",
        "customers:read",
        "customers:write",
        "subscriptions:read",
        "subscriptions:write",
        "payments:read",
        "payments:write",
        "payments:refund",
        "webhooks:read",
        "webhooks:write",
        "*",
    ]
)
_REFERENCE: Final = _GUIDE | frozenset(
    ["invoices:read", "invoices:write", "wallets:read", "wallets:write", "admin:read", "admin:write"]
)


@dataclass(frozen=True)
class Policy:
    """How the sources are read where they contradict each other."""

    scopes: frozenset[str]
    scope_status: int
    aal2_status: int
    key_on_every_post: bool
    guide: bool

    def scope(self, scope: str) -> str | None:
        """What is needed where the reference needs `scope`; the guide has no scopes for some things."""
        kind, _, verb = scope.partition(":")
        if self.guide and kind == "admin":
            return None
        return f"payments:{verb}" if self.guide and kind in {"invoices", "wallets"} else scope


PROFILES: Final = {
    "guide": Policy(_GUIDE, scope_status=401, aal2_status=401, key_on_every_post=False, guide=True),
    "reference": Policy(_REFERENCE, scope_status=403, aal2_status=403, key_on_every_post=True, guide=False),
}
