"""Which cases of the suite run against a mutant or a hole: those that can see it, and some of those that must not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pytest

from paylera_conformance.marker import MARKER
from paylera_conformance.probe.marks import cell_of
from paylera_conformance.selftest.batches import Batch, declared_by
from paylera_conformance.selftest.mutants import Mutant


def clause_of(item: pytest.Item) -> str:
    """The clause of a case; empty for what is none."""
    mark = item.get_closest_marker(MARKER)
    return str(mark.args[0]) if mark else ""


def cells_of(items: Sequence[pytest.Item], holes: Batch) -> list[pytest.Item]:
    """The cells that holes are to be caught by, and every cell of one of their operations and of another.

    All but those must be as they should, and it takes most of the requests to see that they are: of the holes in one
    server a drawn one stands for the others.
    """
    columns = _columns(items)
    drawn = random.Random(holes[0].id)  # noqa: S311 - a choice of cases
    others = sorted(columns.keys() - {hole.operation for hole in holes})
    whole = {drawn.choice(holes).operation, *drawn.sample(others, min(1, len(others)))}
    chosen = [item for hole in holes for item in columns[str(hole.operation)] if clause_of(item) in hole.breaks]
    rest = [item for operation in sorted(map(str, whole)) for item in columns[operation]]
    return [*dict.fromkeys([*chosen, *rest])]


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


def cases_of_others(items: Sequence[pytest.Item], mutants: Batch) -> list[pytest.Item]:
    """One case of each clause that no mutant of a batch may violate."""
    declared = declared_by(mutants)
    return [item for clause, item in _first_cases(items).items() if clause not in declared]


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
