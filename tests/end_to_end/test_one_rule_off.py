"""A fake with one rule off: exactly the clauses about that rule fail, and the message tells what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import Program, Run
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.pipeline import decisions

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = [pytest.mark.slow, pytest.mark.extended]

Serve: TypeAlias = Callable[["WSGIApplication"], str]

ABOUT_EXPIRY = {
    "rotation.grace-ends",
    # They look at an expired token among others.
    "rotation.again",
    "credential.refusal-has-no-effect",
    "credential.challenge",
    "credential.not-disclosed",
    "problem.members",
    "problem.type-uri",
    "problem.occurrence",
    "problem.media-type",
    "version.echo",
}


@pytest.fixture(scope="module")
def run(serve: Serve, make_program: Callable[[], Program]) -> Run:
    """A full run against a fake that accepts tokens after their grace."""
    url = serve(create_app(pipeline=CONTRACT.with_decision(decisions.is_expired, lambda _: False)))
    return make_program().run(url, "--control-url", f"{url}/_mock")


def test_clause_about_the_rule_fails(run: Run) -> None:
    """It is a must, so that the target is not conformant."""
    assert (run.code, run.report["verdict"], run.outcomes()["rotation.grace-ends"]) == (1, "NON-CONFORMANT", "fail")


def test_no_other_clause_fails(run: Run) -> None:
    """A red clause points at what is wrong, and at nothing else."""
    assert run.having("fail", "warn", "error") - ABOUT_EXPIRY == set()


def test_all_other_clauses_pass(run: Run) -> None:
    """The rest of the contract is proven all the same."""
    assert set(run.outcomes()) - run.having("pass", "unobservable") - ABOUT_EXPIRY == set()


def test_message_tells_what_is_wrong(run: Run) -> None:
    """What was wanted, and what came: which 2xx depends on the case that came first."""
    message = run.messages()["rotation.grace-ends"]
    assert re.search(r"wanted 401 auth\.expired_token; got 2\d\d", message)
