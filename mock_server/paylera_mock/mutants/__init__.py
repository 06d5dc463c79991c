"""Deliberate defects: for each id of `paylera_fixtures.mutants`, what it changes in how a namespace judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.pipeline.context import Behaviour

if TYPE_CHECKING:
    from paylera_mock.mutants.mechanism import Mutation

__all__ = ["MutantCounter", "mutated", "mutations"]


@cache
def mutations() -> Mapping[str, Mutation]:
    """Every mutant and every dialect by its id."""
    # Imported when first asked for: a fake that keeps the contract as it is needs none of them.
    from paylera_mock.mutants.access import ACCESS  # noqa: PLC0415
    from paylera_mock.mutants.answers import ANSWERS  # noqa: PLC0415
    from paylera_mock.mutants.dialects import DIALECTS  # noqa: PLC0415
    from paylera_mock.mutants.doors import DOORS  # noqa: PLC0415
    from paylera_mock.mutants.grants import GRANTS  # noqa: PLC0415
    from paylera_mock.mutants.lifecycle import LIFECYCLE  # noqa: PLC0415
    from paylera_mock.mutants.lists import LISTS  # noqa: PLC0415
    from paylera_mock.mutants.requests import REQUESTS  # noqa: PLC0415
    from paylera_mock.mutants.tokens import TOKENS  # noqa: PLC0415

    return MappingProxyType(
        {**ACCESS, **TOKENS, **GRANTS, **REQUESTS, **LIFECYCLE, **ANSWERS, **LISTS, **DOORS, **DIALECTS}
    )


def with_mutants(behaviour: Behaviour, ids: Iterable[str], mutant_counter: MutantCounter) -> Behaviour:
    """A manner of judging with some defects put in, in this order; `mutant_counter` hears when one of them runs.

    Raises `KeyError` for an id that no mutant has.
    """
    for name in ids:
        behaviour = mutations()[name](behaviour, mutant_counter.note_of(name))
    return behaviour
