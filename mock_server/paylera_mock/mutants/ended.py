"""Defects of the two calls that end a secret: who may rotate and revoke, which token, and whether it is over then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Decision, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import (
    Mutation,
    after_all,
    decided_otherwise,
    effect,
    followed_by,
    fresh,
    outcome,
    refusal,
)
from paylera_mock.operations.api_tokens import revoke_api_token, rotate_api_token
from paylera_mock.pipeline.context import Context
from paylera_mock.state.tokens import StoredToken

_ROTATE: Final = "rotate_api_token"
_REVOKE: Final = "revoke_api_token"

# Who may


def _asks(context: Context, operation_id: str) -> bool:
    """Whether a request asks for one operation: for rules that come before the route is known."""
    method, end = {_ROTATE: ("POST", "/rotate"), _REVOKE: ("DELETE", "")}[operation_id]
    path = context.request.path
    return context.request.method == method and path.startswith("/v1/admin/api-tokens/") and path.endswith(end)


def _open_to(who: Callable[[Context], bool], operation_id: str) -> Mutation:
    """An operation of the Admin API that others than admins may call."""

    def change(context: Context, decided: Decision) -> Decision | None:
        return None if _asks(context, operation_id) and who(context) else decided

    return decided_otherwise("admin-api-by-admin", change)


def _names_itself(context: Context) -> bool:
    return context.caller.id in context.request.path.split("/")


def _refused_and_done(operation_id: str) -> Mutation:
    """An operation of the Admin API that happens though it was refused."""
    return after_all("admin-api-by-admin", when=lambda context: _asks(context, operation_id))


# Which token


def _named_token(context: Context) -> StoredToken | None:
    return context.state.tokens.get(context.identifier)


def refused_otherwise(
    answer: Callable[[Context, Problem], Outcome], which: Callable[[Context], bool]
) -> Callable[[Context, Outcome], Outcome]:
    """Another answer where there is no such token to the caller."""

    def change(context: Context, decided: Outcome) -> Outcome:
        return answer(context, decided) if isinstance(decided, Problem) and which(context) else decided

    return change


def _is_unknown(context: Context) -> bool:
    return _named_token(context) is None


def _is_foreign(context: Context) -> bool:
    token = _named_token(context)
    return token is not None and token.grant.tenant_id != context.tenant_id


def is_revoked(context: Context) -> bool:
    """Whether the path names a token that was revoked."""
    token = _named_token(context)
    return token is not None and token.revoked


def _as_status(status: HTTPStatus) -> Callable[[Context, Problem], Outcome]:
    return lambda _context, decided: replace(decided, status=status)


def _secret_of_nothing(context: Context, _decided: Problem) -> Outcome:
    secret = context.policy.new_secret(context.request.environment, context.state.randomness)
    body = {"id": context.identifier, "object": Resource.API_TOKEN.value, "secret": secret}
    return Reply(HTTPStatus.OK, body, issues_secret=True)


def _as_its_owner(operate: Callable[[Context], Outcome]) -> Callable[[Context], Outcome]:
    """The tenant of the token is not looked at."""

    def operated(context: Context) -> Outcome:
        token, caller = _named_token(context), context.caller
        if token is not None:
            grant = replace(caller.grant, tenant_id=token.grant.tenant_id)
            context.token = replace(caller, grant=grant)
        decided = operate(context)
        context.token = caller
        return decided

    return operated


def revived(context: Context) -> None:
    """Take back that the named token was revoked."""
    token = _named_token(context)
    if token is not None:
        context.state.tokens.keep(replace(token, revoked=False))


def rotation_revives(context: Context) -> Outcome:
    """A rotation makes the token a living one."""
    revived(context)
    return rotate_api_token(context)


def rotation_of_the_dead(context: Context) -> Outcome:
    """That the token was revoked is not looked at, and stays so."""
    dead = is_revoked(context)
    revived(context)
    decided = rotate_api_token(context)
    token = _named_token(context)
    if dead and token is not None:
        context.state.tokens.revoke(token)
    return decided


def refused_rotation_revives(context: Context) -> Outcome:
    """The token is made a living one before it is looked at."""
    decided = rotate_api_token(context)
    revived(context)
    return decided


def namesakes_revoked(context: Context) -> None:
    """Tokens are told apart by their names."""
    target, tokens = _named_token(context), context.state.tokens
    for token in tokens:
        if target is not None and token.grant.name == target.grant.name:
            tokens.revoke(token)


def caller_revoked(context: Context) -> None:
    """The token in the header is revoked with the one in the path."""
    context.state.tokens.revoke(context.caller)


# Whether it is over


def without_effect(context: Context) -> Outcome:
    """The token is looked up, and that is all."""
    token = _named_token(context)
    decided = revoke_api_token(context)
    if token is not None:
        context.state.tokens.keep(token)
    return decided


def one_request_late() -> Mutation:
    """The first look at a revoked token still finds what it was."""
    seen: set[str] = set()

    def change(context: Context, decided: Decision) -> Decision | None:
        if context.caller.id in seen:
            return decided
        seen.add(context.caller.id)
        return None

    return decided_otherwise("token-not-revoked", change)


def _spared(which: Callable[[Context], bool]) -> Mutation:
    """Some requests of a revoked token are served."""
    return decided_otherwise("token-not-revoked", lambda context, decided: None if which(context) else decided)


ENDED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "service-rotates": _open_to(lambda _context: True, _ROTATE),
        "token-rotates-itself": _open_to(_names_itself, _ROTATE),
        "refused-rotation-rotates": _refused_and_done(_ROTATE),
        "rotation-of-nothing-400": outcome(
            _ROTATE, change=refused_otherwise(_as_status(HTTPStatus.BAD_REQUEST), _is_unknown)
        ),
        "rotation-of-nothing-200": outcome(_ROTATE, change=refused_otherwise(_secret_of_nothing, _is_unknown)),
        "foreign-rotation-403": outcome(
            _ROTATE, change=refused_otherwise(_as_status(HTTPStatus.FORBIDDEN), _is_foreign)
        ),
        "foreign-rotation": effect(_ROTATE, _as_its_owner(rotate_api_token)),
        "rotation-revives": effect(_ROTATE, rotation_revives),
        "rotation-of-the-dead": effect(_ROTATE, rotation_of_the_dead),
        "refused-rotation-revives": effect(_ROTATE, refused_rotation_revives),
        "revocation-without-effect": effect(_REVOKE, without_effect),
        "revocation-one-request-late": fresh(one_request_late),
        "revoked-as-expired": refusal("token-not-revoked", lambda said: replace(said, type=Problems.EXPIRED_TOKEN)),
        "revoked-403": refusal("token-not-revoked", lambda said: replace(said, status=HTTPStatus.FORBIDDEN)),
        "revocation-spares-writes": _spared(lambda context: context.request.method != "GET"),
        "service-revokes": _open_to(lambda _context: True, _REVOKE),
        "token-revokes-itself": _open_to(_names_itself, _REVOKE),
        "refused-revocation-revokes": _refused_and_done(_REVOKE),
        "revocation-by-name": followed_by(_REVOKE, namesakes_revoked),
        "revocation-ends-its-caller": followed_by(_REVOKE, caller_revoked),
        "revocation-spares-grace": _spared(
            lambda context: context.secret is not None and context.secret.expires_at is not None
        ),
        "revocation-of-nothing-204": outcome(
            _REVOKE,
            change=refused_otherwise(lambda _context, _decided: Reply(HTTPStatus.NO_CONTENT), _is_unknown),
        ),
        "foreign-revocation": effect(_REVOKE, _as_its_owner(revoke_api_token)),
        "second-revocation-409": outcome(
            _REVOKE, change=refused_otherwise(_as_status(HTTPStatus.CONFLICT), is_revoked)
        ),
    }
)
