"""What would have been let pass: one sentence for each rule that can refuse a request whose token is known.

Told from what the rules had found out, so that it can be told later too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from types import MappingProxyType
from typing import Final

from paylera_fixtures.api.operations import OPERATIONS, match
from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core.clock import written
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.token_names import is_had, name_of
from paylera_mock.state.tokens import StoredToken

_LOOKED_AT: Final = 200
"""Tokens among which one that would do is looked for, the newest ones."""

_NAMED: Final = 3
"""How many of a kind are named at most."""


def advice(context: Context, rule: Rule, decision: Decision | None) -> str:
    """What to do about a refusal, as a sentence without a secret; empty where the problem says it all."""
    told = _ADVICE.get(rule.name)
    return told(context) if told is not None and isinstance(decision, Problem) else ""


def _no_credential(context: Context) -> str:
    query = context.request.query.lower()
    if any(f"{name}=" in query for name in ("token", "key", "access_token", "api_key", "apikey", "secret")):
        return "The query string seems to hold a token, where it is not looked at and ends up in logs: use the header."
    return "Give the client a token: `paylera-mock tokens` lists those that are there from the start."


def _revoked(context: Context) -> str:
    token = context.token
    if token is None:
        return ""
    since = f" at {written(token.revoked_at)}" if token.revoked_at is not None else ""
    return f"The token {_called(context)} was revoked{since}, for good.{_instead(context, _as_able(token))}"


def _expired(context: Context) -> str:
    token, secret = context.token, context.secret
    if token is None:
        return ""
    over = f" at {written(secret.expires_at)}" if secret is not None and secret.expires_at is not None else ""
    return (
        f"This is an old secret of the token {token.id}, whose grace ended{over}:"
        f" use the one that the rotation answered with.{_instead(context, _as_able(token))}"
    )


def _needs_admin(context: Context) -> str:
    def able(token: StoredToken) -> bool:
        return token.grant.audience is Audience.ADMIN

    return f"The token {_called(context)} is one of the audience {_audience(context)}.{_instead(context, able)}"


def _customer(context: Context) -> str:
    def able(token: StoredToken) -> bool:
        return token.grant.audience is not Audience.CUSTOMER

    return f"A customer only reads, and only what is its own.{_instead(context, able)}"


def _scope(context: Context) -> str:
    scope = context.operation.scope_in(context.policy.profile) if context.operation else None
    grant = context.token.grant if context.token else None

    def able(token: StoredToken) -> bool:
        alike = grant is None or (token.grant.audience, token.grant.aal) == (grant.audience, grant.aal)
        return alike and (scope in token.grant.scopes or token.grants_all)

    return f"The token {_called(context)} lacks {scope}.{_instead(context, able)}"


def _second_factor(context: Context) -> str:
    def able(token: StoredToken) -> bool:
        return context.decisions.has_aal2(token) and token.grants_all

    return f"The token {_called(context)} was issued without a second factor.{_instead(context, able)}"


def _rate(context: Context) -> str:
    seconds = context.allowance.retry_after if context.allowance else None
    return f"Wait {seconds or 1} s as {Header.RETRY_AFTER} says; in a test, advance the clock or switch the limits off."


def _route(context: Context) -> str:
    near = nearest_path(context.request.path)
    return f"Did you mean {near}?" if near else ""


def nearest_path(path: str) -> str:
    """A path of the contract that may be meant by one that is none; empty where none is near."""
    segments = [segment for segment in path.lower().split("/") if segment not in {"", "sandbox", "live", "api"}]
    while segments[:1] == ["v1"]:
        del segments[0]
    whole = "/v1/" + "/".join(segments)
    found = match(whole)
    if found is not None:
        return found.route
    paths = sorted({operation.path for operation in OPERATIONS})
    return next(iter(get_close_matches(whole[:100], paths, n=1, cutoff=0.8)), "")


def _method(context: Context) -> str:
    methods = ", ".join(sorted(context.match.operations)) if context.match else ""
    return f"On this path there are {methods}." if methods else ""


def _actor(context: Context) -> str:
    if not (context.request.acting_as or "").strip():
        return f"{Header.ACTING_AS} is there and empty: leave it out where nobody is acted for."
    actors = list(islice(context.state.actors.of(context.tenant_id), _NAMED))
    if not actors:
        return "The registry of this tenant is empty: enter an actor with POST /v1/admin/actors."
    return f"In the registry of this tenant are {', '.join(actors)}: actors of another tenant are not."


def _version(context: Context) -> str:
    return f"There are {' and '.join(context.state.versions.supported)}; without the header the token's own is used."


def _key(context: Context) -> str:
    del context
    return (
        f"Send {Header.IDEMPOTENCY_KEY} with a new UUID for each operation, and with the same one when it is retried."
    )


def _key_reused(context: Context) -> str:
    record = context.state.idempotency.find(context.decisions.record_key(context), context.now)
    first = f", first at {written(record.first_used)}" if record is not None else ""
    return f"The key was used before{first}: a retry sends the same bytes, and another operation another key."


def _called(context: Context) -> str:
    return name_of(context.token, context.secret) if context.token else "that was sent"


def _audience(context: Context) -> str:
    return context.token.grant.audience.value if context.token else "none"


def _as_able(wanted: StoredToken) -> Callable[[StoredToken], bool]:
    """Whether a token may do what another may."""

    def able(token: StoredToken) -> bool:
        one, other = wanted.grant, token.grant
        return (one.audience, one.customer_id, one.tenant_id) == (
            other.audience,
            other.customer_id,
            other.tenant_id,
        ) and (token.grants_all or set(one.scopes) <= set(other.scopes))

    return able


def _instead(context: Context, able: Callable[[StoredToken], bool]) -> str:
    """Which other token would do, the oldest one, where there is one."""
    found = [token for token in _others(context) if able(token) and is_had(token)]
    return f" One that would do: {name_of(found[-1], found[-1].secrets[0])}." if found else ""


def _others(context: Context) -> Iterator[StoredToken]:
    """The living tokens of the same tenant and environment."""
    grant = context.token.grant if context.token else None
    for token in islice(context.state.tokens, _LOOKED_AT):
        if grant is None or (token.grant.tenant_id, token.grant.environment) != (grant.tenant_id, grant.environment):
            continue
        if not token.revoked and token.id != (context.token.id if context.token else None):
            yield token


_ADVICE: Final[Mapping[str, Callable[[Context], str]]] = MappingProxyType(
    {
        "credential-present": _no_credential,
        "token-not-revoked": _revoked,
        "secret-not-expired": _expired,
        "within-rate": _rate,
        "admin-api-by-admin": _needs_admin,
        "customer-reads-only": _customer,
        "route-exists": _route,
        "method-allowed": _method,
        "scope-granted": _scope,
        "second-factor": _second_factor,
        "actor-known": _actor,
        "version-supported": _version,
        "key-present": _key,
        "key-with-same-body": _key_reused,
    }
)
"""By the name of the rule that refused."""
