"""Snapshots: the state of a namespace, taken and put back. The mock's own calls."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.namespaces.file_errors import LoadError
from paylera_mock.namespaces.snapshot import fill, read, taken


def take_snapshot(call: ControlRequest) -> Outcome:
    """`GET C/snapshot`: the whole state as one document, without a secret in it."""
    return Reply(HTTPStatus.OK, taken(call.state))


def restore_snapshot(call: ControlRequest) -> Outcome:
    """`PUT C/snapshot`: this state in the place of what is there. Nothing changes where the document is flawed."""
    try:
        snapshot = read(call.body)
    except LoadError as flaw:
        raise BadMemberError(flaw.place or "body", f"{flaw.message[0].upper()}{flaw.message[1:]}.") from None
    call.namespace.refill(lambda state: fill(state, snapshot))
    return Reply(HTTPStatus.NO_CONTENT)


CALLS: Final[Table] = MappingProxyType({"snapshot": {"GET": take_snapshot, "PUT": restore_snapshot}})
