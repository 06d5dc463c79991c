"""Whether what a test names is there: a fault or a question about what is not would strike, or show, nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final

from msgspec import UNSET, UnsetType

from paylera_fixtures.api.events import HAPPENED
from paylera_fixtures.api.operations import OPERATIONS, Resource, match
from paylera_fixtures.spelling import nearest
from paylera_mock.control.request import ControlRequest
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.journal.view import token_names
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Rule
from paylera_mock.pipeline.stages.request import nearest_route
from paylera_mock.state.token_names import name_of, names_of, well_known_digest
from paylera_mock.state.webhooks.events import ANY

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
_NAMED: Final = 20
"""Tokens that are listed where none is near."""

_COMPARED: Final = 2000
"""Tokens of a namespace among which a near one is looked for."""


def check_method(place: str, method: str | UnsetType) -> None:
    """Raise `InvalidInputError` for what is no method."""
    if method is UNSET or method.upper() in _METHODS:
        return
    if method.upper() == "HEAD":
        raise InvalidInputError(place, "a HEAD goes through the checks of a GET, and is named so: did you mean GET?")
    raise InvalidInputError(place, f"there is no such method{_suggest(nearest(method.upper(), _METHODS), _METHODS)}")


def check_route(place: str, route: str | UnsetType, asked_in: Iterable[Namespace] = ()) -> None:
    """Raise `InvalidInputError` for a path that is none of the contract's.

    `asked_in`: in whose journals it may be all the same, since a client has asked for it.
    """
    if route is UNSET or match(route):
        return
    if any(entry.request.path == route for each in asked_in for entry in each.journal.entries()):
        return
    near = nearest_route(route) or nearest(route, sorted({operation.path for operation in OPERATIONS}))
    end = f": did you mean {near}?" if near else ": GET /openapi/v1.json lists those that there are"
    raise InvalidInputError(place, f"there is no such route{end}")


def check_token(place: str, token: str | UnsetType, namespaces: Sequence[Namespace]) -> None:
    """Raise `InvalidInputError` for a token that none of the namespaces has, by id or name."""
    if token is UNSET or any(_has_token(each, token) for each in namespaces):
        return
    known = [each for namespace in namespaces for each in islice(namespace.state.tokens, _COMPARED)]
    near = nearest(token, {name: None for each in known for name in names_of(each)})
    end = _suggest(near, tuple(map(name_of, known[:_NAMED])))
    raise InvalidInputError(
        place, f"there is no such token {'in this namespace' if len(namespaces) == 1 else 'at all'}{end}"
    )


def _has_token(namespace: Namespace, token: str) -> bool:
    """Whether a namespace has a token, or has had it when a request came. What costs least comes first."""
    tokens, known = namespace.state.tokens, well_known_digest(token)
    return (
        tokens.get(token) is not None
        or (known is not None and tokens.by_digest(known) is not None)
        or any(token in token_names(entry) for entry in namespace.journal.entries())
        or any(token in names_of(each) for each in tokens)
    )


def check_rule(place: str, rule: str | UnsetType, namespaces: Sequence[Namespace]) -> None:
    """Raise `InvalidInputError` for the name of no rule by which a request was or can be decided."""
    _check_word(place, rule, "rule", namespaces, attrgetter("name"))


def check_clause(place: str, clause: str | UnsetType, namespaces: Sequence[Namespace]) -> None:
    """Raise `InvalidInputError` for a clause that no rule keeps by which a request was or can be decided."""
    _check_word(place, clause, "clause by which a rule decides", namespaces, attrgetter("clause"))


def _check_word(
    place: str, word: str | UnsetType, what: str, namespaces: Iterable[Namespace], read: Callable[[Rule], str]
) -> None:
    if word is UNSET:
        return
    # Mutants have rules of their own, and may have had others when a request came.
    known = dict.fromkeys(map(read, (*rules.RULES, rules.FAULT, rules.ANOTHER_ORIGIN)))
    for namespace in () if word in known else namespaces:
        known |= dict.fromkeys(map(read, namespace.pipeline.rules))
        known |= dict.fromkeys(read(entry.rule) for entry in namespace.journal.entries())
    if word not in known:
        raise InvalidInputError(place, f"there is no such {what}{_suggest(nearest(word, known), tuple(known))}")


def check_endpoint(place: str, endpoint: str | UnsetType, call: ControlRequest) -> None:
    """Raise `InvalidInputError` for a webhook endpoint that the namespace has not, nor had when it was sent to."""
    kind, state = Resource.WEBHOOK_ENDPOINT, call.state
    if endpoint is UNSET or any(table.get(kind, endpoint) for _, table in state.store.items()):
        return
    known = [str(entry.value["id"]) for _, table in state.store.items() for entry in table.oldest_first(kind)]
    sent_to = {str(delivery.endpoint["id"]) for delivery in state.webhooks}
    if endpoint not in sent_to:
        end = _suggest(nearest(endpoint, known[:_COMPARED]), tuple(known[:_NAMED]))
        raise InvalidInputError(place, f"there is no such webhook endpoint in this namespace{end}")


def check_event_type(place: str, pattern: str, call: ControlRequest) -> None:
    """Raise `InvalidInputError` for a pattern of event types that no event has."""
    known = {ANY: None}
    for kind, names in HAPPENED.items():
        known |= dict.fromkeys((f"{kind}.{ANY}", *(f"{kind}.{name}" for name in names)))
    if pattern not in known and all(delivery.event.type != pattern for delivery in call.state.webhooks):
        raise InvalidInputError(place, f"there is no such event type{_suggest(nearest(pattern, known), tuple(known))}")


def _suggest(near: str, known: tuple[str, ...]) -> str:
    if near:
        return f": did you mean {near}?"
    return f": there are {', '.join(known)}" if known else ": there is none yet, mint one first"
