"""What each rule looks at in a request: what it expects, and what it got, as short sentences without a secret.

They are written when somebody asks, from what the checks left in the context; a check that was not reached is not
described.
"""

from __future__ import annotations

from typing import Final

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core.clock import format_time
from paylera_mock.core.credential import BearerCredential, Malformed, Missing
from paylera_mock.core.messages import BODILESS
from paylera_mock.pipeline.context import CheckResult, Context
from paylera_mock.state.token_names import name_of
from paylera_mock.state.tokens import StoredToken

_SHOWN: Final = 40
"""Characters of a client's text that are shown."""

_SCOPES_SHOWN: Final = 400
"""Characters of a token's scopes that are shown: those of a whole profile fit."""

_UNITS: Final = ((86_400, "day"), (3600, "h"), (60, "min"))


def shorten(text: str, length: int = _SHOWN) -> str:
    """A client's text as far as it is shown: printable, on one line, and not long."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:length])
    return f"{printable}..." if len(text) > length else printable


def time_span(seconds: float) -> str:
    """A length of time in its largest unit, rounded down: `23 h`, `1 day`."""
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count:
            return f"{count} days" if unit == "day" and count > 1 else f"{count} {unit}"
    return f"{seconds:.3g} s"


def credential(context: Context) -> CheckResult:
    """Whether there is an `Authorization` header."""
    got = "none" if isinstance(_credential(context), Missing) else "one"
    return CheckResult(f"a header {Header.AUTHORIZATION}", got)


def header_form(context: Context) -> CheckResult:
    """The form of the `Authorization` header."""
    sent = _credential(context)
    return CheckResult("Bearer <token>, once", sent.flaw.value if isinstance(sent, Malformed) else "Bearer and a token")


def environment(context: Context) -> CheckResult:
    """The environment that the token's prefix names, and that of the URL."""
    sent = _credential(context)
    named = sent.environment if isinstance(sent, BearerCredential) else None
    expected = f"a token of {context.request.environment}, where the URL leads"
    return CheckResult(expected, f"a token of {named}" if named else "a prefix of neither")


def token(context: Context) -> CheckResult:
    """Which token it is."""
    found, sent = context.token, _credential(context)
    if found is not None:
        return CheckResult("a token that exists here", f"{name_of(found, context.secret)} ({found.id})")
    mark = f" (#{sent.digest[:4]})" if isinstance(sent, BearerCredential) else ""
    return CheckResult("a token that exists here", f"an unknown one{mark}")


def revocation(context: Context) -> CheckResult:
    """Whether the token was revoked, and when."""
    found = context.token
    if found is None:
        return CheckResult("a token that was not revoked", "none that is known")
    at = f" at {format_time(found.revoked_at)}" if found.revoked_at is not None else ""
    return CheckResult("a token that was not revoked", f"revoked{at}" if found.revoked else "active")


def expiry(context: Context) -> CheckResult:
    """Whether the secret is the current one, or until when it is in its grace."""
    expected = "the current secret, or one in its grace"
    ends = context.secret.expires_at if context.secret else None
    if ends is None:
        return CheckResult(expected, "the current secret")
    rotated_at = context.token.rotated_at if context.token else None
    rotated = f"rotated at {format_time(rotated_at)}, " if rotated_at is not None else ""
    left = ends - context.now
    if left > 0:
        got = f"an old secret in its grace: {rotated}ends at {format_time(ends)}, {time_span(left)} left"
    else:
        got = f"an old secret: {rotated}its grace ended at {format_time(ends)}, {time_span(-left)} ago"
    return CheckResult(expected, got)


def rate(context: Context) -> CheckResult:
    """What is left of the tenant's rate."""
    allowance = context.allowance
    if allowance is None:
        return CheckResult("within the tenant's rate", "not counted")
    window = time_span(context.policy.rate_window_seconds)
    limits = "" if context.state.rates_enforced else "; limits are off"
    return CheckResult(
        f"at most {allowance.limit} {allowance.group} requests in {window}",
        f"{allowance.remaining} left, refilled at {format_time(allowance.reset)}{limits}",
    )


def admin(context: Context) -> CheckResult:
    """The token's audience, on the Admin API."""
    if not context.request.path.startswith(ADMIN_PATH):
        return CheckResult("admin, on /v1/admin/ only", "another path", applies=False)
    return CheckResult("the audience admin", _audience(context.token))


def customer(context: Context) -> CheckResult:
    """What a customer calls."""
    if context.token is None or context.token.grant.audience is not Audience.CUSTOMER:
        return CheckResult("reads only, of a customer", _audience(context.token), applies=False)
    return CheckResult("a read of what customers have", _operation_name(context))


def route(context: Context) -> CheckResult:
    """The path of the contract that the request's path means."""
    return CheckResult("a path of the contract", context.request.route or shorten(context.request.path))


def method(context: Context) -> CheckResult:
    """The method, and which the path has."""
    found = context.request.match
    expected = " or ".join(sorted(found.operations)) if found else "a method of the path"
    return CheckResult(expected, shorten(context.request.method))


def scope(context: Context) -> CheckResult:
    """The scope that the operation needs, and those that the token has."""
    operation = context.request.operation
    needed = operation.scope_in(context.policy.profile) if operation else None
    granted = " ".join(context.token.grant.scopes) if context.token else ""
    if needed is None:
        return CheckResult("no scope", granted or "none", applies=False)
    return CheckResult(f"the scope {needed}", shorten(granted, _SCOPES_SHOWN) or "none")


def second_factor(context: Context) -> CheckResult:
    """The token's authentication assurance level, where the operation needs AAL2."""
    operation = context.request.operation
    got = f"AAL{context.token.grant.aal}, {context.token.grant.audience}" if context.token else "none"
    if operation is None or not operation.aal2:
        return CheckResult("no second factor", got, applies=False)
    return CheckResult("AAL2, of an operator", got)


def actor(context: Context) -> CheckResult:
    """Who is acted for."""
    sent = context.request.acting_as
    if sent is None:
        return CheckResult(f"an actor of the tenant, in {Header.ACTING_AS}", "no such header", applies=False)
    return CheckResult("an actor of the tenant's registry", shorten(sent) or "an empty header")


def version(context: Context) -> CheckResult:
    """The version asked for, and those that are served."""
    sent, versions = context.request.version, context.state.versions
    supported = " or ".join(versions.supported)
    if sent is None:
        own = context.token.default_version if context.token else versions.current
        return CheckResult(supported, f"none asked: the token's own, {own}")
    return CheckResult(supported, shorten(sent) or "an empty header")


def body_size(context: Context) -> CheckResult:
    """Whether the body is within the limit."""
    limit, body = f"at most {context.policy.body_limit} bytes of body", context.request.body
    if body is None:
        return CheckResult(limit, "more")
    return CheckResult(limit, "within" if body else "no body", applies=bool(body))


def key(context: Context) -> CheckResult:
    """Whether there is an idempotency key, and whether the operation needs one."""
    if context.request.method in BODILESS:
        return CheckResult("no key", f"{context.request.method} needs none", applies=False)
    needed = context.request.operation is not None and context.decisions.key_needed(context)
    sent = bool((context.request.idempotency_key or "").strip())
    expected = f"a header {Header.IDEMPOTENCY_KEY}" if needed else "a key or none"
    return CheckResult(expected, f"a key of {_key_characters(context)}" if sent else "none", applies=needed or sent)


def key_length(context: Context) -> CheckResult:
    """The length of the idempotency key."""
    if not _has_key(context):
        return _NO_KEY
    return CheckResult(f"at most {context.policy.key_max_length} characters", _key_characters(context))


def body_of_key(context: Context) -> CheckResult:
    """Whether the body is the one that the idempotency key came with first."""
    if not _has_key(context):
        return _NO_KEY
    expected, record = "the body that the key came with first", context.record
    if record is None:
        return CheckResult(expected, "a new key", applies=False)
    return CheckResult(expected, "the same bytes" if record.body_digest == context.body_digest else "other bytes")


def replay(context: Context) -> CheckResult:
    """Which answer is kept for the idempotency key."""
    if not _has_key(context):
        return _NO_KEY
    if context.record is None:
        return CheckResult("an answer kept for the key", "a new key", applies=False)
    return CheckResult("an answer kept for the key", f"the one of {format_time(context.record.first_used)}, sent again")


def json(context: Context) -> CheckResult:
    """What the body is declared to be."""
    if context.request.method in BODILESS or not context.request.body:
        return CheckResult("JSON", "no body", applies=False)
    declared = shorten(context.request.content_type or "no Content-Type")
    return CheckResult("JSON, and a media type that says so", declared)


def schema(context: Context) -> CheckResult:
    """Whose schema the body is compared with; the problem names the members that do not fit."""
    operation = context.request.operation
    if operation is None or operation.is_read:
        return CheckResult("the members of the operation", "a read", applies=False)
    return CheckResult(f"the members of {operation}")


def effect(context: Context) -> CheckResult:
    """Which operation happens."""
    return CheckResult("the operation happens", _operation_name(context))


_NO_KEY: Final = CheckResult("a key", "no key", applies=False)


def _credential(context: Context) -> BearerCredential | Malformed | Missing:
    return context.request.credential if isinstance(context.credential, Missing) else context.credential


def _operation_name(context: Context) -> str:
    operation = context.request.operation
    return str(operation) if operation else f"{shorten(context.request.method)} {shorten(context.request.path)}"


def _audience(found: StoredToken | None) -> str:
    return f"the audience {found.grant.audience}" if found else "none"


def _has_key(context: Context) -> bool:
    sent = bool((context.request.idempotency_key or "").strip())
    return sent and context.token is not None and context.request.method not in BODILESS


def _key_characters(context: Context) -> str:
    count = len(context.request.idempotency_key or "")
    return "1 character" if count == 1 else f"{count} characters"
