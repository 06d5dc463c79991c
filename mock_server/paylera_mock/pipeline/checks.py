"""What each rule checks: a function of the context that refuses, or lets pass with `None`.

What a check finds out stays in the context for those after it.
"""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core import problems, request_bodies
from paylera_mock.core.credential import BearerCredential, Malformed, Missing
from paylera_mock.core.messages import BODILESS, Decision
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.context import Context
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.rate_limits import group_of

_JSON: Final = "application/json"


def credential_present(context: Context) -> Decision | None:
    """There is an `Authorization` header; a token anywhere else is not looked at."""
    context.credential = context.decisions.read_credential(context)
    return problems.missing_token() if isinstance(context.credential, Missing) else None


def credential_well_formed(context: Context) -> Decision | None:
    """It reads `Bearer <token>`, and there is one of it."""
    credential = context.credential
    return problems.malformed_token(credential.flaw) if isinstance(credential, Malformed) else None


def right_environment(context: Context) -> Decision | None:
    """The token's prefix does not name the other environment."""
    credential, expected = context.credential, context.request.environment
    if isinstance(credential, BearerCredential) and credential.environment is expected.other:
        return problems.wrong_environment(expected)
    return None


def token_known(context: Context) -> Decision | None:
    """The token exists here."""
    if isinstance(context.credential, BearerCredential):
        context.token = context.decisions.find_token(context, context.credential.digest)
    if context.token is None or context.token.grant.environment is not context.request.environment:
        context.token = None
        return problems.unknown_token()
    return None


def token_not_revoked(context: Context) -> Decision | None:
    """The token was not revoked."""
    return problems.revoked_token() if context.caller.revoked else None


def secret_not_expired(context: Context) -> Decision | None:
    """The secret is the current one, or in its grace."""
    return problems.expired_token() if context.decisions.is_expired(context) else None


def within_rate(context: Context) -> Decision | None:
    """The tenant has not used up its rate. Every request that gets here counts, refused or not."""
    request, state = context.request, context.state
    group = group_of(request.method, request.path)
    allowance = state.limiter.count(context.tenant_id, request.environment, group, context.now)
    context.allowance = allowance
    if state.rates_enforced and allowance.retry_after is not None:
        return problems.rate_limited(allowance)
    return None


def admin_api_by_admin(context: Context) -> Decision | None:
    """The Admin API is called by an admin token, whatever the scopes."""
    if context.request.path.startswith(ADMIN_PATH) and context.caller.grant.audience is not Audience.ADMIN:
        return problems.audience_required(context.policy, (Audience.ADMIN,))
    return None


def customer_reads_only(context: Context) -> Decision | None:
    """A customer token only reads, and only what customers have."""
    if context.caller.grant.audience is not Audience.CUSTOMER:
        return None
    operation = context.request.operation
    # On a path that does not exist a read is let pass, so that it is answered 404.
    allowed = operation.customer_may if operation else context.request.method == "GET"
    return None if allowed else problems.audience_required(context.policy, (Audience.SERVICE, Audience.ADMIN))


def route_exists(context: Context) -> Decision | None:
    """The path is one of the contract's, compared as it is."""
    return None if context.request.match else problems.route_not_found()


def method_allowed(context: Context) -> Decision | None:
    """The path has this method."""
    request = context.request
    return None if request.operation else problems.method_not_allowed(request.match.operations if request.match else {})


def scope_granted(context: Context) -> Decision | None:
    """The token has the scope of the operation, compared whole."""
    scope = context.called_operation.scope_in(context.policy.profile)
    if scope is None or context.decisions.has_scope(context.caller, scope):
        return None
    return problems.scope_required(context.policy, scope)


def second_factor(context: Context) -> Decision | None:
    """Where the operation needs AAL2, the token's principal has asserted it."""
    if not context.called_operation.aal2 or context.decisions.has_aal2(context.caller):
        return None
    return problems.aal2_required(context.policy)


def actor_known(context: Context) -> Decision | None:
    """The actor is in the tenant's registry; an empty header names no actor of it."""
    actor = context.request.acting_as
    if actor is None or context.decisions.actor_known(context, actor):
        return None
    return problems.unknown_actor(context.policy)


def version_supported(context: Context) -> Decision | None:
    """The version asked for is served."""
    version, versions = context.request.version, context.state.versions
    if version is None or version in versions:
        return None
    return problems.version_unsupported(context.policy, versions.supported)


def body_bounded(context: Context) -> Decision | None:
    """The body is within the limit. Checked before the key, since a key's bodies are compared."""
    return problems.body_too_large(context.policy.body_limit) if context.request.body is None else None


def key_present(context: Context) -> Decision | None:
    """An operation that creates or moves money has an idempotency key; a blank one is none."""
    if context.request.method in BODILESS:
        return None
    decisions = context.decisions
    if (context.request.idempotency_key or "").strip():
        context.record_key = decisions.record_key(context)
        return None
    return problems.key_required(context.policy) if decisions.key_needed(context) else None


def key_bounded(context: Context) -> Decision | None:
    """The idempotency key is within its length."""
    if context.record_key is None or len(context.request.idempotency_key or "") <= context.policy.key_max_length:
        return None
    # No answer is remembered under a key that is refused.
    context.record_key = None
    return problems.key_invalid(context.policy)


def key_with_same_body(context: Context) -> Decision | None:
    """A key that was used before comes with the same body."""
    record = _find_record(context)
    if record is None or record.body_digest == context.body_digest:
        return None
    # The first answer stays the one that is remembered under the key.
    context.record_key = None
    return problems.key_body_mismatch(context.policy)


def replayed(context: Context) -> Decision | None:
    """A key that was used before is answered as it was then."""
    record = _find_record(context)
    return record.answer if record else None


def _find_record(context: Context) -> IdempotencyRecord | None:
    if context.record_key is None:
        return None
    context.body_digest = context.decisions.body_digest(context.request.body or b"")
    context.record = context.state.idempotency.find(context.record_key, context.now)
    return context.record


def body_is_json(context: Context) -> Decision | None:
    """The body is JSON, by declaration and in fact."""
    request = context.request
    if request.method in BODILESS or not request.body:
        return None
    media_type = (request.content_type or _JSON).partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        return problems.unsupported_media_type()
    payload = request_bodies.read_json(request.body, context.policy.body_depth)
    if isinstance(payload, Problem):
        return payload
    context.payload = payload
    return None


def body_fits_schema(context: Context) -> Decision | None:
    """The body has the members that the operation needs, each of its type."""
    return (
        None if context.called_operation.is_read else request_bodies.check(context.called_operation.id, context.payload)
    )


def effect(context: Context) -> Decision:
    """The operation happens. This one always decides."""
    return context.pipeline.effects[context.called_operation.id](context)
