"""What to do about a refusal: one or two sentences without a secret, empty where the problem says it all.

Each function is for the refusals of one rule, and reads what the checks left in the context, so that it can be asked
later too. Where another token would do, the oldest such token is named.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from itertools import islice
from typing import Final

from paylera_fixtures.api.operations import OPERATIONS, match
from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core.clock import format_time
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import is_had, name_of
from paylera_mock.state.tokens import Grant, StoredToken

_LOOKED_AT: Final = 200
"""Tokens, the newest ones, among which one that would do is searched."""

_NAMED: Final = 3
"""How many actors are named at most."""

_TOKEN_PARAMETERS: Final = ("token", "key", "access_token", "api_key", "apikey", "secret")
"""Names that a client may give a token in a query string."""


def credential(context: Context) -> str:
    """No `Authorization` header was sent."""
    query = context.request.query.lower()
    if any(f"{name}=" in query for name in _TOKEN_PARAMETERS):
        return "The query string seems to hold a token, where it is not looked at and ends up in logs: use the header."
    return "Give the client a token: `paylera-mock tokens` lists those that are there from the start."


def revocation(context: Context) -> str:
    """The token was revoked."""
    token = context.caller
    since = f" at {format_time(token.revoked_at)}" if token.revoked_at is not None else ""
    return f"The token {_name(context)} was revoked{since}, for good.{_alternative(context, _grants_as_much(token))}"


def expiry(context: Context) -> str:
    """The secret was rotated out and its grace is over."""
    token, secret = context.caller, context.secret
    over = f" at {format_time(secret.expires_at)}" if secret is not None and secret.expires_at is not None else ""
    return (
        f"This is an old secret of the token {token.id}, whose grace ended{over}:"
        f" use the one that the rotation answered with.{_alternative(context, _grants_as_much(token))}"
    )


def rate(context: Context) -> str:
    """The rate is used up."""
    seconds = context.allowance.retry_after if context.allowance else None
    return f"Wait {seconds or 1} s as {Header.RETRY_AFTER} says; in a test, advance the clock or switch the limits off."


def admin(context: Context) -> str:
    """The Admin API was called by another audience."""
    other = _alternative(context, lambda token: token.grant.audience is Audience.ADMIN)
    return f"The token {_name(context)} is one of the audience {context.caller.grant.audience}.{other}"


def customer(context: Context) -> str:
    """A customer called what customers may not."""
    other = _alternative(context, lambda token: token.grant.audience is not Audience.CUSTOMER)
    return f"A customer only reads, and only what is its own.{other}"


def route(context: Context) -> str:
    """The path is none of the contract's."""
    near = nearest_route(context.request.path)
    return f"Did you mean {near}?" if near else ""


def nearest_route(path: str) -> str:
    """A path of the contract that may be meant by one that is none; empty where none is near."""
    segments = [segment for segment in path.lower().split("/") if segment not in {"", "sandbox", "live", "api"}]
    while segments[:1] == ["v1"]:
        del segments[0]
    whole = "/v1/" + "/".join(segments)
    if found := match(whole):
        return found.route
    routes = sorted({operation.path for operation in OPERATIONS})
    return next(iter(get_close_matches(whole[:100], routes, n=1, cutoff=0.8)), "")


def method(context: Context) -> str:
    """The path has not this method."""
    found = context.request.match
    methods = ", ".join(sorted(found.operations)) if found else ""
    return f"On this path there are {methods}." if methods else ""


def scope(context: Context) -> str:
    """The token lacks the scope."""
    needed = context.called_operation.scope_in(context.policy.profile)
    grant = context.caller.grant

    def would_do(token: StoredToken) -> bool:
        is_alike = (token.grant.audience, token.grant.aal) == (grant.audience, grant.aal)
        return is_alike and (needed in token.grant.scopes or token.grants_all)

    return f"The token {_name(context)} lacks {needed}.{_alternative(context, would_do)}"


def second_factor(context: Context) -> str:
    """The token was issued without a second factor."""
    has_aal2 = context.decisions.has_aal2
    other = _alternative(context, lambda token: has_aal2(token) and token.grants_all)
    return f"The token {_name(context)} was issued without a second factor.{other}"


def actor(context: Context) -> str:
    """The actor is not in the tenant's registry."""
    if not (context.request.acting_as or "").strip():
        return f"{Header.ACTING_AS} is there and empty: leave it out where nobody is acted for."
    actors = list(islice(context.state.actors.of(context.tenant_id), _NAMED))
    if not actors:
        return "The registry of this tenant is empty: enter an actor with POST /v1/admin/actors."
    return f"In the registry of this tenant are {', '.join(actors)}: actors of another tenant are not."


def version(context: Context) -> str:
    """The version asked for is not served."""
    return f"There are {' and '.join(context.state.versions.supported)}; without the header the token's own is used."


def key(_context: Context) -> str:
    """There is no idempotency key."""
    return (
        f"Send {Header.IDEMPOTENCY_KEY} with a new UUID for each operation, and with the same one when it is retried."
    )


def body_of_key(context: Context) -> str:
    """The idempotency key was used before, with another body."""
    first = f", first at {format_time(context.record.first_used)}" if context.record else ""
    return f"The key was used before{first}: a retry sends the same bytes, and another operation another key."


def _name(context: Context) -> str:
    return name_of(context.caller, context.secret)


def _grants_as_much(wanted: StoredToken) -> Callable[[StoredToken], bool]:

    def who(grant: Grant) -> tuple[Audience, str | None, str]:
        return grant.audience, grant.customer_id, grant.tenant_id

    scopes = set(wanted.grant.scopes)
    return lambda token: (
        who(token.grant) == who(wanted.grant) and (token.grants_all or scopes <= set(token.grant.scopes))
    )


def _alternative(context: Context, would_do: Callable[[StoredToken], bool]) -> str:
    """A sentence that names another living token of the same tenant and environment; empty where none would do."""
    caller = context.caller
    place = (caller.grant.tenant_id, caller.grant.environment)
    found = [
        token
        for token in islice(context.state.tokens, _LOOKED_AT)
        if (token.grant.tenant_id, token.grant.environment) == place
        and not token.revoked
        and token.id != caller.id
        and would_do(token)
        and is_had(token)
    ]
    return f" One that would do: {name_of(found[-1], found[-1].secrets[0])}." if found else ""
