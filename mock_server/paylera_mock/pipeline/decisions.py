"""The small decisions within the rules and operations, each a function of its own, which a mutant can replace."""

from __future__ import annotations

import hashlib

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import AAL2, Audience
from paylera_mock.core.credential import Authorization
from paylera_mock.core.messages import Answer, Decision, Object, RecordKey, Reply, Request
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.context import Context
from paylera_mock.state.tokens import StoredToken


def must_queue(request: Request) -> bool:
    """Whether a request waits until no other of its namespace is judged: a write does, since it changes the state."""
    return request.method != "GET"


def read_credential(context: Context) -> Authorization:
    """What the `Authorization` header holds: nothing else is a credential (clause credential.only-in-header)."""
    return context.request.credential


def find_token(context: Context, secret_digest: str) -> StoredToken | None:
    """The token of a secret, and with it which of its secrets was sent."""
    token = context.state.tokens.by_digest(secret_digest)
    if token is not None:
        context.secret = token.secret_with(secret_digest)
    return token


def is_expired(context: Context) -> bool:
    """Whether the secret was rotated out and its grace is over (clauses rotation.grace-holds, rotation.grace-ends)."""
    expires_at = context.secret.expires_at if context.secret else None
    return expires_at is not None and context.now >= expires_at


def has_scope(token: StoredToken, scope: str) -> bool:
    """Whether a token has a scope: by its whole name, or by the wildcard (clauses scope.exact, scope.wildcard)."""
    return scope in token.grant.scopes or token.grants_all


def has_aal2(token: StoredToken) -> bool:
    """Whether the token's principal has asserted AAL2; a service never has (clause aal2.service-never)."""
    return token.grant.aal >= AAL2 and token.grant.audience is not Audience.SERVICE


def actor_known(context: Context, actor: str) -> bool:
    """Whether an actor is in the registry of the caller's tenant."""
    return context.state.actors.has(context.tenant_id, actor)


def settle_version(context: Context) -> str:
    """The version that a request is processed against (clauses version.pinned, version.default).

    Where no token is known, and where the version asked for is not served, it is the current one.
    """
    versions = context.state.versions
    if context.token is None:
        return versions.current
    version = context.request.version
    if version is None:
        return context.token.default_version
    return version if version in versions else versions.current


def default_version(context: Context) -> str:
    """The default version of a token that is made now (clause version.new-token-current)."""
    return context.state.versions.current


def key_needed(context: Context) -> bool:
    """Whether the operation needs an idempotency key, by the reading `key_required_on`."""
    if context.policy.key_required_on == "every-post":
        return context.request.method == "POST"
    return context.called_operation.key_when_creating


def record_key(context: Context) -> RecordKey:
    """What an answer is remembered under: tenant, environment, concrete route, key; not the token."""
    request = context.request
    return (context.tenant_id, request.environment, request.method, request.path, request.idempotency_key)


def body_digest(body: bytes) -> bytes:
    """The digest by which two bodies are compared: as bytes."""
    return hashlib.sha256(body).digest()


def is_visible(context: Context, value: Object) -> bool:
    """Whether the caller may see an object of its tenant: a customer sees its own only."""
    return context.customer_id is None or value.get("customer_id") == context.customer_id


def customer_listed(context: Context) -> str | None:
    """The customer among whose objects alone a list looks for those that the caller may see; `None`: among all."""
    return context.customer_id


def mask_secret(reply: Reply) -> Reply:
    """A success without the secret that it issued, as it may be remembered: secrets are kept as digests only."""
    if not reply.issues_secret or reply.body is None:
        return reply
    return Reply(reply.status, reply.body | {"secret": None}, reply.object_id, issues_secret=True)


def is_remembered(context: Context, decision: Decision) -> bool:
    """Whether an answer is kept for a replay: every one that was given after the check of its key."""
    return context.record_key is not None and isinstance(decision, Reply | Problem)


def audit_record(context: Context, reply: Reply) -> Object:
    """What the audit log says of an accepted write (clauses acting-as.audited, acting-as.absent)."""
    return {
        "id": context.state.new_id(Resource.AUDIT_RECORD),
        "object": Resource.AUDIT_RECORD.value,
        "token_id": context.caller.id,
        "actor_id": context.request.acting_as,
        "method": context.request.method,
        "path": context.request.path,
        "operation": context.called_operation.id,
        "object_id": reply.object_id,
        "created_at": context.format_now(),
    }


def token_view(context: Context, token: StoredToken) -> Object:
    """A token object as the Admin API shows it."""
    return token.view(context.now)


def encode_answer(_request: Request, answer: Answer) -> Answer:
    """The answer in the content coding in which it is sent: in none."""
    return answer
