"""The rules in the contract's order: who asks, whether they may, and only then what they ask.

A row has the rule's name, the clause that it keeps, its check, its description and its advice. All else names a rule by
its constant. A mutant replaces the check of a row (`Pipeline.with_rule`), or adds a row.
"""

from __future__ import annotations

from typing import Final

from paylera_mock.pipeline.context import Rule
from paylera_mock.pipeline.stages import credential, idempotency, permission, request

CREDENTIAL_PRESENT: Final = Rule(
    "credential-present",
    "credential.missing",
    credential.check_credential,
    credential.describe_credential,
    credential.advise_on_credential,
)
CREDENTIAL_WELL_FORMED: Final = Rule(
    "credential-well-formed", "credential.malformed", credential.check_header_form, credential.describe_header_form
)
RIGHT_ENVIRONMENT: Final = Rule(
    "right-environment", "token.wrong-environment", credential.check_environment, credential.describe_environment
)
TOKEN_KNOWN: Final = Rule("token-known", "token.unknown", credential.check_token, credential.describe_token)
TOKEN_NOT_REVOKED: Final = Rule(
    "token-not-revoked",
    "revocation.immediate",
    credential.check_revocation,
    credential.describe_revocation,
    credential.advise_on_revocation,
)
SECRET_NOT_EXPIRED: Final = Rule(
    "secret-not-expired",
    "rotation.grace-ends",
    credential.check_expiry,
    credential.describe_expiry,
    credential.advise_on_expiry,
)
WITHIN_RATE: Final = Rule(
    "within-rate", "rate-limit.refusal", permission.check_rate, permission.describe_rate, permission.advise_on_rate
)
ADMIN_API_BY_ADMIN: Final = Rule(
    "admin-api-by-admin",
    "audience.admin-api-needs-admin",
    permission.check_admin,
    permission.describe_admin,
    permission.advise_on_admin,
)
CUSTOMER_READS_ONLY: Final = Rule(
    "customer-reads-only",
    "audience.customer-cannot-write",
    permission.check_customer,
    permission.describe_customer,
    permission.advise_on_customer,
)
ROUTE_EXISTS: Final = Rule(
    "route-exists", "problem.unknown-route", request.check_route, request.describe_route, request.advise_on_route
)
METHOD_ALLOWED: Final = Rule(
    "method-allowed", "problem.unknown-route", request.check_method, request.describe_method, request.advise_on_method
)
SCOPE_GRANTED: Final = Rule(
    "scope-granted", "scope.required", permission.check_scope, permission.describe_scope, permission.advise_on_scope
)
SECOND_FACTOR: Final = Rule(
    "second-factor",
    "aal2.required",
    permission.check_second_factor,
    permission.describe_second_factor,
    permission.advise_on_second_factor,
)
ACTOR_KNOWN: Final = Rule(
    "actor-known",
    "acting-as.unknown-actor",
    permission.check_actor,
    permission.describe_actor,
    permission.advise_on_actor,
)
VERSION_SUPPORTED: Final = Rule(
    "version-supported", "version.unknown", request.check_version, request.describe_version, request.advise_on_version
)
BODY_BOUNDED: Final = Rule(
    "body-bounded", "robustness.no-server-error", request.check_body_size, request.describe_body_size
)
KEY_PRESENT: Final = Rule(
    "key-present", "idempotency.required", idempotency.check_key, idempotency.describe_key, idempotency.advise_on_key
)
KEY_BOUNDED: Final = Rule(
    "key-bounded", "idempotency.key-too-long", idempotency.check_key_length, idempotency.describe_key_length
)
KEY_WITH_SAME_BODY: Final = Rule(
    "key-with-same-body",
    "idempotency.body-mismatch",
    idempotency.check_body_of_key,
    idempotency.describe_body_of_key,
    idempotency.advise_on_body_of_key,
)
REPLAYED: Final = Rule("replayed", "idempotency.replay", idempotency.check_replay, idempotency.describe_replay)
BODY_IS_JSON: Final = Rule("body-is-json", "robustness.errors-are-problems", request.check_json, request.describe_json)
BODY_FITS_SCHEMA: Final = Rule(
    "body-fits-schema", "robustness.errors-are-problems", request.check_schema, request.describe_schema
)
EFFECT: Final = Rule("effect", "credential.accepted", request.run_effect, request.describe_effect)

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
