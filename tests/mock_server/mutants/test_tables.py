"""The tables of mutants say enough, and say what exists."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from paylera_fixtures.clauses import BY_ID as CLAUSE_BY_ID
from paylera_fixtures.clauses import CLAUSES
from paylera_fixtures.vocabulary import Profile
from paylera_mock.contract import CONTRACT
from paylera_mock.core.policy import Policy
from paylera_mock.mutants import all_mutants, apply_mutants, explain_unknown
from paylera_mock.mutants.catalog import TABLES
from paylera_mock.mutants.model import MutantKind
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.pipeline.context import Behaviour

ALL = all_mutants().items()
MUTANTS = [mutant for _, mutant in ALL if mutant.kind is MutantKind.MUTANT]


def test_no_id_is_given_twice() -> None:
    """The second one would hide the first."""
    assert [name for name, count in Counter(name for table in TABLES for name in table).items() if count > 1] == []


@pytest.mark.parametrize("profile", Profile)
def test_each_changes_a_fake(profile: Profile) -> None:
    """Every part that it replaces is there."""
    right = Behaviour(Policy.for_profile(profile), CONTRACT)
    names = [name for name, mutant in all_mutants().items() if mutant.profile is profile]
    assert [name for name in names if apply_mutants(right, [name], MutantCounter()) == right] == []


def test_each_names_clauses_that_exist() -> None:
    """A renamed clause takes its mutants with it."""
    named = {(name, clause) for name, mutant in ALL for clause in (*mutant.breaks, *mutant.may_break)}
    assert [(name, clause) for name, clause in sorted(named) if clause not in CLAUSE_BY_ID] == []


def test_each_is_described_in_one_sentence() -> None:
    """It is read in lists."""
    sentence = re.compile(r"([A-Z]|sk_)((?!\. ).)*\.")
    assert [name for name, mutant in ALL if not sentence.fullmatch(mutant.description)] == []


def test_no_clause_is_both_what_must_and_what_may_break() -> None:
    """The second would say less than the first."""
    assert [name for name, mutant in ALL if not set(mutant.breaks).isdisjoint(mutant.may_break)] == []


def test_every_clause_has_a_mutant() -> None:
    """A clause that no mutant breaks may be one whose test cannot fail."""
    broken = {clause for mutant in MUTANTS for clause in mutant.breaks}
    assert [clause.id for clause in CLAUSES if clause.id not in broken] == []


def test_there_are_enough_of_them() -> None:
    """So many that a suite which knew them by heart would be a good suite: over 120, over 20 of them subtle."""
    assert (len(MUTANTS) > 120, sum(mutant.subtle for mutant in MUTANTS) > 20) == (True, True)


def test_a_mistyped_id_is_answered_with_those_it_may_have_meant() -> None:
    """Nobody has hundreds of ids in mind."""
    said = explain_unknown(["no-challenge", "no-chalenge"]) or ""
    assert said.startswith("there is no mutant 'no-chalenge': did you mean no-challenge?")


def test_an_id_that_is_like_none_is_answered_with_where_they_are() -> None:
    """A guess would not help."""
    assert explain_unknown(["zzzzzzzz"]) == "there is no mutant 'zzzzzzzz': see `paylera-mock mutants`"


def test_ids_that_exist_are_not_complained_of() -> None:
    """Not even where there are several."""
    assert explain_unknown(["no-challenge", "token-by-prefix"]) is None
