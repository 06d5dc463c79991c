"""Ids and secrets: those in answers, as strings anywhere in their JSON, and those that are listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import TOKEN_FORM


def find_id(body: Mapping[str, Any], kind: Resource) -> str | None:
    """The id of an object in its JSON: `id`, or `<kind>_id`; `None` where it has neither."""
    value = body.get("id") or body.get(f"{kind}_id")
    return value if isinstance(value, str) else None


def require_id(exchange: Exchange, kind: Resource) -> str:
    """The id of the object that an answer shows. Raises `Blocked` where it shows none."""
    identifier = find_id(exchange.response.object, kind)
    if identifier is None:
        raise Blocked(f"{exchange.request} answered no `id` and no `{kind}_id`", exchange=exchange)
    return identifier


def require_token_id(token: Credential | None) -> str:
    """The id of the token object that a credential belongs to. Raises `Blocked` where nobody says."""
    if token is None or token.id is None:
        raise Blocked(f"the id of {token} is not known: set id in its table")
    return token.id


def find_secrets(exchange: Exchange, *, other_than: Credential | None = None) -> list[str]:
    """The secrets in an answer: whole strings of a token's form, since no source names the member that holds one."""
    known = None if other_than is None else other_than.secret.reveal()
    found = dict.fromkeys(text for text in strings_in(exchange.response.json) if TOKEN_FORM.fullmatch(text))
    return [text for text in found if text != known]


def require_secret(exchange: Exchange, *, see: str, other_than: Credential | None = None) -> str:
    """The one secret that an answer issues, as the clause `see` asks for. Raises `Blocked` where there is not one."""
    secrets = find_secrets(exchange, other_than=other_than)
    if len(secrets) != 1:
        raise Blocked(f"{exchange.request} was answered with {len(secrets)} new secrets (see {see})", exchange=exchange)
    return secrets[0]


def strings_in(value: object) -> Iterator[str]:
    """Every string in a JSON value, however deep; the names of members are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


def mentions(value: object, text: str) -> bool:
    """Whether a text stands anywhere in the strings of a JSON value, whole or within another."""
    return any(text in string for string in strings_in(value))
