"""The body of an error. Each clause makes its own errors, one of each kind, each from a proven pair."""

from __future__ import annotations

from typing import Final

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import NotOffered
from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import problem_checks
from paylera_conformance.scenarios.error_cases import KINDS, ErrorCase, each_kind, provoked
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import PROBLEM_MEDIA_TYPE

LIST_CUSTOMERS: Final = BY_ID["list_customers"]
OWN_HANDLER: Final = "does another part than the API's own error handler answer here, a framework's or a proxy's?"


def refund_too_large(probe: Probe) -> Exchange:
    """What the state of the object does not let: a refund of more than was paid."""
    control = probe.factory.request_for(BY_ID["refund_payment"])
    beyond = control.with_json({**control.json, "amount": "99999999.00"})
    return probe.baseline(control).refuses(beyond, refusals.ANY_PROBLEM, change="a refund above the payment")


def code_taken(probe: Probe) -> Exchange:
    """What another object has already. A server may let two products share a code: then there is no error to see."""
    first = probe.factory.request_for(BY_ID["create_product"])
    probe.require_accepted(first)
    again = probe.send(first.keyed(FRESH_KEY))
    if again.response.ok:
        raise NotOffered("two products may have one code here, so that nothing conflicts", exchange=again)
    control = probe.factory.request_for(BY_ID["create_product"])
    return probe.baseline(control).refuses(first, refusals.ANY_PROBLEM, change="a code that another product has")


OTHER_KINDS: Final = (
    *(kind for kind in KINDS if not kind.in_guide),
    ErrorCase("refund-too-large", refund_too_large, mode=Mode.SANDBOX),
    ErrorCase("code-taken", code_taken, mode=Mode.SANDBOX),
)
"""The errors whose codes the guide does not name."""


@covers("problem.members")
@each_kind(lambda kind: kind.in_guide)
def test_an_error_the_guide_names_has_its_four_members(probe: Probe, kind: ErrorCase) -> None:
    """A client branches on `problem` and `status`; a member that is missing or says otherwise sends it astray."""
    error = provoked(probe, kind)
    flaw = problem_checks.of_members(error.response)
    probe.expect(
        f"string type, title, problem and integer status {error.response.status}",
        holds=not flaw,
        got=flaw,
        exchange=error,
    )


@covers("problem.members-everywhere", each_operation=True)
@pytest.mark.parametrize("kind", OTHER_KINDS, ids=[kind.name for kind in OTHER_KINDS])
def test_every_other_error_has_the_four_members_too(probe: Probe, kind: ErrorCase) -> None:
    """One error handler in a client must do for all errors."""
    error = provoked(probe, kind)
    flaw = problem_checks.of_members(error.response)
    probe.expect(
        f"string type, title, problem and integer status {error.response.status}",
        holds=not flaw,
        got=flaw,
        exchange=error,
        hint=OWN_HANDLER,
    )


@covers("problem.type-uri")
@each_kind()
def test_a_code_has_one_uri(probe: Probe, kind: ErrorCase) -> None:
    """`type` identifies the class of a problem, which does not depend on the occurrence: again it is the same URI."""
    first, second = provoked(probe, kind), provoked(probe, kind)
    flaw = problem_checks.of_type_uri(first.response)
    probe.expect("type an absolute https URI", holds=not flaw, got=flaw, exchange=first)
    probe.expect(
        f"type {type_of(first)!r} again, as the first {first.response.problem} had",
        holds=type_of(first) == type_of(second),
        got=repr(type_of(second)),
        exchange=second,
        hint="what differs from one occurrence to the next belongs in `instance` or `detail`",
    )


@covers("problem.type-uri")
def test_two_codes_have_two_types(probe: Probe) -> None:
    """A `type` that all problems share identifies none."""
    missing, invalid = (provoked(probe, kind) for kind in KINDS[:2])
    distinct = missing.response.problem == invalid.response.problem or type_of(missing) != type_of(invalid)
    probe.expect(
        f"another type than {missing.response.problem} has, for {invalid.response.problem}",
        holds=distinct,
        got=f"{type_of(invalid)!r} for both",
        exchange=invalid,
    )


def type_of(error: Exchange) -> object:
    """The `type` member, whatever it is."""
    return error.response.object.get("type")


@covers("problem.occurrence")
@each_kind()
def test_an_error_tells_its_occurrence(probe: Probe, kind: ErrorCase) -> None:
    """Whoever reports an error needs what went wrong, where, and under which trace."""
    error = provoked(probe, kind)
    flaw = problem_checks.of_occurrence(error)
    probe.expect(
        "strings detail and trace_id, and instance the path of the request", holds=not flaw, got=flaw, exchange=error
    )


@covers("problem.media-type")
@each_kind()
def test_an_error_says_that_it_is_a_problem_document(probe: Probe, kind: ErrorCase) -> None:
    """By the media type alone a client can tell a problem document from an object."""
    error = provoked(probe, kind)
    probe.expect(
        f"Content-Type: {PROBLEM_MEDIA_TYPE}",
        holds=error.response.media_type == PROBLEM_MEDIA_TYPE,
        got=error.response.media_type or "no Content-Type",
        exchange=error,
    )


UNKNOWN_PATHS: Final = {
    "no-such-resource": "/v1/{mark}",
    "below-a-list": "/v1/customers/{mark}/{mark}",
    "below-the-admin-api": "/v1/admin/{mark}",
    "like-another-version": "/v1/{mark}/v2/customers",
}
"""Frameworks answer some of them before the application's error handler has a say."""


@covers("problem.unknown-route")
@pytest.mark.parametrize("path", UNKNOWN_PATHS.values(), ids=UNKNOWN_PATHS)
def test_an_unknown_path_is_a_problem_document(probe: Probe, path: str) -> None:
    """A typing error in a path must not meet a client's parser for JSON with a page of HTML."""
    control = probe.factory.request_for(LIST_CUSTOMERS)
    lost = control.at(path.replace("{mark}", probe.factory.unique_name()))
    meets_a_problem(probe, lost, control, "a path that is no route")


@covers("problem.unknown-route", mode=Mode.SANDBOX)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_unknown_method_is_a_problem_document(probe: Probe, method: str) -> None:
    """Nor must a method that the path does not have."""
    control = probe.factory.request_for(LIST_CUSTOMERS)
    lost = Request(method, LIST_CUSTOMERS.path, control.token).with_json({})
    meets_a_problem(probe, lost, control, f"the method {method}, which the path does not have")


def meets_a_problem(probe: Probe, lost: Request, control: Request, change: str) -> None:
    """A request for what is not there gets a problem document; its status is no business of the clause."""
    probe.require_proven(control)
    error = probe.send(lost)
    probe.expect(
        "a problem document",
        holds=error.response.problem is not None,
        got=refusals.describe(error.response),
        change=change,
        exchange=error,
        hint=OWN_HANDLER,
    )
