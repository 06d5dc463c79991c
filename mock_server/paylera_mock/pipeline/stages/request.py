"""What is asked: path, method, version and body, and last the effect of the operation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import parse_qsl

from paylera_fixtures.api.operations import OPERATIONS, Operation, match
from paylera_fixtures.spelling import nearest
from paylera_mock.core import problems, request_bodies
from paylera_mock.core.messages import BODILESS, Decision
from paylera_mock.core.problems import FieldError, Problem
from paylera_mock.pipeline.context import CheckResult, Context, IgnoredName, RuleFunctions
from paylera_mock.pipeline.stages.text import operation_name, shorten

_JSON: Final = "application/json"
_PAGE_PARAMETERS: Final = ("limit", "cursor")
_HARMLESS: Final = re.compile(r"(?!sk_|whsec_)[A-Za-z0-9_.\[\]-]{1,60}")
_IGNORED_AT_MOST: Final = 20


def check_route(context: Context) -> Decision | None:
    """The path is one of the contract's, compared as it is."""
    return None if context.request.match else problems.route_not_found()


def describe_route(context: Context) -> CheckResult:
    """The path of the contract that the request's path means."""
    return CheckResult("a path of the contract", context.request.route or shorten(context.request.path))


def advise_on_route(context: Context) -> str:
    """The path is none of the contract's."""
    near = nearest_route(context.request.path)
    return f"Did you mean {near}?" if near else ""


ROUTE: Final = RuleFunctions(check_route, describe_route, advise_on_route)


def check_method(context: Context) -> Decision | None:
    """The path has this method."""
    request = context.request
    return None if request.operation else problems.method_not_allowed(request.match.operations if request.match else {})


def describe_method(context: Context) -> CheckResult:
    """The method, and which the path has."""
    found = context.request.match
    expected = " or ".join(sorted(found.operations)) if found else "a method of the path"
    return CheckResult(expected, shorten(context.request.method))


def advise_on_method(context: Context) -> str:
    """The path has not this method."""
    found = context.request.match
    methods = ", ".join(sorted(found.operations)) if found else ""
    return f"On this path there are {methods}." if methods else ""


METHOD: Final = RuleFunctions(check_method, describe_method, advise_on_method)


def check_version(context: Context) -> Decision | None:
    """The version asked for is served."""
    version, versions = context.request.version, context.state.versions
    if version is None or version in versions:
        return None
    return problems.version_unsupported(context.policy, versions.supported)


def describe_version(context: Context) -> CheckResult:
    """The version asked for, and those that are served."""
    sent, versions = context.request.version, context.state.versions
    supported = " or ".join(versions.supported)
    if sent is None:
        own = context.token.default_version if context.token else versions.current
        return CheckResult(supported, f"none asked: the token's own, {own}")
    return CheckResult(supported, shorten(sent) or "an empty header")


def advise_on_version(context: Context) -> str:
    """The version asked for is not served."""
    return f"There are {' and '.join(context.state.versions.supported)}; without the header the token's own is used."


VERSION: Final = RuleFunctions(check_version, describe_version, advise_on_version)


def check_body_size(context: Context) -> Decision | None:
    """The body is within the limit. Checked before the key, since a key's bodies are compared."""
    return problems.body_too_large(context.policy.body_limit) if context.request.body is None else None


def describe_body_size(context: Context) -> CheckResult:
    """Whether the body is within the limit."""
    limit, body = f"at most {context.policy.body_limit} bytes of body", context.request.body
    if body is None:
        return CheckResult(limit, "more")
    return CheckResult(limit, "within" if body else "no body", applies=bool(body))


BODY_SIZE: Final = RuleFunctions(check_body_size, describe_body_size)


def check_json(context: Context) -> Decision | None:
    """The body is JSON, by declaration and in fact, and not compressed."""
    request = context.request
    if request.method in BODILESS or not request.body:
        return None
    if request.header("Content-Encoding").lower() not in request_bodies.PLAIN_ENCODINGS:
        return problems.unsupported_content_encoding()
    media_type = (request.content_type or _JSON).partition(";")[0].strip().lower()
    if media_type != _JSON and not media_type.endswith("+json"):
        return problems.unsupported_media_type()
    payload = request_bodies.read_json(request.body, context.policy.body_depth)
    if isinstance(payload, Problem):
        return payload
    context.payload = payload
    return None


def describe_json(context: Context) -> CheckResult:
    """What the body is declared to be."""
    if context.request.method in BODILESS or not context.request.body:
        return CheckResult("JSON", "no body", applies=False)
    declared = shorten(context.request.content_type or "no Content-Type")
    if encoding := context.request.header("Content-Encoding"):
        declared += f", encoded as {shorten(encoding)}"
    return CheckResult("JSON, and a media type that says so", declared)


JSON: Final = RuleFunctions(check_json, describe_json)


def check_schema(context: Context) -> Decision | None:
    """The body has the members that the operation needs, each of its type, and by a strict policy no others."""
    operation = context.called_operation
    if not operation.is_read and (refusal := request_bodies.check(operation.id, context.payload)):
        return refusal
    if not context.payload and not context.request.query:
        return None
    context.ignored = tuple(islice(_find_ignored(context, operation), _IGNORED_AT_MOST))
    if not context.ignored or not context.policy.strict_bodies:
        return None
    flaws = (FieldError(each.name, "member.unknown", _refuse(each)) for each in context.ignored)
    return problems.validation_failed(*flaws)


def _find_ignored(context: Context, operation: Operation) -> Iterator[IgnoredName]:
    for name, near in request_bodies.unknown_members(operation, context.payload):
        yield IgnoredName(name if _HARMLESS.fullmatch(name) else "", near)
    known = _PAGE_PARAMETERS if operation.is_list else ()
    for name in dict.fromkeys(name for name, _ in parse_qsl(context.request.query, keep_blank_values=True)):
        if name not in known:
            yield IgnoredName(name if _HARMLESS.fullmatch(name) else "", nearest(name, known))


def _refuse(ignored: IgnoredName) -> str:
    return f"There is no such member or parameter{f'. Did you mean {ignored.near}?' if ignored.near else '.'}"


def describe_schema(context: Context) -> CheckResult:
    """Whose schema the body is compared with; the problem names the members that do not fit."""
    operation = context.request.operation
    if operation is None or operation.is_read:
        return CheckResult("the members of the operation", "a read", applies=False)
    return CheckResult(f"the members of {operation}")


SCHEMA: Final = RuleFunctions(check_schema, describe_schema)


def run_effect(context: Context) -> Decision:
    """The operation happens. This one always decides."""
    return context.pipeline.effects[context.called_operation.id](context)


def describe_effect(context: Context) -> CheckResult:
    """Which operation happens."""
    return CheckResult("the operation happens", operation_name(context))


EFFECT: Final = RuleFunctions(run_effect, describe_effect)


def nearest_route(path: str) -> str:
    """A path of the contract that may be meant by one that is none; empty where none is near."""
    segments = [segment for segment in path.lower().split("/") if segment not in {"", "sandbox", "live", "api"}]
    while segments[:1] == ["v1"]:
        del segments[0]
    whole = "/v1/" + "/".join(segments)
    if found := match(whole):
        return found.route
    routes = sorted({operation.path for operation in OPERATIONS})
    return nearest(whole, routes, cutoff=0.8)
