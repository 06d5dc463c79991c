"""The operations that the contract does not have and the target names: in its OpenAPI document, or in `[operations]`.

What the guide says of every call is so of them too. Their requests are drawn from the document, so that a target need
not accept one: then only what is plainly wrong counts, and the cell drops out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.look import Look, look_at
from paylera_conformance.matrix.rules import RULES, Rule
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, NotOffered, Violation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.openapi_requests import sendable_requests
from paylera_conformance.target.openapi import METHODS, Document, without_names
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation, Resource, parse_operation
from paylera_fixtures.vocabulary import Source, scopes_of

_OURS: Final = frozenset(without_names(str(operation)) for operation in OPERATIONS)
_LISTS: Final = {operation.path: operation.resource for operation in OPERATIONS if operation.is_list}

_OF_THE_CONTRACT: Final = frozenset(
    {"revoked-in-grace", "no-key", "key-elsewhere", "other-customer", "other-tenant-in-body"}
)
"""Rules that rest on what the contract alone says of an operation, or on a token that was rotated."""

FURTHER_RULES: Final[Sequence[Rule]] = tuple(rule for rule in RULES.values() if rule.name not in _OF_THE_CONTRACT)
"""The rules that need no more of a request than that it is accepted."""


@dataclass(frozen=True)
class FurtherOperation:
    """An operation of the target's own, and a request for it without a token.

    - `names_object`: its path names an object of this tenant's; what else it may name need not be anybody's.
    """

    operation: Operation
    request: Request
    names_object: bool = False

    def looks(self, call: Call, rules: Iterable[Rule]) -> Mapping[str, Look]:
        """What came of rules on it, by their names; those that say nothing of it are left out.

        - `call`: the request by a token that may.
        """
        before = [] if call.request.consumes else [call.probe.send(call.request)]
        looks = {
            rule.name: look_at(rule, call)
            for rule in rules
            if rule.on(self.operation)
            and rule.applies(call.probe, self.operation, call.features)
            and (self.names_object or rule.name != "other-tenant")
        }
        after = call.probe.send(call.request)
        accepted = all(exchange.response.ok for exchange in (*before, after))
        return {
            name: replace(_weigh(look, accepted=accepted), exchanges=(*before, *look.exchanges, after))
            for name, look in looks.items()
        }


def _weigh(look: Look, *, accepted: bool) -> Look:
    """The look without what its request does not show: one that is refused anyhow may be refused for another reason."""
    if look.end is None or (isinstance(look.end, Violation) and (accepted or look.is_accepted)):
        return look
    return replace(look, end=NotOffered(look.end.reason, exchange=look.end.exchange))


def declares_further(document: Document) -> bool:
    """Whether the target's own document may have such an operation: then requests are drawn from it."""
    return document.published and document.names_more_than(_OURS)


def further_operations(probe: Probe) -> list[FurtherOperation]:
    """Every such operation that may be called in the mode of the run, once."""
    found: dict[str, FurtherOperation] = {}
    for further in (*_from_settings(probe), *_from_document(probe)):
        if further.operation.is_read or probe.settings.mode is not Mode.OBSERVE:
            found.setdefault(without_names(str(further.operation)), further)
    return list(found.values())


def _from_settings(probe: Probe) -> Iterator[FurtherOperation]:
    """Those that `[operations]` names: by the scope that they need, or as needing AAL2."""
    for name, texts in probe.settings.operations.items():
        for text in texts:
            if parse_operation(text) is None:
                method, _, path = text.partition(" ")
                scope = name if name in scopes_of(probe.settings.profile) else None
                named = _with_object(probe, path, path, is_read=method == "GET")
                operation = _operation(method, path.partition("?")[0], scope)
                request = probe.factory.request_named(method, named)
                yield FurtherOperation(operation, request, names_object=named != path)


def _from_document(probe: Probe) -> Iterator[FurtherOperation]:
    """Those that the target's own document has and says to be protected."""
    document = probe.document()
    if not declares_further(document):
        return
    with suppress(Blocked):  # a document that cannot be drawn from names nothing
        for drawn in sendable_requests(probe, valid=True):
            method, _, path = drawn.operation.partition(" ")
            scope = document.scope_of(_operation(method, path, None), probe.settings.profile)
            operation = _operation(method, path, scope)
            if method in METHODS and without_names(drawn.operation) not in _OURS and document.protects(operation):
                named = _with_object(probe, path, drawn.request.path, is_read=operation.is_read)
                request = replace(drawn.request.at(named), consumes=method in {"POST", "DELETE"})
                yield FurtherOperation(operation, request, names_object=named != drawn.request.path)


def _operation(method: str, path: str, scope: str | None) -> Operation:
    # Nothing of what is looked at here asks what kind of object it acts on.
    text = f"{method} {path}"
    return Operation(text, method, path, Resource.CUSTOMER, text, scope or "", scope, Source.REFERENCE)


def _with_object(probe: Probe, template: str, path: str, *, is_read: bool) -> str:
    """A path that names an object which exists, where its first parameter stands below a list of the contract."""
    parent, parameter, _ = template.partition("/{")
    kind = _LISTS.get(parent)
    is_made = kind is not None and (is_read or f"create_{kind}" in BY_ID or probe.settings.driver == "control")
    if kind is None or not parameter or not is_made or kind is Resource.AUDIT_RECORD:
        return path
    with suppress(Blocked):
        segments = path.split("/")
        segments[len(parent.split("/"))] = quote(probe.factory.object_id(kind), safe="")
        return "/".join(segments)
    return path
