"""Differences that are put into one server together, since each shows by itself: the preparation of a run serves all.

Where what is seen of such a server is not what should be seen of each, its differences are run one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Final, TypeAlias

from msgspec.structs import replace

from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, judge_mutant

Batch: TypeAlias = tuple[Mutant, ...]
"""One mutant, or several dialects or holes that are in one server."""

_MOST_DIALECTS: Final = 5
"""So many dialects are in one server, at the most: of more, too many say something of the same."""


def make_batches(mutants: Sequence[Mutant], breadth: Breadth) -> list[Batch]:
    """What is run as one server each: the dialects first, since the whole suite runs against them."""
    if breadth is Breadth.WHOLE:
        return [(mutant,) for mutant in sorted(mutants, key=lambda each: not each.is_dialect)]
    batches = list(_deal([mutant for mutant in mutants if mutant.is_dialect]))
    for mutant in mutants:
        if mutant.is_dialect:
            continue
        place = next((place for place, batch in enumerate(batches) if _fits(mutant, batch)), None)
        if place is None:
            batches.append((mutant,))
        else:
            batches[place] += (mutant,)
    return batches


def _deal(dialects: Iterable[Mutant]) -> Iterator[Batch]:
    """Dialects dealt out to servers: what stand beside each other are mostly different forms of one thing."""
    alike: dict[str, list[Mutant]] = {}
    for dialect in dialects:
        alike.setdefault(f"{dialect.profile} {dialect.readings}", []).append(dialect)
    for each in alike.values():
        servers = ceil(len(each) / _MOST_DIALECTS)
        yield from (tuple(each[number::servers]) for number in range(servers))


def _fits(hole: Mutant, batch: Batch) -> bool:
    is_alike = (hole.profile, hole.readings) == (batch[0].profile, batch[0].readings)
    return is_alike and hole.operation is not None and all(_are_apart(hole, other) for other in batch)


def _are_apart(one: Mutant, other: Mutant) -> bool:
    """Whether two holes are on operations of their own, and neither violates the clauses that the other breaks."""
    is_clear = one.may_violate.isdisjoint(other.breaks) and other.may_violate.isdisjoint(one.breaks)
    return other.operation is not None and one.operation != other.operation and is_clear


def results_of(batch: Batch, whole: MutantResult, ran: Sequence[int]) -> list[MutantResult] | None:
    """What came of each difference, by what came of the server that has all; `None` where that tells too little.

    - `ran`: how often the code of each ran.
    """
    declared = frozenset[str]().union(*(mutant.may_violate for mutant in batch))
    results = []
    for mutant, times in zip(batch, ran, strict=True):
        others = declared - mutant.may_violate
        result = replace(
            whole,
            id=mutant.id,
            violated=tuple(clause for clause in whole.violated if clause not in others),
            errors=tuple(clause for clause in whole.errors if clause not in others),
            messages={clause: text for clause, text in whole.messages.items() if clause not in others},
            ran=times,
            requests=whole.requests // len(batch),
            seconds=round(whole.seconds / len(batch), 2),
        )
        results.append(result)
    is_told = all(judge_mutant(mutant, result).is_good for mutant, result in zip(batch, results, strict=True))
    return results if is_told else None
