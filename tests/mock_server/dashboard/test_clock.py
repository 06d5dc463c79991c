"""The view of the clock: where it stands, moved by its forms, and what lies ahead."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from helpers.dashboard import Page, Reader
from helpers.fake import Fake
from paylera_mock.core.clock import DAY
from paylera_mock.dashboard.rendering import format_duration
from paylera_mock.dashboard.timeline import draw_timeline


@pytest.fixture
def still(default: Fake) -> Reader:
    """Looks at a fake whose clock stands still a day after its start, when a key was used."""
    default.control("POST", "clock", running=False)
    default.advance(DAY)
    default.call("POST", "/v1/customers", default.secret(), key="sub-create", json={"email": "a@b.example"})
    return Reader(default.client)


def read_clock(reader: Reader) -> dict[str, Any]:
    """What the control API says of the clock."""
    return dict(reader.client.get("/_mock/clock/instants").json or {})


def rows(text: str) -> list[str]:
    """The texts of what lies ahead, the next first."""
    return [Page(row).text for row in text.partition('class="ahead"')[2].split("<li>")[1:]]


def test_clock_runs_and_stands_still(reader: Reader) -> None:
    """As its badge says, and the control API."""
    assert "running" in reader.read("clock").text
    assert reader.send("clock", "clock/freeze").status_code == 303
    assert (read_clock(reader)["running"], "stands still" in reader.read("clock").text) == (False, True)
    reader.send("clock", "clock/run")
    assert read_clock(reader)["running"]


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"seconds": "3600"}, 3600),
        ({"amount": "1.5", "unit": "hours"}, 5400),
        ({"amount": " 2 ", "unit": "days"}, 2 * DAY),
    ],
)
def test_clock_steps(still: Reader, fields: dict[str, str], seconds: float) -> None:
    """By a button, or by a number of units."""
    before = still.client.get("/_mock/snapshot").json or {}
    assert still.send("clock", "clock/step", fields).status_code == 303
    after = still.client.get("/_mock/snapshot").json or {}
    assert after["clock"]["epoch"] - before["clock"]["epoch"] == seconds


@pytest.mark.parametrize("amount", ["", "soon", "-1", "nan", "1e300"])
def test_step_that_is_none_is_told(still: Reader, amount: str) -> None:
    """With what the control API wants."""
    answer = still.send("clock", "clock/step", {"amount": amount, "unit": "days"})
    assert (answer.status_code, "seconds" in Page(answer.text).text) == (422, True)


def test_what_lies_ahead_is_listed(still: Reader) -> None:
    """By what happens, to what, and in how long."""
    soon, later = rows(still.get("clock").text)
    assert soon.startswith("1 The rate limits are full again in 1 s,")
    assert later.startswith("2 A key is forgotten: sub-create in 1 d,")


def test_clock_jumps_to_an_instant_of_the_list(still: Reader) -> None:
    """Exactly; a millisecond before, what is to happen has not happened."""
    at = read_clock(still)["instants"]["key:sub-create:expiry"]
    assert still.send("clock", "clock/jump", {"at": at, "before": "1"}).status_code == 303
    assert "key:sub-create:expiry" in read_clock(still)["instants"]
    still.send("clock", "clock/jump", {"at": at})
    assert read_clock(still)["now"] == at
    still.send("clock", "clock/step", {"seconds": "1"})
    assert rows(still.get("clock").text) == []


def test_running_clock_stands_still_just_before(reader: Reader) -> None:
    """Else it would be there before anybody looks."""
    at = read_clock(reader)["instants"]["token:rotatedold:grace_end"]
    reader.send("clock", "clock/jump", {"at": at, "before": "1"})
    assert not read_clock(reader)["running"]
    assert rows(reader.get("clock").text)[0].startswith(
        "1 A former secret ends: tok_rotated rotatednew rotatedold in 1 ms"
    )


@pytest.mark.parametrize("text", ["2099-01-01T00:00:00Z", "key:sub-create:expiry"])
def test_clock_jumps_to_what_is_filled_in(still: Reader, text: str) -> None:
    """An instant, or the name of one."""
    assert still.send("clock", "clock/jump", {"at": text}).status_code == 303


def test_instant_that_is_none_is_told(still: Reader) -> None:
    """With those that there are."""
    answer = still.send("clock", "clock/jump", {"at": "tomorrow"})
    assert (answer.status_code, "key:sub-create:expiry" in Page(answer.text).text) == (422, True)


def test_many_keys_are_listed_in_parts(default: Fake) -> None:
    """The line has few marks, and an instant few names, however many there are."""
    default.control("POST", "clock", running=False)
    secret = default.secret()
    for number in range(60):
        default.call("POST", "/v1/customers", secret, key=f"key-{number}", json={"email": "a@b.example"})
        default.advance(1 if number < 52 else 0)
    reader = Reader(default.client)
    first, second = reader.get("clock").text, reader.get("clock?offset=50").text
    assert (len(rows(first)), rows(second)[0][:3]) == (50, "51 ")
    assert "and 2 more" in rows(second)[-1]
    assert len(re.findall("<title>", first)) < 5


def test_line_has_room_for_near_and_far() -> None:
    """Its marks stand in their order and apart, its labels too, and none beyond its ends."""
    line = draw_timeline([1, 2, 60, 3600, DAY, 400 * DAY, 90 * 365 * DAY])
    assert [mark.last for mark in line.marks][-1] == 7
    for places in ([mark.place for mark in line.marks], [tick.place for tick in line.ticks]):
        assert all(after - before >= 12 for before, after in pairwise(places))
        assert 0 < places[0] < places[-1] < 100


def test_line_without_instants_is_a_day() -> None:
    """Nothing lies on it."""
    line = draw_timeline([])
    assert (line.marks, line.ticks[0].label, line.ticks[-1].label) == ([], "now", "1 day")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.25, "250 ms"), (59, "59 s"), (3600, "1 h"), (86399, "23 h 59 min"), (8 * DAY + 60, "8 d")],
)
def test_duration_has_two_units(seconds: float, text: str) -> None:
    """The largest ones."""
    assert format_duration(seconds) == text
