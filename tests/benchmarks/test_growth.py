"""What the benchmark says of how a cost grows."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from costs import CASES
from growth import KEPT, Line


@pytest.mark.parametrize(
    ("costs", "growth"),
    [
        ([1.0, 1.0, 1.4], "flat"),
        ([1.0, 1.5, 2.0], "n log n"),
        ([1.0, 100.0, 10_000.0], "more"),
        ([1.0, 2.0, 3.5], "more"),
        ([3.0, 2.0, 1.0], "falls"),
    ],
)
def test_growth_is_named_by_the_cost_of_one(costs: Sequence[float], growth: str) -> None:
    """From 100 to 10,000 the logarithm doubles."""
    assert Line("the fake", "a call", "ms", (100, 1_000, 10_000), costs).growth == growth


def test_every_line_of_the_fake_is_a_case_of_the_costs() -> None:
    """A case that is called otherwise would be missed after minutes."""
    assert {case for case, _ in KEPT.values()} <= {case.name for case in CASES}
