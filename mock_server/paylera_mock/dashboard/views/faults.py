"""The view of faults: those that are armed, and what each waits for; arming and disarming."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from paylera_fixtures.api.operations import OPERATIONS
from paylera_mock.core.problems import Problem
from paylera_mock.core.request_bodies import read_json
from paylera_mock.dashboard.messages import CallRefusedError, Handler, Led, Response, Shown, Visit
from paylera_mock.dashboard.views.paging import read_offset
from paylera_mock.faults.model import Action, FaultPoint
from paylera_mock.faults.presets import PRESETS

_LISTED: Final = 50
_TOKENS_LISTED: Final = 100
_DEPTH: Final = 16
"""Levels of the JSON that is filled in."""

_ACTIONS: Final[Mapping[Action, str]] = {
    Action.ANSWER: "A problem, or anything else, in the place of the answer.",
    Action.DELAY: "It takes longer.",
    Action.HANG: "No answer, until the fault is disarmed or the client gives up.",
    Action.DROP: "The connection ends without an answer.",
    Action.REDIRECT: "A redirect, to another origin if nothing else is said.",
    Action.TRUNCATE: "The body ends early.",
    Action.RESET: "The connection is reset.",
    Action.GARBAGE: "What comes is no HTTP.",
}
_POINTS: Final[Mapping[FaultPoint, str]] = {
    FaultPoint.BEFORE_AUTH: "before anybody looks at it",
    FaultPoint.AFTER_AUTH: "after its token was accepted, before anything is done",
    FaultPoint.AFTER_COMMIT: "after it was done, before the answer",
    FaultPoint.WHILE_SENDING: "while the answer is sent",
}
_TEXTS: Final = ("method", "route", "token", "at", "problem")
_NUMBERS: Final = ("nth", "times", "status", "retry_after", "seconds")
"""The fields of the form, by their names in the control API."""


def list_faults(visit: Visit) -> Response:
    """The faults in force, in the order in which they were armed, and a form for another."""
    listed = visit.ask("GET", "faults")
    offset = read_offset(visit)
    in_force = {fault["id"] for fault in listed["data"]}
    values = {
        "faults": listed["data"][offset : offset + _LISTED],
        # Those that were disarmed; the label begins with the id.
        "missed": [label for label in listed["never_struck"] if label.partition(":")[0] not in in_force],
        "offset": offset,
        "limit": _LISTED,
        "count": len(listed["data"]),
        "here": partial(visit.url, ""),
        "presets": {name.value: preset.description for name, preset in PRESETS.items()},
        "actions": {action.value: text for action, text in _ACTIONS.items()},
        "points": {point.value: text for point, text in _POINTS.items()},
        "methods": list(dict.fromkeys(operation.method for operation in OPERATIONS)),
        "routes": list(dict.fromkeys(operation.path for operation in OPERATIONS)),
        "tokens": [each["label"] for each in visit.ask("GET", "tokens", query={"limit": _TOKENS_LISTED})["data"]],
    }
    return Shown("faults.html.j2", values)


def arm(visit: Visit) -> Response:
    """Let something go wrong from now on; fields that are empty are left out."""
    form = {name: text.strip() for name, text in visit.form.items() if text.strip()}
    what = form.get("what", "")
    body: dict[str, Any] = {"preset" if what in list(PRESETS) else "action": what}
    body |= {name: form[name] for name in _TEXTS if name in form}
    body |= {name: _read_number(form[name]) for name in _NUMBERS if name in form}
    more = read_json(visit.form.get("more", "").strip().encode("utf-8", "replace"), _DEPTH)
    if isinstance(more, Problem):
        raise CallRefusedError(more)
    visit.ask("POST", "faults", body={**body, **more})
    return Led(visit.url())


def _read_number(text: str) -> float | str:
    """The number that was filled in; what is none the control API refuses, and says what it wants."""
    try:
        return float(text)
    except ValueError:
        return text


def disarm(visit: Visit) -> Response:
    """Take a fault away."""
    visit.ask("DELETE", f"faults/{visit.identifier}")
    return Led(visit.url())


def disarm_all(visit: Visit) -> Response:
    """Take every fault away."""
    visit.ask("DELETE", "faults")
    return Led(visit.url())


PAGES: Final[Mapping[str, Handler]] = {"": list_faults}
ACTIONS: Final[Mapping[str, Handler]] = {"arm": arm, "disarm": disarm_all, "{id}/disarm": disarm}
