"""Well-formed HTTP with something in it that careless servers fail on: one line for each, by family."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from paylera_conformance.model.messages import Request

_DEEP: Final = 20_000
"""Levels of nesting beyond what a recursive parser stands."""

_LONG: Final = 65_536
"""Characters of a string that is too long for any name."""

_NOT_ASCII: Final = "k\u00f6"
"""Sent as one byte of Latin-1, which is no UTF-8. A recipient is to take it for opaque data (RFC 9110, section 5.5)."""


@dataclass(frozen=True)
class MalformedInput:
    """One change to a request that is accepted.

    - `apply`: makes the change;
    - `before_application`: an HTTP layer before the application may refuse this itself, and in its own words.
    """

    change: str
    apply: Callable[[Request], Request]
    before_application: bool = False


def _body(change: str, body: bytes) -> MalformedInput:
    return MalformedInput(f"a body that is {change}", lambda request: request.with_body(body))


def _member(name: str, value: object) -> MalformedInput:
    """One member of the body with another value."""
    return MalformedInput(
        f"{name} {json.dumps(value)[:40]}", lambda request: request.with_json({**request.json, name: value})
    )


def _literal(name: str, literal: bytes) -> MalformedInput:
    """One member of the body written in a way that the encoder would not write it."""

    def apply(request: Request) -> Request:
        written = json.dumps({**request.json, name: "@"}).encode()
        return request.with_body(written.replace(b'"@"', literal))

    return MalformedInput(f"{name} {literal[:40].decode('latin-1')}", apply)


def _query(query: str, *, before_application: bool = False) -> MalformedInput:
    def apply(request: Request) -> Request:
        return request.at(f"{request.path.partition('?')[0]}?{query}")

    return MalformedInput(f"?{_shorten(query)}", apply, before_application)


def _id(identifier: str, *, before_application: bool = False) -> MalformedInput:
    def apply(request: Request) -> Request:
        return request.at(f"/v1/customers/{identifier}")

    return MalformedInput(f"the id {_shorten(identifier)}", apply, before_application)


def _header(name: str, value: str, *, before_application: bool = False) -> MalformedInput:
    def apply(request: Request) -> Request:
        return request.with_header(name, value)

    return MalformedInput(f"{name}: {_shorten(value)}", apply, before_application)


def _key(key: str) -> MalformedInput:
    return MalformedInput(f"the key {key}", lambda request: request.with_key(key), before_application=True)


def _shorten(text: str) -> str:
    return text if len(text) < 60 else f"{text[:60]}…"  # noqa: PLR2004 - what fits on a line


WRITES: Final = {
    "bodies": (
        _body("empty", b""),
        _body("no JSON", b"{"),
        _body("not UTF-8", b'{"email": "\xff\xfe@example.com"}'),
        _body("an array", b"[]"),
        _body("a string", b'"email"'),
        _body("null", b"null"),
        _body("a number too long to read", b"9" * _LONG),
        _body("nested without end", b'{"metadata":' * _DEEP + b"1" + b"}" * _DEEP),
        _body("an array nested without end", b"[" * _DEEP),
        _body("NUL bytes", b"\0" * 8),
    ),
    "members": (
        _member("email", None),
        _member("email", [{}]),
        _member("email", "ada\0@example.com"),
        _member("name", "\ud800"),
        _member("name", "a" * _LONG),
        _member("name", "'; DROP TABLE customers; --"),
        _member("metadata", "none"),
        _member("metadata", {"": [None, {"": []}]}),
        _member("billing_address", 4711),
        _member("id", "cus_of_my_choice"),
        _literal("name", b"NaN"),
        _literal("metadata", b'{"n": 1e999999}'),
        _literal("metadata", b'{"n": ' + b"9" * 5000 + b"}"),
        _literal("name", b'"twice", "name": 2'),
    ),
    "media-types": (
        _header("Content-Type", "text/plain"),
        _header("Content-Type", "application/xml"),
        _header("Content-Type", "multipart/form-data"),
        _header("Content-Type", "application/json; charset=utf-16"),
        _header("Content-Type", "nonsense"),
        _header("Content-Encoding", "gzip"),
    ),
    "keys": (_key(_NOT_ASCII),),
}
"""To be made in the creation of a customer."""

READS: Final = {
    "queries": (
        *(_query(f"limit={value}") for value in ("0", "-1", "1.5", "abc", "", "1e9", "9" * 400, "NaN", "%D9%A3")),
        _query("limit=1&limit=2"),
        _query("limit[]=1"),
        _query("limit=%ff", before_application=True),
        _query("cursor=nonsense"),
        _query("cursor="),
        _query("cursor=eyJpZCI6bnVsbH0="),  # {"id":null}
        _query("cursor=eyJpZCI6WzFdfQ"),  # {"id":[1]}
        _query("cursor=" + "A" * 2000),
        _query("cursor=%00", before_application=True),
        _query("sort=nonsense:sideways"),
        _query("created_at[gte]=nonsense"),
        _query("&&=&=1&%3D"),
        _query("%zz", before_application=True),
    ),
    "ids": (
        _id("%00", before_application=True),
        _id("%ff%fe", before_application=True),
        _id("%0d%0a", before_application=True),
        _id("%F0%9F%92%A9"),
        _id("%27%20OR%20%271%27=%271"),
        _id("null"),
        _id("-1"),
        _id("9" * 400),
        _id("a" * 2000),
        _id("{id}"),
        _id("%252e%252e"),
    ),
    "headers": (
        _header("Accept", "text/html"),
        _header("Accept", "nonsense"),
        _header("Accept-Language", "xx-klingon;q=2"),
        _header("Paylera-Version", "nonsense"),
        _header("Paylera-Version", "9999-99-99"),
        _header("X-Paylera-Acting-As", "nonsense"),
        _header("Paylera-Version", _NOT_ASCII, before_application=True),
        _header("X-Paylera-Acting-As", "a" * 2000),
        _header("X-Paylera-Acting-As", _NOT_ASCII, before_application=True),
        _header("Range", "bytes=9-1"),
        _header("If-Match", '"nonsense"'),
        _header("If-Modified-Since", "nonsense"),
    ),
}
"""To be made in the list of customers."""
