"""Faults, asked for and taken back: the mock's own calls, and no part of the protocol."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.faults.model import (
    LONGEST_PAUSE_SECONDS,
    NEEDS_SOCKET,
    Action,
    ArmedFault,
    Fault,
    FaultPoint,
    RequestFilter,
)
from paylera_mock.faults.problems import needs_socket

_ERROR: Final = range(400, 600)
_REDIRECT: Final = (301, 302, 303, 307, 308)
_MAX_TIMES: Final = 1_000_000
_SPOILS_SENDING: Final = NEEDS_SOCKET | {Action.DELAY, Action.DROP, Action.HANG}
_MEMBERS: Final = frozenset(
    {"at", "action", "method", "route", "token", "nth", "times", "probability", "seed"}
    | {"status", "problem", "retry_after", "seconds", "location", "size"}
)


def arm_fault(call: ControlRequest) -> Outcome:
    """`POST C/faults`: from now on something goes wrong, once where nothing else is said."""
    unknown = sorted(set(call.body) - _MEMBERS)
    if unknown:
        raise BadMemberError(unknown[0], f"There is no such member: there are {', '.join(sorted(_MEMBERS))}.")
    action = Action(call.word("action", tuple(Action)))
    if action in NEEDS_SOCKET and not call.namespaces.socket_faults:
        return needs_socket(action)
    fault = _fault_asked(call, action)
    return Reply(HTTPStatus.CREATED, _shown(call.namespace.faults.arm(fault)))


def _fault_asked(call: ControlRequest, action: Action) -> Fault:
    spoils_sending = action in NEEDS_SOCKET
    at = FaultPoint(
        call.word("at", tuple(FaultPoint), FaultPoint.WHILE_SENDING if spoils_sending else FaultPoint.BEFORE_AUTH)
    )
    if at is FaultPoint.WHILE_SENDING and action not in _SPOILS_SENDING:
        raise BadMemberError("at", f"{at} goes with {', '.join(sorted(_SPOILS_SENDING))} only.")
    if spoils_sending and at not in {FaultPoint.AFTER_COMMIT, FaultPoint.WHILE_SENDING}:
        raise BadMemberError("at", f"{action} needs an answer to spoil: it goes with after_commit and while_sending.")
    if ("probability" in call.body) is not ("seed" in call.body):
        raise BadMemberError("probability", "Nothing is random unless seeded: give `probability` and `seed` together.")
    return Fault(
        id=call.namespace.faults.new_id(),
        at=at,
        action=action,
        filter=_filter_asked(call),
        seconds=_between(call, "seconds", 0, LONGEST_PAUSE_SECONDS) if action is Action.DELAY else 0,
        status=_status_asked(call, action),
        problem=call.text("problem") if "problem" in call.body else None,
        retry_after=_whole(call, "retry_after", 0, 86_400) if "retry_after" in call.body else None,
        location=call.text("location") if "location" in call.body else None,
        size=_whole(call, "size", 0, _MAX_TIMES, default=0),
        times=_whole(call, "times", 1, _MAX_TIMES, default=1),
        probability=_between(call, "probability", 0, 1) if "probability" in call.body else 1,
        seed=_whole(call, "seed", 0, 2**53) if "seed" in call.body else None,
    )


def _filter_asked(call: ControlRequest) -> RequestFilter:
    texts = {name: call.text(name) for name in ("method", "route", "token") if name in call.body}
    if "method" in texts:
        texts["method"] = texts["method"].upper()
    if "route" in texts and not texts["route"].startswith("/"):
        raise BadMemberError("route", "This is a path, as in /v1/customers/{id} or /v1/customers/cus_ada.")
    return RequestFilter(**texts, nth=_whole(call, "nth", 1, _MAX_TIMES, default=1))


def _status_asked(call: ControlRequest, action: Action) -> int:
    if action is Action.REDIRECT:
        status = _whole(call, "status", 300, 399, default=HTTPStatus.TEMPORARY_REDIRECT)
        if status not in _REDIRECT:
            raise BadMemberError("status", f"A redirect is one of {', '.join(map(str, _REDIRECT))}.")
        return status
    default = HTTPStatus.TOO_MANY_REQUESTS if "retry_after" in call.body else HTTPStatus.SERVICE_UNAVAILABLE
    return _whole(call, "status", _ERROR.start, _ERROR.stop - 1, default=default)


def _between(call: ControlRequest, field: str, low: float, high: float) -> float:
    value = call.number(field)
    if not low <= value <= high:
        raise BadMemberError(field, f"This must be from {low:g} to {high:g}.")
    return value


def _whole(call: ControlRequest, field: str, low: int, high: int, *, default: int | None = None) -> int:
    value = call.number(field, default)
    if value != int(value) or not low <= value <= high:
        raise BadMemberError(field, f"This must be a whole number from {low} to {high}.")
    return int(value)


def list_faults(call: ControlRequest) -> Outcome:
    """`GET C/faults`: which are in force, and how often each happened."""
    return Reply(HTTPStatus.OK, {"data": [_shown(armed) for armed in call.namespace.faults]})


def clear_faults(call: ControlRequest) -> Outcome:
    """`DELETE C/faults`: nothing goes wrong any more, and what hangs goes on."""
    call.namespace.faults.clear()
    return Reply(HTTPStatus.NO_CONTENT)


def disarm_fault(call: ControlRequest) -> Outcome:
    """`DELETE C/faults/{id}`: that one does not happen any more."""
    if call.namespace.faults.disarm(call.identifier):
        return Reply(HTTPStatus.NO_CONTENT)
    return problems.not_found("fault")


def _shown(armed: ArmedFault) -> Object:
    fault, chosen = armed.fault, armed.fault.filter
    shown: dict[str, Any] = {
        "id": fault.id,
        "at": fault.at.value,
        "action": fault.action.value,
        "method": chosen.method,
        "route": chosen.route,
        "token": chosen.token,
        "nth": chosen.nth,
        "times": fault.times,
        "matched": armed.matched,
        "happened": armed.happened,
    }
    return shown


CALLS: Final[Table] = MappingProxyType(
    {
        "faults": {"GET": list_faults, "POST": arm_fault, "DELETE": clear_faults},
        "faults/{id}": {"DELETE": disarm_fault},
    }
)
