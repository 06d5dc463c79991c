"""The core is made of parts that can be replaced by name, one at a time, without touching the rest."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import pytest
from werkzeug.test import Client

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import Environment, Profile
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core.messages import Reply, Request
from paylera_mock.core.policy import Policy, RouteGroup
from paylera_mock.namespaces.judging import judge
from paylera_mock.namespaces.namespace import Namespaces
from paylera_mock.namespaces.well_known import seed_default
from paylera_mock.pipeline import context, decisions, responses, rules
from paylera_mock.pipeline import responses as answers
from paylera_mock.pipeline.context import Behaviour, Context, Decisions, Pipeline, Rule, Writers

CUSTOMERS: Final = "/v1/customers"
BEARER: Final = {token.name: f"Bearer {token.secret}" for token in WELL_KNOWN if token.environment == "sandbox"}


def status(pipeline: Pipeline, token: str, path: str = CUSTOMERS) -> int:
    """What a fake that judges by a pipeline answers to a token."""
    return Client(create_app(pipeline=pipeline)).get(path, headers={"Authorization": BEARER[token]}).status_code


def test_a_rule_can_be_replaced() -> None:
    """Then that rule alone is another."""
    changed = CONTRACT.with_rule(rules.SECRET_NOT_EXPIRED, lambda _: None)
    assert [status(changed, token) for token in ("expired", "revoked", "serviceall")] == [200, 401, 200]


def test_a_small_decision_can_be_replaced() -> None:
    """Here: every scope is had by everyone."""
    changed = CONTRACT.with_decision(decisions.has_scope, lambda *_: True)
    assert [status(changed, token) for token in ("servicenoscope", "expired")] == [200, 401]


def test_an_effect_can_be_replaced() -> None:
    """Here: a list is always a teapot."""

    def teapot(_: Context) -> Reply:
        return Reply(418)

    changed = CONTRACT.with_effect("list_customers", teapot)
    assert [status(changed, "serviceall", path) for path in (CUSTOMERS, "/v1/plans")] == [418, 200]


def test_a_step_of_the_answer_can_be_replaced() -> None:
    """Here: no challenge."""
    changed = CONTRACT.with_step(answers.CHALLENGE, lambda *_: ())
    answer = Client(create_app(pipeline=changed)).get(CUSTOMERS)
    assert ("WWW-Authenticate" in answer.headers, "Paylera-Version" in answer.headers) == (False, True)


def test_a_writer_can_be_replaced() -> None:
    """Here: problems in HTML."""
    changed = CONTRACT.with_writer(responses.problem_body, lambda *_: b"<html>")
    assert Client(create_app(pipeline=changed)).get(CUSTOMERS).data == b"<html>"


def test_a_namespace_can_judge_otherwise_than_the_others() -> None:
    """A pipeline for each."""
    namespaces = Namespaces(Policy.for_profile(), seed_default)
    lax = namespaces.create(
        Behaviour(Policy.for_profile(), CONTRACT.with_rule(rules.CREDENTIAL_PRESENT, lambda _: Reply(204)))
    )
    request = Request("GET", CUSTOMERS)
    assert [judge(request, namespace).answer.status for namespace in (lax, namespaces.default)] == [204, 401]


@pytest.mark.parametrize("functions", [CONTRACT.decisions, CONTRACT.writers], ids=["decisions", "writers"])
def test_each_function_stands_under_its_name(functions: Decisions | Writers) -> None:
    """By which it is found when it is replaced."""
    names = [each.name for each in fields(functions)]
    assert names == [getattr(functions, name).__name__ for name in names]


@pytest.mark.parametrize(
    ("change", "part", "error"),
    [
        ("with_rule", Rule("nothing", "none", lambda _: None), KeyError),
        ("with_decision", status, TypeError),
        ("with_effect", "nothing", KeyError),
        ("with_step", context.ResponseStep("nothing", lambda *_: ()), KeyError),
        ("with_writer", status, TypeError),
    ],
)
def test_what_is_not_there_cannot_be_replaced(change: str, part: object, error: type[Exception]) -> None:
    """So that a mutant of a part that is gone does not pass for a harmless one."""
    with pytest.raises(error):
        getattr(CONTRACT, change)(part, lambda *_: None)


@pytest.mark.parametrize(
    ("profile", "answers"),
    [
        (Profile.GUIDE, {"scope_refusal": "401", "aal2_refusal": "401", "key_required_on": "creating"}),
        (Profile.REFERENCE, {"scope_refusal": "403", "aal2_refusal": "403", "key_required_on": "every-post"}),
    ],
)
def test_a_profile_has_its_readings(profile: Profile, answers: dict[str, str]) -> None:
    """As the vocabulary has them."""
    assert Policy.for_profile(profile).readings == answers


def test_a_reading_goes_before_the_profile() -> None:
    """As a number, or as options spell it."""
    statuses = {Policy.for_profile(Profile.GUIDE, scope_refusal=value).scope_refusal for value in (403, "403")}
    assert statuses == {403}


def test_an_unknown_reading_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ValueError, match="scope_refusal, aal2_refusal, key_required_on"):
        Policy.for_profile(nothing=1)


def test_sandbox_has_a_tenth_of_lives_rate() -> None:
    """In every group."""
    policy = Policy()
    shares = {policy.rate(group, Environment.LIVE) / policy.rate(group, Environment.SANDBOX) for group in RouteGroup}
    assert shares == {10}


def test_a_number_of_the_policy_is_the_one_that_counts() -> None:
    """Another grace, and the well-known secret in its grace ends sooner."""
    client = Client(create_app(Policy(grace_seconds=60)))
    client.post("/_mock/clock/advance", json={"seconds": 61})
    assert client.get(CUSTOMERS, headers={"Authorization": BEARER["rotatedold"]}).status_code == 401
