"""Mutants of scopes: which one an operation needs, how they are compared, and what the wildcard grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from paylera_fixtures.vocabulary import WILDCARD, Problems
from paylera_mock.mutants.builders import Mutation, change_decision, change_refusal, decide_late, relent, without_rule
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, rules


def _grant_where(also: Callable[[tuple[str, ...], str], bool]) -> Mutation:
    """Some scopes are had by tokens that lack them: `also` gets the token's scopes and the one that is needed."""
    return change_decision(decisions.has_scope, lambda right, token, scope: right or also(token.grant.scopes, scope))


def _refuse_where(but: Callable[[tuple[str, ...], str], bool]) -> Mutation:
    return change_decision(
        decisions.has_scope, lambda right, token, scope: right and not but(token.grant.scopes, scope)
    )


def _wildcard_without(*scopes: str) -> Mutation:
    """The wildcard does not stand for some scopes, which must be named; for all of them where none is given."""
    return _refuse_where(lambda has, scope: scope not in has and (scope in scopes or not scopes))


_breaks_required_and_exact: Final = partial(Mutant, breaks=("scope.required", "scope.exact"))
_breaks_required: Final = partial(Mutant, breaks=("scope.required",))
_breaks_exact: Final = partial(Mutant, breaks=("scope.exact",))
_breaks_granted: Final = partial(Mutant, breaks=("scope.granted",))
_breaks_wildcard: Final = partial(Mutant, breaks=("scope.wildcard",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no-scope-needed": Mutant(
        "No scope is needed for anything.",
        without_rule(rules.SCOPE_GRANTED),
        breaks=("scope.required", "scope.exact", "robustness.no-side-door"),
    ),
    "scope-is-400": _breaks_required_and_exact(
        "A token without the scope is refused with 400.", change_refusal(rules.SCOPE_GRANTED, status=400)
    ),
    "scope-by-the-other-reading": _breaks_required_and_exact(
        "A token without the scope is refused with the status of the other reading.",
        change_refusal(rules.SCOPE_GRANTED, status=403),
    ),
    "scope-is-audience": _breaks_required_and_exact(
        "A token without the scope is refused as one of the wrong audience.",
        change_refusal(rules.SCOPE_GRANTED, type=Problems.AUDIENCE_REQUIRED),
    ),
    "scope-is-200": _breaks_required_and_exact(
        "A token without the scope gets the right problem with status 200.",
        change_refusal(rules.SCOPE_GRANTED, status=200),
        may_break=("robustness.no-side-door",),
        subtle=True,
    ),
    "scope-refused-late": Mutant(
        "A token without the scope is refused only after the request has had its effect.",
        decide_late(rules.SCOPE_GRANTED),
        breaks=("credential.refusal-has-no-effect",),
        subtle=True,
    ),
    "write-implies-refund": _breaks_required(
        "The scope payments:write is enough for a refund.",
        _grant_where(lambda has, scope: scope == "payments:refund" and "payments:write" in has),
        subtle=True,
    ),
    "any-scope-reads-webhooks": _breaks_required(
        "Reading webhook endpoints takes any scope.",
        _grant_where(lambda has, scope: scope == "webhooks:read" and bool(has)),
        subtle=True,
    ),
    "write-implies-read": _breaks_required_and_exact(
        "A scope to write is enough to read.",
        _grant_where(lambda has, scope: scope.replace(":read", ":write") in has),
        subtle=True,
    ),
    "read-implies-write": _breaks_required_and_exact(
        "A scope to read is enough to write.", _grant_where(lambda has, scope: scope.replace(":write", ":read") in has)
    ),
    "scope-by-substring": _breaks_exact(
        "A scope counts as granted where it is a part of one that the token has.",
        _grant_where(lambda has, scope: any(scope in each for each in has)),
        subtle=True,
    ),
    "scope-by-prefix": _breaks_exact(
        "A scope counts as granted where it begins with one that the token has.",
        _grant_where(lambda has, scope: scope.startswith(has)),
        subtle=True,
    ),
    "scope-without-case": _breaks_exact(
        "Scopes are compared without regard to case.",
        _grant_where(lambda has, scope: scope in map(str.lower, has)),
        subtle=True,
    ),
    "scope-by-resource": _breaks_exact(
        "A scope such as customers:* grants all of customers.",
        _grant_where(lambda has, scope: f"{scope.partition(':')[0]}:*" in has),
    ),
    "scope-list-in-one": _breaks_exact(
        "A scope that holds a space counts as two.",
        _grant_where(lambda has, scope: scope in " ".join(has).split()),
        subtle=True,
    ),
    "scope-by-verb": _breaks_exact(
        "The scope read grants every scope to read.", _grant_where(lambda has, scope: scope.partition(":")[2] in has)
    ),
    "write-needs-read": _breaks_granted(
        "A scope to write does nothing without the one to read.",
        _refuse_where(
            lambda has, scope: scope.endswith(":write") and {WILDCARD, scope.replace(":write", ":read")}.isdisjoint(has)
        ),
        may_break=("idempotency.per-tenant",),
        subtle=True,
    ),
    "refund-needs-wildcard": _breaks_granted(
        "The scope payments:refund does nothing: only * opens refunds.",
        _refuse_where(lambda has, scope: scope == "payments:refund" and WILDCARD not in has),
    ),
    "wildcard-is-none": Mutant(
        "The scope * grants nothing.",
        _wildcard_without(),
        breaks=("scope.wildcard", "credential.accepted"),
        may_break=(
            "credential.scheme-case",
            "audience.admin-on-public-api",
            "audience.admin-accepted",
            "audience.customer-reads-own",
            "token.one-tenant",
            "aal2.satisfied",
        ),
    ),
    "wildcard-but-refund": _breaks_wildcard(
        "The scope * does not grant payments:refund.", _wildcard_without("payments:refund"), subtle=True
    ),
    "wildcard-but-webhooks": _breaks_wildcard(
        "The scope * does not grant the scopes of webhooks.",
        _wildcard_without("webhooks:read", "webhooks:write"),
        may_break=("audience.admin-accepted",),
        subtle=True,
    ),
    "scope-asked-once-of-a-token": Mutant(
        "A token that was refused for want of a scope is accepted at its next request for it.",
        relent(rules.SCOPE_GRANTED, 1, of=lambda context: context.caller.id),
        breaks=("scope.required",),
        may_break=(
            "scope.exact",
            "robustness.no-side-door",
            "idempotency.replay-is-authorised",
            "rotation.keeps-grants",
        ),
        subtle=True,
    ),
}
