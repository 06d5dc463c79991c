"""What a run against a variant shows: caught, missed, or blamed on the wrong clause."""

from __future__ import annotations

import msgspec
import pytest

from paylera_conformance.selftest.mutants import Mutant, list_mutants
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, choose_subtlest, judge_mutant
from paylera_conformance.selftest.verdicts import SelftestFinding as Finding

MUTANT = Mutant("m", "Something is wrong.", breaks=("token.unknown",), may_break=("credential.exact-match",))
DIALECT = Mutant("d", "Something is otherwise.", "dialect")
HOLE = Mutant("h", "A rule is dropped.", breaks=("token.unknown",), operation="GET /v1/customers")


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    """Those that the fake lists."""
    return list(list_mutants().values())


def result(*violated: str, errors: tuple[str, ...] = (), ran: int = 1) -> MutantResult:
    """A run that violated these clauses."""
    return MutantResult("x", violated, errors, blocked=(), ran=ran, requests=1, seconds=0.1)


CASES = {
    "exactly": (MUTANT, result("token.unknown"), Finding.CAUGHT),
    "with what it may": (MUTANT, result("token.unknown", "credential.exact-match"), Finding.CAUGHT),
    "not at all": (MUTANT, result(), Finding.SURVIVED),
    "only what it may": (MUTANT, result("credential.exact-match"), Finding.SURVIVED),
    "with another clause": (MUTANT, result("token.unknown", "scope.required"), Finding.BLAMED_WRONGLY),
    "with an error elsewhere": (MUTANT, result("token.unknown", errors=("scope.exact",)), Finding.BLAMED_WRONGLY),
    "by an error alone": (MUTANT, result(errors=("token.unknown",)), Finding.SURVIVED),
    "code not reached": (MUTANT, result("token.unknown", ran=0), Finding.NEVER_RAN),
    "dialect in peace": (DIALECT, result(), Finding.TOLERATED),
    "dialect complained of": (DIALECT, result("problem.media-type"), Finding.BLAMED_WRONGLY),
    "dialect not reached": (DIALECT, result(ran=0), Finding.NEVER_RAN),
}


@pytest.mark.parametrize(("mutant", "run", "finding"), CASES.values(), ids=CASES.keys())
def test_a_mutant_is_caught_by_its_clauses_alone(mutant: Mutant, run: MutantResult, finding: Finding) -> None:
    """An error, a block or another clause's violation is no catch."""
    assert judge_mutant(mutant, run) is finding


NAMED = {
    "its own": ("on 1 of 45 operations (GET /v1/customers): wanted 401", Finding.CAUGHT),
    "another": ("on 1 of 45 operations (GET /v1/customers/{id}): wanted 401", Finding.BLAMED_WRONGLY),
    "another too": ("on 2 of 45 operations (GET /v1/customers, GET /v1/plans): wanted 401", Finding.BLAMED_WRONGLY),
    "none": ("wanted 401", Finding.BLAMED_WRONGLY),
}


@pytest.mark.parametrize(("message", "finding"), NAMED.values(), ids=NAMED)
def test_a_hole_is_caught_where_its_operation_is_named(message: str, finding: Finding) -> None:
    """And no other is."""
    run = msgspec.structs.replace(result("token.unknown"), messages={"token.unknown": message})
    assert judge_mutant(HOLE, run) is finding


def test_a_hole_that_shared_its_server_is_caught_beside_the_other() -> None:
    """The message names both operations, and that the other is open too is no blame."""
    message = "on 2 of 45 operations (GET /v1/customers, GET /v1/plans): wanted 401"
    run = msgspec.structs.replace(
        result("token.unknown"), messages={"token.unknown": message}, beside=("GET /v1/plans",)
    )
    assert judge_mutant(HOLE, run) is Finding.CAUGHT


def test_the_subtlest_break_every_clause_that_any_breaks(mutants: list[Mutant]) -> None:
    """The fast run leaves no clause without a mutant."""
    broken = {clause for mutant in mutants for clause in mutant.breaks}
    assert {clause for mutant in choose_subtlest(mutants) for clause in mutant.breaks} == broken


def test_the_subtlest_are_subtle_where_there_is_a_subtle_one() -> None:
    """What a careless suite would catch too shows little."""
    plain = Mutant("plain", "", breaks=("token.unknown",))
    subtle = Mutant("subtle", "", breaks=("token.unknown",), subtle=True)
    assert choose_subtlest([plain, subtle]) == [subtle]


@pytest.mark.parametrize(
    ("breadth", "of_mutant", "of_dialect"),
    [(Breadth.SAMPLE, True, True), (Breadth.USUAL, True, False), (Breadth.WHOLE, False, False)],
)
def test_a_dialect_is_never_only_sampled_but_where_asked(
    breadth: Breadth, *, of_mutant: bool, of_dialect: bool
) -> None:
    """A complaint about a right server may come from any case."""
    assert (breadth.samples(MUTANT), breadth.samples(DIALECT)) == (of_mutant, of_dialect)


def test_a_result_survives_its_journey_between_processes() -> None:
    """What a worker saw is what the matrix shows."""
    seen = result("token.unknown", errors=("scope.exact",))
    assert msgspec.json.decode(msgspec.json.encode(seen), type=MutantResult) == seen


def test_there_are_as_many_as_were_promised(mutants: list[Mutant]) -> None:
    """Over 120 mutants, over 20 of them subtle, and at least 20 dialects."""
    dialects = sum(mutant.is_dialect for mutant in mutants)
    subtle = sum(mutant.subtle for mutant in mutants)
    assert (len(mutants) - dialects > 120, subtle > 20, dialects >= 20) == (True, True, True)
