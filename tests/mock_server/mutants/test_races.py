"""Races that are made certain: who meets whom before being judged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.core.messages import Request
from paylera_mock.mutants.races import Races

RACERS = 8


def write(key: str | None = "k") -> Request:
    """A write with a key."""
    return Request("POST", "/v1/customers", idempotency_key=key)


def test_of_those_at_once_all_but_the_first_are_second() -> None:
    """However many there are."""
    races, runners = Races(PATIENCE_SECONDS), [write() for _ in range(RACERS)]
    with ThreadPoolExecutor(RACERS) as pool:
        assert list(pool.map(races.must_queue, runners)) == [True] * RACERS
    assert [races.is_second(runner) for runner in runners] == [False] + [True] * (RACERS - 1)


def test_who_comes_alone_is_not_second() -> None:
    """It has waited, and nobody came."""
    races, alone = Races(), write()
    races.must_queue(alone)
    assert races.is_second(alone) is False


def test_who_comes_after_a_race_is_not_second() -> None:
    """All who ran have been judged, so that it is over."""
    races, runners = Races(PATIENCE_SECONDS), [write(), write()]
    with ThreadPoolExecutor(len(runners)) as pool:
        list(pool.map(races.must_queue, runners))
    assert [races.is_second(runner) for runner in runners] == [False, True]
    late = write()
    races.wait_seconds = 0
    races.must_queue(late)
    assert races.is_second(late) is False


def test_other_keys_are_other_races() -> None:
    """Two orders at once are no duplicates."""
    races, runners = Races(), [write("a"), write("b")]
    with ThreadPoolExecutor(len(runners)) as pool:
        list(pool.map(races.must_queue, runners))
    assert [races.is_second(runner) for runner in runners] == [False, False]


def test_a_read_waits_for_nobody() -> None:
    """Nor is it queued."""
    assert Races().must_queue(Request("GET", "/v1/customers", idempotency_key="k")) is False
