"""Defects of the error body: its members, its media type, its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeAlias

from paylera_fixtures.vocabulary import GUIDE_CODES, PROBLEM_TYPE_BASE, Problems, ProblemType
from paylera_mock.core.ids import trace_id
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Decision, Object
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import Mutation, several, step, writer_otherwise
from paylera_mock.pipeline.context import Context, Headers

Which: TypeAlias = Callable[[Problem], bool]
Change: TypeAlias = Callable[[Object, Context], Object]

HTML: Final = b"<!doctype html><title>Error</title><h1>Error</h1>"
"""What a framework says of an error by itself."""

_AUTH: Final = frozenset(GUIDE_CODES) - {Problems.KEY_REQUIRED}


def anything(_problem: Problem) -> bool:
    """Every problem."""
    return True


def of_auth(problem: Problem) -> bool:
    """A problem of authentication that the guide names."""
    return problem.type in _AUTH


def not_in_guide(problem: Problem) -> bool:
    """A problem of which the guide does not say a word."""
    return problem.type not in GUIDE_CODES


def one(*types: ProblemType) -> Which:
    """Some problems alone."""
    return lambda problem: problem.type in types


def members(change: Change, which: Which = anything) -> Mutation:
    """The members of some problem documents are others."""

    def write(body: bytes, context: Context, problem: Problem) -> bytes:
        return encode_json(change(json.loads(body), context)).encode() if which(problem) else body

    return writer_otherwise("problem", write)


def without(*names: str, which: Which = anything) -> Mutation:
    """Some members are left out."""
    return members(lambda body, _: {name: value for name, value in body.items() if name not in names}, which)


def having(which: Which = anything, **values: object) -> Mutation:
    """Some members have other values."""
    return members(lambda body, _: {**body, **values}, which)


def as_media_type(media_type: str, which: Which) -> Mutation:
    """Some problems are declared to be something else."""

    def change(_context: Context, decided: Decision, headers: Headers) -> Headers:
        return (("Content-Type", media_type),) if isinstance(decided, Problem) and which(decided) else headers

    return step("media-type", change)


def as_text(media_type: str, text: bytes, which: Which) -> Mutation:
    """Some problems are told in another form altogether."""
    written = writer_otherwise("problem", lambda body, _context, problem: text if which(problem) else body)
    return several(written, as_media_type(media_type, which))


def status_as_text(body: Object, _context: Context) -> Object:
    """The status is a string."""
    return {**body, "status": str(body["status"])}


def code_as_detail(body: Object, _context: Context) -> Object:
    """The code stands in the member that other APIs have for it."""
    return {("code" if name == "problem" else name): value for name, value in body.items()}


def type_without_base(body: Object, _context: Context) -> Object:
    """The type is a path."""
    return {**body, "type": body["type"].removeprefix(PROBLEM_TYPE_BASE.rstrip("/"))}


def type_over_http(body: Object, _context: Context) -> Object:
    """The type is a URI of another scheme."""
    return {**body, "type": body["type"].replace("https:", "http:")}


def type_of_occurrence(body: Object, context: Context) -> Object:
    """The type tells the occurrence."""
    return {**body, "type": f"{body['type']}#{trace_id(context.state.randomness, context.now)}"}


def instance_of_route(body: Object, context: Context) -> Object:
    """The instance is the template of the route."""
    return {**body, "instance": context.operation.path if context.operation else "/v1"}


def wrapped(body: Object, _context: Context) -> Object:
    """The document is a member of another one."""
    return {"error": body}


_NOT_FOUND: Final = one(Problems.NOT_FOUND)
_NO_ROUTE: Final = one(Problems.ROUTE_NOT_FOUND)
_NO_METHOD: Final = one(Problems.METHOD_NOT_ALLOWED)

ANSWERS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # problem.members
        "auth-without-title": without("title", which=of_auth),
        "expired-without-title": without("title", which=one(Problems.EXPIRED_TOKEN)),
        "auth-without-type": without("type", which=of_auth),
        "auth-title-is-null": having(of_auth, title=None),
        "auth-status-as-text": members(status_as_text, of_auth),
        "auth-status-is-400": having(of_auth, status=int(HTTPStatus.BAD_REQUEST)),
        "wrong-environment-without-code": without("problem", which=one(Problems.WRONG_ENVIRONMENT)),
        "aal2-code-elsewhere": members(code_as_detail, one(Problems.AAL2_REQUIRED)),
        "key-required-as-html": as_text("text/html", HTML, one(Problems.KEY_REQUIRED)),
        "wrong-environment-as-html": as_text("text/html", HTML, one(Problems.WRONG_ENVIRONMENT)),
        # problem.members-everywhere
        "others-without-title": without("title", which=not_in_guide),
        "not-found-without-code": without("problem", which=_NOT_FOUND),
        "validation-status-is-400": having(one(Problems.VALIDATION_FAILED), status=int(HTTPStatus.BAD_REQUEST)),
        "conflict-status-as-text": members(status_as_text, one(Problems.CONFLICT)),
        "method-not-allowed-empty": as_text("text/plain", b"", _NO_METHOD),
        "mismatch-without-type": without("type", which=one(Problems.KEY_BODY_MISMATCH)),
        # problem.type-uri
        "type-is-a-path": members(type_without_base),
        "type-over-http": members(type_over_http),
        "type-is-about-blank": having(type="about:blank"),
        "one-type-for-all": having(type=f"{PROBLEM_TYPE_BASE}error"),
        "type-of-each-occurrence": members(type_of_occurrence),
        # problem.occurrence
        "no-detail": without("detail"),
        "no-trace-id": without("trace_id"),
        "no-instance": without("instance"),
        "empty-trace-id": having(trace_id=""),
        "instance-is-the-route": members(instance_of_route, _NOT_FOUND),
        # problem.media-type
        "problems-as-json": as_media_type("application/json", anything),
        "expired-as-json": as_media_type("application/json", one(Problems.EXPIRED_TOKEN)),
        # problem.unknown-route
        "unknown-route-as-html": as_text("text/html", HTML, _NO_ROUTE),
        "unknown-method-as-text": as_text("text/plain", b"Method Not Allowed", _NO_METHOD),
        "unknown-route-as-gateway": as_text("application/json", b'{"message":"no Route matched"}', _NO_ROUTE),
        "unknown-route-in-error": members(wrapped, _NO_ROUTE),
    }
)
