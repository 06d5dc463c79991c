"""Mutants: deliberate defects of the fake, and dialects of it, which keep the contract in another way.

A mutant is one row in the module that is named like the clauses it breaks, and each has a row in no other place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from paylera_fixtures.spelling import advise

if TYPE_CHECKING:  # start-up time: `--help` needs none of them
    from paylera_mock.mutants.model import Mutant
    from paylera_mock.namespaces.mutant_counter import MutantCounter
    from paylera_mock.pipeline.context import Behaviour


def all_mutants() -> Mapping[str, Mutant]:
    """Every mutant and every dialect by its id."""
    # Start-up time: a fake that keeps the contract needs none of them.
    from paylera_mock.mutants.catalog import MUTANTS  # noqa: PLC0415

    return MUTANTS


def find_mutant(name: str) -> Mutant | None:
    """The mutant, dialect or hole of an id; `None` where there is none."""
    from paylera_mock.mutants.holes import PREFIX, all_holes  # noqa: PLC0415 - as above

    return all_holes().get(name) if name.startswith(PREFIX) else all_mutants().get(name)


def apply_mutants(behaviour: Behaviour, ids: Iterable[str], counter: MutantCounter) -> Behaviour:
    """A behaviour with some mutants put in, in this order; `counter` counts when one of them runs.

    Raises `KeyError` for an id that no mutant has.
    """
    for name in ids:
        mutant = find_mutant(name)
        if mutant is None:
            raise KeyError(name)
        behaviour = mutant.mutation(behaviour, counter.note_of(name))
    return behaviour


def explain_unknown(ids: Iterable[str]) -> str | None:
    """What to say of the first id that no mutant has, with those it may have meant; `None` where all are known."""
    unknown = next((name for name in ids if find_mutant(name) is None), None)
    if unknown is None:
        return None
    return f"there is no mutant {unknown!r}: {advise(unknown, all_mutants(), 'see `paylera-mock mutants`')}"
