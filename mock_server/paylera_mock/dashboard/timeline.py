"""What lies ahead, drawn on a line: a minute from now and a year from now both find room on it."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from typing import Final, NamedTuple

from paylera_mock.core.clock import DAY, MINUTE

_HOUR: Final = 60 * MINUTE
_YEAR: Final = 365 * DAY
_TICKS: Final = (
    (MINUTE, "1 min"),
    (_HOUR, "1 h"),
    (DAY, "1 day"),
    (7 * DAY, "7 days"),
    (30 * DAY, "30 days"),
    (_YEAR, "1 year"),
    (10 * _YEAR, "10 years"),
    (100 * _YEAR, "100 years"),
)
_EDGES: Final = (6.0, 93.0)
"""Where the line begins and ends, in percent of the width: what stands at an end is seen whole."""

_APART: Final = 15.0
"""Percent between two labels, at least: enough on the smallest telephone."""

_TOGETHER: Final = 12.0
"""What is nearer to each other, in percent, is one mark."""


class Tick(NamedTuple):
    """A label of the line; `place` is in percent of the width."""

    place: float
    label: str


class Mark(NamedTuple):
    """One instant or several next to each other, by their numbers, which count from 1."""

    place: float
    first: int
    last: int


class Timeline(NamedTuple):
    """The line from now to the last instant."""

    ticks: list[Tick]
    marks: list[Mark]


def draw_timeline(ahead: Sequence[float]) -> Timeline:
    """The line for instants by the seconds until them, the next one first; however many, its marks are few."""
    end = max(DAY, ahead[-1] if ahead else 0.0)
    ticks = [Tick(_EDGES[0], "now")]
    for distance, label in _TICKS:
        place = _place(distance, end)
        if distance <= end and place - ticks[-1].place >= _APART:
            ticks.append(Tick(place, label))
    marks: list[Mark] = []
    for number, seconds in enumerate(ahead, 1):
        place = _place(seconds, end)
        if marks and place - marks[-1].place < _TOGETHER:
            marks[-1] = marks[-1]._replace(last=number)
        else:
            marks.append(Mark(place, number, number))
    return Timeline(ticks, marks)


def _place(seconds: float, end: float) -> float:
    """Where an instant stands, in percent: the logarithm of its distance in minutes."""
    first, last = _EDGES
    return round(first + (last - first) * log1p(seconds / MINUTE) / log1p(end / MINUTE), 2)
