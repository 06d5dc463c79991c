"""The order of the cases: drawn from the seed, so that no target can tell what comes next."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from paylera_conformance.probe.marks import mark_of


def shuffle(items: Iterable[pytest.Item], seed: int) -> list[pytest.Item]:
    """The cases in another order: those that stand alone, those that share requests, and those that are to be last.

    What is shared, such as a token, must outlive other cases, and some of these set the target back where it has no
    namespaces. So nothing comes between those that share it.

    - `seed`: the same one gives the same order, in every process.
    """
    groups: dict[tuple[int, str], list[pytest.Item]] = {}
    for item in items:
        shared = item.get_closest_marker("xdist_group")
        rank = 2 if mark_of(item).kwargs.get("last") else int(shared is not None)
        groups.setdefault((rank, shared.args[0] if shared else item.nodeid), []).append(item)
    names = list(groups)
    random.Random(seed).shuffle(names)  # noqa: S311 - an order, not a secret
    return [item for name in sorted(names, key=lambda name: name[0]) for item in groups[name]]
