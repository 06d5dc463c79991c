"""Defects of what a token opens: its audience, its scopes, its assurance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Problems
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Object
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.answers import HTML, as_text
from paylera_mock.mutants.mechanism import (
    Mutation,
    after_all,
    code,
    decision_otherwise,
    refusal,
    rule_before,
    status,
    without_rule,
)
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.tokens import StoredToken

_AAL2: Final = 2


# Audiences


def closed_to(audience: Audience, which: Callable[[Context], bool]) -> Mutation:
    """Some operations are refused to an audience that may call them."""

    def check(context: Context) -> Decision | None:
        if context.caller.grant.audience is audience and which(context):
            return problems.audience_required(context.policy, (Audience.SERVICE,))
        return None

    return rule_before("route-exists", Rule("too-strict", "audience.admin-accepted", check))


def is_read(context: Context) -> bool:
    """The call only reads."""
    return context.request.method == "GET"


def is_service(context: Context) -> bool:
    """The caller is a backend."""
    return context.caller.grant.audience is Audience.SERVICE


def of_admin_api(problem: Problem) -> bool:
    """The refusal of an audience by the Admin API."""
    return problem.type is Problems.AUDIENCE_REQUIRED and "audience admin," in problem.detail


def is_own_record(context: Context) -> bool:
    """The call is about the customer itself."""
    return context.request.path == f"/v1/customers/{context.customer_id}"


def is_refund(context: Context) -> bool:
    """The call gives money back."""
    return context.request.path.endswith("/refunds")


def visible_in(kinds: tuple[Resource, ...] = tuple(Resource), *, lists: bool = True, reads: bool = True) -> Mutation:
    """Of some kinds a customer sees what others have too: in lists, by id, or both."""

    def see(right: bool, context: Context, _value: Object) -> bool:  # noqa: FBT001 - the answer
        operation = context.called
        return right or (operation.resource in kinds and (lists if operation.is_list else reads))

    return decision_otherwise("visible", see)


def seen_by_nobody(right: bool, context: Context, _value: Object) -> bool:  # noqa: FBT001 - the answer
    """A customer's lists are empty."""
    return right and not (context.customer_id is not None and context.called.is_list)


def hidden(problem: Problem) -> Problem:
    """What is forbidden is said not to exist."""
    return replace(problem, status=HTTPStatus.NOT_FOUND)


# Scopes


def granting(also: Callable[[tuple[str, ...], str], bool]) -> Mutation:
    """Some scopes are had by tokens that lack them: `also` gets the token's scopes and the one that is needed."""
    return decision_otherwise("has_scope", lambda right, token, scope: right or also(token.grant.scopes, scope))


def refusing(but: Callable[[StoredToken, str], bool]) -> Mutation:
    """Some scopes are not had by tokens that have them."""
    return decision_otherwise("has_scope", lambda right, token, scope: right and not but(token, scope))


def by_substring(scopes: tuple[str, ...], scope: str) -> bool:
    """The scope stands somewhere in the list as text, or a part of it does."""
    return any(scope in has for has in scopes)


def by_prefix(scopes: tuple[str, ...], scope: str) -> bool:
    """The needed scope begins with one that the token has."""
    return any(scope.startswith(has) for has in scopes)


def without_case(scopes: tuple[str, ...], scope: str) -> bool:
    """Case does not matter."""
    return scope in {has.lower() for has in scopes}


def by_resource(scopes: tuple[str, ...], scope: str) -> bool:
    """`customers:*` stands for every scope of customers."""
    return f"{scope.partition(':')[0]}:*" in scopes


def by_list_in_one(scopes: tuple[str, ...], scope: str) -> bool:
    """A scope is split at spaces."""
    return scope in " ".join(scopes).split()


def by_verb(scopes: tuple[str, ...], scope: str) -> bool:
    """A verb alone is the verb of every resource."""
    return scope.partition(":")[2] in scopes


def write_reads(scopes: tuple[str, ...], scope: str) -> bool:
    """Who may write may read."""
    return scope.replace(":read", ":write") in scopes


def read_writes(scopes: tuple[str, ...], scope: str) -> bool:
    """Only the resource is compared."""
    return scope.replace(":write", ":read") in scopes


def write_refunds(scopes: tuple[str, ...], scope: str) -> bool:
    """Who may write payments may refund them."""
    return scope == "payments:refund" and "payments:write" in scopes


def any_admin(scopes: tuple[str, ...], scope: str) -> bool:
    """Reading in the Admin API asks for any scope at all."""
    return scope == "webhooks:read" and bool(scopes)


def lacks_read(token: StoredToken, scope: str) -> bool:
    """Writing needs the scope to read as well."""
    return (
        scope.endswith(":write") and not token.grants_all and scope.replace(":write", ":read") not in token.grant.scopes
    )


def only_by_wildcard(scope: str) -> Callable[[StoredToken, str], bool]:
    """One scope opens nothing by itself."""
    return lambda token, needed: needed == scope and not token.grants_all


def not_by_wildcard(scopes: tuple[str, ...]) -> Callable[[StoredToken, str], bool]:
    """The wildcard does not stand for some scopes, which must be named; for all of them where none is given."""
    return lambda token, needed: needed not in token.grant.scopes and (needed in scopes or not scopes)


# Assurance


def has_aal2(judge: Callable[[bool, StoredToken], bool]) -> Mutation:
    """Whether a token has a second factor is judged otherwise."""
    return decision_otherwise("has_aal2", judge)


def served(problem: Problem) -> Problem:
    """A refusal that says in its status that all is well."""
    return replace(problem, status=HTTPStatus.OK)


GRANTS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # audience.admin-api-needs-admin
        "admin-api-open": without_rule("admin-api-by-admin"),
        "admin-api-open-to-wildcard": without_rule(
            "admin-api-by-admin", lambda context: is_service(context) and context.caller.grants_all
        ),
        "admin-api-reads-open": without_rule(
            "admin-api-by-admin", lambda context: is_service(context) and is_read(context)
        ),
        "admin-api-hidden": refusal("admin-api-by-admin", hidden),
        "admin-api-refused-as-html": as_text("text/html", HTML, of_admin_api),
        "admin-api-refused-late": after_all("admin-api-by-admin"),
        # audience.admin-accepted, audience.admin-on-public-api
        "actors-closed-to-admins": closed_to(
            Audience.ADMIN, lambda context: context.request.path == "/v1/admin/actors"
        ),
        "public-api-closed-to-admins": closed_to(
            Audience.ADMIN, lambda context: context.request.path.startswith("/v1/customers")
        ),
        "admins-only-read-public-api": closed_to(
            Audience.ADMIN,
            lambda context: context.request.path == "/v1/customers" and not is_read(context),
        ),
        # audience.customer-reads-own
        "customers-read-nothing": closed_to(Audience.CUSTOMER, lambda _: True),
        "own-record-closed-to-customer": closed_to(Audience.CUSTOMER, is_own_record),
        "customers-lists-empty": decision_otherwise("visible", seen_by_nobody),
        # audience.customer-cannot-write
        "customers-write": without_rule("customer-reads-only"),
        "customers-write-own-record": without_rule("customer-reads-only", is_own_record),
        "customers-refund": without_rule(
            "customer-reads-only", lambda context: context.request.path.endswith("/refunds")
        ),
        "customers-writes-not-found": refusal("customer-reads-only", hidden),
        "customers-write-refused-late": after_all("customer-reads-only"),
        # audience.customer-sees-only-own
        "customers-see-all": visible_in(),
        "customers-list-all": visible_in(reads=False),
        "customers-read-all": visible_in(lists=False),
        "customers-list-all-payments": visible_in((Resource.PAYMENT,), reads=False),
        "customers-read-all-wallets": visible_in((Resource.WALLET,), lists=False),
        # scope.required
        "no-scope-needed": without_rule("scope-granted"),
        "scope-is-400": refusal("scope-granted", status(HTTPStatus.BAD_REQUEST)),
        "scope-by-the-other-reading": refusal("scope-granted", status(HTTPStatus.FORBIDDEN)),
        "scope-is-audience": refusal("scope-granted", code("AUDIENCE_REQUIRED")),
        "scope-is-200": refusal("scope-granted", served),
        "scope-refused-late": after_all("scope-granted"),
        "write-implies-refund": granting(write_refunds),
        "any-scope-reads-webhooks": granting(any_admin),
        "write-implies-read": granting(write_reads),
        "read-implies-write": granting(read_writes),
        # scope.exact
        "scope-by-substring": granting(by_substring),
        "scope-by-prefix": granting(by_prefix),
        "scope-without-case": granting(without_case),
        "scope-by-resource": granting(by_resource),
        "scope-list-in-one": granting(by_list_in_one),
        "scope-by-verb": granting(by_verb),
        # scope.granted
        "write-needs-read": refusing(lacks_read),
        "refund-needs-wildcard": refusing(only_by_wildcard("payments:refund")),
        # scope.wildcard
        "wildcard-is-none": refusing(not_by_wildcard(())),
        "wildcard-but-refund": refusing(not_by_wildcard(("payments:refund",))),
        "wildcard-but-webhooks": refusing(not_by_wildcard(("webhooks:read", "webhooks:write"))),
        # aal2
        "no-aal2-needed": without_rule("second-factor"),
        "aal2-by-audience": has_aal2(lambda right, token: right or token.grant.audience is Audience.ADMIN),
        "aal2-is-400": refusal("second-factor", status(HTTPStatus.BAD_REQUEST)),
        "aal2-by-the-other-reading": refusal("second-factor", status(HTTPStatus.FORBIDDEN)),
        "aal2-is-scope": refusal("second-factor", code("SCOPE_REQUIRED")),
        "aal2-refused-late": after_all("second-factor"),
        "aal3-needed": has_aal2(lambda right, token: right and token.grant.aal > _AAL2),
        "aal2-of-service": has_aal2(lambda right, token: right or token.grant.aal >= _AAL2),
    }
)
