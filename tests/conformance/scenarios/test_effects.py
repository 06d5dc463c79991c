"""What two readings of an object agree on, by which it is seen whether anything was done to it."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.scenarios.effects import agreement

USUAL = {"amount": 1, "read_at": 5, "note": None, "lines": [1, {"id": "a"}]}

CHANGES: dict[str, dict[str, Any]] = {
    "another-value": {"amount": 2},
    "a-value-where-none-was": {"note": "x"},
    "another-member": {"canceled_at": "2026"},
    "a-line-less": {"lines": [1]},
    "another-line": {"lines": [1, {"id": "b"}]},
}


def test_what_each_reading_has_anew_is_no_change() -> None:
    """As the time of the reading."""
    assert agreement({**USUAL, "read_at": 6}, USUAL) == agreement({**USUAL, "read_at": 7}, USUAL)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_shows(change: dict[str, Any]) -> None:
    """Beside what differs anyhow."""
    assert agreement({**USUAL, "read_at": 7, **change}, USUAL) != agreement({**USUAL, "read_at": 6}, USUAL)


def test_member_that_is_gone_shows() -> None:
    """It is no member that was never there."""
    assert agreement({"amount": 1}, USUAL) != agreement(dict(USUAL), USUAL)
