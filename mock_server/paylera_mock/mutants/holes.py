"""Holes: each rule of the contract dropped on one operation alone. They are made from two tables, and so not listed.

A hole's id is `hole:<rule>:<operation>`, as `hole:token-not-revoked:get_customer`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from paylera_fixtures.api.examples import EXAMPLES
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource
from paylera_fixtures.vocabulary import Profile
from paylera_mock.mutants.builders import (
    Mutation,
    When,
    calls,
    change_rule,
    insert_rule,
    serve_anyone,
    show_to_customers,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Rule

PREFIX: Final = "hole:"


@dataclass(frozen=True)
class _Hole:
    """A rule that can be dropped, with the clauses that this breaks.

    - `drop`: drops it for some requests;
    - `on`: on which operations there is something to drop;
    - `may_break`: clauses that say the same of some of these requests.
    """

    clauses: tuple[str, ...]
    drop: Callable[[When], Mutation]
    on: Callable[[Operation], bool] = lambda _operation: True
    may_break: tuple[str, ...] = ()


def _serve(rule: Rule) -> Callable[[When], Mutation]:
    """Who is refused by a rule is served as somebody who may."""
    return lambda when: change_rule(
        rule, lambda decided, context: (serve_anyone(context) if when(context) else None) or decided
    )


def _without(rule: Rule) -> Callable[[When], Mutation]:
    return lambda when: without_rule(rule, when)


def _find_anywhere(when: When) -> Mutation:
    """The object of the path is found in whatever tenant: the request goes on as one of that tenant's."""

    def check(context: Context) -> None:
        owner = _owner(context, context.identifier) if when(context) else None
        if owner is not None:
            context.token = replace(context.caller, grant=replace(context.caller.grant, tenant_id=owner))

    return insert_rule(rules.EFFECT, Rule("any-tenant", "token.one-tenant", check))


def _refer_anywhere(when: When) -> Mutation:
    """The customer that a body names is found in whatever tenant: this one then has it as well."""

    def check(context: Context) -> None:
        named = context.payload.get("customer_id") if when(context) else None
        owner = _owner(context, named) if isinstance(named, str) else None
        if owner is not None and owner != context.tenant_id:
            objects = context.state.store.objects(owner, context.caller.grant.environment)
            context.objects.add(Resource.CUSTOMER, objects.get(Resource.CUSTOMER, named) or {})

    return insert_rule(rules.EFFECT, Rule("any-tenant", "token.one-tenant", check))


def _owner(context: Context, identifier: str) -> str | None:
    """The tenant of an object; `None` where no tenant has it."""
    token = context.state.tokens.get(identifier)
    if token is not None:
        return token.grant.tenant_id
    return next((tenant for tenant in context.state.tenants if _has(context, tenant, identifier)), None)


def _has(context: Context, tenant: str, identifier: str) -> bool:
    objects = context.state.store.objects(tenant, context.caller.grant.environment)
    return context.state.actors.has(tenant, identifier) or any(objects.get(kind, identifier) for kind in Resource)


_HOLES: Final[Mapping[str, _Hole]] = {
    "credential-present": _Hole(
        ("credential.missing",),
        _serve(rules.CREDENTIAL_PRESENT),
        may_break=("credential.only-in-header", "robustness.auth-everywhere"),
    ),
    "credential-well-formed": _Hole(("credential.malformed",), _serve(rules.CREDENTIAL_WELL_FORMED)),
    "right-environment": _Hole(("token.wrong-environment",), _serve(rules.RIGHT_ENVIRONMENT)),
    "token-known": _Hole(
        ("token.unknown",),
        _serve(rules.TOKEN_KNOWN),
        may_break=("credential.exact-match", "credential.malformed", "robustness.auth-everywhere"),
    ),
    "token-not-revoked": _Hole(
        ("token.revoked",),
        _without(rules.TOKEN_NOT_REVOKED),
        may_break=("revocation.covers-grace", "revocation.immediate"),
    ),
    "secret-not-expired": _Hole(("rotation.grace-ends",), _without(rules.SECRET_NOT_EXPIRED)),
    "admin-api-by-admin": _Hole(
        ("audience.admin-api-needs-admin",), _without(rules.ADMIN_API_BY_ADMIN), lambda operation: operation.is_admin
    ),
    "customer-reads-only": _Hole(
        ("audience.customer-cannot-write",),
        _without(rules.CUSTOMER_READS_ONLY),
        # No customer has a second factor, so that one is refused all the same where it is asked for.
        lambda operation: not (operation.is_read or operation.is_admin or operation.aal2),
    ),
    "scope-granted": _Hole(("scope.required",), _without(rules.SCOPE_GRANTED)),
    "second-factor": _Hole(("aal2.required",), _without(rules.SECOND_FACTOR), lambda operation: operation.aal2),
    "actor-known": _Hole(
        ("acting-as.unknown-actor", "acting-as.other-tenant"),
        _without(rules.ACTOR_KNOWN),
        lambda operation: not operation.is_read,
    ),
    "version-supported": _Hole(("version.unknown",), _without(rules.VERSION_SUPPORTED)),
    "key-present": _Hole(
        ("idempotency.required",), _without(rules.KEY_PRESENT), lambda operation: operation.key_when_creating
    ),
    "own-tenant": _Hole(
        ("token.one-tenant",),
        _find_anywhere,
        # The ids of plans are codes, of which each tenant may have the same.
        lambda operation: operation.has_parameter and operation.resource is not Resource.PLAN,
    ),
    "own-customer": _Hole(
        ("audience.customer-sees-only-own",),
        lambda when: show_to_customers(lambda right, context, _: right or when(context)),
        lambda operation: operation.customer_may and operation.has_parameter,
    ),
    "own-tenant-in-body": _Hole(
        ("token.one-tenant",),
        _refer_anywhere,
        lambda operation: "customer_id" in EXAMPLES.get(operation.id, {}),
    ),
}


@cache
def all_holes() -> Mapping[str, Mutant]:
    """Every hole by its id: each rule with each operation on which it has something to refuse."""
    return {f"{PREFIX}{name}:{operation.id}": hole for name, operation, hole in _make_holes()}


def _make_holes() -> Iterator[tuple[str, Operation, Mutant]]:
    for name, hole in _HOLES.items():
        # The guide's profile has no scopes for the Admin API, nor every scope of the reference.
        profile = Profile.REFERENCE if name == "scope-granted" else Profile.GUIDE
        for operation in filter(hole.on, OPERATIONS):
            yield (
                name,
                operation,
                Mutant(
                    f"{operation} does not ask for the rule {name}.",
                    hole.drop(calls(operation.id)),
                    breaks=hole.clauses,
                    may_break=hole.may_break,
                    profile=profile,
                    operation=operation,
                ),
            )
