"""The checks that a call passes before it has any effect, in this server's own order."""

from __future__ import annotations

import re
from typing import Final

from .call import Call
from .policy import KEY_LENGTH
from .problems import (
    AAL2,
    ACTOR,
    AUDIENCE,
    ENVIRONMENT,
    EXPIRED,
    INVALID,
    KEY_REQUIRED,
    KEY_UNFIT,
    MISSING,
    RATE,
    SCOPE,
    VERSION,
    RefusalError,
)
from .routes import Operation
from .world import ANYWHERE, Quota, Token

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)[ \t]*", re.IGNORECASE)
"""RFC 6750, section 2.1; a tab is no separator between scheme and token (RFC 9110, section 11.4)."""


def authenticate(call: Call) -> Token:
    """The token of a call. Raises `RefusalError` where nothing, or nothing that is good here, was sent."""
    values = call.request.headers.get("authorization", ())
    sent = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    if sent is None:
        raise RefusalError(MISSING, "One header is needed: Authorization: Bearer, and a token.")
    grant = call.world.grant(sent[1])
    if grant is None or grant.token.revoked:
        raise RefusalError(INVALID, "It was never issued, or it was revoked.")
    if grant.ends is not None and call.world.now >= grant.ends:
        raise RefusalError(EXPIRED, "Its grace is over; use the secret that replaced it.")
    if grant.token.environment != call.environment:
        raise RefusalError(ENVIRONMENT, f"This is the {call.environment} API.")
    return grant.token


def settle_version(call: Call) -> None:
    """Find out which version answers: the header's if there is such a one, else the token's."""
    named = call.request.header("paylera-version")
    if named in call.world.versions:
        call.version = str(named)
    elif call.bearer is not None:
        call.version = call.bearer.version


def check_rate(call: Call, quota: Quota) -> None:
    """Refuse what is over the limit, where it is enforced. Raises `RefusalError`."""
    if call.world.enforced and not quota.within:
        wait = max(1, round((quota.ends - call.world.now).total_seconds() + 0.5))
        raise RefusalError(RATE, f"Wait for {wait} s.", headers={"retry-after": str(wait)})


def check_grants(call: Call, operation: Operation) -> None:
    """Scope, then audience, then assurance. Raises `RefusalError`."""
    policy, token = call.world.policy, call.token
    scope = policy.scope(operation.scope)
    if scope is not None and not token.grants(scope):
        raise RefusalError(SCOPE.having(policy.scope_status), f"This takes {scope}.", needs=scope)
    if not _audience_may(token.audience, operation):
        raise RefusalError(AUDIENCE, f"Not for tokens that were issued for {token.audience}.")
    if operation.aal2 and token.aal < 2:
        raise RefusalError(AAL2.having(policy.aal2_status), "Sign in with your second factor, then mint a token.")


def _audience_may(audience: str, operation: Operation) -> bool:
    if operation.admin:
        return audience == "admin"
    return audience != "customer" or operation.customers


def idempotency_key(call: Call, operation: Operation) -> str | None:
    """The key of a call, if it has one and heeds it. Raises `RefusalError`: none where one is needed, or no fit one."""
    if operation.method not in {"POST", "PATCH"}:
        return None
    key = (call.request.header("idempotency-key") or "").strip()
    needed = operation.keyed or (operation.method == "POST" and call.world.policy.key_on_every_post)
    if not key and needed:
        raise RefusalError(KEY_REQUIRED, "Every request of this kind takes a key of its own.")
    if len(key) > KEY_LENGTH or not key.isascii():
        raise RefusalError(KEY_UNFIT, f"ASCII, and no more than {KEY_LENGTH} characters.")
    return key or None


def check_version(call: Call) -> None:
    """Refuse a version that there is not. Raises `RefusalError`."""
    named = call.request.header("paylera-version")
    if named is not None and named not in call.world.versions:
        raise RefusalError(VERSION, "Look at the changelog for those that there are.", known=call.world.versions)


def acting_actor(call: Call) -> str | None:
    """On whose behalf something is written; reads are nobody else's business. Raises `RefusalError`."""
    named = call.request.header("x-paylera-acting-as")
    if named is None or call.request.method == "GET":
        return None
    actor = call.world.things.get(((call.token.tenant, ANYWHERE), "actor", named))
    if actor is None or actor.gone:
        raise RefusalError(ACTOR, "Register the actor first.")
    return named
