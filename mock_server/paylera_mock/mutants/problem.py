"""Mutants of the error body: its members, its media type, its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from paylera_fixtures.vocabulary import GUIDE_CODES, PROBLEM_TYPE_BASE, Problems, ProblemType
from paylera_mock.core import json_text
from paylera_mock.core.ids import trace_id
from paylera_mock.core.messages import Decision, Object
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import Mutation, change_headers, change_writer, combine
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import responses
from paylera_mock.pipeline.context import Context, Headers

Which: TypeAlias = Callable[[Problem], bool]

HTML: Final = b"<!doctype html><title>Error</title><h1>Error</h1>"
"""What a framework says of an error by itself."""


def has_type(*types: ProblemType) -> Which:
    """Whether a problem is one of some."""
    return lambda problem: problem.type in types


def _is_any(_problem: Problem) -> bool:
    return True


def _change_members(change: Callable[[Object, Context], Object], which: Which = _is_any) -> Mutation:

    def write(body: bytes, context: Context, problem: Problem) -> bytes:
        return json_text.encode_json(change(json.loads(body), context)).encode() if which(problem) else body

    return change_writer(responses.problem_body, write)


def _drop_member(name: str, which: Which = _is_any) -> Mutation:
    return _change_members(lambda body, _: {each: body[each] for each in body if each != name}, which)


def _set_members(which: Which = _is_any, **values: object) -> Mutation:
    return _change_members(lambda body, _: {**body, **values}, which)


def _declare_as(media_type: str, which: Which) -> Mutation:

    def change(headers: Headers, _context: Context, decided: Decision) -> Headers:
        return (("Content-Type", media_type),) if isinstance(decided, Problem) and which(decided) else headers

    return change_headers(responses.MEDIA_TYPE, change)


def write_as(media_type: str, text: bytes, which: Which) -> Mutation:
    """Some problems are written in another form altogether."""
    written = change_writer(responses.problem_body, lambda body, _, problem: text if which(problem) else body)
    return combine(written, _declare_as(media_type, which))


def _status_as_text(body: Object, _context: Context) -> Object:
    return {**body, "status": str(body["status"])}


_IS_OF_AUTH: Final = has_type(*(each for each in GUIDE_CODES if each is not Problems.KEY_REQUIRED))
_IS_NOT_FOUND: Final = has_type(Problems.NOT_FOUND)
_IS_NO_ROUTE: Final = has_type(Problems.ROUTE_NOT_FOUND)
_IS_NO_METHOD: Final = has_type(Problems.METHOD_NOT_ALLOWED)
_REST_OF_PROBLEM: Final = (
    "problem.type-uri",
    "problem.occurrence",
    "problem.media-type",
    "robustness.errors-are-problems",
)
_EXAMPLE_OF_GUIDE: Final = ("idempotency.required",)


_breaks_members: Final = partial(Mutant, breaks=("problem.members",))
_breaks_members_and_wrong_environment: Final = partial(Mutant, breaks=("problem.members", "token.wrong-environment"))
_breaks_members_everywhere: Final = partial(Mutant, breaks=("problem.members-everywhere",))
_breaks_type_uri: Final = partial(Mutant, breaks=("problem.type-uri",))
_breaks_occurrence: Final = partial(Mutant, breaks=("problem.occurrence",))
_breaks_media_type: Final = partial(Mutant, breaks=("problem.media-type",))
_breaks_unknown_route_and_members_everywhere: Final = partial(
    Mutant, breaks=("problem.unknown-route", "problem.members-everywhere")
)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "auth-without-title": _breaks_members(
        "Problems of authentication have no title.", _drop_member("title", _IS_OF_AUTH)
    ),
    "expired-without-title": _breaks_members(
        "Only auth.expired_token has no title.", _drop_member("title", has_type(Problems.EXPIRED_TOKEN)), subtle=True
    ),
    "auth-without-type": Mutant(
        "Problems of authentication have no type.",
        _drop_member("type", _IS_OF_AUTH),
        breaks=("problem.members", "problem.type-uri"),
    ),
    "auth-title-is-null": _breaks_members(
        "The title of problems of authentication is null.", _set_members(_IS_OF_AUTH, title=None), subtle=True
    ),
    "auth-status-as-text": _breaks_members(
        "The member status of problems of authentication is a string.",
        _change_members(_status_as_text, _IS_OF_AUTH),
        subtle=True,
    ),
    "auth-status-is-400": _breaks_members(
        "The member status of problems of authentication says 400.", _set_members(_IS_OF_AUTH, status=400), subtle=True
    ),
    "wrong-environment-without-code": _breaks_members_and_wrong_environment(
        "The problem auth.wrong_environment has no member problem.",
        _drop_member("problem", has_type(Problems.WRONG_ENVIRONMENT)),
    ),
    "aal2-code-elsewhere": Mutant(
        "The code auth.aal2_required stands in the member code.",
        _change_members(
            lambda body, _: {("code" if name == "problem" else name): body[name] for name in body},
            has_type(Problems.AAL2_REQUIRED),
        ),
        breaks=("problem.members", "aal2.required"),
        may_break=("robustness.errors-are-problems", "aal2.service-never"),
    ),
    "key-required-as-html": Mutant(
        "That a key is required is told in HTML.",
        write_as("text/html", HTML, has_type(Problems.KEY_REQUIRED)),
        breaks=("problem.members", "idempotency.required"),
        may_break=(
            "idempotency.empty-key",
            "problem.type-uri",
            "problem.occurrence",
            "problem.media-type",
            "robustness.errors-are-problems",
        ),
    ),
    "wrong-environment-as-html": _breaks_members_and_wrong_environment(
        "That a token is of the other environment is told in HTML.",
        write_as("text/html", HTML, has_type(Problems.WRONG_ENVIRONMENT)),
        may_break=("problem.type-uri", "problem.occurrence", "problem.media-type"),
    ),
    "others-without-title": _breaks_members_everywhere(
        "Problems that the guide does not name have no title.",
        _drop_member("title", lambda problem: problem.type not in GUIDE_CODES),
    ),
    "not-found-without-code": _breaks_members_everywhere(
        "The 404 for an object has no member problem.",
        _drop_member("problem", _IS_NOT_FOUND),
        may_break=("rotation.unknown-id", "revocation.unknown-id", "robustness.errors-are-problems"),
        subtle=True,
    ),
    "validation-status-is-400": _breaks_members_everywhere(
        "The member status of a 422 says 400.",
        _set_members(has_type(Problems.VALIDATION_FAILED), status=400),
        subtle=True,
    ),
    "conflict-status-as-text": _breaks_members_everywhere(
        "The member status of a 409 is a string.",
        _change_members(_status_as_text, has_type(Problems.CONFLICT)),
        subtle=True,
    ),
    "method-not-allowed-empty": Mutant(
        "A 405 has no body.",
        write_as("text/plain", b"", _IS_NO_METHOD),
        breaks=("problem.members-everywhere", "problem.unknown-route"),
        may_break=_REST_OF_PROBLEM,
    ),
    "mismatch-without-type": Mutant(
        "That a key was used for another body is told without type.",
        _drop_member("type", has_type(Problems.KEY_BODY_MISMATCH)),
        breaks=("problem.members-everywhere", "problem.type-uri"),
        subtle=True,
    ),
    "type-is-a-path": _breaks_type_uri(
        "The type of problems is a path.",
        _change_members(lambda body, _: {**body, "type": body["type"].removeprefix(PROBLEM_TYPE_BASE.rstrip("/"))}),
        may_break=_EXAMPLE_OF_GUIDE,
    ),
    "type-over-http": _breaks_type_uri(
        "The type of problems is a URI of the scheme http.",
        _change_members(lambda body, _: {**body, "type": body["type"].replace("https:", "http:")}),
        may_break=_EXAMPLE_OF_GUIDE,
    ),
    "type-is-about-blank": _breaks_type_uri(
        "The type of every problem is about:blank.", _set_members(type="about:blank"), may_break=_EXAMPLE_OF_GUIDE
    ),
    "one-type-for-all": _breaks_type_uri(
        "Every problem has the same type.",
        _set_members(type=f"{PROBLEM_TYPE_BASE}error"),
        may_break=_EXAMPLE_OF_GUIDE,
        subtle=True,
    ),
    "type-of-each-occurrence": _breaks_type_uri(
        "The type of a problem is another each time.",
        _change_members(
            lambda body, context: {**body, "type": f"{body['type']}#{trace_id(context.state.randomness, context.now)}"}
        ),
        may_break=_EXAMPLE_OF_GUIDE,
        subtle=True,
    ),
    "no-detail": _breaks_occurrence("Problems have no detail.", _drop_member("detail")),
    "no-trace-id": _breaks_occurrence("Problems have no trace_id.", _drop_member("trace_id")),
    "no-instance": _breaks_occurrence("Problems have no instance.", _drop_member("instance")),
    "empty-trace-id": _breaks_occurrence("The trace_id of problems is empty.", _set_members(trace_id=""), subtle=True),
    "instance-is-the-route": _breaks_occurrence(
        "The instance of a 404 is the template of the route.",
        _change_members(
            lambda body, context: {**body, "instance": context.request.route or "/v1"},
            _IS_NOT_FOUND,
        ),
        subtle=True,
    ),
    "problems-as-json": _breaks_media_type(
        "Problems are declared to be application/json.", _declare_as("application/json", _is_any)
    ),
    "expired-as-json": _breaks_media_type(
        "Only auth.expired_token is declared to be application/json.",
        _declare_as("application/json", has_type(Problems.EXPIRED_TOKEN)),
        subtle=True,
    ),
    "unknown-route-as-html": _breaks_unknown_route_and_members_everywhere(
        "That there is no such path is told in HTML.",
        write_as("text/html", HTML, _IS_NO_ROUTE),
        may_break=_REST_OF_PROBLEM,
    ),
    "unknown-method-as-text": _breaks_unknown_route_and_members_everywhere(
        "That a path lacks a method is told in plain text.",
        write_as("text/plain", b"Method Not Allowed", _IS_NO_METHOD),
        may_break=_REST_OF_PROBLEM,
    ),
    "unknown-route-as-gateway": _breaks_unknown_route_and_members_everywhere(
        "That there is no such path is told by a gateway in its own JSON.",
        write_as("application/json", b'{"message":"no Route matched"}', _IS_NO_ROUTE),
        may_break=_REST_OF_PROBLEM,
        subtle=True,
    ),
    "unknown-route-in-error": _breaks_unknown_route_and_members_everywhere(
        "That there is no such path is told in a member of another document.",
        _change_members(lambda body, _: {"error": body}, _IS_NO_ROUTE),
        may_break=("problem.type-uri", "problem.occurrence", "robustness.errors-are-problems"),
        subtle=True,
    ),
}
