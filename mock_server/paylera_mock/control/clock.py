"""The clock, beyond what the protocol asks for: to an instant, to one that has a name, frozen or running."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_mock.control.request import BadMemberError, ControlRequest, Table
from paylera_mock.core.clock import written
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.state.named_instants import FORMS, instants

_MILLISECONDS: Final = 1000


def set_clock(call: ControlRequest) -> Outcome:
    """`POST C/clock`: `to` an instant or a named one, `offset_ms` beside it; `running` or not."""
    clock = call.state.clock
    wanted = call.body.get("running")
    if wanted is not None and not isinstance(wanted, bool):
        raise BadMemberError("running", "This must be true or false.")
    if wanted is None and "to" not in call.body:
        raise BadMemberError("to", "Give an instant in `to`, or true or false in `running`.")
    if wanted is False:
        clock.freeze()
    if "to" in call.body:
        _go(call, _instant_asked(call) + call.number("offset_ms", 0) / _MILLISECONDS)
    if wanted:
        clock.run()
    return show_clock(call)


def _go(call: ControlRequest, epoch: float) -> None:
    try:
        call.namespace.clock.to(epoch)
    except ValueError as error:
        raise BadMemberError("to", f"{error}.") from None


def _instant_asked(call: ControlRequest) -> float:
    text = call.text("to")
    named = instants(call.state)
    if text in named:
        return named[text]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        ahead = ", ".join(named) or "none that has a name"
        message = f"This is an instant, as in 2027-01-01T00:00:00Z, or {', '.join(FORMS)}. Ahead are: {ahead}."
        raise BadMemberError("to", message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def show_clock(call: ControlRequest) -> Outcome:
    """`GET C/clock/instants`: what time it is, whether it passes, and which instants ahead have a name."""
    clock = call.state.clock
    ahead = {name: written(at) for name, at in instants(call.state).items()}
    return Reply(HTTPStatus.OK, {"now": clock.text(), "running": clock.running, "instants": ahead})


CALLS: Final[Table] = MappingProxyType({"clock": {"POST": set_clock}, "clock/instants": {"GET": show_clock}})
