"""The pairwise design of the matrix: each rule on each operation, beside each pair of features that is possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from itertools import combinations, product
from typing import Any

import pytest

from paylera_conformance.matrix.features import (
    PLAIN,
    VALUES,
    Applies,
    Features,
    Round,
    is_possible,
    plan_rounds,
)
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation
from paylera_fixtures.vocabulary import Audience

RULES: dict[str, Applies] = {
    "always": lambda _operation, _features: True,
    "on writes": lambda operation, _features: not operation.is_read,
    "on one operation": lambda operation, _features: operation.id == "void_invoice",
    "on reads by customers": lambda operation, features: operation.is_read and features.audience is Audience.CUSTOMER,
}
PLAIN_VALUES: dict[str, Sequence[Any]] = {name: (getattr(PLAIN, name),) for name in VALUES}
SOME: Sequence[Operation] = [
    *(BY_ID[name] for name in ("list_customers", "get_customer", "create_customer", "delete_customer")),
    *(BY_ID[name] for name in ("void_invoice", "list_actors", "update_webhook_endpoint")),
]
"""Operations of every kind."""


def pairs_of(features: Features) -> set[tuple[tuple[str, object], ...]]:
    """The pairs of named values that occur together."""
    return set(combinations([(field.name, getattr(features, field.name)) for field in fields(features)], 2))


@cache
def possible_pairs(rule: str) -> set[tuple[tuple[str, object], ...]]:
    """The pairs that can occur together on some operation of a rule, found by trying every combination."""
    every = [Features(**dict(zip(VALUES, values, strict=True))) for values in product(*VALUES.values())]
    pairs: set[tuple[tuple[str, object], ...]] = set()
    for operation in SOME:
        for features in every:
            if is_possible(operation, features) and RULES[rule](operation, features):
                pairs |= pairs_of(features)
    return pairs


@pytest.fixture(scope="module", params=[1, 2, 3])
def rounds(request: pytest.FixtureRequest) -> list[Round]:
    """The rounds of the whole contract, by one of a few seeds."""
    return plan_rounds(RULES, OPERATIONS, VALUES, seed=request.param)


@pytest.mark.parametrize("rule", ["always", "on writes", "on one operation"])
def test_each_rule_meets_each_of_its_operations(rounds: list[Round], rule: str) -> None:
    """And no operation that it says nothing of."""
    met = {each.operation for each in rounds if rule in each.rules}
    assert met == {operation for operation in OPERATIONS if RULES[rule](operation, PLAIN)}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_meets_each_pair_of_features(rounds: list[Round], rule: str) -> None:
    """Every pair that is possible on one of its operations occurs on one of them."""
    met: set[tuple[tuple[str, object], ...]] = set()
    for each in rounds:
        met |= pairs_of(each.features) if rule in each.rules else set()
    assert possible_pairs(rule) <= met


def test_no_round_is_impossible(rounds: list[Round]) -> None:
    """An operation is asked for only in a way in which it can be accepted."""
    assert [each for each in rounds if not is_possible(each.operation, each.features)] == []


def test_first_look_at_an_operation_is_no_head(rounds: list[Round]) -> None:
    """A HEAD is answered without the reason."""
    seen = {each.operation for each in rounds if "always" in each.rules and not each.features.head}
    assert seen == set(OPERATIONS)


def test_one_seed_gives_one_design() -> None:
    """The same run can be made again, and another seed makes another."""
    one, same, other = (plan_rounds(RULES, OPERATIONS, VALUES, seed=seed) for seed in (7, 7, 8))
    assert (one == same, one == other) == (True, False)


def test_target_without_any_feature_is_asked_plainly() -> None:
    """A round for each operation, of all its rules, and nothing besides."""
    rounds = plan_rounds(RULES, OPERATIONS, PLAIN_VALUES, seed=1)
    assert sorted(each.operation.id for each in rounds) == sorted(BY_ID)
    assert {each.features for each in rounds} == {PLAIN}


def test_sampled_rule_need_not_meet_each_operation() -> None:
    """A few of them are enough for each pair of features."""
    rule = "on reads by customers"
    rounds = plan_rounds(RULES, OPERATIONS, VALUES, seed=1, sampled=[rule])
    met = {each.operation for each in rounds if rule in each.rules}
    assert met < {operation for operation in OPERATIONS if operation.is_read and operation.customer_may}


def test_features_are_told_in_words() -> None:
    """What is plain is not told."""
    assert str(PLAIN) == ""
    assert str(Features(Audience.ADMIN, actor=True, head=True)) == "admin token, an actor, HEAD"
