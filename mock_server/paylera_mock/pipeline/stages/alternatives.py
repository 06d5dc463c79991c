"""Tokens that would do where the caller's does not, for advice: the oldest such token is named."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from paylera_fixtures.vocabulary import Audience
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import is_had, name_of
from paylera_mock.state.tokens import Grant, StoredToken

_LOOKED_AT: Final = 200
"""Tokens, the newest ones, among which one that would do is searched."""


def caller_name(context: Context) -> str:
    """What the caller's token is called. Raises `LookupError` where no rule has found it."""
    return name_of(context.caller, context.secret)


def grants_as_much(wanted: StoredToken) -> Callable[[StoredToken], bool]:
    """Tells of another token whether it stands for the same principal, with every scope of the `wanted` one."""

    def who(grant: Grant) -> tuple[Audience, str | None, str]:
        return grant.audience, grant.customer_id, grant.tenant_id

    scopes = set(wanted.grant.scopes)
    return lambda token: (
        who(token.grant) == who(wanted.grant) and (token.grants_all or scopes <= set(token.grant.scopes))
    )


def suggest_token(context: Context, would_do: Callable[[StoredToken], bool]) -> str:
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
