"""What is put into one server in a selftest, and what is told of each difference by what came of all."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.selftest.batches import Batch, make_batches, results_of
from paylera_conformance.selftest.mutants import Mutant, list_mutants
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_fixtures.vocabulary import Profile


def hole(operation: str, *breaks: str, **members: Any) -> Mutant:
    """A rule that is dropped on an operation."""
    return Mutant(f"hole:{breaks[0]}:{operation}", "", breaks=breaks, operation=operation, **members)


def dialect(name: str, **members: Any) -> Mutant:
    """A right server."""
    return Mutant(name, "", kind="dialect", **members)


MISSING, REVOKED = hole("GET /a", "credential.missing"), hole("GET /b", "token.revoked")
WRONG = Mutant("wrong", "", breaks=("token.revoked",))

ALSO_MISSING = hole("GET /b", "credential.missing")
MAY_BE_MISSING = hole("GET /b", "token.known", may_break=("credential.missing",))
OTHER = Mutant("other", "", breaks=("credential.missing",))

TOGETHER: dict[str, list[Mutant]] = {
    "holes on two operations": [MISSING, REVOKED],
    "a hole that may show as the other": [MISSING, MAY_BE_MISSING],
    "dialects": [dialect(str(number)) for number in range(5)],
    "mutants": [WRONG, OTHER],
    "readings of two things": [dialect("a", readings={"scope_refusal": "403"}), dialect("b", readings={"date": "x"})],
}
APART: dict[str, list[Mutant]] = {
    "a mutant and a hole": [WRONG, MISSING],
    "a dialect and a hole": [dialect("a"), MISSING],
    "a dialect and a mutant": [dialect("a"), WRONG],
    "holes of one clause": [MISSING, ALSO_MISSING],
    "holes on one operation": [MISSING, hole("GET /a", "token.revoked")],
    "two profiles": [dialect("a"), dialect("b", profile=Profile.REFERENCE)],
    "a reading and none": [dialect("a"), dialect("b", readings={"scope_refusal": "403"})],
    "two readings of one thing": [dialect(value, readings={"scope_refusal": value}) for value in ("401", "403")],
    "two readings of each": [dialect(value, readings={"date": value, "scope_refusal": value}) for value in ("1", "2")],
}


@pytest.mark.parametrize("mutants", TOGETHER.values(), ids=TOGETHER)
def test_differences_that_do_not_touch_are_in_one_server(mutants: list[Mutant]) -> None:
    """Unless the whole suite is to run against each."""
    assert make_batches(mutants, Breadth.USUAL) == [tuple(mutants)]
    assert make_batches(mutants, Breadth.WHOLE) == [(mutant,) for mutant in mutants]


def test_dialects_are_dealt_out() -> None:
    """Two that stand beside each other may be two forms of an id, of which a server has one."""
    dialects = [dialect(str(number)) for number in range(9)]
    assert make_batches(dialects, Breadth.USUAL) == [tuple(dialects[::2]), tuple(dialects[1::2])]


@pytest.mark.parametrize("mutants", APART.values(), ids=APART)
def test_differences_that_may_hide_each_other_are_not(mutants: list[Mutant]) -> None:
    """What is seen would not tell of which it is."""
    assert make_batches(mutants, Breadth.USUAL) == [(mutant,) for mutant in mutants]


def test_no_server_reads_the_guide_in_two_ways() -> None:
    """Also where a dialect sets two readings, of which two others set one each."""
    one, both, other = ({"x": "1"}, {"x": "2", "y": "1"}, {"y": "2"})
    batches = make_batches([dialect(str(each), readings=each) for each in (one, both, other)], Breadth.USUAL)
    assert [[mutant.readings for mutant in batch] for batch in batches] == [[one, other], [both]]


def test_holes_of_many_clauses_on_many_operations_are_in_few_servers() -> None:
    """In none are two of one clause or on one operation; in each is one of every clause."""
    holes = [hole(f"GET /{place}", clause) for clause in ("a", "b", "c") for place in range(5)]
    batches = make_batches(holes, Breadth.USUAL)
    assert [len({mutant.breaks for mutant in batch}) for batch in batches] == [3] * 5
    assert [len({mutant.operation for mutant in batch}) for batch in batches] == [3] * 5


def test_every_variant_is_in_one_batch() -> None:
    """Mutants, dialects and holes each among their like."""
    known = list_mutants() | list_mutants(holes=True)
    batches = make_batches([*known.values()], Breadth.USUAL)
    assert sorted(mutant.id for batch in batches for mutant in batch) == sorted(known)
    assert len(batches) < len(known) / 5
    kinds = [{(mutant.is_dialect, mutant.operation is None) for mutant in batch} for batch in batches]
    assert [kind for kind in kinds if len(kind) > 1] == []


def seen(messages: dict[str, str]) -> MutantResult:
    """What came of one server: the clauses that were violated, with their messages."""
    return MutantResult(
        id="", violated=tuple(messages), errors=(), blocked=(), ran=9, requests=100, seconds=4.0, messages=messages
    )


BOTH = {
    "credential.missing": "on 1 of 9 operations (GET /a): wanted",
    "token.revoked": "on 1 of 9 operations (GET /b): wanted",
}


def test_each_hole_is_told_by_its_clause() -> None:
    """And by the operation that the message names; requests and seconds are shared out."""
    results = results_of((MISSING, REVOKED), seen(BOTH), [3, 2])
    assert [(result.id, result.violated, result.ran, result.requests, result.seconds) for result in results] == [
        (MISSING.id, ("credential.missing",), 3, 50, 2.0),
        (REVOKED.id, ("token.revoked",), 2, 50, 2.0),
    ]


SHARED = {"credential.missing": "on 2 of 9 operations (GET /a, GET /b): wanted"}


def test_holes_of_one_clause_are_told_by_their_operations() -> None:
    """The message names all that are open."""
    results = results_of((MISSING, ALSO_MISSING), seen(SHARED), [1, 1])
    assert [(result.id, result.violated, result.beside) for result in results] == [
        (MISSING.id, ("credential.missing",), ("GET /b",)),
        (ALSO_MISSING.id, ("credential.missing",), ("GET /a",)),
    ]


ONE = {"credential.missing": BOTH["credential.missing"]}
ELSEWHERE = "on 2 of 9 operations (GET /a, GET /c): wanted"
UNCLEAR: dict[str, tuple[Batch, dict[str, str], list[int], list[str]]] = {
    "one is not seen": ((MISSING, REVOKED), ONE, [1, 1], [MISSING.id]),
    "one of one clause is not seen": ((MISSING, ALSO_MISSING), ONE, [1, 1], [MISSING.id]),
    "one never ran": ((MISSING, REVOKED), BOTH, [1, 0], [MISSING.id]),
    "a right operation is named": ((MISSING, REVOKED), {**BOTH, "credential.missing": ELSEWHERE}, [1, 1], []),
    "the other operation is named": ((MISSING, REVOKED), {"token.revoked": BOTH["credential.missing"]}, [1, 1], []),
    "another clause": ((MISSING, REVOKED), {**BOTH, "scope.required": ""}, [1, 1], []),
}


@pytest.mark.parametrize(("batch", "messages", "ran", "told"), UNCLEAR.values(), ids=UNCLEAR)
def test_of_what_too_little_is_told_nothing_is_said(
    batch: Batch, messages: dict[str, str], ran: list[int], told: list[str]
) -> None:
    """A difference is neither caught nor blamed for what its neighbour did: it is run by itself."""
    assert [result.id for result in results_of(batch, seen(messages), ran)] == told


def test_dialects_of_which_nothing_is_complained_are_tolerated() -> None:
    """Each may break what the other may."""
    batch = (dialect("a", may_break=("problem.occurrence",)), dialect("b"))
    results = results_of(batch, seen({"problem.occurrence": ""}), [1, 1])
    assert [result.violated for result in results] == [("problem.occurrence",), ()]
    assert results_of(batch, seen({"token.revoked": ""}), [1, 1]) == []
