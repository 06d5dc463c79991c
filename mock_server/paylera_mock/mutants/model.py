"""What a mutant is: the type of a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from paylera_fixtures.api.operations import Operation
from paylera_fixtures.vocabulary import Profile
from paylera_mock.mutants.builders import Mutation


class MutantKind(StrEnum):
    """Whether the fake breaks the contract, or keeps it in another way."""

    MUTANT = "mutant"
    DIALECT = "dialect"


@dataclass(frozen=True)
class Mutant:
    """One deliberate difference from the fake as it is: a row, which a table has under its id.

    - `description`: what is different, in one sentence, and `mutation`: what makes it so;
    - `breaks`: the clauses that must be violated, and `may_break` those that may, where probes overlap; a dialect
      breaks none, and may break what is a finding in its profile;
    - `subtle`: a careless suite would miss it;
    - `profile`: the profile under which it shows; `readings`: those that are set on top of it;
    - `operation`: the one on which it shows alone; `None` for one that is not about one operation.
    """

    description: str
    mutation: Mutation
    breaks: tuple[str, ...] = field(default=(), kw_only=True)
    may_break: tuple[str, ...] = field(default=(), kw_only=True)
    subtle: bool = field(default=False, kw_only=True)
    profile: Profile = field(default=Profile.GUIDE, kw_only=True)
    readings: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    operation: Operation | None = field(default=None, kw_only=True)

    @property
    def kind(self) -> MutantKind:
        """What breaks nothing is a dialect."""
        return MutantKind.MUTANT if self.breaks else MutantKind.DIALECT
