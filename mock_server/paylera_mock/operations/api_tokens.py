"""API tokens: made, rotated and revoked through the Admin API (guide, Rotating a token and Revoking)."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import operation, refuse_member, reply_with_page
from paylera_mock.pipeline.context import Context
from paylera_mock.state.objects import Entry
from paylera_mock.state.tokens import Grant, StoredToken


@operation
def list_api_tokens(context: Context) -> Reply:
    """The tokens of the caller's tenant and environment, without their secrets."""
    grant, view = context.caller.grant, context.decisions.token_view

    def entries(before: int | None) -> Iterator[Entry]:
        own = context.state.tokens.newest_first(grant.tenant_id, grant.environment, before=before)
        return (Entry(token.sequence, view(context, token)) for token in own)

    return reply_with_page(context, entries)


@operation
def get_api_token(context: Context) -> Reply:
    """One token, without its secret; a revoked one can still be read."""
    token = _token_in_path(context)
    return Reply(HTTPStatus.OK, context.decisions.token_view(context, token), token.id)


@operation
def create_api_token(context: Context) -> Reply:
    """Make a token; never with more than its maker has (clause token.no-escalation)."""
    grant = _requested_grant(context)
    if not set(grant.scopes) <= set(context.policy.scopes):
        raise refuse_member("scopes", "scope.unknown", f"A scope is one of {', '.join(context.policy.scopes)}.")
    _check_within_maker(context, grant)
    _check_customer(context, grant)
    version = context.decisions.default_version(context)
    token, secret = context.state.tokens.mint(grant, version=version, now=context.now, policy=context.policy)
    return _reply_with_secret(context, HTTPStatus.CREATED, token, secret)


@operation
def rotate_api_token(context: Context) -> Reply:
    """Replace a token's secret. What the token may do stays, and so does its default version.

    Whoever rotates a token gets its secret, so it must have no more than they have (clause rotation.no-escalation).
    """
    token = _active_token_in_path(context)
    if excess := _excess(context.caller, token.grant):
        raise RefusedError(problems.grant_exceeded(context.policy, f"The token that rotates this one {excess}"))
    rotated, secret = context.state.tokens.rotate(token, now=context.now, policy=context.policy)
    return _reply_with_secret(context, HTTPStatus.OK, rotated, secret)


@operation
def revoke_api_token(context: Context) -> Reply:
    """End a token at once, with the secrets in their grace."""
    token = _active_token_in_path(context)
    context.state.tokens.revoke(token, now=context.now)
    return Reply(HTTPStatus.NO_CONTENT, object_id=token.id)


def _token_in_path(context: Context) -> StoredToken:
    token = context.state.tokens.get(context.identifier)
    if token is None or not _is_own(context, token):
        raise RefusedError(problems.not_found(Resource.API_TOKEN.value))
    return token


def _active_token_in_path(context: Context) -> StoredToken:
    token = _token_in_path(context)
    if token.revoked:
        raise RefusedError(problems.not_found(Resource.API_TOKEN.value))
    return token


def _is_own(context: Context, token: StoredToken) -> bool:
    mine, its = context.caller.grant, token.grant
    return (mine.tenant_id, mine.environment) == (its.tenant_id, its.environment)


def _reply_with_secret(context: Context, status: int, token: StoredToken, secret: str) -> Reply:
    shown: Object = context.decisions.token_view(context, token)
    return Reply(status, shown | {"secret": secret}, token.id, issues_secret=True)


def _requested_grant(context: Context) -> Grant:
    """What the body asks for: in the maker's tenant and environment, since a token is of one of each."""
    given, maker = context.payload, context.caller.grant
    return Grant(
        tenant_id=maker.tenant_id,
        audience=Audience(given["audience"]),
        scopes=tuple(dict.fromkeys(given["scopes"])),
        environment=maker.environment,
        aal=int(given.get("aal", 1)),
        customer_id=given.get("customer_id"),
        name=given.get("name"),
    )


def _check_within_maker(context: Context, grant: Grant) -> None:
    if excess := _excess(context.caller, grant):
        refusal = f"The token that makes this one {excess}"
    elif context.payload.get("environment", grant.environment) != grant.environment:
        refusal = "A token can make tokens of its own environment only."
    else:
        return
    raise RefusedError(problems.grant_exceeded(context.policy, refusal))


def _excess(caller: StoredToken, grant: Grant) -> str:
    """What a caller lacks of a grant, to follow "The token that makes this one"; empty where it lacks nothing."""
    if not caller.grants_all and not set(grant.scopes) <= set(caller.grant.scopes):
        return "lacks some of these scopes."
    return "has no second factor (AAL2)." if grant.aal > caller.grant.aal else ""


def _check_customer(context: Context, grant: Grant) -> None:
    """A customer token is bound to a customer of the tenant; the others are to none."""
    is_known = context.objects.get(Resource.CUSTOMER, grant.customer_id) is not None
    must_be_bound = grant.audience is Audience.CUSTOMER
    if is_known is not must_be_bound or (not must_be_bound and grant.customer_id is not None):
        message = "A customer token, and no other, names a customer of this tenant and environment."
        raise refuse_member("customer_id", "reference.unknown", message)
