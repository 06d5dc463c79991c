"""One token through two sessions of a run that waits: after the wait it is seen what came of the one made before."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.deployment import EVERYTHING, PASSPHRASE, Deployment
from helpers.faketime import moved_wall_clock
from helpers.http_client import http_client
from helpers.paths import EXAMPLES
from helpers.suite import Run, run_suite
from paylera_fixtures.vocabulary import GRACE_SECONDS
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]
Drive: TypeAlias = Callable[[Deployment], None]

HALF_A_DAY = 12.1
AN_HOUR = 3600.0
HOLDS = "works_for_a_day and 12h"
ENDED = "test_every_operation and expired"
USES = 3
MINTED_ALONE = "reads-as-an-end-user"
NOTHING_FURTHER = {"test_it_is_so_on_operations_of_the_target[expired]"}
"""The fake's document has no operation that the contract lacks."""


def list_tokens(target: Deployment) -> None:
    """Have the driver static: several spare tokens of a kind, which cases could get in each other's place."""
    target.mint("service", "service", EVERYTHING)
    target.mint("admin", "admin", EVERYTHING, aal=2)
    for number in range(4):
        target.mint(f"spare-{number}", "service", EVERYTHING, "disposable = true")
        target.mint(f"spare-admin-{number}", "admin", EVERYTHING, "disposable = true", aal=2)
    for status in ("requires_action", "succeeded"):
        for _ in range(6):
            target.call("/objects", {"kind": "payment", "status": status})
    target.configure(f'[target]\nurl = "{target.url}"\nmode = "full"')


def use_adapter(target: Deployment) -> None:
    """Have the driver python: the adapter of the documentation, which mints another token each time."""
    shutil.copy(EXAMPLES / "adapter" / "acme_conformance.py", target.folder)
    target.env["ACME_TOOLS_URL"] = target.control_url
    target.configure(
        f'[target]\nurl = "{target.url}"\nmode = "full"',
        '[provision]\ndriver = "python"\nadapter = "acme_conformance:Provisioner"',
    )


DRIVERS = {"static": list_tokens, "python": use_adapter}
each_driver = pytest.mark.parametrize("drive", DRIVERS.values(), ids=DRIVERS)
static_in_ci = pytest.mark.parametrize(
    "drive", [list_tokens, pytest.param(use_adapter, marks=pytest.mark.extended)], ids=DRIVERS
)


@pytest.fixture
def deployment(serve: Serve, tmp_path: Path) -> Callable[..., Deployment]:
    """Makes deployments of a fake with a grace, or with a mutant, whose clock stands still."""

    def make(*, grace: float = GRACE_SECONDS, mutants: tuple[str, ...] = ()) -> Deployment:
        app = create_app(replace(Policy.for_profile(), grace_seconds=grace), mutants=mutants)
        with http_client() as client:
            made = client.post(f"{serve(app)}/_mock/namespaces", json={}).json()
        env = {"PAYLERA_CONFORMANCE_STATE_KEY": PASSPHRASE}
        return Deployment(tmp_path, made["url"], made["live_url"], made["control_url"], env=env)

    return make


def hold_two_sessions(target: Deployment, cases: str, hours: float) -> Run:
    """Begin a run of some cases, and go on with it hours later."""
    target.run("-k", cases)
    target.pass_time(hours)
    return target.resume()


def seen_of_grace(run: Run) -> tuple[list[str], str]:
    """What came of each case of the grace, and how time passed; an end-user's token takes a control API."""
    clause = run.clause("rotation.grace-holds")
    outcomes = {case["case"]: case["outcome"] for case in clause["cases"]}
    assert [outcomes.pop(name) for name in list(outcomes) if MINTED_ALONE in name] == ["inapplicable"]
    return list(outcomes.values()), clause["time_evidence"]


@each_driver
def test_right_server_passes_by_the_wall_clock(deployment: Callable[..., Deployment], drive: Drive) -> None:
    """Each old secret that was made in the first session works in the second."""
    target = deployment()
    drive(target)
    assert seen_of_grace(hold_two_sessions(target, HOLDS, HALF_A_DAY)) == (["pass"] * USES, "wall clock")


@static_in_ci
def test_grace_of_an_hour_fails(deployment: Callable[..., Deployment], drive: Drive) -> None:
    """A token that was made only now would still work: it is not the one that is looked at."""
    target = deployment(grace=AN_HOUR)
    drive(target)
    ended = hold_two_sessions(target, HOLDS, HALF_A_DAY)
    assert (ended.code, seen_of_grace(ended)) == (1, (["fail"] * USES, "wall clock"))


@static_in_ci
def test_one_old_secret_is_tried_on_every_operation(deployment: Callable[..., Deployment], drive: Drive) -> None:
    """What a day must pass for is made once for each audience, and looked at everywhere."""
    target = deployment()
    drive(target)
    ended = hold_two_sessions(target, ENDED, 24.1)
    clause = ended.clause("rotation.grace-ends")
    cells = {case["case"]: case["outcome"] for case in clause["cases"]}
    dropped = {name for name, outcome in cells.items() if outcome == "inapplicable"}
    assert (dropped, len(cells) > 40, clause["time_evidence"]) == (NOTHING_FURTHER, True, "wall clock")
    assert {cells[name] for name in cells.keys() - dropped} == {"pass"}


def test_tokens_that_the_run_used_up_are_no_finding(deployment: Callable[..., Deployment]) -> None:
    """That a listed token works no longer is what the first session did."""
    target = deployment()
    list_tokens(target)
    assert hold_two_sessions(target, ENDED, 24.1).report["findings"] == []


@static_in_ci
def test_operation_that_takes_it_still_is_named(deployment: Callable[..., Deployment], drive: Drive) -> None:
    """A hole in one cell is seen days later as it would be by a moved clock."""
    target = deployment(mutants=("hole:secret-not-expired:get_customer",))
    drive(target)
    ended = hold_two_sessions(target, ENDED, 24.1)
    cells = {case["case"] for case in ended.clause("rotation.grace-ends")["cases"] if case["outcome"] == "fail"}
    assert cells == {"test_it_is_so_on_every_operation[expired-get_customer]"}


@pytest.mark.parametrize(("grace", "outcome"), [(GRACE_SECONDS, "pass"), (AN_HOUR, "fail")], ids=["right", "an-hour"])
def test_suite_whose_own_clock_moves_sees_the_same(
    deployment: Callable[..., Deployment], grace: float, outcome: str
) -> None:
    """Twelve hours later, by the wall clock of its machine, which nothing in the suite knows to be moved."""
    target = deployment(grace=grace)
    list_tokens(target)
    clock = moved_wall_clock(target.folder)
    env = {**target.env, **clock.env}
    run_suite(target.folder, "run", "--state", "state", "-k", HOLDS, "--report", "out", env=env)
    target.pass_time(HALF_A_DAY)
    clock.set_ahead(HALF_A_DAY)
    later = run_suite(target.folder, "resume", "state", "--report", "later", env=env, report="later")
    assert seen_of_grace(later) == ([outcome] * USES, "wall clock")
