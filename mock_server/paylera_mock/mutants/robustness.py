"""Mutants that odd requests bring out: side doors, errors that are no problem documents, errors of the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote

from paylera_fixtures.api.operations import match
from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Decision
from paylera_mock.mutants.builders import WHO_ASKS, Mutation, When, crash, insert_rule, replace_rule, serve_anyone
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.problem import HTML, has_type, write_as
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Rule

_DEEP: Final = 100
_LONG: Final = 1000


def _serve_unseen(path_of: Callable[[Context], str | None]) -> Mutation:
    """Some requests are served without a look at who sends them: `path_of` gives the path that is served, if any."""

    def check(context: Context) -> Decision | None:
        path = path_of(context)
        if path is None or match(path) is None:
            return None
        context.request = context.request._replace(path=path)
        return serve_anyone(context)

    return insert_rule(rules.CREDENTIAL_PRESENT, Rule("side-door", "robustness.no-side-door", check))


def _take_for_plain(plain: Callable[[str], str]) -> Mutation:
    """A path that `plain` changes is served as what it is changed to, without a look at who sends the request."""
    return _serve_unseen(
        lambda context: None if plain(context.request.path) == context.request.path else plain(context.request.path)
    )


def _trust(which: When) -> Mutation:
    return _serve_unseen(lambda context: context.request.path if which(context) else None)


def _without_dots(path: str) -> str:
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[-1:]
        elif segment != ".":
            found.append(segment)
    return "/".join(found)


def _guard_admin_api_as_it_is(context: Context) -> Decision | None:
    """Only the guard of the Admin API compares paths as they are."""
    context.request = context.request._replace(path=context.request.path.lower())
    return rules.CUSTOMER_READS_ONLY.check(context)


def _override_method(context: Context) -> None:
    """The scope is looked up by the method that was sent, and the effect by the one that a header names."""
    method = context.request.header("X-HTTP-Method-Override")
    overridden = context.request._replace(method=method)
    if overridden.operation is not None:
        context.request = overridden


def _crash_at_body(when: Callable[[bytes], bool]) -> Mutation:
    return crash(rules.BODY_IS_JSON, lambda context: when(context.request.body or b""))


_breaks_no_side_door: Final = partial(Mutant, breaks=("robustness.no-side-door",))
_breaks_errors_are_problems: Final = partial(Mutant, breaks=("robustness.errors-are-problems",))
_breaks_no_server_error: Final = partial(Mutant, breaks=("robustness.no-server-error",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "slash-at-the-end": _breaks_no_side_door(
        "With a slash at its end a path is served without a look at the token.",
        _take_for_plain(lambda path: path.rstrip("/")),
    ),
    "slashes-merged": _breaks_no_side_door(
        "With a slash too many a path is served without a look at the token.",
        _take_for_plain(lambda path: re.sub(r"//+", "/", path)),
        subtle=True,
    ),
    "dots-resolved": _breaks_no_side_door(
        "With dots in it a path is served without a look at the token.", _take_for_plain(_without_dots), subtle=True
    ),
    "path-decoded-twice": _breaks_no_side_door(
        "What is percent-encoded twice is served without a look at the token.", _take_for_plain(unquote), subtle=True
    ),
    "path-in-capitals": _breaks_no_side_door(
        "A path in capitals is served without a look at the token.", _take_for_plain(str.lower), subtle=True
    ),
    "ending-of-a-format": _breaks_no_side_door(
        "With .json at its end a path is served without a look at the token.",
        _take_for_plain(lambda path: path.removesuffix(".json")),
        subtle=True,
    ),
    "path-parameters-ignored": _breaks_no_side_door(
        "With a parameter behind a semicolon a path is served without a look at the token.",
        _take_for_plain(lambda path: re.sub(r";[^/]*", "", path)),
        subtle=True,
    ),
    "admin-api-in-capitals": _breaks_no_side_door(
        "The Admin API in capitals is served to every audience.",
        replace_rule(rules.CUSTOMER_READS_ONLY, _guard_admin_api_as_it_is),
        subtle=True,
    ),
    "head-needs-no-token": _breaks_no_side_door(
        "HEAD needs no token.",
        _trust(lambda context: context.request.sent_method == "HEAD"),
        may_break=(
            "credential.missing",
            "version.default",
            "token.unknown",
            "token.revoked",
            "token.wrong-environment",
            "token.one-tenant",
            "audience.admin-api-needs-admin",
            "scope.required",
            "rotation.grace-ends",
            "revocation.covers-grace",
        ),
        subtle=True,
    ),
    "localhost-is-trusted": _breaks_no_side_door(
        "What is sent to the host localhost needs no token.",
        _trust(lambda context: context.request.host.partition(":")[0] == "localhost"),
        subtle=True,
        may_break=("credential.missing", "audience.admin-api-needs-admin"),
    ),
    "forwarded-neighbour-is-trusted": _breaks_no_side_door(
        "What says to be forwarded for 127.0.0.1 needs no token.",
        _trust(lambda context: context.request.header("X-Forwarded-For") == "127.0.0.1"),
        subtle=True,
        may_break=(
            *WHO_ASKS,
            "version.default",
            "audience.admin-api-needs-admin",
            "audience.customer-cannot-write",
            "audience.customer-sees-only-own",
            "token.one-tenant",
            "acting-as.other-tenant",
            "aal2.required",
            "revocation.immediate",
        ),
    ),
    "method-overridden-late": _breaks_no_side_door(
        "A header overrides the method after the scope was looked at.",
        insert_rule(rules.BODY_BOUNDED, Rule("override", "robustness.no-side-door", _override_method)),
        subtle=True,
        may_break=("idempotency.required",),
    ),
    "original-url-is-served": _breaks_no_side_door(
        "A header names the path that is served, without a look at the token.",
        _serve_unseen(lambda context: re.sub(r"^/ns/[^/]+", "", context.request.header("X-Original-URL"))),
        subtle=True,
    ),
    "malformed-body-as-html": _breaks_errors_are_problems(
        "That a body is no JSON is told in HTML.", write_as("text/html", HTML, has_type(Problems.MALFORMED))
    ),
    "media-type-refused-empty": _breaks_errors_are_problems(
        "That a media type is not taken is told without a body.",
        write_as("text/plain", b"", has_type(Problems.UNSUPPORTED_MEDIA_TYPE)),
        subtle=True,
    ),
    "deep-body-crashes": _breaks_no_server_error(
        "A body that is nested deep runs into a server error.",
        _crash_at_body(lambda body: body.count(b"{") + body.count(b"[") > _DEEP),
    ),
    "nul-in-body-crashes": _breaks_no_server_error(
        "A NUL in a body runs into a server error.", _crash_at_body(lambda body: b"\\u0000" in body), subtle=True
    ),
    "body-of-another-type-crashes": _breaks_no_server_error(
        "A body that is JSON and no object runs into a server error.",
        _crash_at_body(lambda body: body[:1] in {b"[", b'"', b"n"}),
    ),
    "page-size-crashes": _breaks_no_server_error(
        "A page size that is no number runs into a server error.",
        crash(rules.EFFECT, lambda context: re.search(r"limit=[^&]*[^0-9&]", context.request.query) is not None),
    ),
    "long-id-crashes": _breaks_no_server_error(
        "An id of more than a thousand characters runs into a server error.",
        crash(rules.EFFECT, lambda context: len(context.identifier) > _LONG),
        subtle=True,
    ),
    "actor-beyond-ascii-crashes": _breaks_no_server_error(
        "An actor with a character that is not ASCII runs into a server error.",
        crash(rules.ACTOR_KNOWN, lambda context: not (context.request.acting_as or "").isascii()),
        subtle=True,
    ),
    "key-beyond-ascii-crashes": _breaks_no_server_error(
        "A key with a character that is not ASCII runs into a server error.",
        crash(rules.KEY_PRESENT, lambda context: not (context.request.idempotency_key or "").isascii()),
        subtle=True,
    ),
    "version-beyond-ascii-crashes": _breaks_no_server_error(
        "A version with a character that is not ASCII runs into a server error.",
        crash(rules.VERSION_SUPPORTED, lambda context: not (context.request.version or "").isascii()),
        subtle=True,
    ),
    "odd-version-crashes": Mutant(
        "A version that is no date runs into a server error.",
        crash(
            rules.VERSION_SUPPORTED,
            lambda context: re.fullmatch(r"\d{4}-\d\d-\d\d|", context.request.version or "") is None,
            "version.unknown",
        ),
        breaks=("robustness.no-server-error", "version.unknown"),
    ),
}
