"""The view of the clock: where it stands, what lies ahead, and moving it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from paylera_mock.core.clock import DAY, MINUTE
from paylera_mock.dashboard.messages import Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.timeline import draw_timeline
from paylera_mock.dashboard.views.paging import read_offset

_LISTED: Final = 50
_NAMED: Final = 6
"""Names of one instant that are shown: where time stands still, ten thousand keys are forgotten at once."""

_UNITS: Final = {"seconds": 1, "minutes": MINUTE, "hours": 60 * MINUTE, "days": DAY}
_STEPS: Final = ((1, "1 s"), (MINUTE, "1 min"), (60 * MINUTE, "1 h"), (DAY, "1 day"))
_WORDS: Final = {
    "token": "a former secret ends",
    "key": "a key is forgotten",
    "rate-limit": "the rate limits are full again",
    "webhooks": "a webhook is due",
}
"""What happens at an instant, by what its name begins with; that of an object says it itself."""


class Happening(NamedTuple):
    """One thing that happens at an instant, the first of those to which it does, and how many more there are."""

    what: str
    subjects: list[str]
    more: int


class Instant(NamedTuple):
    """An instant ahead: its number in the order in which they come, and in how many seconds it does."""

    number: int
    at: str
    seconds: float
    happenings: list[Happening]


def show_clock(visit: Visit) -> Response:
    """What time it is, and what comes."""
    clock = visit.ask("GET", "clock/instants")
    now = _read_epoch(clock["now"])
    groups = groupby(clock["instants"].items(), itemgetter(1))
    # What has this very time has happened.
    ahead = [(at, [name for name, _ in named]) for at, named in groups if at > clock["now"]]
    seconds = [_read_epoch(at) - now for at, _ in ahead]
    offset = read_offset(visit)
    values = {
        "clock": clock,
        "epoch": now,
        "timeline": draw_timeline(seconds),
        "next_seconds": seconds[0] if seconds else None,
        "instants": [
            Instant(number + 1, ahead[number][0], seconds[number], list(_describe(ahead[number][1])))
            for number in range(len(ahead))[offset : offset + _LISTED]
        ],
        "offset": offset,
        "limit": _LISTED,
        "count": len(ahead),
        "here": partial(visit.url, ""),
        "units": list(_UNITS),
        "steps": _STEPS,
    }
    return Shown("clock.html.j2", values)


def _describe(names: list[str]) -> Iterator[Happening]:
    """What happens at an instant, by its names as the control API spells them: `token:<id>:grace_end`."""
    found: dict[str, list[str]] = {}
    for name in names:
        kind, _, rest = name.partition(":")
        subject, _, effect = rest.rpartition(":")
        found.setdefault(_WORDS.get(kind) or effect.replace("_", " "), []).append(subject)
    for what, subjects in found.items():
        shown = [subject for subject in subjects[:_NAMED] if subject]
        yield Happening(what, shown, max(0, len(subjects) - _NAMED))


def _read_epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def run(visit: Visit) -> Response:
    """Let time pass."""
    return _move(visit, "clock", running=True)


def freeze(visit: Visit) -> Response:
    """Let it stand still."""
    return _move(visit, "clock", running=False)


def step(visit: Visit) -> Response:
    """Move on by what a button says, or by what was filled in."""
    text = visit.form.get("seconds") or visit.form.get("amount", "").strip()
    unit = 1 if visit.form.get("seconds") else _UNITS.get(visit.form.get("unit", ""), 1)
    try:
        return _move(visit, "clock/advance", seconds=float(text) * unit)
    except ValueError:
        # What is no number the control API refuses, and says what it wants.
        return _move(visit, "clock/advance", seconds=text)


def jump(visit: Visit) -> Response:
    """Move on to an instant of the list, by its name, since that is exact; or to what was filled in."""
    at = visit.form.get("at", "").strip()
    instants = visit.ask("GET", "clock/instants")["instants"]
    names = [name for name, text in instants.items() if text == at] or [at]
    if visit.form.get("before"):
        return _move(visit, "clock", to=names[0], offset_ms=-1, running=False)
    return _move(visit, "clock", to=names[-1])


def _move(visit: Visit, call: str, **body: Any) -> Response:
    visit.ask("POST", call, body=body)
    return Led(visit.url())


PAGES: Final[Mapping[str, Handler]] = {"": show_clock}
ACTIONS: Final[Mapping[str, Handler]] = {"run": run, "freeze": freeze, "step": step, "jump": jump}
