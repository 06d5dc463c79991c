"""Cases that look further than the plain one of their clause: what is drawn for them, and when they drop out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.probe.probe import Probe

T = TypeVar("T")


def draw_some(probe: Probe, values: Sequence[T], count: int, *, name: str) -> list[T]:
    """Some of several values, by the run's seed: the same in every case that gives the same name."""
    draw = random.Random(f"{probe.settings.seed} {name}")  # noqa: S311 - a seed is printed, so nothing here is a secret
    return draw.sample(values, min(count, len(values)))


@contextmanager
def drop_where_blocked() -> Iterator[None]:
    """Drop the case where something that it needs is not to be had: the clause then rests on its other cases.

    Raises `NotOffered` there.
    """
    try:
        yield
    except Blocked as missing:
        raise NotOffered(missing.reason, exchange=missing.exchange) from None
