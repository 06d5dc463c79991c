"""Differences that are put into one server together, since each shows by itself: the preparation of a run serves all.

A difference of which that server shows too little is run by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from math import ceil
from typing import Final, TypeAlias

from msgspec.structs import replace

from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, judge_mutant, operations_named
from paylera_fixtures.vocabulary import Profile

Batch: TypeAlias = tuple[Mutant, ...]
"""Mutants, dialects or holes that are in one server, mutants but for what each is to be caught by."""

_MOST: Final = 8
"""So many mutants or dialects are in one server, at the most: of more, too many say something of the same."""

_MOST_HOLES: Final = 20


def make_batches(mutants: Sequence[Mutant], breadth: Breadth) -> list[Batch]:
    """What is run as one server each: the dialects first, since the whole suite runs against them."""
    if breadth is Breadth.WHOLE:
        return [(mutant,) for mutant in sorted(mutants, key=lambda each: not each.is_dialect)]
    batches = list(_deal([mutant for mutant in mutants if mutant.is_dialect]))
    batches += _deal([mutant for mutant in mutants if not mutant.is_dialect and mutant.operation is None])
    for hole in _mix([mutant for mutant in mutants if mutant.operation is not None]):
        place = next((place for place, batch in enumerate(batches) if _fits(hole, batch)), None)
        if place is None:
            batches.append((hole,))
        else:
            batches[place] += (hole,)
    return batches


def _deal(mutants: Iterable[Mutant]) -> Iterator[Batch]:
    """Mutants or dialects dealt out to servers: neighbours are mostly different forms of one thing."""
    alike: dict[tuple[Profile, bool, int], list[Mutant]] = {}
    taken: set[tuple[Profile, str, int]] = set()
    for mutant in mutants:
        # A server reads the guide in one way: of two mutants that set the same reading, each has its own.
        number = next(each for each in count() if taken.isdisjoint(_places(mutant, each)))
        taken |= _places(mutant, number)
        alike.setdefault((mutant.profile, bool(mutant.readings), number), []).append(mutant)
    for each in alike.values():
        servers = ceil(len(each) / _MOST)
        yield from (tuple(each[number::servers]) for number in range(servers))


def _places(mutant: Mutant, number: int) -> set[tuple[Profile, str, int]]:
    return {(mutant.profile, name, number) for name in mutant.readings}


def _mix(holes: Sequence[Mutant]) -> list[Mutant]:
    """Holes in such an order that neighbours differ in operation and in clause: a server has room for many of them."""
    operations = [*dict.fromkeys(hole.operation for hole in holes)]
    clauses = [*dict.fromkeys(hole.breaks for hole in holes)]

    def diagonal(hole: Mutant) -> int:
        return (operations.index(hole.operation) + clauses.index(hole.breaks)) % len(operations)

    return sorted(holes, key=diagonal)


def _fits(hole: Mutant, batch: Batch) -> bool:
    """Whether none can be taken for another: one that opens the other's operation too violates a clause of its own."""
    is_alike = (hole.profile, hole.readings) == (batch[0].profile, batch[0].readings)
    if not is_alike or batch[0].operation is None or len(batch) == _MOST_HOLES:
        return False
    return all(hole.operation != each.operation and {*hole.breaks}.isdisjoint(each.breaks) for each in batch)


def declared_by(batch: Batch) -> frozenset[str]:
    """Every clause that any of them may violate."""
    return frozenset[str]().union(*(mutant.may_violate for mutant in batch))


def readings_of(batch: Batch) -> dict[str, str]:
    """The readings of the guide that all of them set."""
    return {name: value for mutant in batch for name, value in mutant.readings.items()}


def results_of(batch: Batch, whole: MutantResult, ran: Sequence[int]) -> list[MutantResult]:
    """What came of the differences, by what came of the server that has all: of those of which that tells enough.

    - `ran`: how often the code of each ran.
    """
    found = (*whole.violated, *whole.errors)
    if not all(_is_explained(clause, whole, batch) for clause in found):
        return []
    results = []
    for mutant, times in zip(batch, ran, strict=True):
        own = {clause for clause in found if _is_of(mutant, clause, whole)}
        result = replace(
            whole,
            id=mutant.id,
            violated=tuple(clause for clause in whole.violated if clause in own),
            errors=tuple(clause for clause in whole.errors if clause in own),
            messages={clause: text for clause, text in whole.messages.items() if clause in own},
            beside=tuple(str(other.operation) for other in batch if other.operation and other is not mutant),
            ran=times,
            requests=whole.requests // len(batch),
            seconds=round(whole.seconds / len(batch), 2),
        )
        results += [result] if judge_mutant(mutant, result).is_good else []
    return results


def _is_of(mutant: Mutant, clause: str, whole: MutantResult) -> bool:
    """Whether it is a mutant's doing that a server violates a clause: it may, and of a hole, its operation is named."""
    named = operations_named(whole.messages.get(clause, ""))
    return clause in mutant.may_violate and (not named or mutant.operation is None or mutant.operation in named)


def _is_explained(clause: str, whole: MutantResult, batch: Batch) -> bool:
    """Whether every operation on which a clause is violated is that of a hole which may violate it."""
    doers = [mutant for mutant in batch if _is_of(mutant, clause, whole)]
    operations = {mutant.operation for mutant in doers}
    return bool(doers) and (None in operations or operations_named(whole.messages.get(clause, "")) <= operations)
