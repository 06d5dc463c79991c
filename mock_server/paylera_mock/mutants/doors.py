"""Defects that odd requests bring out: side doors, other words than problems, server errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from flask import request

from paylera_fixtures.api.operations import match
from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Decision
from paylera_mock.mutants.answers import HTML, as_text, one
from paylera_mock.mutants.mechanism import Mutation, carry_on, rule, rule_before
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.pipeline.rules import customer_reads_only

_CLAUSE: Final = "robustness.no-side-door"
_DEEP: Final = 100
_LONG: Final = 1000


def guarded_by_path(serve: Callable[[str], str]) -> Mutation:
    """What looks at tokens compares paths as they are; what serves takes another spelling for the plain one."""

    def check(context: Context) -> Decision | None:
        plain = serve(context.request.path)
        return None if plain == context.request.path or match(plain) is None else let_in(context, plain)

    return rule_before("credential-present", Rule("side-door", _CLAUSE, check))


def open_where(which: Callable[[], bool]) -> Mutation:
    """Some requests are trusted, whoever sends them."""

    def check(context: Context) -> Decision | None:
        return let_in(context, context.request.path) if which() and match(context.request.path) else None

    return rule_before("credential-present", Rule("side-door", _CLAUSE, check))


def let_in(context: Context, path: str) -> Decision | None:
    """The request is served without a look at who sends it."""
    context.request = context.request._replace(path=path)
    return carry_on(context, "secret-not-expired")


def only_for_admins(serve: Callable[[str], str]) -> Mutation:
    """Only the guard of the Admin API compares paths as they are."""

    def check(context: Context) -> Decision | None:
        context.request = context.request._replace(path=serve(context.request.path))
        return customer_reads_only(context)

    return rule("customer-reads-only", check)


def without_dots(path: str) -> str:
    """Dots are resolved."""
    found: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del found[-1:]
        elif segment != ".":
            found.append(segment)
    return "/".join(found)


def overridden(context: Context) -> None:
    """The scope is looked up by the method that was sent, and the effect by the one that a header names."""
    method = request.headers.get("X-HTTP-Method-Override")
    if context.match and method in context.match.operations:
        context.request = context.request._replace(method=method)
        context.operation = context.match.operations[method]


def rewritten(context: Context) -> Decision | None:
    """A header of a proxy names the path that is served."""
    original = re.sub(r"^/ns/[^/]+", "", request.headers.get("X-Original-URL", ""))
    return let_in(context, original) if match(original) else None


# What cannot be read


def crash_at_body(when: Callable[[bytes], bool]) -> Mutation:
    """Some bodies run into an error of the server."""

    def check(context: Context) -> None:
        if when(context.request.body or b""):
            raise RecursionError("a parser met its own limits")

    return rule_before("body-is-json", Rule("careless", "robustness.no-server-error", check))


def crash_at_query(when: Callable[[str], bool]) -> Mutation:
    """Some queries run into an error of the server."""

    def check(context: Context) -> None:
        if when(context.request.query):
            raise ValueError("a database met what it cannot take")

    return rule_before("effect", Rule("careless", "robustness.no-server-error", check))


def crash_at_id(context: Context) -> None:
    """An id that is too long for its column."""
    if len(context.identifier) > _LONG:
        raise ValueError("a database met what it cannot take")


def crash_at_version(context: Context) -> None:
    """A version is read as a date."""
    if context.request.version and not re.fullmatch(r"\d{4}-\d\d-\d\d", context.request.version):
        raise ValueError("this is no date")


def has_nul(body: bytes) -> bool:
    """A text that no column can hold."""
    return b"\\u0000" in body


def is_no_object(body: bytes) -> bool:
    """JSON, and no object."""
    return body[:1] in {b"[", b'"', b"n"}


def is_deep(body: bytes) -> bool:
    """Nested deeper than a recursive parser stands."""
    return body.count(b"{") + body.count(b"[") > _DEEP


def limit_is_no_number(query: str) -> bool:
    """A page size that cannot be read."""
    return re.search(r"limit=[^&]*[^0-9&]", query) is not None


DOORS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # robustness.no-side-door
        "slash-at-the-end": guarded_by_path(lambda path: path.rstrip("/")),
        "slashes-merged": guarded_by_path(lambda path: re.sub(r"//+", "/", path)),
        "dots-resolved": guarded_by_path(without_dots),
        "path-decoded-twice": guarded_by_path(unquote),
        "path-in-capitals": guarded_by_path(str.lower),
        "ending-of-a-format": guarded_by_path(lambda path: path.removesuffix(".json")),
        "path-parameters-ignored": guarded_by_path(lambda path: re.sub(r";[^/]*", "", path)),
        "admin-api-in-capitals": only_for_admins(str.lower),
        "head-needs-no-token": open_where(lambda: request.method == "HEAD"),
        "localhost-is-trusted": open_where(lambda: request.host.partition(":")[0] == "localhost"),
        "forwarded-neighbour-is-trusted": open_where(lambda: request.headers.get("X-Forwarded-For") == "127.0.0.1"),
        "method-overridden-late": rule_before("body-bounded", Rule("override", _CLAUSE, overridden)),
        "original-url-is-served": rule_before("credential-present", Rule("side-door", _CLAUSE, rewritten)),
        # robustness.errors-are-problems
        "malformed-body-as-html": as_text("text/html", HTML, one(Problems.MALFORMED)),
        "media-type-refused-empty": as_text("text/plain", b"", one(Problems.UNSUPPORTED_MEDIA_TYPE)),
        # robustness.no-server-error
        "deep-body-crashes": crash_at_body(is_deep),
        "nul-in-body-crashes": crash_at_body(has_nul),
        "body-of-another-type-crashes": crash_at_body(is_no_object),
        "page-size-crashes": crash_at_query(limit_is_no_number),
        "long-id-crashes": rule_before("effect", Rule("careless", "robustness.no-server-error", crash_at_id)),
        "odd-version-crashes": rule_before("version-supported", Rule("careless", "version.unknown", crash_at_version)),
    }
)
