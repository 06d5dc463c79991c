"""Deliberate defects, switched on and counted: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.mutants import all_mutants, explain_unknown


def mutants_asked(call: ControlRequest, field: str) -> tuple[str, ...]:
    """The ids of mutants in a member of the body. Raises `BadMemberError` for one that no mutant has."""
    ids = call.strings(field)
    if flaw := explain_unknown(ids):
        raise BadMemberError(field, f"{flaw[0].upper()}{flaw[1:]}")
    return ids


def read_mutants(call: ControlRequest) -> Outcome:
    """`GET C/mutants`: which are on, how often each ran here and in what was made from here, and which there are."""
    namespace = call.namespace
    ran = {name: namespace.mutant_counter.count(name) for name in namespace.mutants}
    return Reply(HTTPStatus.OK, {"active": list(namespace.mutants), "ran": ran, "available": list(all_mutants())})


def switch_mutants(call: ControlRequest) -> Outcome:
    """`POST C/mutants`: from now on the namespace has these deliberate defects, and no others."""
    call.namespace.switch_to(mutants_asked(call, "ids"))
    return read_mutants(call)


CALLS: Final[Table] = MappingProxyType({"mutants": {"GET": read_mutants, "POST": switch_mutants}})
