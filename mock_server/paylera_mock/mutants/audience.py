"""Mutants of what an audience opens: the Admin API, the public API, and a customer's own data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Problems
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Object
from paylera_mock.mutants.builders import (
    Mutation,
    When,
    calls,
    change_decision,
    change_refusal,
    change_rule,
    decide_late,
    insert_rule,
    is_read,
    is_write,
    relent,
    show_to_customers,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.problem import HTML, write_as
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Context, Rule


def _close_to(audience: Audience, which: When) -> Mutation:

    def check(context: Context) -> Decision | None:
        if context.caller.grant.audience is audience and which(context):
            return problems.audience_required(context.policy, (Audience.SERVICE,))
        return None

    return insert_rule(rules.ROUTE_EXISTS, Rule("too-strict", "audience.admin-accepted", check))


def _is_service(context: Context) -> bool:
    return context.caller.grant.audience is Audience.SERVICE


def _is_own_record(context: Context) -> bool:
    return context.request.path == f"/v1/customers/{context.customer_id}"


def _show_all(*kinds: Resource, lists: bool = True, reads: bool = True) -> Mutation:
    """Of some kinds a customer sees what others have too, of all where none is named: in lists, by id, or both."""

    def see(right: bool, context: Context, _value: Object) -> bool:  # noqa: FBT001 - the answer
        operation = context.called_operation
        return right or ((not kinds or operation.resource in kinds) and (lists if operation.is_list else reads))

    return show_to_customers(see)


_breaks_every_admin_check: Final = partial(
    Mutant,
    breaks=(
        "audience.admin-api-needs-admin",
        "rotation.needs-admin",
        "revocation.needs-admin",
        "robustness.no-side-door",
    ),
)
_breaks_admin_on_public_api: Final = partial(Mutant, breaks=("audience.admin-on-public-api",))
_breaks_customer_reads_own: Final = partial(Mutant, breaks=("audience.customer-reads-own",))
_breaks_customer_cannot_write: Final = partial(Mutant, breaks=("audience.customer-cannot-write",))
_breaks_customer_sees_only_own: Final = partial(Mutant, breaks=("audience.customer-sees-only-own",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "admin-api-open": _breaks_every_admin_check(
        "The Admin API accepts tokens of every audience.", without_rule(rules.ADMIN_API_BY_ADMIN)
    ),
    "admin-api-open-to-wildcard": _breaks_every_admin_check(
        "The Admin API accepts a service token that has the scope *.",
        without_rule(rules.ADMIN_API_BY_ADMIN, lambda context: _is_service(context) and context.caller.grants_all),
        subtle=True,
    ),
    "admin-api-reads-open": Mutant(
        "The Admin API lets service tokens read.",
        without_rule(rules.ADMIN_API_BY_ADMIN, lambda context: _is_service(context) and is_read(context)),
        breaks=("audience.admin-api-needs-admin", "robustness.no-side-door"),
        subtle=True,
    ),
    "admin-api-hidden-in-part": Mutant(
        "To other audiences what the Admin API reads does not exist, and what it writes is closed.",
        change_rule(
            rules.ADMIN_API_BY_ADMIN,
            lambda decided, context: problems.route_not_found() if is_read(context) else decided,
        ),
        breaks=("audience.admin-api-needs-admin",),
        subtle=True,
    ),
    "admin-api-refused-as-html": Mutant(
        "The Admin API refuses other audiences in HTML.",
        write_as(
            "text/html",
            HTML,
            lambda problem: problem.type is Problems.AUDIENCE_REQUIRED and "audience admin," in problem.detail,
        ),
        breaks=("audience.admin-api-needs-admin", "problem.members-everywhere"),
        may_break=(
            "problem.unknown-route",
            "robustness.errors-are-problems",
            "problem.type-uri",
            "problem.occurrence",
            "problem.media-type",
        ),
    ),
    "admin-api-refused-late": Mutant(
        "The Admin API refuses other audiences only after the request has had its effect.",
        decide_late(rules.ADMIN_API_BY_ADMIN),
        breaks=("revocation.needs-admin", "rotation.needs-admin"),
        subtle=True,
    ),
    "actors-closed-to-admins": Mutant(
        "The registry of actors refuses admin tokens.",
        _close_to(Audience.ADMIN, lambda context: context.request.path == "/v1/admin/actors"),
        breaks=("audience.admin-accepted", "credential.accepted"),
    ),
    "public-api-closed-to-admins": _breaks_admin_on_public_api(
        "The customers of the public API are closed to admin tokens.",
        _close_to(Audience.ADMIN, lambda context: context.request.path.startswith("/v1/customers")),
    ),
    "admins-only-read-public-api": _breaks_admin_on_public_api(
        "An admin token only reads customers in the public API.",
        _close_to(Audience.ADMIN, lambda context: context.request.path == "/v1/customers" and is_write(context)),
        subtle=True,
    ),
    "customers-read-nothing": Mutant(
        "Customer tokens are refused everywhere.",
        _close_to(Audience.CUSTOMER, lambda _: True),
        breaks=("audience.customer-reads-own", "credential.accepted"),
    ),
    "own-record-closed-to-customer": _breaks_customer_reads_own(
        "A customer token may read lists but not its own customer.",
        _close_to(Audience.CUSTOMER, _is_own_record),
        subtle=True,
    ),
    "customers-lists-empty": _breaks_customer_reads_own(
        "Lists that a customer token reads are empty.",
        change_decision(
            decisions.is_visible,
            lambda right, context, _: right and (context.customer_id is None or not context.called_operation.is_list),
        ),
        subtle=True,
    ),
    "customers-write": _breaks_customer_cannot_write(
        "A customer token may write.", without_rule(rules.CUSTOMER_READS_ONLY)
    ),
    "customers-write-own-record": _breaks_customer_cannot_write(
        "A customer token may change its own customer.",
        without_rule(rules.CUSTOMER_READS_ONLY, _is_own_record),
        subtle=True,
    ),
    "customers-refund": _breaks_customer_cannot_write(
        "A customer token may refund payments.",
        without_rule(rules.CUSTOMER_READS_ONLY, calls("refund_payment")),
        subtle=True,
    ),
    "customers-writes-not-found": _breaks_customer_cannot_write(
        "Writes by a customer token are said not to exist.", change_refusal(rules.CUSTOMER_READS_ONLY, status=404)
    ),
    "customers-write-refused-late": _breaks_customer_cannot_write(
        "A customer token's write is refused only after it has had its effect.",
        decide_late(rules.CUSTOMER_READS_ONLY),
        subtle=True,
    ),
    "customers-see-all": _breaks_customer_sees_only_own(
        "A customer token sees what other customers have.", _show_all()
    ),
    "customers-list-all": _breaks_customer_sees_only_own(
        "Lists that a customer token reads are not filtered.", _show_all(reads=False)
    ),
    "customers-read-all": _breaks_customer_sees_only_own(
        "A customer token reads any object whose id it knows.", _show_all(lists=False)
    ),
    "customers-list-all-payments": _breaks_customer_sees_only_own(
        "Of the lists that a customer token reads only that of payments is not filtered.",
        _show_all(Resource.PAYMENT, reads=False),
        subtle=True,
    ),
    "customers-read-all-wallets": _breaks_customer_sees_only_own(
        "A customer token reads any wallet whose id it knows.", _show_all(Resource.WALLET, lists=False), subtle=True
    ),
    "audience-asked-once-of-a-token": Mutant(
        "A token that the Admin API has refused is let in at its next request.",
        relent(rules.ADMIN_API_BY_ADMIN, 1, of=lambda context: context.caller.id),
        breaks=("audience.admin-api-needs-admin",),
        may_break=("robustness.no-side-door", "rotation.needs-admin", "revocation.needs-admin"),
        subtle=True,
    ),
}
