"""Which cases run against a mutant, and which against a hole."""

from __future__ import annotations

import pytest

from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.samples import cases_of_others, cases_that_may_see, cells_of, sample_of

SUITE = """
import pytest
from paylera_conformance.probe.marks import covers
from paylera_fixtures.api.operations import BY_ID

OPERATIONS = [BY_ID[name] for name in ("list_customers", "list_plans", "create_product")]

@covers("token.unknown")
@pytest.mark.parametrize("number", [1, 2])
def test_unknown(number): pass

@covers("token.revoked")
def test_revoked(): pass

@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
@pytest.mark.parametrize("rule", [
    pytest.param("unknown", marks=covers("token.unknown", each_operation=True)),
    pytest.param("malformed", marks=covers("credential.malformed", each_operation=True)),
])
def test_cell(rule, operation): pass
"""
MUTANT = Mutant("m", "", breaks=("token.unknown",), may_break=("token.revoked",))
OTHER = Mutant("o", "", breaks=("credential.malformed",))
HOLES = (
    Mutant("hole:a", "", breaks=("token.unknown",), operation="GET /v1/customers"),
    Mutant("hole:b", "", breaks=("credential.malformed",), operation="GET /v1/plans"),
)


@pytest.fixture
def items(pytester: pytest.Pytester) -> list[pytest.Item]:
    """Two clauses with cases that stand alone, two with a cell on each of three operations."""
    return pytester.getitems(SUITE)


def names(items: list[pytest.Item]) -> list[str]:
    """Their names, without that of the function where it says nothing."""
    return [item.name.removeprefix("test_cell") for item in items]


def test_a_mutant_meets_every_case_of_its_clauses_and_one_of_each_other(items: list[pytest.Item]) -> None:
    """A cell, which needs much, only where there is nothing else."""
    assert names(sample_of(items, MUTANT)) == [
        *("test_unknown[1]", "test_unknown[2]", "test_revoked"),
        *("[unknown-list_customers]", "[unknown-list_plans]", "[unknown-create_product]", "[malformed-list_customers]"),
    ]


def test_a_mutant_is_to_be_caught_by_what_stands_alone_before_anything_else(items: list[pytest.Item]) -> None:
    """Then by cells, then by what is seen in cells of other clauses."""
    alone, own, beside = (names(each) for each in cases_that_may_see(items, MUTANT))
    assert alone == ["test_unknown[1]", "test_unknown[2]"]
    assert own == [*alone, "[unknown-list_customers]", "[unknown-list_plans]", "[unknown-create_product]"]
    assert beside == [*own, "[malformed-list_customers]", "[malformed-create_product]"]


def test_a_case_of_each_clause_meets_the_mutants_that_may_not_violate_it(items: list[pytest.Item]) -> None:
    """Whatever it says is blame, also where another mutant of the server may violate that clause."""
    met = [(batch, names(chosen)) for batch, chosen in cases_of_others(items, (MUTANT, OTHER))]
    assert met == [((OTHER,), ["test_unknown[1]", "test_revoked"]), ((MUTANT,), ["[malformed-list_customers]"])]
    assert [batch for batch, _ in cases_of_others(items, (MUTANT, MUTANT))] == [(MUTANT, MUTANT)]


def test_holes_meet_every_cell_of_their_operations(items: list[pytest.Item]) -> None:
    """And of another one, which must be as it should."""
    assert len(names(cells_of(items, HOLES))) == 6
    one_only = names(cells_of(items, HOLES[:1]))
    assert {"[unknown-list_customers]", "[malformed-list_customers]"} < {*one_only}
    assert len(one_only) == 4
