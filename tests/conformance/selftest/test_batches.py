"""What is put into one server in a selftest, and what is told of each difference by what came of all."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.selftest.batches import make_batches, results_of
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

TOGETHER: dict[str, list[Mutant]] = {
    "holes on two operations": [MISSING, REVOKED],
    "dialects": [dialect(str(number)) for number in range(5)],
}
APART: dict[str, list[Mutant]] = {
    "mutants": [WRONG, Mutant("other", "", breaks=("credential.missing",))],
    "a mutant and a hole": [WRONG, MISSING],
    "a dialect and a hole": [dialect("a"), MISSING],
    "holes of one clause": [MISSING, hole("GET /b", "credential.missing")],
    "holes on one operation": [MISSING, hole("GET /a", "token.revoked")],
    "a hole that may show as the other": [MISSING, hole("GET /b", "token.known", may_break=("credential.missing",))],
    "two profiles": [dialect("a"), dialect("b", profile=Profile.REFERENCE)],
    "two readings": [dialect("a"), dialect("b", readings={"scope_refusal": "403"})],
}


@pytest.mark.parametrize("mutants", TOGETHER.values(), ids=TOGETHER)
def test_differences_that_do_not_touch_are_in_one_server(mutants: list[Mutant]) -> None:
    """Unless the whole suite is to run against each."""
    assert make_batches(mutants, Breadth.USUAL) == [tuple(mutants)]
    assert make_batches(mutants, Breadth.WHOLE) == [(mutant,) for mutant in mutants]


def test_dialects_are_dealt_out() -> None:
    """Two that stand beside each other may be two forms of an id, of which a server has one."""
    dialects = [dialect(str(number)) for number in range(6)]
    assert make_batches(dialects, Breadth.USUAL) == [tuple(dialects[::2]), tuple(dialects[1::2])]


@pytest.mark.parametrize("mutants", APART.values(), ids=APART)
def test_differences_that_may_hide_each_other_are_not(mutants: list[Mutant]) -> None:
    """What is seen would not tell of which it is."""
    assert make_batches(mutants, Breadth.USUAL) == [(mutant,) for mutant in mutants]


def test_every_variant_is_in_one_batch() -> None:
    """Dialects first, and no mutant beside anything else."""
    known = list_mutants() | list_mutants(holes=True)
    batches = make_batches([*known.values()], Breadth.USUAL)
    assert sorted(mutant.id for batch in batches for mutant in batch) == sorted(known)
    assert len(batches) < len(known)
    assert [batch for batch in batches if len(batch) > 1 and not (batch[0].is_dialect or batch[0].operation)] == []


def seen(messages: dict[str, str]) -> MutantResult:
    """What came of one server: the clauses that were violated, with their messages."""
    return MutantResult(
        id="", violated=tuple(messages), errors=(), blocked=(), ran=9, requests=100, seconds=4.0, messages=messages
    )


BOTH = {"credential.missing": "on 1 of 9 operations (GET /a): wanted", "token.revoked": "on 1 of 9 (GET /b): wanted"}


def test_each_hole_is_told_by_its_clause() -> None:
    """And by the operation that the message names; requests and seconds are shared out."""
    results = results_of((MISSING, REVOKED), seen(BOTH), [3, 2])
    assert results is not None
    assert [(result.id, result.violated, result.ran, result.requests, result.seconds) for result in results] == [
        (MISSING.id, ("credential.missing",), 3, 50, 2.0),
        (REVOKED.id, ("token.revoked",), 2, 50, 2.0),
    ]


UNCLEAR: dict[str, tuple[dict[str, str], list[int]]] = {
    "one is not seen": ({"credential.missing": BOTH["credential.missing"]}, [1, 1]),
    "one never ran": (BOTH, [1, 0]),
    "another operation is named": ({**BOTH, "token.revoked": "on 1 of 9 (GET /a): wanted"}, [1, 1]),
    "another clause": ({**BOTH, "scope.required": ""}, [1, 1]),
}


@pytest.mark.parametrize(("messages", "ran"), UNCLEAR.values(), ids=UNCLEAR)
def test_what_tells_too_little_is_run_one_by_one(messages: dict[str, str], ran: list[int]) -> None:
    """A difference is neither caught nor blamed for what its neighbour did."""
    assert results_of((MISSING, REVOKED), seen(messages), ran) is None


def test_dialects_of_which_nothing_is_complained_are_tolerated() -> None:
    """Each may break what the other may."""
    batch = (dialect("a", may_break=("problem.occurrence",)), dialect("b"))
    results = results_of(batch, seen({"problem.occurrence": ""}), [1, 1])
    assert results is not None
    assert [result.violated for result in results] == [("problem.occurrence",), ()]
    assert results_of(batch, seen({"token.revoked": ""}), [1, 1]) is None
