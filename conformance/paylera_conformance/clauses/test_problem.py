"""The body of an error (Errors page; RFC 9457). Each clause makes its own errors, from accepted requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import NotOffered
from paylera_conformance.probe import refusals
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.changes import Change
from paylera_conformance.scenarios.error_cases import ERROR_CASES, ERRORS_IN_GUIDE, ErrorCase, each_error_case
from paylera_conformance.scenarios.problem_checks import (
    expect_media_type,
    expect_members,
    expect_occurrence,
    expect_type_uri,
)
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID

LIST: Final = BY_ID["list_customers"]
CREATE_PRODUCT: Final = BY_ID["create_product"]
FOR_A_BROWSER: Final = "is the error written by a framework, which has a page for those who take HTML?"
OTHER_HANDLER: Final = "does another part than the API's own error handler answer here, a framework's or a proxy's?"


def reuse_code(probe: Probe, _request: Request) -> Request:
    """A code that another product has. A server may let two share a code: then there is no error to see."""
    first = probe.factory.request_for(CREATE_PRODUCT)
    probe.require_accepted(first)
    again = probe.send(first.with_key(FRESH_KEY))
    if again.response.ok:
        raise NotOffered("two products may have one code here, so that nothing conflicts", exchange=again)
    return first


REFUND_TOO_LARGE: Final = Change(
    "a refund above the payment",
    "",
    refusals.ANY_PROBLEM,
    lambda _, request: request.with_json({**request.json, "amount": "99999999.00"}),
)
CODE_TAKEN: Final = Change("a code that another product has", "", refusals.ANY_PROBLEM, reuse_code)

OTHER_ERRORS: Final = (
    *(error for error in ERROR_CASES if not error.in_guide),
    ErrorCase("refund-too-large", REFUND_TOO_LARGE, BY_ID["refund_payment"], mode=Mode.SANDBOX),
    ErrorCase("code-taken", CODE_TAKEN, CREATE_PRODUCT, mode=Mode.SANDBOX),
)
"""The errors whose codes the guide does not name."""


FOR_BROWSERS: Final = tuple(error for error in ERRORS_IN_GUIDE if error.name in {"missing-token", "scope-required"})
"""An error of those who look at the token, and one of those who look at what it may."""


@covers("problem.members")
@each_error_case(ERRORS_IN_GUIDE)
def test_an_error_the_guide_names_has_its_four_members(probe: Probe, error: ErrorCase) -> None:
    """A client branches on `problem` and `status`: where one is missing or wrong, it does the wrong thing."""
    expect_members(probe, error.provoke(probe))


@covers("problem.members")
@each_error_case(FOR_BROWSERS)
def test_an_error_is_no_page_for_a_browser(probe: Probe, error: ErrorCase) -> None:
    """Whoever takes both and is answered in JSON while all goes well is not told in HTML that something fails."""
    accepted = accept_html(probe.factory.request_for(LIST))
    require_json(probe.require_accepted(accepted))
    in_html = replace(error, accepted=lambda _: accepted)
    expect_members(probe, in_html.provoke(probe), hint=FOR_A_BROWSER)


def accept_html(request: Request) -> Request:
    """The request as a browser sends it, which takes HTML rather than anything else."""
    return request.with_header("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")


def require_json(accepted: Exchange) -> None:
    """What is accepted is answered in JSON, whatever is preferred. Drops the case where it is not."""
    if not accepted.response.object:
        raise NotOffered(f"{accepted.request} is answered as a browser would have it", exchange=accepted)


@covers("problem.members-everywhere", each_operation=True)
@each_error_case(OTHER_ERRORS)
def test_every_other_error_has_the_four_members_too(probe: Probe, error: ErrorCase) -> None:
    """One error handler in a client must do for all errors."""
    exchange = error.provoke(probe)
    expect_members(probe, exchange, hint="" if exchange.response.problem else OTHER_HANDLER)


@covers("problem.type-uri")
@each_error_case()
def test_a_code_has_one_uri(probe: Probe, error: ErrorCase) -> None:
    """`type` identifies the class of a problem, which does not depend on the occurrence: again it is the same URI."""
    first, second = error.provoke(probe), error.provoke(probe)
    expect_type_uri(probe, first)
    probe.expect(
        second,
        f"type {type_of(first)!r} again, as the first {first.response.problem} had",
        holds=type_of(first) == type_of(second),
        got=repr(type_of(second)),
        hint="what differs from one occurrence to the next belongs in `instance` or `detail`",
    )


@covers("problem.type-uri")
def test_two_codes_have_two_types(probe: Probe) -> None:
    """A `type` that all problems share identifies none."""
    missing, invalid = (error.provoke(probe) for error in ERROR_CASES[:2])
    probe.expect(
        invalid,
        f"another type than {missing.response.problem} has, for {invalid.response.problem}",
        holds=missing.response.problem == invalid.response.problem or type_of(missing) != type_of(invalid),
        got=f"{type_of(invalid)!r} for both",
    )


def type_of(error: Exchange) -> object:
    """The `type` member, whatever it is."""
    return error.response.object.get("type")


@covers("problem.occurrence")
@each_error_case()
def test_an_error_tells_its_occurrence(probe: Probe, error: ErrorCase) -> None:
    """Whoever reports an error needs what went wrong, where, and under which trace."""
    expect_occurrence(probe, error.provoke(probe))


@covers("problem.media-type")
@each_error_case()
def test_an_error_says_that_it_is_a_problem_document(probe: Probe, error: ErrorCase) -> None:
    """By the media type alone a client can tell a problem document from an object."""
    expect_media_type(probe, error.provoke(probe))


UNKNOWN_PATHS: Final = {
    "no-such-resource": "/v1/{name}",
    "below-a-list": "/v1/customers/{name}/{name}",
    "below-the-admin-api": "/v1/admin/{name}",
    "like-another-version": "/v1/{name}/v2/customers",
}
"""Frameworks answer some of them before the application's error handler has a say."""


@covers("problem.unknown-route")
@pytest.mark.parametrize("path", UNKNOWN_PATHS.values(), ids=UNKNOWN_PATHS)
def test_an_unknown_path_is_a_problem_document(probe: Probe, path: str) -> None:
    """A client that mistyped a path reads the answer as JSON, which a page of HTML would break."""
    request = probe.factory.request_for(LIST)
    changed = request.at(path.format(name=probe.factory.unique_name()))
    expect_problem(probe, changed, accepted=request, change="a path that is no route")


@covers("problem.unknown-route")
def test_an_unknown_path_is_no_page_for_a_browser(probe: Probe) -> None:
    """A framework has one that it shows to those who take HTML."""
    request = accept_html(probe.factory.request_for(LIST))
    require_json(probe.require_accepted(request))
    changed = request.at(f"/v1/{probe.factory.unique_name()}")
    expect_problem(probe, changed, accepted=request, change="a path that is no route, asked for as a browser does")


@covers("problem.unknown-route", mode=Mode.SANDBOX)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_unknown_method_is_a_problem_document(probe: Probe, method: str) -> None:
    """So does one that sent a method that the path does not have."""
    request = probe.factory.request_for(LIST)
    changed = Request(method, LIST.path, request.token).with_json({})
    expect_problem(probe, changed, accepted=request, change=f"the method {method}, which the path does not have")


def expect_problem(probe: Probe, changed: Request, *, accepted: Request, change: str) -> None:
    """A request for what is not there gets a problem document; its status may be any."""
    probe.require_proven(accepted)
    error = probe.send(changed)
    probe.expect(
        error, "a problem document", holds=error.response.problem is not None, change=change, hint=OTHER_HANDLER
    )
