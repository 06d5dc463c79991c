"""The order of the cases: drawn from the seed, so that no target can tell what comes next."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from paylera_conformance.probe.marks import mark_of


def _rank(mark: pytest.Mark, *, is_shared: bool) -> int:
    if mark.kwargs.get("hostile"):
        return 3
    return 2 if mark.kwargs.get("last") else int(is_shared)


def shuffle(items: Iterable[pytest.Item], seed: int) -> list[pytest.Item]:
    """The cases in another order: those that stand alone, that share requests, that are to be last, and the hostile.

    What is shared, such as a token, must outlive other cases, and some of these set the target back where it has no
    namespaces. So nothing comes between those that share it.

    - `seed`: the same one gives the same order, in every process.
    """
    groups: dict[tuple[int, str], list[pytest.Item]] = {}
    for item in items:
        shared = item.get_closest_marker("xdist_group")
        rank = _rank(mark_of(item), is_shared=shared is not None)
        groups.setdefault((rank, shared.args[0] if shared else item.nodeid), []).append(item)
    names = list(groups)
    random.Random(seed).shuffle(names)  # noqa: S311 - an order, not a secret
    return [item for name in sorted(names, key=lambda name: name[0]) for item in groups[name]]
