"""Who asks: the credential, its token, and whether both still hold."""

from __future__ import annotations

from typing import Final

from paylera_fixtures.tokens import TOKEN_FORM
from paylera_fixtures.vocabulary import Header
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.credential import BearerCredential, Malformed, Missing
from paylera_mock.core.messages import Decision
from paylera_mock.pipeline.context import CheckResult, Context, RuleFunctions
from paylera_mock.pipeline.stages.alternatives import caller_name, grants_as_much, suggest_token
from paylera_mock.pipeline.stages.text import shorten, time_span
from paylera_mock.state.token_names import name_of

_OTHER_HEADERS: Final = frozenset({"x-api-key", "api-key", "x-auth-token", "x-access-token", "x-authorization"})
"""Headers in which other APIs take a token."""

_SEND: Final = "send `Authorization: Bearer <token>`."

_TOKEN_PARAMETERS: Final = ("token", "key", "access_token", "api_key", "apikey", "secret")
"""Names that a client may give a token in a query string."""


def check_credential(context: Context) -> Decision | None:
    """There is an `Authorization` header; a token anywhere else is not looked at."""
    context.credential = context.decisions.read_credential(context)
    return problems.missing_token() if isinstance(context.credential, Missing) else None


def describe_credential(context: Context) -> CheckResult:
    """Whether there is an `Authorization` header."""
    got = "none" if isinstance(_credential(context), Missing) else "one"
    return CheckResult(f"a header {Header.AUTHORIZATION}", got)


def advise_on_credential(context: Context) -> str:
    """No `Authorization` header was sent."""
    query = context.request.query.lower()
    if any(f"{name}=" in query for name in _TOKEN_PARAMETERS):
        return "The query string seems to hold a token, where it is not looked at and ends up in logs: use the header."
    for name, value in context.request.headers:
        if name in _OTHER_HEADERS or TOKEN_FORM.search(value):
            where = "A cookie" if name == "cookie" else f"The header {shorten(name.title())}"
            return f"{where} seems to hold a token, where it is not looked at: {_SEND}"
    for name in context.request.ignored_headers:
        if name.lower().replace("_", "-") in _OTHER_HEADERS:
            return f"The header {shorten(name)} seems to hold a token, where it is not looked at: {_SEND}"
    if TOKEN_FORM.search((context.request.body or b"").decode("latin-1")):
        return f"The body seems to hold a token, where it is not looked at: {_SEND}"
    return (
        "Give the client a token: one that was minted here, or in the default namespace one that `paylera-mock tokens`"
        " lists."
    )


CREDENTIAL: Final = RuleFunctions(check_credential, describe_credential, advise_on_credential)


def check_header_form(context: Context) -> Decision | None:
    """It reads `Bearer <token>`, and there is one of it."""
    credential = context.credential
    return problems.malformed_token(credential.flaw) if isinstance(credential, Malformed) else None


def describe_header_form(context: Context) -> CheckResult:
    """The form of the `Authorization` header."""
    sent = _credential(context)
    return CheckResult("Bearer <token>, once", sent.flaw.value if isinstance(sent, Malformed) else "Bearer and a token")


HEADER_FORM: Final = RuleFunctions(check_header_form, describe_header_form)


def check_environment(context: Context) -> Decision | None:
    """The token's prefix does not name the other environment."""
    credential, expected = context.credential, context.request.environment
    if isinstance(credential, BearerCredential) and credential.environment is expected.other:
        return problems.wrong_environment(expected)
    return None


def describe_environment(context: Context) -> CheckResult:
    """The environment that the token's prefix names, and that of the URL."""
    sent = _credential(context)
    named = sent.environment if isinstance(sent, BearerCredential) else None
    expected = f"a token of {context.request.environment}, where the URL leads"
    return CheckResult(expected, f"a token of {named}" if named else "a prefix of neither")


ENVIRONMENT: Final = RuleFunctions(check_environment, describe_environment)


def check_token(context: Context) -> Decision | None:
    """The token exists here."""
    if isinstance(context.credential, BearerCredential):
        context.token = context.decisions.find_token(context, context.credential.digest)
    if context.token is None or context.token.grant.environment is not context.request.environment:
        context.token = None
        return problems.unknown_token()
    return None


def describe_token(context: Context) -> CheckResult:
    """Which token it is."""
    found, sent = context.token, _credential(context)
    if found is not None:
        return CheckResult("a token that exists here", f"{name_of(found, context.secret)} ({found.id})")
    mark = f" (#{sent.digest[:4]})" if isinstance(sent, BearerCredential) else ""
    return CheckResult("a token that exists here", f"an unknown one{mark}")


TOKEN: Final = RuleFunctions(check_token, describe_token)


def check_revocation(context: Context) -> Decision | None:
    """The token was not revoked."""
    return problems.revoked_token() if context.caller.revoked else None


def describe_revocation(context: Context) -> CheckResult:
    """Whether the token was revoked, and when."""
    found = context.token
    if found is None:
        return CheckResult("a token that was not revoked", "none that is known")
    at = f" at {format_time(found.revoked_at)}" if found.revoked_at is not None else ""
    return CheckResult("a token that was not revoked", f"revoked{at}" if found.revoked else "active")


def advise_on_revocation(context: Context) -> str:
    """The token was revoked."""
    token = context.caller
    since = f" at {format_time(token.revoked_at)}" if token.revoked_at is not None else ""
    return (
        f"The token {caller_name(context)} was revoked{since}, for good.{suggest_token(context, grants_as_much(token))}"
    )


REVOCATION: Final = RuleFunctions(check_revocation, describe_revocation, advise_on_revocation)


def check_expiry(context: Context) -> Decision | None:
    """The secret is the current one, or in its grace."""
    return problems.expired_token() if context.decisions.is_expired(context) else None


def describe_expiry(context: Context) -> CheckResult:
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


def advise_on_expiry(context: Context) -> str:
    """The secret was rotated out and its grace is over."""
    token, secret = context.caller, context.secret
    over = f" at {format_time(secret.expires_at)}" if secret is not None and secret.expires_at is not None else ""
    return (
        f"This is an old secret of the token {token.id}, whose grace ended{over}:"
        f" use the one that the rotation answered with.{suggest_token(context, grants_as_much(token))}"
    )


EXPIRY: Final = RuleFunctions(check_expiry, describe_expiry, advise_on_expiry)


def _credential(context: Context) -> BearerCredential | Malformed | Missing:
    return context.request.credential if isinstance(context.credential, Missing) else context.credential
