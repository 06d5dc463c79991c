"""What a run against one mutant shows: caught, missed, or blamed on the wrong clause."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from paylera_conformance.selftest.mutants import Mutant

_OPERATIONS: Final = re.compile(r"on \d+ of \d+ operations \(([^)]*)\): ")


class Breadth(StrEnum):
    """How much of the suite runs against a mutant or a dialect.

    - `sample`: cases of the clauses that it must violate until each is, and a case of each clause that it may not, in
      one server with others that may not; for a hole every cell of its operation, and of another;
    - `usual`: that for a mutant, everything for a dialect, of which nothing at all may be complained;
    - `whole`: everything, always.
    """

    SAMPLE = "sample"
    USUAL = "usual"
    WHOLE = "whole"

    def samples(self, mutant: Mutant) -> bool:
        """Whether only a sample of the suite runs against it."""
        return self is Breadth.SAMPLE or (self is Breadth.USUAL and not mutant.is_dialect)


class SelftestFinding(StrEnum):
    """What came of one mutant or dialect, the worst first.

    - `never-ran`: the code that makes the difference was not reached, so that nothing is shown;
    - `survived`: a mutant whose clause was not violated by assertion;
    - `blamed-wrongly`: something failed that is not declared, or anything at all of a dialect;
    - `caught`: a mutant violated what it must, and nothing else;
    - `tolerated`: a dialect, of which nothing was complained.
    """

    NEVER_RAN = "never-ran"
    SURVIVED = "survived"
    BLAMED_WRONGLY = "blamed-wrongly"
    CAUGHT = "caught"
    TOLERATED = "tolerated"

    @property
    def is_good(self) -> bool:
        """Whether the suite did what it should."""
        return self in {SelftestFinding.CAUGHT, SelftestFinding.TOLERATED}


class MutantResult(msgspec.Struct, frozen=True):
    """A run of the suite against one mutant or dialect.

    - `violated`: the clauses violated by assertion; `errors` and `blocked`: those with that outcome;
    - `ran`: how often the code that makes the difference ran; `requests`: how many were sent;
    - `messages`: the headline of each clause that is violated or in error;
    - `beside`: the operations of other holes that were in the same server.
    """

    id: str
    violated: tuple[str, ...]
    errors: tuple[str, ...]
    blocked: tuple[str, ...]
    ran: int
    requests: int
    seconds: float
    messages: dict[str, str] = {}
    beside: tuple[str, ...] = ()

    def undeclared_clauses(self, mutant: Mutant) -> list[str]:
        """The clauses that are violated or in error and that the mutant may not violate."""
        return sorted({*self.violated, *self.errors} - mutant.may_violate)

    def names_operation(self, mutant: Mutant) -> bool:
        """Whether every clause that a hole breaks says on which operation, and on no other that is right."""
        named = [operations_named(self.messages.get(clause, "")) - {*self.beside} for clause in mutant.breaks]
        return mutant.operation is None or all(each == {mutant.operation} for each in named)


def operations_named(message: str) -> set[str]:
    """The operations on which a clause is violated, as its message has them; none where it names none."""
    found = _OPERATIONS.match(message)
    return set(found[1].split(", ")) if found else set()


def judge_mutant(mutant: Mutant, result: MutantResult) -> SelftestFinding:
    """What a run shows of a mutant or dialect."""
    if result.ran == 0:
        return SelftestFinding.NEVER_RAN
    if not set(mutant.breaks) <= set(result.violated):
        return SelftestFinding.SURVIVED
    if result.undeclared_clauses(mutant) or not result.names_operation(mutant):
        return SelftestFinding.BLAMED_WRONGLY
    return SelftestFinding.TOLERATED if mutant.is_dialect else SelftestFinding.CAUGHT


def choose_subtlest(mutants: Iterable[Mutant]) -> list[Mutant]:
    """One mutant for each clause that any breaks: a subtle one where there is one. In the order given."""
    mutants = [mutant for mutant in mutants if not mutant.is_dialect and not mutant.operation]
    chosen: dict[str, Mutant] = {}
    for mutant in sorted(mutants, key=lambda mutant: not mutant.subtle):
        for clause in mutant.breaks:
            chosen.setdefault(clause, mutant)
    return [mutant for mutant in mutants if mutant in chosen.values()]
