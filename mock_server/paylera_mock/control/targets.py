"""Whether what a test names is there: a fault or a question about what is not would strike, or show, nothing at all."""

from __future__ import annotations

from itertools import islice
from typing import Final

from msgspec import UNSET, UnsetType

from paylera_fixtures.api.operations import OPERATIONS, match
from paylera_fixtures.spelling import nearest
from paylera_mock.control.request import ControlRequest
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.journal.view import token_names
from paylera_mock.pipeline.stages.request import nearest_route
from paylera_mock.state.token_names import name_of, names_of

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_NAMED: Final = 20
"""Tokens that are listed where none is near."""


def check_method(place: str, method: str | UnsetType) -> None:
    """Raise `InvalidInputError` for what is no method."""
    if method is UNSET or method.upper() in _METHODS:
        return
    if method.upper() == "HEAD":
        raise InvalidInputError(place, "a HEAD goes through the checks of a GET, and is named so: did you mean GET?")
    raise InvalidInputError(place, f"there is no such method{_suggest(nearest(method.upper(), _METHODS), _METHODS)}")


def check_route(place: str, route: str | UnsetType, call: ControlRequest | None = None) -> None:
    """Raise `InvalidInputError` for a path that is none of the contract's.

    `call`: in whose journal it may be all the same, since a client has asked for it.
    """
    if route is UNSET or match(route):
        return
    if call and any(entry.request.path == route for entry in call.namespace.journal.entries()):
        return
    near = nearest_route(route) or nearest(route, sorted({operation.path for operation in OPERATIONS}))
    end = f": did you mean {near}?" if near else ": GET /openapi/v1.json lists those that there are"
    raise InvalidInputError(place, f"there is no such route{end}")


def check_token(place: str, token: str | UnsetType, call: ControlRequest) -> None:
    """Raise `InvalidInputError` for a token that the namespace has not, by id or name."""
    if token is UNSET:
        return
    known = {name: None for each in call.state.tokens for name in names_of(each)}
    if token in known or any(token in token_names(entry) for entry in call.namespace.journal.entries()):
        return
    names = tuple(name_of(each) for each in islice(call.state.tokens, _NAMED))
    end = _suggest(nearest(token, known), names)
    raise InvalidInputError(place, f"there is no such token in this namespace{end}")


def _suggest(near: str, known: tuple[str, ...]) -> str:
    if near:
        return f": did you mean {near}?"
    return f": there are {', '.join(known)}" if known else ": there is none yet, mint one first"
