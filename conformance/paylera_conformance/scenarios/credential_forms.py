"""Forms of a credential that are none: a valid token in another wrapping, in another place, or altered."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Final

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import NotOffered
from paylera_conformance.model.tokens import Credential
from paylera_fixtures.tokens import prefix

ALTERED_ROLE: Final = "altered"
"""The role of what a real token was made into: it is no token any more."""

MALFORMED_CREDENTIALS: Final = {
    "no-scheme": "{}",
    "scheme-alone": "Bearer",
    "scheme-and-comma": "Bearer ,",
    "two-tokens": "Bearer {} {}",
    "scheme-twice": "Bearer Bearer {}",
    "comma-list": "Bearer {}, Bearer {}",
    "comma-no-space": "Bearer {},{}",
    "auth-param": "Bearer token={}",
    "double-quotes": 'Bearer "{}"',
    "single-quotes": "Bearer '{}'",
    "angle-brackets": "Bearer <{}>",
    "tab": "Bearer\t{}",
    "colon": "Bearer: {}",
    "equals": "Bearer={}",
    "no-space": "Bearer{}",
    "basic": "Basic {}",
    "digest": "Digest {}",
    "token-scheme": "Token {}",
    "scheme-prefix": "Bear {}",
    "scheme-longer": "Bearers {}",
    "negotiate": "Negotiate {}",
}
"""Headers that hold a valid token and are not `Bearer <token>`. Two spaces are left out: RFC 9110 allows them."""

ENCODED: Final[dict[str, Callable[[str], str]]] = {
    "percent-encoded": lambda secret: "".join(f"%{ord(character):02X}" for character in secret),
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "basic-pair": lambda secret: b64encode(f"{secret}:".encode()).decode(),
    "with-colon": lambda secret: f"{secret}:",
}
"""Ways to write a token in other characters."""

SCHEMES: Final = ("Bearer", "Basic")
"""The schemes under which an encoded token is sent."""

ELSEWHERE: Final = {
    "query-access-token": ("?access_token={}", ""),
    "query-token": ("?token={}", ""),
    "query-api-key": ("?api_key={}", ""),
    "query-authorization": ("?authorization=Bearer%20{}", ""),
    "query-key": ("?key={}", ""),
    "cookie": ("", "Cookie: token={}; access_token={}; Authorization={}"),
    "x-api-key": ("", "X-Api-Key: {}"),
    "x-auth-token": ("", "X-Auth-Token: {}"),
    "x-access-token": ("", "X-Access-Token: {}"),
    "x-authorization": ("", "X-Authorization: Bearer {}"),
    "authentication": ("", "Authentication: Bearer {}"),
    "proxy-authorization": ("", "Proxy-Authorization: Bearer {}"),
    "x-forwarded-authorization": ("", "X-Forwarded-Authorization: Bearer {}"),
}
"""A query and a header, each with a valid token in it for `{}`."""


def place_elsewhere(request: Request, query: str, header: str) -> Request:
    """The request with its token in a query or another header, and none where it belongs."""
    assert request.token is not None  # noqa: S101 - it is by a token that it is accepted
    secret = request.token.secret.reveal()
    name, _, value = header.replace("{}", secret).partition(": ")
    changed = with_query(request.without_token(), query.replace("{}", secret))
    return changed.with_header(name, value) if name else changed


def with_query(request: Request, query: str) -> Request:
    """The request with a query, added to the one that it may have; without one, as it is."""
    return request.at(request.path + (query.replace("?", "&") if "?" in request.path else query))


def encode_credential(request: Request, encode: Callable[[str], str], scheme: str) -> Request:
    """The request with its token written in other characters."""
    assert request.token is not None  # noqa: S101 - it is by a token that it is accepted
    encoded = request.token.with_secret(encode(request.token.secret.reveal()), ALTERED_ROLE)
    return request.by(encoded).with_credential(scheme + " {}")


def swap(character: str) -> str:
    """Another character of the same alphabet, of the same case."""
    if not character.isalnum():
        return "." if character == "-" else "-"
    return {"z": "a", "Z": "A", "9": "0"}.get(character) or chr(ord(character) + 1)


ALTERED: Final[dict[str, Callable[[str], str]]] = {
    "last-changed": lambda rest: rest[:-1] + swap(rest[-1]),
    "first-changed": lambda rest: swap(rest[0]) + rest[1:],
    "middle-changed": lambda rest: rest[:16] + swap(rest[16]) + rest[17:],
    "case-flipped": lambda rest: rest.swapcase(),
    "upper": lambda rest: rest.upper(),
    "lower": lambda rest: rest.lower(),
    "like-one": lambda rest: f"{rest[:5]}_{rest[6:]}",  # a pattern of SQL takes it for any character
    "cut-by-one": lambda rest: rest[:-1],
    "cut-in-half": lambda rest: rest[:16],
    "extended": lambda rest: rest + "A",
    "doubled": lambda rest: rest + rest,
    "padded": lambda rest: rest + "==",
    "reversed": lambda rest: rest[::-1],
    "prefix-alone": lambda _: "",
}
"""Ways to write the random part of a token that make it nearly the real one."""


def random_part(token: Credential) -> str:
    """What follows the prefix of a token; it may hold an underscore of its own."""
    return token.secret.reveal()[len(prefix(token.environment)) :]


def with_random_part(token: Credential, altered: str) -> Credential:
    """The token with another random part. Raises `NotOffered` where it is the same: no source gives the alphabet."""
    if altered == random_part(token):
        raise NotOffered("the token reads the same when it is so altered")
    return token.with_secret(prefix(token.environment) + altered, ALTERED_ROLE)
