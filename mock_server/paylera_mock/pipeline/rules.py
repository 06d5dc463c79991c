"""The rules in the contract's order: who asks, whether they may, and only then what they ask.

A row has the rule's name, the clause that it keeps, its check, its description and its advice. All else names a rule by
its constant. A mutant replaces the check of a row (`Pipeline.with_rule`), or adds a row.
"""

from __future__ import annotations

from typing import Final

from paylera_mock.pipeline import advice, checks, descriptions
from paylera_mock.pipeline.context import Rule

CREDENTIAL_PRESENT: Final = Rule(
    "credential-present", "credential.missing", checks.credential_present, descriptions.credential, advice.credential
)
CREDENTIAL_WELL_FORMED: Final = Rule(
    "credential-well-formed", "credential.malformed", checks.credential_well_formed, descriptions.header_form
)
RIGHT_ENVIRONMENT: Final = Rule(
    "right-environment", "token.wrong-environment", checks.right_environment, descriptions.environment
)
TOKEN_KNOWN: Final = Rule("token-known", "token.unknown", checks.token_known, descriptions.token)
TOKEN_NOT_REVOKED: Final = Rule(
    "token-not-revoked", "revocation.immediate", checks.token_not_revoked, descriptions.revocation, advice.revocation
)
SECRET_NOT_EXPIRED: Final = Rule(
    "secret-not-expired", "rotation.grace-ends", checks.secret_not_expired, descriptions.expiry, advice.expiry
)
WITHIN_RATE: Final = Rule("within-rate", "rate-limit.refusal", checks.within_rate, descriptions.rate, advice.rate)
ADMIN_API_BY_ADMIN: Final = Rule(
    "admin-api-by-admin", "audience.admin-api-needs-admin", checks.admin_api_by_admin, descriptions.admin, advice.admin
)
CUSTOMER_READS_ONLY: Final = Rule(
    "customer-reads-only",
    "audience.customer-cannot-write",
    checks.customer_reads_only,
    descriptions.customer,
    advice.customer,
)
ROUTE_EXISTS: Final = Rule(
    "route-exists", "problem.unknown-route", checks.route_exists, descriptions.route, advice.route
)
METHOD_ALLOWED: Final = Rule(
    "method-allowed", "problem.unknown-route", checks.method_allowed, descriptions.method, advice.method
)
SCOPE_GRANTED: Final = Rule("scope-granted", "scope.required", checks.scope_granted, descriptions.scope, advice.scope)
SECOND_FACTOR: Final = Rule(
    "second-factor", "aal2.required", checks.second_factor, descriptions.second_factor, advice.second_factor
)
ACTOR_KNOWN: Final = Rule(
    "actor-known", "acting-as.unknown-actor", checks.actor_known, descriptions.actor, advice.actor
)
VERSION_SUPPORTED: Final = Rule(
    "version-supported", "version.unknown", checks.version_supported, descriptions.version, advice.version
)
BODY_BOUNDED: Final = Rule("body-bounded", "robustness.no-server-error", checks.body_bounded, descriptions.body_size)
KEY_PRESENT: Final = Rule("key-present", "idempotency.required", checks.key_present, descriptions.key, advice.key)
KEY_BOUNDED: Final = Rule("key-bounded", "idempotency.key-too-long", checks.key_bounded, descriptions.key_length)
KEY_WITH_SAME_BODY: Final = Rule(
    "key-with-same-body",
    "idempotency.body-mismatch",
    checks.key_with_same_body,
    descriptions.body_of_key,
    advice.body_of_key,
)
REPLAYED: Final = Rule("replayed", "idempotency.replay", checks.replayed, descriptions.replay)
BODY_IS_JSON: Final = Rule("body-is-json", "robustness.errors-are-problems", checks.body_is_json, descriptions.json)
BODY_FITS_SCHEMA: Final = Rule(
    "body-fits-schema", "robustness.errors-are-problems", checks.body_fits_schema, descriptions.schema
)
EFFECT: Final = Rule("effect", "credential.accepted", checks.effect, descriptions.effect)

RULES: Final = (
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
"""The order in which a request is judged: the first rule that decides is the last that looks."""

FAULT: Final = Rule("fault", "none", lambda _context: None)
"""What stands for a rule where a fault answered."""

ANOTHER_ORIGIN: Final = Rule("another-origin", "none", lambda _context: None)
"""What stands for a rule where none looked, since the request has followed a redirect to another origin."""
