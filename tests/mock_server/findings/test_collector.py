"""What waits to be looked at: all of it when somebody asks, a little while a request waits, and in its order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from paylera_mock.findings import collector, observer
from paylera_mock.findings.collector import FindingCollector

BACKLOG = 100


class Recorder:
    """Stands in for the observer: notes what it is shown."""

    seen: list[Any]

    def __init__(self, _namespace: str | None) -> None:
        type(self).seen = []

    def observe(self, event: Any) -> None:
        """Note an event."""
        self.seen.append(event)

    def findings(self) -> list[Any]:
        """None."""
        return []


@pytest.fixture
def collecting(monkeypatch: pytest.MonkeyPatch) -> FindingCollector:
    """A collector that shows everything to a `Recorder`."""
    monkeypatch.setattr(collector, "Observer", Recorder)
    return FindingCollector(None, BACKLOG)


def note(collecting: FindingCollector, *began: float) -> None:
    """Put exchanges aside that began then."""
    for moment in began:
        collecting.note_exchange(SimpleNamespace(began=moment))  # type: ignore[arg-type] # all of it that is looked at


def began() -> list[float]:
    """When the exchanges began that were looked at, in the order of the looks."""
    return [event.began for event in Recorder.seen if not isinstance(event, observer.TestStep)]


def test_nothing_is_looked_at_before_somebody_asks(collecting: FindingCollector) -> None:
    """Unless the journal may soon forget it."""
    note(collecting, *range(BACKLOG))
    assert began() == []
    collecting.findings()
    assert began() == [*range(BACKLOG)]


def test_request_waits_for_few_looks(collecting: FindingCollector) -> None:
    """The oldest ones; so the journal forgets nothing that was not looked at."""
    looks = []
    for moment in range(3 * BACKLOG):
        before = len(Recorder.seen)
        note(collecting, moment)
        looks.append(len(Recorder.seen) - before)
    assert max(looks) <= BACKLOG / 2
    assert began() == [*range(len(began()))]
    assert len(began()) >= 2 * BACKLOG


def test_exchange_that_was_held_up_is_looked_at_in_its_place(collecting: FindingCollector) -> None:
    """It is put aside late, when others that began after it have ended."""
    note(collecting, *range(10, BACKLOG + 9), 5)
    note(collecting, BACKLOG + 9)
    assert began()[0] == 5
    collecting.findings()
    assert began() == sorted(began())


def test_nothing_is_looked_at_before_the_step_that_came_first(collecting: FindingCollector) -> None:
    """What a test does in between parts what came before from what came after, whenever it began."""
    note(collecting, 2, 3)
    collecting.note_control_call("clock/advance")
    note(collecting, 1)
    collecting.findings()
    assert [event if isinstance(event, observer.TestStep) else event.began for event in Recorder.seen] == [
        2,
        3,
        observer.TestStep.CLOCK,
        1,
    ]
