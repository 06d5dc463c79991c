"""The clock beyond the protocol: moved to an instant or to one that has a name, frozen or running."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from paylera_mock.control.request import ControlRequest
from paylera_mock.core.clock import format_time
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.state.named_instants import FORMS, instants
from paylera_mock.state.namespace_state import State

_MILLISECONDS: Final = 1000


class ClockBody(Struct, forbid_unknown_fields=True):
    """`to`: an instant or the name of one; `offset_ms`: milliseconds after it; `running`: whether time is to pass."""

    to: str | UnsetType = UNSET
    offset_ms: float = 0
    running: bool | UnsetType = UNSET


class ClockView(Struct):
    """What time it is, whether it passes, and the instants ahead that have a name."""

    now: str
    running: bool
    instants: dict[str, str]


def set_clock(call: ControlRequest, body: ClockBody) -> ClockView:
    """`POST C/clock`: move the clock `to` an instant or a named one, and by `offset_ms`; let it run or stand still.

    Raises `InvalidInputError` where neither `to` nor `running` is given, and for an instant that is none or is past.
    """
    clock = call.state.clock
    if body.to is UNSET and body.running is UNSET:
        raise InvalidInputError("to", "give an instant in `to`, or true or false in `running`")
    target = None if body.to is UNSET else _find_instant(call.state, body.to) + body.offset_ms / _MILLISECONDS
    if body.running is False:
        clock.freeze()
    if target is not None:
        try:
            call.namespace.clock.to(target)
        except ValueError as error:
            raise InvalidInputError("to", str(error)) from None
    if body.running is True:
        clock.run()
    return read_instants(call)


def _find_instant(state: State, text: str) -> float:
    """An instant in seconds since the epoch, by its name or as RFC 3339 writes it. Raises `InvalidInputError`."""
    named = instants(state)
    if text in named:
        return named[text]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        ahead = ", ".join(named) or "none that has a name"
        message = f"this must be an instant, as in 2027-01-01T00:00:00Z, or {', '.join(FORMS)}. Ahead are: {ahead}"
        raise InvalidInputError("to", message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_instants(call: ControlRequest) -> ClockView:
    """`GET C/clock/instants`: what time it is, whether it passes, and which instants ahead have a name."""
    clock = call.state.clock
    ahead = {name: format_time(at) for name, at in instants(call.state).items()}
    return ClockView(clock.text(), clock.running, ahead)
