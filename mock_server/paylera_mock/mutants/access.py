"""Defects of how a credential is read, refused and told of."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs, unquote

from flask import request

from paylera_fixtures.vocabulary import (
    Header,
    Problems,
    ProblemType,
)
from paylera_mock.core.credential import Authorization, Flaw, Malformed, Missing, credential_of
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import (
    Mutation,
    after_all,
    carry_on,
    code,
    decided_otherwise,
    decision_otherwise,
    refusal,
    rule_before,
    status,
    step,
    without_step,
    writer_otherwise,
)
from paylera_mock.pipeline.context import Context, Headers, Rule

_TOKEN: Final = re.compile(r"sk_(?:sandbox|live)_[A-Za-z0-9]+")
_LONGEST_HEADER: Final = 4096


# How the credential is read


def lenient(find: Callable[[str], str | None]) -> Mutation:
    """A header that is no `Bearer <token>` is read in another way too."""

    def read(right: Authorization, context: Context) -> Authorization:
        if not isinstance(right, Malformed):
            return right
        token = find(context.request.authorization[0])
        return credential_of(token) if token else right

    return decision_otherwise("read_credential", read)


def any_scheme(value: str) -> str | None:
    """The last of two words, whatever the first is."""
    _, _, rest = value.partition(" ")
    return rest if rest and " " not in rest else None


def anywhere(value: str) -> str | None:
    """The first thing that looks like a token."""
    found = _TOKEN.search(value)
    return found.group() if found else None


def bearer_rest(change: Callable[[str], str]) -> Callable[[str], str | None]:
    """What follows the scheme Bearer, changed before it is looked up."""

    def find(value: str) -> str | None:
        scheme, _, rest = value.partition(" ")
        return change(rest) if scheme.lower() == "bearer" and rest else None

    return find


def split_at_whitespace(value: str) -> str | None:
    """The second of two words, whatever whitespace is between them."""
    words = value.split()
    return words[1] if len(words) == 2 and words[0].lower() == "bearer" else None  # noqa: PLR2004 - scheme and token


def basic_pair(value: str) -> str | None:
    """The user of HTTP Basic, as other APIs take it."""
    scheme, _, rest = value.partition(" ")
    try:
        return b64decode(rest).decode().partition(":")[0] if scheme == "Basic" else None
    except ValueError:
        return None


def one_of(place: int) -> Callable[[str], str | None]:
    """The first or the last of several headers, which WSGI joins by commas."""
    return lambda value: bearer_rest(str.strip)(value.split(",")[place].strip())


def elsewhere(find: Callable[[Context], str | None]) -> Mutation:
    """Where there is no header, the token is looked for in another place."""

    def read(right: Authorization, context: Context) -> Authorization:
        token = find(context) if isinstance(right, Missing) else None
        return credential_of(token) if token else right

    return decision_otherwise("read_credential", read)


def in_query(context: Context) -> str | None:
    """The parameter `access_token`."""
    return parse_qs(context.request.query).get("access_token", [None])[0]


def in_form(context: Context) -> str | None:
    """The form's field `access_token` (RFC 6750, section 2.2)."""
    return parse_qs((context.request.body or b"").decode("latin-1")).get("access_token", [None])[0]


def in_json(context: Context) -> str | None:
    """The body's member `access_token`."""
    found = re.search(rb'"access_token": *"([^"]+)"', context.request.body or b"")
    return found.group(1).decode() if found else None


def crashing(when: Callable[[str], bool]) -> Mutation:
    """Some headers run into an error of the server."""

    def check(context: Context) -> None:
        if any(when(value) for value in context.request.authorization):
            raise IndexError("there is no second word")

    return rule_before("credential-present", Rule("careless", "credential.malformed", check))


def scheme_as_written(right: Authorization, context: Context) -> Authorization:
    """The scheme is compared with regard to case."""
    written = context.request.authorization[0] if context.request.authorization else "Bearer"
    return right if written.startswith("Bearer") else Malformed(Flaw.NOT_BEARER)


def open_to_strangers(which: Callable[[Context], bool]) -> Mutation:
    """Some requests need no token."""

    def decide(context: Context, decided: Decision) -> Decision:
        return (carry_on(context, "secret-not-expired") or decided) if which(context) else decided

    return decided_otherwise("credential-present", decide)


def challenge_but(which: ProblemType) -> Callable[[Context, Decision, Headers], Headers]:
    """No challenge with one of the problems."""

    def change(_context: Context, decided: Decision, headers: Headers) -> Headers:
        return () if isinstance(decided, Problem) and decided.type is which else headers

    return change


# What is told


def told(body: bytes, context: Context, _problem: Problem) -> bytes:
    """The detail of a refusal repeats the token."""
    sent = context.request.authorization[0].split()[-1] if context.request.authorization else ""
    return body.replace(b'"detail":"', b'"detail":"' + sent.encode() + b" was refused. ") if sent else body


def with_token(context: Context, _decided: Decision, headers: Headers) -> Headers:
    """Accepted or refused, the answer has a header for debugging."""
    return (*headers, *(("X-Debug-Authorization", value) for value in context.request.authorization))


def is_list_of_products(context: Context) -> bool:
    """A catalog is often thought to be public."""
    return (context.request.method, context.request.path) == ("GET", "/v1/products")


ACCESS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # credential.missing
        "no-token-needed": open_to_strangers(lambda _: True),
        "catalog-open-to-strangers": open_to_strangers(is_list_of_products),
        "writes-open-to-strangers": open_to_strangers(lambda context: context.request.method == "POST"),
        "no-token-is-403": refusal("credential-present", status(HTTPStatus.FORBIDDEN)),
        "no-token-is-invalid": refusal("credential-present", code("INVALID_TOKEN")),
        "no-token-refused-late": after_all("credential-present"),
        # credential.malformed
        "any-scheme": lenient(any_scheme),
        "token-anywhere-in-header": lenient(anywhere),
        "bearer-in-quotes": lenient(bearer_rest(lambda rest: rest.strip("\"'"))),
        "bearer-and-tab": lenient(split_at_whitespace),
        "first-of-two-tokens": lenient(bearer_rest(lambda rest: rest.split(" ")[0])),
        "bearer-percent-decoded": lenient(bearer_rest(unquote)),
        "basic-user-is-token": lenient(basic_pair),
        "scheme-alone-crashes": crashing(lambda value: value.strip() == "Bearer"),
        "long-header-crashes": crashing(lambda value: len(value) > _LONGEST_HEADER),
        "malformed-is-400": refusal("credential-well-formed", status(HTTPStatus.BAD_REQUEST)),
        "malformed-is-expired": refusal("credential-well-formed", code("EXPIRED_TOKEN")),
        "malformed-refused-late": after_all("credential-well-formed"),
        # credential.duplicate-headers
        "first-header-wins": lenient(one_of(0)),
        "last-header-wins": lenient(one_of(-1)),
        # credential.only-in-header
        "token-in-query": elsewhere(in_query),
        "token-in-form": elsewhere(in_form),
        "token-in-json": elsewhere(in_json),
        "token-in-cookie": elsewhere(lambda _: request.cookies.get("access_token")),
        "token-in-api-key-header": elsewhere(lambda _: request.headers.get("X-Api-Key")),
        "token-for-the-proxy": elsewhere(lambda _: anywhere(request.headers.get("Proxy-Authorization", ""))),
        # credential.scheme-case
        "scheme-with-case": decision_otherwise("read_credential", scheme_as_written),
        # credential.challenge
        "no-challenge": without_step("challenge"),
        "challenge-of-basic": step("challenge", lambda *_: ((Header.CHALLENGE, 'Basic realm="paylera"'),)),
        "no-challenge-when-expired": step("challenge", challenge_but(Problems.EXPIRED_TOKEN)),
        # credential.not-disclosed
        "refusal-repeats-token": writer_otherwise("problem", told),
        "answer-repeats-token": step("rate-headers", with_token),
    }
)
