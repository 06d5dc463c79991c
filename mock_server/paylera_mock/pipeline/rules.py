"""The chain of rules in the contract's order: who asks, whether they may, and only then what they ask.

`RULES` at the end is the whole order on one screen. Each rule is a small function of the context; it refuses, or lets
pass with `None`. A deliberate defect replaces one of them (`pipeline.Pipeline.with_rule`).
"""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import match
from paylera_fixtures.vocabulary import Audience
from paylera_mock.core import problems, request_bodies
from paylera_mock.core.credential import Credential, Malformed, Missing
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.rate_limits import group_of

_ADMIN: Final = "/v1/admin/"
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
    credential = context.credential
    expected = context.request.environment
    if isinstance(credential, Credential) and credential.environment is expected.other:
        return problems.wrong_environment(expected)
    return None


def token_known(context: Context) -> Decision | None:
    """The token exists here."""
    decisions = context.decisions
    if isinstance(context.credential, Credential):
        context.token = decisions.find_token(context, context.credential.digest)
    if context.token is None or context.token.grant.environment is not context.request.environment:
        context.token = None
        return problems.unknown_token()
    return None


def token_not_revoked(context: Context) -> Decision | None:
    """The token was not revoked."""
    return problems.revoked_token() if context.caller.revoked else None


def secret_not_expired(context: Context) -> Decision | None:
    """The secret is the current one, or in its grace."""
    if context.decisions.secret_expired(context):
        return problems.expired_token()
    return None


def within_rate(context: Context) -> Decision | None:
    """The tenant has not used up its rate. Every request counts here, refused or not."""
    request, state = context.request, context.state
    group = group_of(request.method, request.path)
    allowance = state.limiter.count(context.tenant_id, request.environment, group, context.now)
    context.allowance = allowance
    if state.rates_enforced and allowance.retry_after is not None:
        return problems.rate_limited(allowance)
    return None


def admin_api_by_admin(context: Context) -> Decision | None:
    """The Admin API is called by an admin token, whatever the scopes."""
    if context.request.path.startswith(_ADMIN) and context.caller.grant.audience is not Audience.ADMIN:
        return problems.audience_required(context.policy, (Audience.ADMIN,))
    return None


def customer_reads_only(context: Context) -> Decision | None:
    """A customer token only reads, and only what customers have."""
    context.match = match(context.request.path)
    if context.caller.grant.audience is not Audience.CUSTOMER:
        return None
    operation = context.match.operations.get(context.request.method) if context.match else None
    # On a path that does not exist a read gets as far as being told so.
    allowed = operation.customer_may if operation else context.request.method == "GET"
    return None if allowed else problems.audience_required(context.policy, (Audience.SERVICE, Audience.ADMIN))


def route_exists(context: Context) -> Decision | None:
    """The path is one of the contract's, compared as it is."""
    return None if context.match else problems.route_not_found()


def method_allowed(context: Context) -> Decision | None:
    """The path has this method."""
    operations = context.match.operations if context.match else {}
    context.operation = operations.get(context.request.method)
    return None if context.operation else problems.method_not_allowed(operations)


def scope_granted(context: Context) -> Decision | None:
    """The token has the scope of the operation, compared whole."""
    scope = context.called.scope_in(context.policy.profile)
    if scope is None or context.decisions.has_scope(context.caller, scope):
        return None
    return problems.scope_required(context.policy, scope)


def second_factor(context: Context) -> Decision | None:
    """Where the operation needs AAL2, the token's principal has asserted it."""
    if not context.called.aal2 or context.decisions.has_aal2(context.caller):
        return None
    return problems.aal2_required(context.policy)


def actor_known(context: Context) -> Decision | None:
    """Who is acted for is in the tenant's registry; an empty header is nobody."""
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
    """The body is within the limit. Looked at before the key, which has to compare bodies."""
    return problems.body_too_large(context.policy) if context.request.body is None else None


def key_present(context: Context) -> Decision | None:
    """An operation that creates or moves money has an idempotency key; a blank one is none."""
    if context.request.method in {"GET", "DELETE"}:
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
    # A key that is none must not be remembered.
    context.record_key = None
    return problems.key_invalid(context.policy)


def key_with_same_body(context: Context) -> Decision | None:
    """A key that was used before comes with the same body."""
    record = _record(context)
    if record is None or record.body_digest == context.body_digest:
        return None
    # What the key was first answered stays.
    context.record_key = None
    return problems.key_body_mismatch(context.policy)


def replayed(context: Context) -> Decision | None:
    """A key that was used before is answered as it was then."""
    record = _record(context)
    return record.answer if record else None


def _record(context: Context) -> IdempotencyRecord | None:
    if context.record_key is None:
        return None
    context.body_digest = context.decisions.body_digest(context.request.body or b"")
    return context.state.idempotency.find(context.record_key, context.now)


def body_is_json(context: Context) -> Decision | None:
    """The body is JSON, by declaration and in fact."""
    request = context.request
    if request.method in {"GET", "DELETE"} or not request.body:
        return None
    media_type = (request.content_type or _JSON).partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        return problems.unsupported_media_type()
    found = request_bodies.read_json(request.body, context.policy.body_depth)
    if isinstance(found, Problem):
        return found
    context.payload = found
    return None


def body_fits_schema(context: Context) -> Decision | None:
    """The body has the members that the operation needs, each of its type."""
    return None if context.called.is_read else request_bodies.check(context.called.id, context.payload)


def effect(context: Context) -> Decision:
    """The operation happens. This one always decides."""
    return context.pipeline.effects[context.called.id](context)


CREDENTIAL_PRESENT: Final = Rule("credential-present", "credential.missing", credential_present)
CREDENTIAL_WELL_FORMED: Final = Rule("credential-well-formed", "credential.malformed", credential_well_formed)
RIGHT_ENVIRONMENT: Final = Rule("right-environment", "token.wrong-environment", right_environment)
TOKEN_KNOWN: Final = Rule("token-known", "token.unknown", token_known)
TOKEN_NOT_REVOKED: Final = Rule("token-not-revoked", "revocation.immediate", token_not_revoked)
SECRET_NOT_EXPIRED: Final = Rule("secret-not-expired", "rotation.grace-ends", secret_not_expired)
WITHIN_RATE: Final = Rule("within-rate", "rate-limit.refusal", within_rate)
ADMIN_API_BY_ADMIN: Final = Rule("admin-api-by-admin", "audience.admin-api-needs-admin", admin_api_by_admin)
CUSTOMER_READS_ONLY: Final = Rule("customer-reads-only", "audience.customer-cannot-write", customer_reads_only)
ROUTE_EXISTS: Final = Rule("route-exists", "problem.unknown-route", route_exists)
METHOD_ALLOWED: Final = Rule("method-allowed", "problem.unknown-route", method_allowed)
SCOPE_GRANTED: Final = Rule("scope-granted", "scope.required", scope_granted)
SECOND_FACTOR: Final = Rule("second-factor", "aal2.required", second_factor)
ACTOR_KNOWN: Final = Rule("actor-known", "acting-as.unknown-actor", actor_known)
VERSION_SUPPORTED: Final = Rule("version-supported", "version.unknown", version_supported)
BODY_BOUNDED: Final = Rule("body-bounded", "robustness.no-server-error", body_bounded)
KEY_PRESENT: Final = Rule("key-present", "idempotency.required", key_present)
KEY_BOUNDED: Final = Rule("key-bounded", "idempotency.key-too-long", key_bounded)
KEY_WITH_SAME_BODY: Final = Rule("key-with-same-body", "idempotency.body-mismatch", key_with_same_body)
REPLAYED: Final = Rule("replayed", "idempotency.replay", replayed)
BODY_IS_JSON: Final = Rule("body-is-json", "robustness.errors-are-problems", body_is_json)
BODY_FITS_SCHEMA: Final = Rule("body-fits-schema", "robustness.errors-are-problems", body_fits_schema)
EFFECT: Final = Rule("effect", "credential.accepted", effect)

RULES: Final[tuple[Rule, ...]] = (
    CREDENTIAL_PRESENT,
    CREDENTIAL_WELL_FORMED,
    RIGHT_ENVIRONMENT,
    TOKEN_KNOWN,
    TOKEN_NOT_REVOKED,
    SECRET_NOT_EXPIRED,
    WITHIN_RATE,
    ADMIN_API_BY_ADMIN,
    CUSTOMER_READS_ONLY,
    ROUTE_EXISTS,
    METHOD_ALLOWED,
    SCOPE_GRANTED,
    SECOND_FACTOR,
    ACTOR_KNOWN,
    VERSION_SUPPORTED,
    BODY_BOUNDED,
    KEY_PRESENT,
    KEY_BOUNDED,
    KEY_WITH_SAME_BODY,
    REPLAYED,
    BODY_IS_JSON,
    BODY_FITS_SCHEMA,
    EFFECT,
)
"""The order in which a request is judged; the first rule that decides is the last that looks."""
