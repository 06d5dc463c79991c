"""Client findings: what a client does that the contract forbids, or that is unwise, and what to do about it.

`KINDS` are all of them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace


class Severity(StrEnum):
    """How bad it is: an error breaks the contract or leaks a secret, a hint is legal but unwise."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class FindingKind(Struct, frozen=True):
    """One thing that a client can do wrong: what it did, the fix, and the clause that is about it, if there is one."""

    id: str
    severity: Severity
    message: str
    fix: str
    clause: str | None = None


TOKEN_IN_URL: Final = FindingKind(
    "token-in-query",
    Severity.ERROR,
    "A secret stands in the URL, where logs, proxies and histories keep it.",
    "Send the token as `Authorization: Bearer <token>` and nowhere else.",
    "credential.only-in-header",
)
TOKEN_IN_BODY: Final = FindingKind(
    "token-in-body",
    Severity.ERROR,
    "A secret stands in the body of a request, where it is no credential and is stored with the rest.",
    "Send the token as `Authorization: Bearer <token>` and nowhere else.",
    "credential.only-in-header",
)
TO_ANOTHER_ORIGIN: Final = FindingKind(
    "authorization-to-another-origin",
    Severity.ERROR,
    "A redirect led to another origin, and `Authorization` went along: whoever runs that origin has the token now.",
    "Follow no redirect, or drop `Authorization` where scheme, host or port change (RFC 9110, section 15.4).",
)
KEY_MISSING: Final = FindingKind(
    "key-missing",
    Severity.ERROR,
    "A POST that creates something or moves money came without an Idempotency-Key, and was refused.",
    "Send an Idempotency-Key of its own with each such POST, and the same one with each retry of it.",
    "idempotency.required",
)
KEY_UNREADABLE: Final = replace(
    KEY_MISSING,
    severity=Severity.HINT,
    message="An Idempotency-Key was sent that could not be read: it is empty, or the header's name has an underscore.",
    fix="Send the header as `Idempotency-Key`, with a value of visible ASCII characters.",
)
KEY_REUSED: Final = FindingKind(
    "key-reused",
    Severity.ERROR,
    "An Idempotency-Key came again with another body, and was refused.",
    "Make a new key for each new request; keep a key for retries of the very same bytes.",
    "idempotency.body-mismatch",
)
NEW_KEY: Final = FindingKind(
    "new-key-on-retry",
    Severity.ERROR,
    "A request was sent again under a new Idempotency-Key after a failure that may have done the work: it may be done"
    " twice.",
    "Make the key once for each operation, before the first try, and send it with every retry.",
    "idempotency.replay",
)
NEW_KEY_AFTER_LIMIT: Final = replace(
    NEW_KEY,
    severity=Severity.HINT,
    message="A request was sent again under a new Idempotency-Key after a 429. Nothing was done, so nothing is done"
    " twice; after a 5xx it would be.",
)
RETRY_ON_401: Final = FindingKind(
    "retry-on-401",
    Severity.ERROR,
    "A request that was refused with 401 was sent again with the same credential, and could only be refused again: its"
    " key, or a header that counts retries, shows that it is the same one.",
    "Take a 401 for final: raise an error, or get another token first.",
    "token.unknown",
)
REPEATED_401: Final = replace(
    RETRY_ON_401,
    severity=Severity.HINT,
    message="A request that was refused with 401 came again with the same credential. If it was no other client's or"
    " test's, it could only be refused again.",
)
OLD_SECRET: Final = FindingKind(
    "old-secret",
    Severity.HINT,
    "The old secret of a rotated token is used again although it was refused as expired, and the client has the new"
    " one.",
    "Put the new secret in the place of the old one as soon as the rotation has answered.",
    "rotation.grace-ends",
)
OLD_SECRET_IN_GRACE: Final = replace(
    OLD_SECRET,
    severity=Severity.HINT,
    message="The old secret of a rotated token is used although the client has the new one: it ends with its grace.",
    clause="rotation.grace-holds",
)
NO_VERSION: Final = FindingKind(
    "no-version-pinned",
    Severity.HINT,
    "Requests come without Paylera-Version: the answers are those of the version that was current when the token was"
    " made, so that another token may get others.",
    "Send Paylera-Version with the version that the client was written for.",
    "version.default",
)
VERSION_DROPPED: Final = FindingKind(
    "version-dropped",
    Severity.WARNING,
    "Some requests carry Paylera-Version and this one does not: two versions may answer one client.",
    "Set Paylera-Version in one place, for every request, retries and further pages included.",
    "version.pinned",
)
RETRY_TOO_EARLY: Final = FindingKind(
    "retry-too-early",
    Severity.WARNING,
    "A request was sent again before the time that Retry-After had named was over.",
    "Wait as many seconds as Retry-After says; in a test, advance the fake's clock rather than not wait.",
    "rate-limit.refusal",
)
REPEATED_EARLY: Final = replace(
    RETRY_TOO_EARLY,
    severity=Severity.HINT,
    message="A request came again before the time that Retry-After had named was over, if it was no other test's.",
)
UNKNOWN_MEMBER: Final = FindingKind(
    "unknown-member",
    Severity.HINT,
    "A member of a body, or a parameter of a query, is none that the operation names: it is ignored.",
    "Send what /openapi/v1.json names; `--strict-bodies` refuses all else.",
)
LIVE_OVER_HTTP: Final = FindingKind(
    "live-token-over-http",
    Severity.ERROR,
    "A live token was sent over plain http to a host that is not this machine: whoever is on the way can read it.",
    "Use an https URL for live.",
)
FAKE_LIVE_OVER_HTTP: Final = replace(
    LIVE_OVER_HTTP,
    severity=Severity.HINT,
    message="A live token of this fake was sent over plain http to a host that is not this machine. A real one would be"
    " read by whoever is on the way.",
)

KINDS: Final[tuple[FindingKind, ...]] = (
    TOKEN_IN_URL,
    TOKEN_IN_BODY,
    TO_ANOTHER_ORIGIN,
    LIVE_OVER_HTTP,
    KEY_MISSING,
    KEY_REUSED,
    NEW_KEY,
    RETRY_ON_401,
    VERSION_DROPPED,
    RETRY_TOO_EARLY,
    FAKE_LIVE_OVER_HTTP,
    KEY_UNREADABLE,
    NEW_KEY_AFTER_LIMIT,
    REPEATED_401,
    REPEATED_EARLY,
    OLD_SECRET,
    OLD_SECRET_IN_GRACE,
    UNKNOWN_MEMBER,
    NO_VERSION,
)
"""What is listed first is worst."""
