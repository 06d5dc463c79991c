"""The control API: the test-support protocol, and beside it what only this fake has.

`CALLS` is the whole of it. Who may call is decided in `guard`. Bodies and answers are JSON; what cannot be done is a
problem document.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from paylera_mock import problems
from paylera_mock.context import Outcome
from paylera_mock.control import mutants, protocol
from paylera_mock.control.calls import BadMemberError, Call, Table
from paylera_mock.problems import FieldError

__all__ = ["CALLS", "Call", "answer"]

CALLS: Final[Table] = MappingProxyType({**protocol.CALLS, **mutants.CALLS})
"""Every call, by its path below the control URL."""


def answer(method: str, path: str, call: Call) -> Outcome:
    """Answer one call; `path` is what follows the control URL, without slash at its ends."""
    handlers = CALLS.get(path) or CALLS.get(_template(path))
    if handlers is None:
        return problems.route_not_found()
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        return problems.method_not_allowed(handlers)
    try:
        with call.namespace.lock:
            return handler(call)
    except BadMemberError as flaw:
        return problems.validation_failed(FieldError(flaw.field, "member.invalid", str(flaw)))


def _template(path: str) -> str:
    """A path with `{id}` in the place of its last segment; no call's path has one elsewhere."""
    head, _, last = path.rpartition("/")
    return f"{head}/{{id}}" if head and last else path
