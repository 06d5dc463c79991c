"""How mutants are switched on, inherited and counted, and the parts that they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.defects import Lab
from paylera_fixtures.vocabulary import PAGE_MAX
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core.policy import Policy
from paylera_mock.mutants import builders
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.pipeline import responses, rules
from paylera_mock.pipeline.context import Behaviour, Rule

CUSTOMERS = "/v1/customers"
CHALLENGE = "WWW-Authenticate"


def test_a_fake_can_begin_with_defects() -> None:
    """As `--mutant` has it."""
    answer = create_app(mutants=["no-challenge"]).test_client().get(CUSTOMERS)
    assert (answer.status_code, CHALLENGE in answer.headers) == (401, False)


def test_a_fake_without_defects_names_none(lab: Lab) -> None:
    """But those that it could have."""
    told = lab.mutants()
    assert (told["active"], told["ran"], "no-challenge" in told["available"]) == ([], {}, True)


def test_a_namespace_switches_them_on(lab: Lab) -> None:
    """From the next request on, with all that was there."""
    base = lab.namespace()
    secret = lab.secret(base)
    assert lab.control("mutants", base=base, ids=["page-of-101"]).status_code == 200
    assert lab.ask(f"{CUSTOMERS}?limit={PAGE_MAX + 1}", secret, base=base).status_code == 200


def test_a_namespace_switches_them_off(lab: Lab) -> None:
    """Those that are named are on, and no others."""
    base = lab.namespace(mutants=["no-challenge"])
    lab.control("mutants", base=base, ids=[])
    assert (lab.mutants(base)["active"], CHALLENGE in lab.ask(CUSTOMERS, None, base=base).headers) == ([], True)


def test_other_namespaces_have_none_of_it(lab: Lab) -> None:
    """A defect is of the namespace that was asked to have it."""
    lab.namespace(mutants=["no-challenge"])
    assert CHALLENGE in lab.ask(CUSTOMERS, None, base=lab.namespace()).headers


def test_they_outlive_a_reset(lab: Lab) -> None:
    """A reset is of the world, not of how it is judged."""
    base = lab.namespace(mutants=["page-of-101"])
    lab.control("reset", base=base)
    assert lab.ask(f"{CUSTOMERS}?limit={PAGE_MAX + 1}", lab.secret(base), base=base).status_code == 200


def test_what_is_made_from_a_namespace_has_its_defects_and_its_own(lab: Lab) -> None:
    """So that a suite that makes a namespace for each test meets them."""
    parent = lab.namespace(mutants=["no-challenge"])
    child = lab.namespace(base=parent, mutants=["page-of-101"])
    assert lab.mutants(child)["active"] == ["no-challenge", "page-of-101"]


def test_what_is_made_from_a_namespace_has_its_profile(lab: Lab) -> None:
    """The defects stand on top of it."""
    parent = lab.namespace(mutants=["no-challenge"], profile="reference")
    child = lab.namespace(base=parent)
    document = lab.ask("/openapi/v1.json", None, base=child).json or {}
    assert "wallets:read" in str(document)


def test_an_unknown_id_is_refused_with_a_near_one(lab: Lab) -> None:
    """And nothing is switched."""
    answer = lab.control("mutants", ids=["no-chalenge"])
    errors = (answer.json or {})["errors"]
    assert (answer.status_code, errors[0]["field"]) == (422, "ids")
    assert "did you mean no-challenge" in errors[0]["message"]
    assert lab.mutants()["active"] == []


@pytest.mark.parametrize("body", [{}, {"ids": "no-challenge"}, {"ids": [1]}, {"ids": None}])
def test_ids_are_a_list_of_strings(lab: Lab, body: dict[str, Any]) -> None:
    """Whatever else is sent is refused."""
    assert lab.control("mutants", **body).status_code == 422


def test_a_defect_that_was_not_reached_has_not_run(lab: Lab) -> None:
    """An accepted request has no challenge to leave out."""
    base = lab.namespace(mutants=["no-challenge"])
    lab.ask(CUSTOMERS, lab.secret(base), base=base)
    assert lab.mutants(base)["ran"] == {"no-challenge": 0}


def test_runs_are_counted_up_to_the_first_of_the_line(lab: Lab) -> None:
    """What ran in a namespace ran in all that it descends from, and in none of its sisters."""
    parent = lab.namespace(mutants=["no-challenge"])
    child, sister = (lab.namespace(base=parent) for _ in range(2))
    lab.ask(CUSTOMERS, None, base=child)
    lab.ask(CUSTOMERS, None, base=parent)
    counts = [lab.mutants(base)["ran"]["no-challenge"] for base in (parent, child, sister)]
    assert counts == [2, 1, 0]


def test_a_number_counts_when_it_is_read(lab: Lab) -> None:
    """What a namespace is made of reads none of them."""
    base = lab.namespace(mutants=["page-of-101"])
    before = lab.mutants(base)["ran"]["page-of-101"]
    lab.ask(f"{CUSTOMERS}?limit=1", lab.secret(base), base=base)
    assert (before, lab.mutants(base)["ran"]["page-of-101"] > 0) == (0, True)


# The parts that defects are made of


def behaviour() -> Behaviour:
    """A manner of judging that keeps the contract."""
    return Behaviour(Policy.for_profile(), CONTRACT)


def test_two_numbers_can_be_changed_one_after_the_other() -> None:
    """The second change keeps the first, and each counts for itself."""
    counter = MutantCounter()
    first = builders.set_policy(page_max=1)(behaviour(), counter.note_of("first"))
    both = builders.set_policy(page_default=2)(first, counter.note_of("second"))
    assert (both.policy.page_max, both.policy.page_default, both.policy.page_default) == (1, 2, 2)
    assert (counter.count("first"), counter.count("second")) == (1, 2)


def test_a_part_that_is_not_there_cannot_be_replaced() -> None:
    """A mutant of a rule that is gone shows at once."""
    with pytest.raises(KeyError):
        builders.without_rule(Rule("no-such-rule", "none", lambda _: None))(behaviour(), lambda: None)


def test_a_rule_can_be_put_before_another() -> None:
    """Then it is asked first."""
    added = Rule("added", "credential.accepted", lambda _: None)
    changed = builders.insert_rule(rules.ROUTE_EXISTS, added)(behaviour(), lambda: None)
    names = [rule.name for rule in changed.pipeline.rules]
    assert names.index("added") + 1 == names.index("route-exists")


def test_what_remembers_is_made_for_each_namespace() -> None:
    """No namespace learns from another."""
    made: list[str] = []

    def make() -> builders.Mutation:
        made.append("one")
        return builders.without_step(responses.CHALLENGE)

    mutation = builders.per_namespace(make)
    mutation(behaviour(), lambda: None)
    mutation(behaviour(), lambda: None)
    assert made == ["one", "one"]


def test_a_change_that_changes_nothing_does_not_count() -> None:
    """That it was reached is shown by what it did."""
    counter = MutantCounter()
    mutation = builders.change_rule(rules.CREDENTIAL_PRESENT, lambda decided, _: decided)
    app = create_app(pipeline=mutation(behaviour(), counter.note_of("kept")).pipeline)
    assert (app.test_client().get(CUSTOMERS).status_code, counter.count("kept")) == (401, 0)
