"""The target's own time beside the wall clock's, as the calls of a control API tell it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pytest

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.verdict.target_time import TargetTimes

_NOON = "2026-11-24T12:00:00+00:00"
_ONE = "2026-11-24T13:00:00+00:00"


def _call(method: str, path: str, at: str, answer: object, body: Mapping[str, Any] | None = None) -> Exchange:
    request = Request(method, path).with_json(body or {})
    return Exchange(request, f"http://control.test{path}", (), Response(200, (), json.dumps(answer).encode()), at=at)


_READ = _call("GET", "/clock", _NOON, {"now": "2030-01-01T00:00:00Z"})
_MOVED = _call("POST", "/clock/advance", _ONE, {"now": "2030-01-02T00:00:00Z"}, {"seconds": 86400})


@pytest.mark.parametrize(
    ("moment", "stands_still", "told"),
    [
        ("2026-11-24T12:30:00+00:00", True, "2030-01-01T00:00:00+00:00"),
        ("2026-11-24T12:30:00+00:00", False, "2030-01-01T00:30:00+00:00"),
        ("2026-11-24T14:00:00+00:00", True, "2030-01-02T00:00:00+00:00"),
        ("2026-11-24T11:00:00+00:00", True, "2030-01-01T00:00:00+00:00"),
        ("", True, ""),
    ],
)
def test_time_between_two_readings_is_told(moment: str, told: str, *, stands_still: bool) -> None:
    """A clock that stands still says what it said last; another has gone on since."""
    assert TargetTimes([_READ, _MOVED], stands_still=stands_still).at(moment) == told


def test_later_calls_are_read_when_they_were_made() -> None:
    """What was read before is not looked at again: a run asks after each of its cases."""
    times = TargetTimes([_READ], stands_still=True)
    before = times.at(_ONE)
    times.read([cast("Exchange", None), _MOVED])
    assert (before, times.at(_NOON), times.at(_ONE)) == (
        "2030-01-01T00:00:00+00:00",
        "2030-01-01T00:00:00+00:00",
        "2030-01-02T00:00:00+00:00",
    )


def test_first_move_tells_the_time_before_it() -> None:
    """No request is needed for the time before a clock was moved."""
    assert TargetTimes([_MOVED], stands_still=True).at(_NOON) == "2030-01-01T00:00:00+00:00"


@pytest.mark.parametrize("answer", [{}, {"now": 7}, {"now": "soon"}, {"now": "2030-01-01T00:00:00"}, []])
def test_answer_without_an_instant_tells_nothing(answer: object) -> None:
    """What a control API says against its protocol is not taken for a time."""
    assert TargetTimes([_call("GET", "/clock", _NOON, answer)], stands_still=True).at(_ONE) == ""
