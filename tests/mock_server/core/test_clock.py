"""The clock of a namespace: it runs or stands still, goes forward only, and begins where it is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paylera_mock.core.clock import END_OF_TIME, SEEDED_START, Clock, format_time


class Outside:
    """The time outside, which a test moves."""

    def __init__(self, epoch: float = 1000.0) -> None:
        self.epoch = epoch

    def __call__(self) -> float:
        """What it is now."""
        return self.epoch

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.epoch += seconds


@pytest.fixture
def outside() -> Outside:
    """A time outside that begins at 1000."""
    return Outside()


def test_a_running_clock_goes_as_time_outside(outside: Outside) -> None:
    """It shows what it is outside."""
    clock = Clock(running=True, source=outside)
    outside.passes(5)
    assert clock.epoch() == 1005.0


def test_a_clock_that_stands_still_shows_when_it_was_made(outside: Outside) -> None:
    """Time outside does not move it."""
    clock = Clock(running=False, source=outside)
    outside.passes(5)
    assert clock.epoch() == 1000.0


@pytest.mark.parametrize(("running", "shown"), [(True, 55.0), (False, 50.0)])
def test_a_clock_begins_where_it_is_told(outside: Outside, *, running: bool, shown: float) -> None:
    """And runs from there, if it runs."""
    clock = Clock(running=running, source=outside, at=50.0)
    outside.passes(5)
    assert clock.epoch() == shown


def test_freezing_keeps_the_moment(outside: Outside) -> None:
    """What was shown then is shown on."""
    clock = Clock(running=True, source=outside)
    clock.advance(7)
    clock.freeze()
    outside.passes(5)
    assert (clock.running, clock.epoch()) == (False, 1007.0)


def test_running_goes_on_from_where_it_stood(outside: Outside) -> None:
    """No time is caught up with."""
    clock = Clock(running=False, source=outside)
    clock.advance(7)
    outside.passes(100)
    clock.run()
    outside.passes(5)
    assert (clock.running, clock.epoch()) == (True, 1012.0)


def test_running_again_changes_nothing(outside: Outside) -> None:
    """A clock that runs already runs on."""
    clock = Clock(running=True, source=outside)
    clock.run()
    outside.passes(5)
    assert clock.epoch() == 1005.0


def test_a_clock_goes_to_an_instant_exactly(outside: Outside) -> None:
    """A millisecond before the end of a grace is that, and no rounding of it."""
    clock = Clock(running=False, source=outside)
    clock.to(1_780_358_399.999)
    assert clock.epoch() == 1_780_358_399.999


def test_a_running_clock_runs_on_from_the_instant(outside: Outside) -> None:
    """Going somewhere does not stop it."""
    clock = Clock(running=True, source=outside)
    clock.to(2000.0)
    outside.passes(5)
    assert clock.epoch() == 2005.0


def test_a_clock_can_go_to_where_it_is(outside: Outside) -> None:
    """Now is no step backwards."""
    clock = Clock(running=False, source=outside)
    clock.to(1000.0)
    assert clock.epoch() == 1000.0


@pytest.mark.parametrize("epoch", [999.999, -1.0, END_OF_TIME, float("inf"), float("nan")])
def test_a_clock_goes_to_no_instant_before_or_beyond(outside: Outside, epoch: float) -> None:
    """Forward only, and to a date that can be written; the message says what it is now."""
    with pytest.raises(ValueError, match=r"forward only.*1970-01-01T00:16:40\.000Z"):
        Clock(running=False, source=outside).to(epoch)


@pytest.mark.parametrize("seconds", [-0.001, END_OF_TIME, float("inf"), float("nan")])
def test_a_clock_is_advanced_neither_backwards_nor_beyond(outside: Outside, seconds: float) -> None:
    """As for an instant."""
    with pytest.raises(ValueError, match="only be advanced"):
        Clock(running=False, source=outside).advance(seconds)


def test_steps_that_add_up_to_a_day_end_a_day_later() -> None:
    """However odd the start: a grace ends for whoever adds its parts."""
    clock = Clock(running=False, at=1_780_272_000.123)
    clock.advance(86399.999)
    clock.advance(0.001)
    assert clock.epoch() == 1_780_272_000.123 + 86400


@pytest.mark.parametrize("moved", [Clock.freeze, Clock.run, lambda clock: clock.to(5000.0)])
@pytest.mark.parametrize("running", [True, False])
def test_a_reset_goes_back_to_the_beginning(outside: Outside, moved: Callable[[Clock], None], *, running: bool) -> None:
    """Running or not as it was made, and without what it was moved by."""
    clock = Clock(running=running, source=outside, at=50.0)
    moved(clock)
    clock.reset()
    assert (clock.running, clock.epoch()) == (running, 50.0)


def test_a_running_clock_is_reset_to_the_time_outside(outside: Outside) -> None:
    """It lives in the present again."""
    clock = Clock(running=True, source=outside)
    clock.advance(7)
    outside.passes(5)
    clock.reset()
    assert clock.epoch() == 1005.0


@pytest.mark.parametrize("running", [True, False])
def test_what_another_clock_showed_can_be_restored(outside: Outside, *, running: bool) -> None:
    """Even if that is past."""
    clock = Clock(running=not running, source=outside)
    clock.restore(500.0, running=running)
    assert (clock.running, clock.epoch()) == (running, 500.0)


def test_the_start_of_a_seeded_fake_is_the_beginning_of_june() -> None:
    """As objects show it."""
    assert format_time(SEEDED_START) == "2026-06-01T00:00:00.000Z"
