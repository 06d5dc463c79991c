"""The order of the cases: drawn from the seed, with what belongs together left together."""

from __future__ import annotations

import pytest

from paylera_conformance.run.order import shuffle


def do_nothing() -> None:
    """What a case is does not matter here."""


@pytest.fixture
def items(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """Cases that stand alone, that share requests, that come last, and that may break the target."""

    def case(name: str, *marks: pytest.MarkDecorator, **more: bool) -> pytest.Item:
        item = pytest.Function.from_parent(request.node.parent, name=name, callobj=do_nothing)
        for mark in (pytest.mark.paylera_clause("token.unknown", mode=1, each_operation=False, **more), *marks):
            item.add_marker(mark)
        return item

    return [
        *(case(f"test_alone[{number}]") for number in range(20)),
        *(case(f"test_together[{number}]", pytest.mark.xdist_group("list_customers")) for number in range(4)),
        *(case(f"test_hostile[{number}]", hostile=True) for number in range(2)),
        *(case(f"test_last[{number}]", last=True) for number in range(3)),
    ]


def names(items: list[pytest.Item], seed: int) -> list[str]:
    """The order by a seed."""
    return [item.name for item in shuffle(items, seed)]


def test_one_seed_gives_one_order(items: list[pytest.Item]) -> None:
    """In every process of a run, and again; another gives another."""
    assert (names(items, 1) == names(items, 1), names(items, 1) == names(items, 2)) == (True, False)


def test_every_case_is_there(items: list[pytest.Item]) -> None:
    """Once."""
    assert sorted(names(items, 3)) == sorted(item.name for item in items)


def test_cases_that_share_requests_stay_together(items: list[pytest.Item]) -> None:
    """When all that stand alone have run, since some of these set the target back."""
    assert [name.startswith("test_together") for name in names(items, 4)][20:24] == [True] * 4


def test_what_is_to_be_last_is_last(items: list[pytest.Item]) -> None:
    """Time moves on by a year there."""
    assert [name.startswith("test_last") for name in names(items, 5)][-5:-2] == [True] * 3


def test_what_may_break_the_target_comes_after_all_else(items: list[pytest.Item]) -> None:
    """What could not be judged any more has been judged then."""
    assert [name.startswith("test_hostile") for name in names(items, 6)][-2:] == [True] * 2
