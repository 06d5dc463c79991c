"""The two tables of deliberate defects, what they are and how they are made, say the same and say enough."""

from __future__ import annotations

from collections import Counter

import pytest

from paylera_fixtures.clauses import BY_ID as CLAUSE_BY_ID
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.mutants import BY_ID, VARIANTS, Kind, complaint
from paylera_mock.contract import CONTRACT
from paylera_mock.core.policy import Policy
from paylera_mock.mutants import MutantCounter, mutations, with_mutants
from paylera_mock.pipeline.context import Behaviour

MUTANTS = [variant for variant in VARIANTS if variant.kind is Kind.MUTANT]


def test_what_is_declared_is_what_the_fake_can_do() -> None:
    """Neither table has an id that the other lacks."""
    assert set(mutations()) == set(BY_ID)


def test_no_id_is_given_twice() -> None:
    """The second one would hide the first."""
    assert [name for name, count in Counter(variant.id for variant in VARIANTS).items() if count > 1] == []


@pytest.mark.parametrize("name", BY_ID)
def test_each_can_be_put_into_a_fake(name: str) -> None:
    """Every part that is replaced by name is there."""
    right = Behaviour(Policy.for_profile(BY_ID[name].profile), CONTRACT)
    assert with_mutants(right, [name], MutantCounter()) != right


@pytest.mark.parametrize("name", BY_ID)
def test_each_names_clauses_that_exist(name: str) -> None:
    """A renamed clause takes its mutants with it."""
    assert sorted(BY_ID[name].may - set(CLAUSE_BY_ID)) == []


@pytest.mark.parametrize("name", BY_ID)
def test_each_is_said_in_one_sentence(name: str) -> None:
    """It is read in lists."""
    says = BY_ID[name].says
    assert (says[0].isupper() or says.startswith("sk_"), says[-1], says.count(". ")) == (True, ".", 0)


@pytest.mark.parametrize("name", BY_ID)
def test_no_clause_is_both_what_must_and_what_may_break(name: str) -> None:
    """The second would say less than the first."""
    assert sorted(set(BY_ID[name].breaks) & set(BY_ID[name].may_break)) == []


def test_every_clause_has_a_mutant() -> None:
    """A clause that no defect breaks may be one whose test cannot fail."""
    broken = {clause for variant in MUTANTS for clause in variant.breaks}
    assert [clause.id for clause in CLAUSES if clause.id not in broken] == []


def test_there_are_enough_of_them() -> None:
    """So many that a suite which knew them by heart would be a good suite."""
    assert (len(MUTANTS) > 120, sum(variant.subtle for variant in MUTANTS) > 20) == (True, True)


def test_a_mistyped_id_is_answered_with_those_it_may_have_meant() -> None:
    """Nobody has hundreds of ids in mind."""
    said = complaint(["no-challenge", "no-chalenge"]) or ""
    assert said.startswith("there is no mutant 'no-chalenge': did you mean no-challenge or ")


def test_an_id_that_is_like_none_is_answered_with_where_they_are() -> None:
    """A guess would not help."""
    assert complaint(["zzzzzzzz"]) == "there is no mutant 'zzzzzzzz': see `paylera-mock mutants`"


def test_ids_that_exist_are_not_complained_of() -> None:
    """Not even where there are several."""
    assert complaint(["no-challenge", "token-by-prefix"]) is None
