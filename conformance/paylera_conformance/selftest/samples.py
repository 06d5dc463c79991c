"""Which cases of the suite run against a mutant or a hole: those that can see it, and some of those that must not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pytest

from paylera_conformance.marker import MARKER
from paylera_conformance.probe.marks import cell_of
from paylera_conformance.selftest.batches import Batch
from paylera_conformance.selftest.mutants import Mutant


def clause_of(item: pytest.Item) -> str:
    """The clause of a case; empty for what is none."""
    mark = item.get_closest_marker(MARKER)
    return str(mark.args[0]) if mark else ""


def cells_of(items: Sequence[pytest.Item], holes: Batch) -> list[pytest.Item]:
    """Every cell of the operations of holes, by which they are to be caught and by no other, and of another one."""
    columns = _columns(items)
    own = [str(hole.operation) for hole in holes]
    others = sorted(columns.keys() - {*own})
    drawn = random.Random(holes[0].id).sample(others, min(1, len(others)))  # noqa: S311 - a choice of cases
    return [item for operation in (*own, *drawn) for item in columns[operation]]


def cases_that_may_see(items: Sequence[pytest.Item], mutant: Mutant) -> Iterator[list[pytest.Item]]:
    """The cases of the clauses that a mutant breaks, in turn: such as stand alone, all, and all beside other cells.

    A cell of the matrix needs all that its operation is prepared with. Some clauses are about every answer, and seen to
    be violated in cells of any other: those of a read and of a write.
    """
    own = [item for item in items if clause_of(item) in mutant.breaks]
    alone = [item for item in own if cell_of(item)[1] is None]
    yield alone
    if len(own) > len(alone):
        yield own
    columns = _columns(items)
    read, write = (next(name for name in columns if name.startswith("GET ") is is_read) for is_read in (True, False))
    yield [*dict.fromkeys([*own, *columns[read], *columns[write]])]


def cases_of_others(items: Sequence[pytest.Item], mutants: Batch) -> list[tuple[Batch, list[pytest.Item]]]:
    """One case of each clause, by those of some mutants that may not violate it: what meets what in one server."""
    met: dict[frozenset[str], list[pytest.Item]] = {}
    for clause, item in _first_cases(items).items():
        innocent = frozenset(mutant.id for mutant in mutants if clause not in mutant.may_violate)
        met.setdefault(innocent, []).append(item)
    return [(tuple(mutant for mutant in mutants if mutant.id in ids), chosen) for ids, chosen in met.items() if ids]


def sample_of(items: Sequence[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
    """Every case of the clauses that a mutant may violate, and one of each other."""
    first = _first_cases(items)
    return [item for item in items if clause_of(item) in mutant.may_violate or first[clause_of(item)] is item]


def _first_cases(items: Sequence[pytest.Item]) -> dict[str, pytest.Item]:
    """The first case of each clause that stands alone; a cell, which needs much, where there is none but cells."""
    first: dict[str, pytest.Item] = {}
    for item in sorted(items, key=lambda item: cell_of(item)[1] is not None):
        first.setdefault(clause_of(item), item)
    return first


def _columns(items: Sequence[pytest.Item]) -> Mapping[str, list[pytest.Item]]:
    """The cells of the matrix by their operation, as method and path."""
    columns: dict[str, list[pytest.Item]] = {}
    for item in items:
        _, operation = cell_of(item)
        if operation is not None:
            columns.setdefault(str(operation), []).append(item)
    return columns
