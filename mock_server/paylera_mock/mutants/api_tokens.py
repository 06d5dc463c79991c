"""What mutants of making, rotating and revoking tokens share: the token that the path names, and what is done to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from paylera_mock.core.messages import Outcome
from paylera_mock.mutants.builders import Mutation, add_effect
from paylera_mock.pipeline.context import Context, Effect
from paylera_mock.state.tokens import StoredToken

ROTATE: Final = "rotate_api_token"
REVOKE: Final = "revoke_api_token"


def named_token(context: Context) -> StoredToken | None:
    """The token that the path names, whatever tenant has it."""
    return context.state.tokens.get(context.identifier)


def is_unknown(context: Context) -> bool:
    """Whether the path names no token at all."""
    return named_token(context) is None


def is_foreign(context: Context) -> bool:
    """Whether the path names a token of another tenant."""
    token = named_token(context)
    return token is not None and token.grant.tenant_id != context.tenant_id


def is_revoked(context: Context) -> bool:
    """Whether the path names a token that was revoked."""
    token = named_token(context)
    return token is not None and token.revoked


def names_caller(context: Context) -> bool:
    """Whether the path names the token that is sent. It may be asked before the route is known."""
    return context.caller.id in context.request.path.split("/")


def in_grace(context: Context) -> bool:
    """Whether the request comes with a secret that was rotated out."""
    return context.secret is not None and context.secret.expires_at is not None


def change_named_token(context: Context, **changes: Any) -> None:
    """Change the token that the path names, if there is one."""
    token = named_token(context)
    if token is not None:
        context.state.tokens.keep(replace(token, **changes))


def leave_rotated(change: Callable[[StoredToken, Context], Mapping[str, Any]]) -> Mutation:
    """A rotation that leaves the token otherwise than it should: `change` gives members of `StoredToken`."""

    def leave(context: Context) -> None:
        token = named_token(context)
        if token is not None:
            context.state.tokens.keep(replace(token, **change(token, context)))

    return add_effect(ROTATE, leave)


def with_grant(effect: Effect, grant: Callable[[Context], Mapping[str, Any]]) -> Effect:
    """The effect of an operation as if its caller had another grant: `grant` gives members of `Grant`."""

    def act(context: Context) -> Outcome:
        caller = context.caller
        context.token = replace(caller, grant=replace(caller.grant, **grant(context)))
        outcome = effect(context)
        context.token = caller
        return outcome

    return act


def with_owners_grant(effect: Effect) -> Effect:
    """The effect of an operation as if its caller were of the tenant of the token that the path names."""

    def grant(context: Context) -> Mapping[str, Any]:
        token = named_token(context)
        return {} if token is None else {"tenant_id": token.grant.tenant_id}

    return with_grant(effect, grant)
