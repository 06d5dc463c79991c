"""The control API: the test-support protocol, and beside it what only this fake has.

`CALLS` is the whole of it. Who may call is decided in `guard`. Bodies and answers are JSON; what cannot be done is a
problem document.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from types import MappingProxyType
from typing import Final

from paylera_mock.control import (
    clock,
    explain,
    faults,
    findings,
    health,
    journal,
    mutants,
    payments,
    protocol,
    snapshot,
    verify,
    webhooks,
)
from paylera_mock.control.request import BadMemberError, ControlRequest, Handler, Table
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome
from paylera_mock.core.problems import FieldError

__all__ = ["CALLS", "ControlRequest", "answer"]

LOCKED: Final = (protocol.CALLS, mutants.CALLS, clock.CALLS, payments.CALLS, snapshot.CALLS)
"""What reads or changes the world of a namespace: one call at a time."""

FREE: Final = (explain.CALLS, faults.CALLS, findings.CALLS, health.CALLS, journal.CALLS, verify.CALLS, webhooks.CALLS)
"""What is safe without the namespace's lock, and may wait."""


def _merged(tables: Iterable[Table]) -> Table:
    merged: dict[str, dict[str, Handler]] = {}
    for table in tables:
        for path, handlers in table.items():
            merged.setdefault(path, {}).update(handlers)
    return MappingProxyType(merged)


CALLS: Final[Table] = _merged((*LOCKED, *FREE))
"""Every call, by its path below the control URL."""

_FREE: Final = frozenset(handler for table in FREE for handlers in table.values() for handler in handlers.values())


def answer(method: str, path: str, call: ControlRequest) -> Outcome:
    """Answer one call; `path` is what follows the control URL, without slash at its ends."""
    handlers = CALLS.get(path) or CALLS.get(_template(path))
    if handlers is None:
        return problems.route_not_found()
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        return problems.method_not_allowed(handlers)
    if method not in {"GET", "HEAD"} and handler is not explain.explain_request:
        call.namespace.collector.staged(path)
    try:
        return _answered(handler, call)
    except BadMemberError as flaw:
        return problems.validation_failed(FieldError(flaw.field, "member.invalid", str(flaw)))


def _answered(handler: Handler, call: ControlRequest) -> Outcome:
    """Call a handler. What is due by the clock happens before, and again after, as the call may have moved it."""
    call.namespace.catch_up()
    with nullcontext() if handler in _FREE else call.namespace.lock:
        outcome = handler(call)
    call.namespace.catch_up()
    call.state.webhooks.wake()
    return outcome


def _template(path: str) -> str:
    """A path with `{id}` in the place of its last segment; no call's path has one elsewhere."""
    head, _, last = path.rpartition("/")
    return f"{head}/{{id}}" if head and last else path
