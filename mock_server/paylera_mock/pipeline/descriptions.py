"""What each rule looks at in a request: what it expects, and what it gets, as short sentences.

`_SIGHTS` has one small function for each rule. A pipeline may have rules that are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from paylera_fixtures.api.operations import Match, Operation, find_operation, match
from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core.clock import written
from paylera_mock.core.credential import Credential, Malformed, Missing
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import name_of
from paylera_mock.state.tokens import StoredToken

_SHOWN: Final = 40
"""Characters of a client's text that are shown."""

_SCOPES_SHOWN: Final = 400
"""Characters of a token's scopes that are shown: those of a whole profile fit."""

_SAME_BODY: Final = "key-with-same-body"
_REPLAYED: Final = "replayed"

_DAY: Final = 86_400
_HOUR: Final = 3600
_MINUTE: Final = 60


class CheckResult(NamedTuple):
    """What a rule looked at. `applies`: whether there was anything to look at."""

    expected: str = ""
    got: str = ""
    applies: bool = True


def seen_by(rule_name: str, context: Context, decider: str) -> CheckResult:
    """What a rule saw in a request; nothing where the rule is not one of the contract's own.

    `decider`: the name of the rule that decided in the end.
    """
    look = _SIGHTS.get(rule_name)
    if look is not None:
        return look(context)
    compare = _COMPARED.get(rule_name)
    return compare(context, decider) if compare is not None else CheckResult()


def shortened(text: str, length: int = _SHOWN) -> str:
    """A client's text as far as it is shown: printable, on one line, and not long."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:length])
    return f"{printable}..." if len(text) > length else printable


def span(seconds: float) -> str:
    """A length of time in its largest unit: `23 h`, `1 day`."""
    for size, unit in ((_DAY, "day"), (_HOUR, "h"), (_MINUTE, "min")):
        count = int(seconds // size)
        if count:
            return f"{count} days" if unit == "day" and count > 1 else f"{count} {unit}"
    return f"{seconds:.3g} s"


# Who asks


def _present(context: Context) -> CheckResult:
    got = "none" if isinstance(_credential(context), Missing) else "one"
    return CheckResult(f"a header {Header.AUTHORIZATION}", got)


def _well_formed(context: Context) -> CheckResult:
    credential = _credential(context)
    got = credential.flaw.value if isinstance(credential, Malformed) else "Bearer and a token"
    return CheckResult("Bearer <token>, once", got)


def _environment(context: Context) -> CheckResult:
    credential, here = _credential(context), context.request.environment
    named = credential.environment if isinstance(credential, Credential) else None
    return CheckResult(
        f"a token of {here}, where the URL leads", f"a token of {named}" if named else "a prefix of neither"
    )


def _known(context: Context) -> CheckResult:
    token, credential = context.token, _credential(context)
    if token is not None:
        return CheckResult("a token that exists here", f"{name_of(token, context.secret)} ({token.id})")
    mark = f" (#{credential.digest[:4]})" if isinstance(credential, Credential) else ""
    return CheckResult("a token that exists here", f"an unknown one{mark}")


def _not_revoked(context: Context) -> CheckResult:
    token = context.token
    if token is None:
        return CheckResult("a token that was not revoked", "none that is known")
    at = f" at {written(token.revoked_at)}" if token.revoked_at is not None else ""
    return CheckResult("a token that was not revoked", f"revoked{at}" if token.revoked else "active")


def _not_expired(context: Context) -> CheckResult:
    return CheckResult("the current secret, or one in its grace", _secret_state(context))


def _secret_state(context: Context) -> str:
    token, ends = context.token, context.secret.expires_at if context.secret else None
    if ends is None:
        return "the current secret"
    rotated = f"rotated at {written(token.rotated_at)}, " if token and token.rotated_at is not None else ""
    left = ends - context.now
    if left > 0:
        return f"an old secret in its grace: {rotated}ends at {written(ends)}, {span(left)} left"
    return f"an old secret: {rotated}its grace ended at {written(ends)}, {span(-left)} ago"


def _rate(context: Context) -> CheckResult:
    allowance = context.allowance
    if allowance is None:
        return CheckResult("within the tenant's rate", "not counted")
    window = span(context.policy.rate_window_seconds)
    expected = f"at most {allowance.limit} {allowance.group} requests in {window}"
    limits = "" if context.state.rates_enforced else "; limits are off"
    return CheckResult(expected, f"{allowance.remaining} left, refilled at {written(allowance.reset)}{limits}")


# Whether they may


def _admin(context: Context) -> CheckResult:
    if not context.request.path.startswith("/v1/admin/"):
        return CheckResult("admin, on /v1/admin/ only", "another path", applies=False)
    return CheckResult("the audience admin", _audience(context.token))


def _customer(context: Context) -> CheckResult:
    if context.token is None or context.token.grant.audience is not Audience.CUSTOMER:
        return CheckResult("reads only, of a customer", _audience(context.token), applies=False)
    operation = _operation(context)
    return CheckResult("a read of what customers have", str(operation) if operation else _line(context))


def _route(context: Context) -> CheckResult:
    found = _match(context)
    path = found.route if found else shortened(context.request.path)
    return CheckResult("a path of the contract", path)


def _method(context: Context) -> CheckResult:
    found = _match(context)
    expected = " or ".join(sorted(found.operations)) if found else "a method of the path"
    return CheckResult(expected, shortened(context.request.method))


def _scope(context: Context) -> CheckResult:
    operation = _operation(context)
    scope = operation.scope_in(context.policy.profile) if operation else None
    had = " ".join(context.token.grant.scopes) if context.token else ""
    if scope is None:
        return CheckResult("no scope", had or "none", applies=False)
    return CheckResult(f"the scope {scope}", shortened(had, _SCOPES_SHOWN) or "none")


def _second_factor(context: Context) -> CheckResult:
    operation, token = _operation(context), context.token
    got = f"AAL{token.grant.aal}, {token.grant.audience}" if token else "none"
    if operation is None or not operation.aal2:
        return CheckResult("no second factor", got, applies=False)
    return CheckResult("AAL2, of an operator", got)


def _actor(context: Context) -> CheckResult:
    actor = context.request.acting_as
    if actor is None:
        return CheckResult(f"an actor of the tenant, in {Header.ACTING_AS}", "no such header", applies=False)
    return CheckResult("an actor of the tenant's registry", shortened(actor) or "an empty header")


# What they ask


def _version(context: Context) -> CheckResult:
    asked, supported = context.request.version, " or ".join(context.state.versions.supported)
    if asked is None:
        own = context.token.default_version if context.token else context.state.versions.current
        return CheckResult(supported, f"none asked: the token's own, {own}")
    return CheckResult(supported, shortened(asked) or "an empty header")


def _bounded(context: Context) -> CheckResult:
    limit = f"at most {context.policy.body_limit} bytes of body"
    body = context.request.body
    if body is None:
        return CheckResult(limit, "more")
    return CheckResult(limit, "within" if body else "no body", applies=bool(body))


def _key(context: Context) -> CheckResult:
    if context.request.method in {"GET", "DELETE"}:
        return CheckResult("no key", f"{context.request.method} needs none", applies=False)
    needed = _operation(context) is not None and context.decisions.key_needed(context)
    key = (context.request.idempotency_key or "").strip()
    got = f"a key of {_characters(context)}" if key else "none"
    return CheckResult(
        f"a header {Header.IDEMPOTENCY_KEY}" if needed else "a key or none", got, applies=needed or bool(key)
    )


def _key_length(context: Context) -> CheckResult:
    if not _has_key(context):
        return _keyless()
    return CheckResult(f"at most {context.policy.key_max_length} characters", _characters(context))


def _same_body(context: Context, decider: str) -> CheckResult:
    if not _has_key(context):
        return _keyless()
    got = {_REPLAYED: "the same bytes", _SAME_BODY: "other bytes"}.get(decider)
    return CheckResult("the body that the key came with first", got or "a new key", applies=got is not None)


def _replayed(context: Context, decider: str) -> CheckResult:
    if not _has_key(context):
        return _keyless()
    if decider != _REPLAYED:
        return CheckResult("an answer kept for the key", "a new key", applies=False)
    record = context.state.idempotency.find(context.decisions.record_key(context), context.now)
    first = f"the one of {written(record.first_used)}" if record is not None else "the first one"
    return CheckResult("an answer kept for the key", f"{first}, sent again")


def _json(context: Context) -> CheckResult:
    if context.request.method in {"GET", "DELETE"} or not context.request.body:
        return CheckResult("JSON", "no body", applies=False)
    return CheckResult(
        "JSON, and a media type that says so", shortened(context.request.content_type or "no Content-Type")
    )


def _schema(context: Context) -> CheckResult:
    operation = _operation(context)
    if operation is None or operation.is_read:
        return CheckResult("the members of the operation", "a read", applies=False)
    return CheckResult(f"the members of {operation}")


def _effect(context: Context) -> CheckResult:
    operation = _operation(context)
    return CheckResult("the operation happens", str(operation) if operation else _line(context))


def _credential(context: Context) -> Credential | Malformed | Missing:
    return context.request.credential if isinstance(context.credential, Missing) else context.credential


def _match(context: Context) -> Match | None:
    return context.match or match(context.request.path)


def _operation(context: Context) -> Operation | None:
    return context.operation or find_operation(context.request.method, context.request.path)


def _line(context: Context) -> str:
    return f"{shortened(context.request.method)} {shortened(context.request.path)}"


def _audience(token: StoredToken | None) -> str:
    return f"the audience {token.grant.audience}" if token else "none"


def _has_key(context: Context) -> bool:
    sent = bool((context.request.idempotency_key or "").strip())
    return sent and context.token is not None and context.request.method not in {"GET", "DELETE"}


def _keyless() -> CheckResult:
    return CheckResult("a key", "no key", applies=False)


def _characters(context: Context) -> str:
    count = len(context.request.idempotency_key or "")
    return "1 character" if count == 1 else f"{count} characters"


_SIGHTS: Final[Mapping[str, Callable[[Context], CheckResult]]] = MappingProxyType(
    {
        "credential-present": _present,
        "credential-well-formed": _well_formed,
        "right-environment": _environment,
        "token-known": _known,
        "token-not-revoked": _not_revoked,
        "secret-not-expired": _not_expired,
        "within-rate": _rate,
        "admin-api-by-admin": _admin,
        "customer-reads-only": _customer,
        "route-exists": _route,
        "method-allowed": _method,
        "scope-granted": _scope,
        "second-factor": _second_factor,
        "actor-known": _actor,
        "version-supported": _version,
        "body-bounded": _bounded,
        "key-present": _key,
        "key-bounded": _key_length,
        "body-is-json": _json,
        "body-fits-schema": _schema,
        "effect": _effect,
    }
)

# What became of a key is told by who decided: the records have moved on since.
_COMPARED: Final[Mapping[str, Callable[[Context, str], CheckResult]]] = MappingProxyType(
    {_SAME_BODY: _same_body, _REPLAYED: _replayed}
)
