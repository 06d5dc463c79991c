"""What a run against one variant shows: caught, missed, or blamed on the wrong clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from paylera_conformance.model.outcomes import Outcome
from paylera_fixtures.mutants import Kind, Variant


class Breadth(StrEnum):
    """How much of the suite runs against a variant.

    - `sample`: every case of the clauses that it may violate, and the first case of each other clause;
    - `usual`: that for a mutant, everything for a dialect, of which nothing at all may be complained;
    - `whole`: everything, always.
    """

    SAMPLE = "sample"
    USUAL = "usual"
    WHOLE = "whole"

    def samples(self, variant: Variant) -> bool:
        """Whether only a sample of the suite runs against a variant."""
        return self is Breadth.SAMPLE or (self is Breadth.USUAL and variant.kind is Kind.MUTANT)


class Finding(StrEnum):
    """What came of one variant, the worst first.

    - `never-ran`: the defective code was not reached, so that nothing is shown;
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
        return self in {Finding.CAUGHT, Finding.TOLERATED}


_VIOLATED: Final = frozenset({Outcome.FAIL, Outcome.WARN})


@dataclass(frozen=True)
class VariantResult:
    """A run of the whole suite against one variant.

    - `violated`: the clauses violated by assertion; `unproven`: those in error, blocked or not run;
    - `ran`: how often the code that makes the difference ran;
    - `messages`: the headline of each violated clause.
    """

    id: str
    violated: tuple[str, ...]
    errors: tuple[str, ...]
    blocked: tuple[str, ...]
    ran: int
    requests: int
    seconds: float
    messages: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it travels from the process that ran it."""
        return {**vars(self), "messages": dict(self.messages)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VariantResult:
        """The inverse of `to_json`."""
        lists = {name: tuple(data[name]) for name in ("violated", "errors", "blocked")}
        return cls(**{**data, **lists})


def violated(outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
    """The clauses of a run that were violated by assertion."""
    return tuple(clause for clause, outcome in outcomes.items() if outcome in _VIOLATED)


def judge_variant(variant: Variant, result: VariantResult) -> Finding:
    """What a run shows of a variant."""
    if result.ran == 0:
        return Finding.NEVER_RAN
    if not set(variant.breaks) <= set(result.violated):
        return Finding.SURVIVED
    if set(result.violated) - variant.may or set(result.errors) - variant.may:
        return Finding.BLAMED_WRONGLY
    return Finding.CAUGHT if variant.kind is Kind.MUTANT else Finding.TOLERATED


def subtlest(variants: Iterable[Variant]) -> list[Variant]:
    """One mutant for each clause that any breaks: a subtle one where there is one. In the order given."""
    variants = [variant for variant in variants if variant.kind is Kind.MUTANT]
    chosen: dict[str, Variant] = {}
    for variant in sorted(variants, key=lambda variant: not variant.subtle):
        for clause in variant.breaks:
            chosen.setdefault(clause, variant)
    return [variant for variant in variants if variant in chosen.values()]
