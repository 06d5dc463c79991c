"""The rules in the contract's order: who asks, whether they may, and only then what they ask.

A row has the rule's name, the clause that it keeps, and its check, description and advice, from the module of its
stage. All else names a rule by its constant. A mutant replaces the check of a row (`Pipeline.with_rule`), or adds one.
"""

from __future__ import annotations

from typing import Final

from paylera_mock.pipeline.context import Rule
from paylera_mock.pipeline.stages import credential, idempotency, permission, request

CREDENTIAL_PRESENT: Final = Rule("credential-present", "credential.missing", *credential.CREDENTIAL)
CREDENTIAL_WELL_FORMED: Final = Rule("credential-well-formed", "credential.malformed", *credential.HEADER_FORM)
RIGHT_ENVIRONMENT: Final = Rule("right-environment", "token.wrong-environment", *credential.ENVIRONMENT)
TOKEN_KNOWN: Final = Rule("token-known", "token.unknown", *credential.TOKEN)
TOKEN_NOT_REVOKED: Final = Rule("token-not-revoked", "revocation.immediate", *credential.REVOCATION)
SECRET_NOT_EXPIRED: Final = Rule("secret-not-expired", "rotation.grace-ends", *credential.EXPIRY)
WITHIN_RATE: Final = Rule("within-rate", "rate-limit.refusal", *permission.RATE)
ADMIN_API_BY_ADMIN: Final = Rule("admin-api-by-admin", "audience.admin-api-needs-admin", *permission.ADMIN)
CUSTOMER_READS_ONLY: Final = Rule("customer-reads-only", "audience.customer-cannot-write", *permission.CUSTOMER)
ROUTE_EXISTS: Final = Rule("route-exists", "problem.unknown-route", *request.ROUTE)
METHOD_ALLOWED: Final = Rule("method-allowed", "problem.unknown-route", *request.METHOD)
SCOPE_GRANTED: Final = Rule("scope-granted", "scope.required", *permission.SCOPE)
SECOND_FACTOR: Final = Rule("second-factor", "aal2.required", *permission.SECOND_FACTOR)
ACTOR_KNOWN: Final = Rule("actor-known", "acting-as.unknown-actor", *permission.ACTOR)
VERSION_SUPPORTED: Final = Rule("version-supported", "version.unknown", *request.VERSION)
BODY_BOUNDED: Final = Rule("body-bounded", "robustness.no-server-error", *request.BODY_SIZE)
KEY_PRESENT: Final = Rule("key-present", "idempotency.required", *idempotency.KEY)
KEY_BOUNDED: Final = Rule("key-bounded", "idempotency.key-too-long", *idempotency.KEY_FORM)
KEY_WITH_SAME_BODY: Final = Rule("key-with-same-body", "idempotency.body-mismatch", *idempotency.BODY_OF_KEY)
REPLAYED: Final = Rule("replayed", "idempotency.replay", *idempotency.REPLAY)
BODY_IS_JSON: Final = Rule("body-is-json", "robustness.errors-are-problems", *request.JSON)
BODY_FITS_SCHEMA: Final = Rule("body-fits-schema", "robustness.errors-are-problems", *request.SCHEMA)
EFFECT: Final = Rule("effect", "credential.accepted", *request.EFFECT)

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
