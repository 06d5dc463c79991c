"""Deliberate defects, switched on and counted: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from paylera_mock.control.request import ControlRequest
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.mutants import all_mutants, explain_unknown


class MutantsBody(Struct, forbid_unknown_fields=True):
    """The ids of the mutants that a namespace is to have."""

    ids: tuple[str, ...]


class MutantsView(Struct):
    """The mutants that are on, how often each ran, and which there are."""

    active: tuple[str, ...]
    ran: dict[str, int]
    available: list[str]


def check_mutants(member: str, ids: Iterable[str]) -> None:
    """Raise `InvalidInputError` for the first id, in a member of the body, that no mutant has."""
    if flaw := explain_unknown(ids):
        raise InvalidInputError(member, flaw)


def read_mutants(call: ControlRequest) -> MutantsView:
    """`GET C/mutants`: the mutants that are on, how often each ran here and in what was made from here, and all."""
    namespace = call.namespace
    ran = {name: namespace.mutant_counter.count(name) for name in namespace.mutants}
    return MutantsView(namespace.mutants, ran, list(all_mutants()))


def switch_mutants(call: ControlRequest, body: MutantsBody) -> MutantsView:
    """`POST C/mutants`: have these deliberate defects from now on, and no others."""
    check_mutants("ids", body.ids)
    call.namespace.switch_to(body.ids)
    return read_mutants(call)
