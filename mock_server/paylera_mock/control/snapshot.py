"""Snapshots of the state of a namespace: the mock's own calls."""

from __future__ import annotations

from paylera_mock.control.request import ControlRequest
from paylera_mock.namespaces.snapshot import Snapshot, restore_state, take_snapshot


def read_snapshot(call: ControlRequest) -> Snapshot:
    """`GET C/snapshot`: the whole state as one document, without a secret in it."""
    return take_snapshot(call.state)


def restore_snapshot(call: ControlRequest, body: Snapshot) -> None:
    """`PUT C/snapshot`: replace the state. Nothing changes where the document is flawed."""
    from paylera_mock.namespaces.snapshot_check import check_snapshot  # noqa: PLC0415 - seldom needed

    check_snapshot(body, call.body)
    call.namespace.refill(lambda state: restore_state(state, body))
