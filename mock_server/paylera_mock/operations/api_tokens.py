"""API tokens: made, rotated and revoked through the Admin API (guide, Rotating a token and Revoking)."""

from __future__ import annotations

from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import FieldError, Problem
from paylera_mock.operations.common import list_of
from paylera_mock.pipeline.context import Context
from paylera_mock.state.objects import Entry
from paylera_mock.state.tokens import Grant, StoredToken


def list_api_tokens(context: Context) -> Outcome:
    """The tokens of the caller's tenant and environment, without their secrets."""
    view = context.decisions.token_view
    own = (token for token in context.state.tokens if _is_own(context, token))
    return list_of(context, (Entry(token.sequence, view(context, token)) for token in own))


def get_api_token(context: Context) -> Outcome:
    """One token, without its secret; a revoked one can still be read."""
    token = context.state.tokens.get(context.identifier)
    if token is None or not _is_own(context, token):
        return problems.not_found(Resource.API_TOKEN.value)
    return Reply(HTTPStatus.OK, context.decisions.token_view(context, token), token.id)


def create_api_token(context: Context) -> Outcome:
    """Make a token; never with more than its maker has (clause token.no-escalation)."""
    grant = _grant_asked(context)
    refusal = _unknown_scopes(context, grant) or _exceeded(context, grant) or _unbound(context, grant)
    if refusal:
        return refusal
    decisions, state = context.decisions, context.state
    token, secret = state.tokens.mint(
        grant, version=decisions.default_version(context), now=context.now, policy=context.policy
    )
    return _with_secret(context, HTTPStatus.CREATED, token, secret)


def rotate_api_token(context: Context) -> Outcome:
    """Replace a token's secret. What the token may do stays, and so does its default version."""
    token = _living(context)
    if isinstance(token, Problem):
        return token
    rotated, secret = context.state.tokens.rotate(token, now=context.now, policy=context.policy)
    return _with_secret(context, HTTPStatus.OK, rotated, secret)


def revoke_api_token(context: Context) -> Outcome:
    """End a token at once, with the secrets in their grace."""
    token = _living(context)
    if isinstance(token, Problem):
        return token
    context.state.tokens.revoke(token, now=context.now)
    return Reply(HTTPStatus.NO_CONTENT, object_id=token.id)


def _living(context: Context) -> StoredToken | Problem:
    token = context.state.tokens.get(context.identifier)
    if token is None or token.revoked or not _is_own(context, token):
        return problems.not_found(Resource.API_TOKEN.value)
    return token


def _is_own(context: Context, token: StoredToken) -> bool:
    mine, its = context.caller.grant, token.grant
    return (mine.tenant_id, mine.environment) == (its.tenant_id, its.environment)


def _with_secret(context: Context, status: int, token: StoredToken, secret: str) -> Reply:
    shown: Object = context.decisions.token_view(context, token)
    return Reply(status, shown | {"secret": secret}, token.id, issues_secret=True)


def _grant_asked(context: Context) -> Grant:
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


def _unknown_scopes(context: Context, grant: Grant) -> Problem | None:
    if set(grant.scopes) <= set(context.policy.scopes):
        return None
    message = f"A scope is one of {', '.join(context.policy.scopes)}."
    return problems.validation_failed(FieldError("scopes", "scope.unknown", message))


def _exceeded(context: Context, grant: Grant) -> Problem | None:
    maker = context.caller
    if not maker.grants_all and not set(grant.scopes) <= set(maker.grant.scopes):
        return problems.grant_exceeded(context.policy, "The token that makes this one lacks some of these scopes.")
    if grant.aal > maker.grant.aal:
        return problems.grant_exceeded(context.policy, "The token that makes this one has no second factor (AAL2).")
    wanted = context.payload.get("environment", grant.environment)
    if wanted != grant.environment:
        return problems.grant_exceeded(context.policy, "A token can make tokens of its own environment only.")
    return None


def _unbound(context: Context, grant: Grant) -> Problem | None:
    """A customer token is bound to a customer of the tenant; the others are to none."""
    known = context.objects.get(Resource.CUSTOMER, grant.customer_id) is not None
    bound = grant.audience is Audience.CUSTOMER
    if known is bound and (bound or grant.customer_id is None):
        return None
    message = "A customer token, and no other, names a customer of this tenant and environment."
    return problems.validation_failed(FieldError("customer_id", "reference.unknown", message))
