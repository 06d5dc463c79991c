"""Holes: each drops one rule on one operation, and on no other."""

from __future__ import annotations

import httpx
import pytest

from paylera_fixtures.api.operations import OPERATIONS
from paylera_fixtures.clauses import BY_ID
from paylera_mock.mutants import explain_unknown, find_mutant
from paylera_mock.mutants.holes import all_holes
from paylera_mock.testing.fake import Paylera, application


def test_holes_are_of_every_operation_and_break_clauses() -> None:
    """Whatever is added to the operations gets its holes."""
    holes = all_holes().values()
    assert {hole.operation for hole in holes} == set(OPERATIONS)
    assert {clause for hole in holes for clause in hole.breaks} <= set(BY_ID)


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("hole:credential-present:list_customers", "GET", "/v1/customers", 200),
        ("hole:credential-present:list_customers", "GET", "/v1/plans", 401),
        ("hole:credential-present:list_customers", "POST", "/v1/customers", 401),
    ],
)
def test_hole_shows_on_its_operation_alone(name: str, method: str, path: str, status: int) -> None:
    """The same rule holds everywhere else."""
    fake = Paylera(application(), {"mutants": [name]})
    assert fake.everything.secret  # it is by this token that a request without one is served
    with httpx.Client(transport=fake.transport, base_url=fake.url) as client:
        answered = client.request(method, path).status_code
    fake.close()
    assert answered == status


def test_hole_that_there_is_not_is_told() -> None:
    """By its id."""
    assert find_mutant("hole:token-known:list_nothing") is None
    assert "'hole:token-known:list_nothing'" in str(explain_unknown(["hole:token-known:list_nothing"]))
