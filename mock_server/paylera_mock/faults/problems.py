"""."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.vocabulary import Header, Problems, ProblemType
from paylera_mock.core.problems import Problem
from paylera_mock.faults.model import Action, Fault

_FAULT: Final = ProblemType("mock.fault", "This went wrong on purpose", documented=False)


_NEEDS_SOCKET: Final = ProblemType("mock.needs_socket", "Not possible under this server", documented=False)


_UNAVAILABLE: Final = ProblemType("service.unavailable", "Temporarily unavailable", documented=False)


_BY_FAULT: Final[Mapping[int, ProblemType]] = MappingProxyType(
    {
        HTTPStatus.TOO_MANY_REQUESTS: Problems.RATE_LIMITED,
        HTTPStatus.INTERNAL_SERVER_ERROR: Problems.INTERNAL,
        HTTPStatus.SERVICE_UNAVAILABLE: _UNAVAILABLE,
    }
)


def by_fault(fault: Fault, location: str) -> Problem:
    """What was asked to go wrong. `location`: where a redirect leads."""
    detail = f"This went wrong on purpose: fault {fault.id}, {fault.at}."
    known = {kind.code: kind for kind in vars(Problems).values() if isinstance(kind, ProblemType)}
    if fault.action is Action.REDIRECT:
        return Problem(_FAULT, fault.status, detail, headers=(("Location", location),))
    kind = known.get(fault.problem or "") or _BY_FAULT.get(fault.status, _FAULT)
    if fault.problem is not None and kind.code != fault.problem:
        kind = ProblemType(fault.problem, _FAULT.title, documented=False)
    headers = () if fault.retry_after is None else ((Header.RETRY_AFTER, str(fault.retry_after)),)
    return Problem(kind, fault.status, detail, headers=headers)


def needs_socket(action: Action) -> Problem:
    """A fault was asked for that this server cannot do."""
    detail = f"{action} needs a server that lets the connection be reached: start the fake with --server werkzeug."
    return Problem(_NEEDS_SOCKET, HTTPStatus.CONFLICT, detail)
