"""The problem documents of faults, which no page names."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from paylera_fixtures.vocabulary import PROBLEM_TYPES, Problems, ProblemType
from paylera_mock.core.problems import Problem
from paylera_mock.faults.answers import retry_after_header
from paylera_mock.faults.model import Action, Fault

_FAULT: Final = ProblemType("mock.fault", "This went wrong on purpose", documented=False)
_NEEDS_SOCKET: Final = ProblemType("mock.needs_socket", "Not possible under this server", documented=False)

_BY_STATUS: Final[Mapping[int, ProblemType]] = {
    HTTPStatus.TOO_MANY_REQUESTS: Problems.RATE_LIMITED,
    HTTPStatus.INTERNAL_SERVER_ERROR: Problems.INTERNAL,
    HTTPStatus.SERVICE_UNAVAILABLE: ProblemType("service.unavailable", "Temporarily unavailable", documented=False),
}


def fault_problem(fault: Fault, location: str, now: float) -> Problem:
    """What a fault answers. `location`: where a redirect leads; `now`: the namespace's time, for a date."""
    detail = f"This went wrong on purpose: fault {fault.id}, {fault.at}."
    if fault.action is Action.REDIRECT:
        return Problem(_FAULT, fault.status, detail, headers=(("Location", location),))
    if fault.problem is None:
        kind = _BY_STATUS.get(fault.status, _FAULT)
    else:
        known = {each.code: each for each in PROBLEM_TYPES}
        kind = known.get(fault.problem) or ProblemType(fault.problem, _FAULT.title, documented=False)
    return Problem(kind, fault.status, detail, headers=retry_after_header(fault, now))


def needs_socket(action: Action) -> Problem:
    """A fault was asked for where no connection is within reach: under somebody else's WSGI server."""
    detail = f"{action} needs the connection, which a WSGI server keeps to itself: start the fake with paylera-mock."
    return Problem(_NEEDS_SOCKET, HTTPStatus.CONFLICT, detail)
