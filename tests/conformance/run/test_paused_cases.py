"""A run that waits: what needs a day is begun, sealed, and looked at when its time has come."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
import yaml

from helpers.deployment import Deployment
from helpers.paths import EXAMPLES
from helpers.suite import Run
from paylera_fixtures.clauses import CLAUSES

pytestmark = pytest.mark.slow

Deploy: TypeAlias = Callable[..., "Deployment"]
Furnish: TypeAlias = Callable[["Deployment"], "Deployment"]

WAIT_ALONE = {
    "credential.refusal-has-no-effect",
    "rotation.new-works",
    "rotation.grace-holds",
    "rotation.grace-ends",
    "rotation.needs-admin",
}
"""The musts of the guide of which a case needs time to pass."""

SELECTED = ("--clause", "rotation")
"""Whole runs are held in test_certified.py, at fewer times."""

ROTATION = {clause.id for clause in CLAUSES if clause.group == "rotation"}

WORKFLOW = EXAMPLES / "github" / "paylera-certification.yml"
NAMES = (
    "dawn",  # 1.4 hours after it began
    "early",  # 11.7 hours: still nothing is due
    "noon",
    "afternoon",
    "evening",  # 23.4 hours: the last hour of the grace
    "after",  # 25.4 hours: the grace has ended
    "again",  # the last hour of the grace that began at noon
    "again-still",
    "again-after",
    "night",
    "long-after",  # 49.4 hours: a day after the end nothing has come back
    "last",  # 59.7 hours: what waits for two graces, one after the other, has had both
)
"""The sessions that the documented workflow holds after the first, on its three cron lines."""


def hours_of(cron: str) -> list[float]:
    """The hours of a day at which a cron line fires."""
    minute, hours, *_ = cron.split()
    return [int(hour) + int(minute) / 60 for hour in hours.split(",")]


def sessions() -> dict[str, float]:
    """Hours after the first session of each that follows, by its name."""
    # YAML 1.1 takes the bare word `on` for true.
    first, *others = [row["cron"] for row in yaml.safe_load(WORKFLOW.read_text("utf-8"))[True]["schedule"]]
    [begun] = hours_of(first)
    fired = sorted(24 * day + hour - begun for cron in others for hour in hours_of(cron) for day in range(3))
    return dict(zip(NAMES, [hours for hours in fired if hours > 0], strict=False))


@pytest.fixture(scope="module")
def story(deploy: Deploy, furnish: Furnish) -> Mapping[str, Run]:
    """Every session by the cron lines of the documented workflow, until nothing waits any more."""
    return hold_sessions(furnish(deploy()), *SELECTED)


def hold_sessions(target: Deployment, *selected: str) -> Mapping[str, Run]:
    """Every session, by its name."""
    held = {"begin": target.run(*selected)}
    for name, hours in sessions().items():
        target.pass_time(hours - target.hours)
        held[name] = target.resume()
        if not held[name].having("pending"):
            break
    return held


@pytest.mark.extended
def test_whole_certification_by_the_workflow_is_conformant(deploy: Deploy, furnish: Furnish) -> None:
    """The fake keeps the contract; that it enforces no rate limit is the one finding."""
    held = hold_sessions(furnish(deploy()))
    begun, early, last = held["begin"], held["early"], list(held.values())[-1]
    assert (begun.code, begun.report["verdict"]) == (11, "PENDING")
    assert (early.code, early.having("pending")) == (11, begun.having("pending"))
    assert (last.code, last.having("warn"), last.having("fail", "error", "pending")) == (
        0,
        {"rate-limit.refusal"},
        set(),
    )


def test_run_ends_pending(story: Mapping[str, Run]) -> None:
    """What can be shown now is shown; a day is not slept through."""
    assert (story["begin"].having("fail", "error"), bool(story["begin"].having("pending"))) == (set(), True)


def test_what_needs_time_is_pending_and_nothing_else(story: Mapping[str, Run]) -> None:
    """A clause waits for its own time only."""
    musts = {clause["id"] for clause in story["begin"].report["clauses"] if clause["level"] == "must"}
    assert story["begin"].having("pending") & musts >= WAIT_ALONE - {"credential.refusal-has-no-effect"}


def test_due_time_is_told(story: Mapping[str, Run]) -> None:
    """Whoever schedules the next session knows when."""
    message = story["begin"].clause("rotation.grace-ends")["message"]
    assert re.search(r"due \d{4}-\d\d-\d\d \d\d:\d\d UTC, run `paylera-conformance resume` then", message)


def test_early_session_changes_nothing(story: Mapping[str, Run]) -> None:
    """Before anything is due, looking costs nothing and settles nothing."""
    assert story["early"].having("pending") == story["begin"].having("pending")


def test_session_in_the_window_settles_what_is_due(story: Mapping[str, Run]) -> None:
    """The old secret was seen to work in the last hour of its day."""
    assert story["evening"].clause("rotation.grace-holds")["outcome"] == "pass"


def test_what_is_not_due_waits_on(story: Mapping[str, Run]) -> None:
    """That the grace holds says nothing of its end."""
    assert story["evening"].clause("rotation.grace-ends")["outcome"] == "pending"


def test_end_of_the_grace_is_seen_after_it(story: Mapping[str, Run]) -> None:
    """An hour after the day, the old secret is refused."""
    cases = {case["case"]: case["outcome"] for case in story["after"].clause("rotation.grace-ends")["cases"]}
    settled = {name: outcome for name, outcome in cases.items() if "[24h+1s" in name}
    # No token of an end user is spent on it where tokens are listed.
    assert settled.pop("test_the_old_secret_ends_after_a_day[24h+1s-reads-as-an-end-user]") == "inapplicable"
    assert set(settled.values()) == {"pass"}


def test_nothing_is_left_to_wait_for(story: Mapping[str, Run]) -> None:
    """Three days after it began, at the latest, a certification is over, and the fake keeps the contract."""
    last = list(story.values())[-1]
    assert (last.having("fail", "error", "pending", "blocked"), last.having("pass")) == (set(), ROTATION)


def test_being_seen_over_days_is_told_as_such(story: Mapping[str, Run]) -> None:
    """Evidence by the wall clock is worth more than by a clock that was moved."""
    assert list(story.values())[-1].clause("rotation.grace-ends")["time_evidence"] == "wall clock"


def test_late_session_begins_anew(deploy: Deploy, furnish: Furnish) -> None:
    """A missed window is the observer's own fault: the case is begun again, waits again, and does not fail."""
    target = furnish(deploy())
    target.run("-k", "works_for_a_day and reads and not end-user")
    target.pass_time(30)
    late = target.resume()
    assert (late.clause("rotation.grace-holds")["outcome"], late.having("fail", "error")) == ("pending", set())


def test_what_began_anew_is_settled_in_its_window(deploy: Deploy, furnish: Furnish) -> None:
    """The second try counts like a first."""
    target = furnish(deploy())
    target.run("-k", "works_for_a_day and reads and not end-user")
    target.pass_time(30)
    target.resume()
    target.pass_time(23.5)
    cases = target.resume().clause("rotation.grace-holds")["cases"]
    assert {case["outcome"] for case in cases} == {"pass"}


@pytest.fixture(scope="module")
def broken(deploy: Deploy, furnish: Furnish) -> Run:
    """The end of a certification of a target whose old secrets never end."""
    target = furnish(deploy("--mutant", "grace-never-ends"))
    target.run("-k", "ends_after_a_day and not 48h")
    target.pass_time(50)
    return target.resume()


def test_broken_target_is_non_conformant(broken: Run) -> None:
    """What a moved clock would have found, a waiting run finds too."""
    assert (broken.code, broken.report["verdict"]) == (1, "NON-CONFORMANT")


@pytest.mark.parametrize(
    "said",
    [
        "the secret that was rotated out 24 h 1 s ago, in place of the new one",
        "wanted  401 auth.expired_token",
        "the old secret works for 24 hours after the rotation, and no longer",
        "evidence, and a script that repeats it: ",
    ],
)
def test_its_owner_is_told_what_to_mend(broken: Run, said: str) -> None:
    """What was changed, what was to come, what the contract says, and how to see it again."""
    assert said in broken.output
