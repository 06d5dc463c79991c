"""What answers hold, found by its shape: the object of one, the entries of a list, ids, and secrets.

No source says how a target wraps an object or a list but the Pagination page, whose own clauses look at that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeGuard
from urllib.parse import quote

from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.model.tokens import Credential
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import TOKEN_FORM

_WRAPPERS: Final = ("data", "result", "item")
"""Members that hold the object of an answer, beside one that is named like its kind."""

_LISTS: Final = ("data", "items", "results")
"""Members that hold the entries of a list, beside one that is named like their kind."""

_ENVELOPES: Final = ("_embedded", "data", "result")
"""Members that hold the member with the entries: HAL's, and the wrappers of an object."""

_ABOUT_PAGES: Final = ("meta", "pagination", "paging", "page", "links", "_links")
"""Members that say what follows a page, where it does not say so itself."""

_NAMES_ID: Final = re.compile(r"(^|_)id$|[a-z]I[dD]$")
"""Names of members that hold an id: `id`, `customer_id`, `customerId`."""

_BEYOND_IDS: Final = 1 << 64
"""No id is as large an integer; one of thousands of digits cannot even be written."""

_SAFE_IN_QUERY: Final = "!$&'()*+,;=:@/?%"
"""What stands in a query as it is, beside letters, digits and `-._~` (RFC 3986, section 3.4)."""

_LINK_TO_NEXT: Final = re.compile(r"""<([^<>]*)>[^,<]*;\s*rel="?next\b""", re.IGNORECASE)


def find_object(value: object, kind: Resource) -> dict[str, Any]:
    """The object in an answer's JSON: itself, or what a member holds that is named like its kind or wraps any.

    Empty where the answer is no JSON object.
    """
    if not isinstance(value, dict):
        return {}
    if _own_id(value, kind) is not None:
        return value
    names = (*_names_of(kind), *_WRAPPERS)
    outer = [member for member in _members_named(value, names) if isinstance(member, dict)]
    inner = [member for each in outer for member in _members_named(each, names) if isinstance(member, dict)]
    return next((member for member in (*outer, *inner) if _own_id(member, kind) is not None), value)


def find_id(value: object, kind: Resource) -> str | None:
    """The id of the object in an answer's JSON: `id`, or `<kind>_id`; `None` where it has neither."""
    return _own_id(find_object(value, kind), kind)


def _own_id(body: Mapping[str, Any], kind: Resource) -> str | None:
    value = read_id(body.get("id"))
    return read_id(body.get(f"{kind}_id")) if value is None else value


def read_id(value: object) -> str | None:
    """An id as text, which may be an integer; `None` where it is none, or cannot be sent."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _BEYOND_IDS:
        return str(value)
    return value if is_name(value) and value else None


def is_name(value: object) -> TypeGuard[str]:
    """Whether a value can stand in a path or a query: half a character (a lone surrogate) cannot be sent."""
    return isinstance(value, str) and value.isprintable()


def find_entries(value: object, kind: Resource) -> list[dict[str, Any]] | None:
    """The objects in the JSON of a list, each without what wraps it; `None` where it is no list.

    It is an array, or holds one: under a name that lists have or that of its kind, in an envelope, or its only one.
    """
    array = value if isinstance(value, list) else _find_array(value, kind)
    return None if array is None else [find_object(entry, kind) for entry in array if isinstance(entry, dict)]


def _find_array(value: object, kind: Resource) -> list[Any] | None:
    if not isinstance(value, dict):
        return None
    names = (*_LISTS, *(f"{name}s" for name in _names_of(kind)))
    bodies = [value, *(value[name] for name in _ENVELOPES if isinstance(value.get(name), dict))]
    named = [member for body in bodies for member in _members_named(body, names) if isinstance(member, list)]
    if named:
        return named[0]
    of_objects = [
        member
        for body in bodies
        for member in body.values()
        if isinstance(member, list) and all(isinstance(entry, dict) for entry in member)
    ]
    return of_objects[0] if len(of_objects) == 1 else None


def _names_of(kind: Resource) -> tuple[str, ...]:
    """What an object of a kind is called: `webhook_endpoint`, or `endpoint`."""
    return (kind.value, kind.value.rpartition("_")[2])


def _members_named(body: Mapping[str, Any], names: Iterable[str]) -> Iterator[Any]:
    """The members with these names, the first ones first, however they are spelled (`webhookEndpoint`)."""
    plain = {_plain(name): member for name, member in body.items()}
    yield from (plain[name] for name in dict.fromkeys(map(_plain, names)) if name in plain)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def find_next_query(exchange: Exchange) -> str | None:
    """The query by which the page after this one is asked for; `None` where nothing plainly says that one follows.

    Of a link its query is taken, and nothing else: a token is sent to no other place because an answer says so.
    """
    body = exchange.response.object
    if not body.get("has_more", True):
        return None
    abouts = [body, *(body[name] for name in _ABOUT_PAGES if isinstance(body.get(name), dict))]
    for about in abouts:
        cursor, link = about.get("next_cursor"), about.get("next")
        link = link.get("href") if isinstance(link, dict) else link
        if isinstance(cursor, str) and cursor:
            return _cursor_query(cursor)
        if isinstance(link, str) and link:
            return _query_of(link) or (_cursor_query(link) if "/" not in link else None)
    header = _LINK_TO_NEXT.search(exchange.response.header("Link") or "")
    return _query_of(header[1]) if header else None


def _cursor_query(cursor: str) -> str:
    return f"cursor={quote(cursor, safe='', errors='replace')}"


def _query_of(link: str) -> str | None:
    """The query of a link, of which no more can come into a request than a query may have."""
    return quote(link.partition("#")[0].partition("?")[2], safe=_SAFE_IN_QUERY, errors="replace") or None


def require_id(exchange: Exchange, kind: Resource) -> str:
    """The id of the object that an answer shows. Raises `Blocked` where it shows none."""
    identifier = find_id(exchange.response.json, kind)
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


def strings_in(value: object) -> list[str]:
    """Every string in a JSON value, however deep, and every id that is an integer; the names of members are none."""
    found: list[str] = []
    _add_strings(value, found)
    return found


def _add_strings(value: object, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, list):
        for item in value:
            _add_strings(item, found)
    elif isinstance(value, dict):
        for name, item in value.items():
            # Any other number may be the same as an id by chance.
            identifier = read_id(item) if isinstance(item, int) and _NAMES_ID.search(name) else None
            if identifier is None:
                _add_strings(item, found)
            else:
                found.append(identifier)


def shows_object(value: object, kind: Resource, identifier: str) -> bool:
    """Whether the JSON of a list of a kind shows an object, by its whole id.

    An id that is a number is looked for among the entries' own: what else has a number may have the same.
    """
    entries = (find_entries(value, kind) or ()) if identifier.isdecimal() else ()
    own = {_own_id(entry, kind) for entry in entries} - {None}
    return identifier in (own or strings_in(value))


def shows_text(value: object, kind: Resource, text: str) -> bool:
    """Whether the JSON of a list of a kind shows a text: an id that is a number as `shows_object` does."""
    return shows_object(value, kind, text) if text.isdecimal() else mentions(value, text)


def names_customer(value: object, customer: str) -> bool:
    """Whether the JSON of an object says that it is a customer's; a number is an id of the customer's only as that."""
    return customer in strings_in(list(_about_customer(value)) if customer.isdecimal() else value)


def _about_customer(value: object) -> Iterator[object]:
    """What stands under members that are named after a customer, each with its own name."""
    if isinstance(value, list):
        for item in value:
            yield from _about_customer(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            if "customer" in _plain(name):
                yield {"id": member} if isinstance(member, int) else member
            else:
                yield from _about_customer(member)


def mentions(value: object, text: str) -> bool:
    """Whether a text stands anywhere in the strings of a JSON value, whole or within another; a number, whole."""
    return any(text == string if text.isdecimal() else text in string for string in strings_in(value))
