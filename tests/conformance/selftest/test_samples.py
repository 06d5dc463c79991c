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


def test_mutants_in_one_server_meet_cases_of_the_clauses_that_none_of_them_may_violate(
    items: list[pytest.Item],
) -> None:
    """Whatever these say is blame."""
    assert names(cases_of_others(items, (MUTANT,))) == ["[malformed-list_customers]"]
    other = Mutant("o", "", breaks=("credential.malformed",))
    assert names(cases_of_others(items, (other,))) == ["test_unknown[1]", "test_revoked"]
    assert cases_of_others(items, (MUTANT, other)) == []


def test_holes_meet_the_cells_of_their_clauses_on_their_operations(items: list[pytest.Item]) -> None:
    """And on one of their operations and on another one every cell, which must be as it should."""
    chosen = set(names(cells_of(items, HOLES)))
    assert {"[unknown-list_customers]", "[malformed-list_plans]"} < chosen
    assert {"[unknown-create_product]", "[malformed-create_product]"} < chosen
    assert len(chosen) == 5  # the drawn one of their operations has one more


def test_a_hole_alone_meets_every_cell_of_its_operation(items: list[pytest.Item]) -> None:
    """Nothing stands for it."""
    chosen = set(names(cells_of(items, HOLES[:1])))
    assert {"[unknown-list_customers]", "[malformed-list_customers]"} < chosen
    assert len(chosen) == 4
