"""Whether who asks may: rate, audience, scope, second factor, and the actor that is acted for."""

from __future__ import annotations

from itertools import islice
from typing import Final

from paylera_fixtures.api.operations import ADMIN_PATH
from paylera_fixtures.vocabulary import Audience, Header
from paylera_mock.core import problems
from paylera_mock.core.clock import format_time
from paylera_mock.core.messages import Decision
from paylera_mock.pipeline.context import CheckResult, Context, RuleFunctions
from paylera_mock.pipeline.stages.alternatives import caller_name, suggest_token
from paylera_mock.pipeline.stages.text import operation_name, shorten, time_span
from paylera_mock.state.rate_limits import group_of
from paylera_mock.state.tokens import StoredToken

_SCOPES_SHOWN: Final = 400
"""Characters of a token's scopes that are shown: those of a whole profile fit."""

_NAMED: Final = 3
"""How many actors are named at most."""


def check_rate(context: Context) -> Decision | None:
    """The tenant has not used up its rate. Every request that gets here counts, refused or not."""
    request, state = context.request, context.state
    group = group_of(request.method, request.path)
    allowance = state.limiter.count(context.tenant_id, request.environment, group, context.now)
    context.allowance = allowance
    if state.rates_enforced and allowance.retry_after is not None:
        return problems.rate_limited(allowance)
    return None


def describe_rate(context: Context) -> CheckResult:
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


def advise_on_rate(context: Context) -> str:
    """The rate is used up."""
    seconds = context.allowance.retry_after if context.allowance else None
    return f"Wait {seconds or 1} s as {Header.RETRY_AFTER} says; in a test, advance the clock or switch the limits off."


RATE: Final = RuleFunctions(check_rate, describe_rate, advise_on_rate)


def check_admin(context: Context) -> Decision | None:
    """The Admin API is called by an admin token, whatever the scopes."""
    if context.request.path.startswith(ADMIN_PATH) and context.caller.grant.audience is not Audience.ADMIN:
        return problems.audience_required(context.policy, (Audience.ADMIN,))
    return None


def describe_admin(context: Context) -> CheckResult:
    """The token's audience, on the Admin API."""
    if not context.request.path.startswith(ADMIN_PATH):
        return CheckResult("admin, on /v1/admin/ only", "another path", applies=False)
    return CheckResult("the audience admin", _audience(context.token))


def advise_on_admin(context: Context) -> str:
    """The Admin API was called by another audience."""
    other = suggest_token(context, lambda token: token.grant.audience is Audience.ADMIN)
    return f"The token {caller_name(context)} is one of the audience {context.caller.grant.audience}.{other}"


ADMIN: Final = RuleFunctions(check_admin, describe_admin, advise_on_admin)


def check_customer(context: Context) -> Decision | None:
    """A customer token only reads, and only what customers have."""
    if context.caller.grant.audience is not Audience.CUSTOMER:
        return None
    operation = context.request.operation
    # On a path that does not exist a read is let pass, so that it is answered 404.
    allowed = operation.customer_may if operation else context.request.method == "GET"
    return None if allowed else problems.audience_required(context.policy, (Audience.SERVICE, Audience.ADMIN))


def describe_customer(context: Context) -> CheckResult:
    """What a customer calls."""
    if context.token is None or context.token.grant.audience is not Audience.CUSTOMER:
        return CheckResult("reads only, of a customer", _audience(context.token), applies=False)
    return CheckResult("a read of what customers have", operation_name(context))


def advise_on_customer(context: Context) -> str:
    """A customer called what customers may not."""
    other = suggest_token(context, lambda token: token.grant.audience is not Audience.CUSTOMER)
    return f"A customer only reads, and only what is its own.{other}"


CUSTOMER: Final = RuleFunctions(check_customer, describe_customer, advise_on_customer)


def check_scope(context: Context) -> Decision | None:
    """The token has the scope of the operation, compared whole."""
    scope = context.called_operation.scope_in(context.policy.profile)
    if scope is None or context.decisions.has_scope(context.caller, scope):
        return None
    return problems.scope_required(context.policy, scope)


def describe_scope(context: Context) -> CheckResult:
    """The scope that the operation needs, and those that the token has."""
    operation = context.request.operation
    needed = operation.scope_in(context.policy.profile) if operation else None
    granted = " ".join(context.token.grant.scopes) if context.token else ""
    if needed is None:
        return CheckResult("no scope", granted or "none", applies=False)
    return CheckResult(f"the scope {needed}", shorten(granted, _SCOPES_SHOWN) or "none")


def advise_on_scope(context: Context) -> str:
    """The token lacks the scope."""
    needed = context.called_operation.scope_in(context.policy.profile)
    grant = context.caller.grant

    def would_do(token: StoredToken) -> bool:
        is_alike = (token.grant.audience, token.grant.aal) == (grant.audience, grant.aal)
        return is_alike and (needed in token.grant.scopes or token.grants_all)

    return f"The token {caller_name(context)} lacks {needed}.{suggest_token(context, would_do)}"


SCOPE: Final = RuleFunctions(check_scope, describe_scope, advise_on_scope)


def check_second_factor(context: Context) -> Decision | None:
    """Where the operation needs AAL2, the token's principal has asserted it."""
    if not context.called_operation.aal2 or context.decisions.has_aal2(context.caller):
        return None
    return problems.aal2_required(context.policy)


def describe_second_factor(context: Context) -> CheckResult:
    """The token's authentication assurance level, where the operation needs AAL2."""
    operation = context.request.operation
    got = f"AAL{context.token.grant.aal}, {context.token.grant.audience}" if context.token else "none"
    if operation is None or not operation.aal2:
        return CheckResult("no second factor", got, applies=False)
    return CheckResult("AAL2, of an operator", got)


def advise_on_second_factor(context: Context) -> str:
    """The token was issued without a second factor."""
    has_aal2 = context.decisions.has_aal2
    other = suggest_token(context, lambda token: has_aal2(token) and token.grants_all)
    return f"The token {caller_name(context)} was issued without a second factor.{other}"


SECOND_FACTOR: Final = RuleFunctions(check_second_factor, describe_second_factor, advise_on_second_factor)


def check_actor(context: Context) -> Decision | None:
    """The actor is in the tenant's registry; an empty header names no actor of it."""
    actor = context.request.acting_as
    if actor is None or context.decisions.actor_known(context, actor):
        return None
    return problems.unknown_actor(context.policy)


def describe_actor(context: Context) -> CheckResult:
    """Who is acted for."""
    sent = context.request.acting_as
    if sent is None:
        return CheckResult(f"an actor of the tenant, in {Header.ACTING_AS}", "no such header", applies=False)
    return CheckResult("an actor of the tenant's registry", shorten(sent) or "an empty header")


def advise_on_actor(context: Context) -> str:
    """The actor is not in the tenant's registry."""
    if not (context.request.acting_as or "").strip():
        return f"{Header.ACTING_AS} is there and empty: leave it out where nobody is acted for."
    entries = context.state.actors.newest_first(context.tenant_id)
    actors = [entry.value["id"] for entry in islice(entries, _NAMED)]
    if not actors:
        return "The registry of this tenant is empty: enter an actor with POST /v1/admin/actors."
    return f"In the registry of this tenant are {', '.join(actors)}: actors of another tenant are not."


ACTOR: Final = RuleFunctions(check_actor, describe_actor, advise_on_actor)


def _audience(found: StoredToken | None) -> str:
    return f"the audience {found.grant.audience}" if found else "none"
