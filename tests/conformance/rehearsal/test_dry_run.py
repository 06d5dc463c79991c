"""A dry run tells what a run would do, and does none of it."""

from __future__ import annotations

import pytest

from helpers.watched_target import TOKENS, StartRun, Watched

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["observe", "full"])
def test_dry_run_sends_nothing(run_watched: StartRun, watched: Watched, mode: str) -> None:
    """Not even to see whether anybody is there."""
    run_watched("run", "--dry-run", "--mode", mode, "-k", "test_scope or test_revocation")
    assert watched.seen == []


def test_dry_run_tells_what_would_happen(run_watched: StartRun, watched_url: str) -> None:
    """By method, and what would be created, rotated and revoked."""
    ended = run_watched("run", "--dry-run", "--mode", "full", "-k", "test_revocation or test_rotation")
    wanted = [
        f"nothing was sent to {watched_url}",
        "GET ",
        "POST ",
        "DELETE ",
        "Would be created",
        "api token",
        "rotate ",
    ]
    assert (ended.code, [words for words in wanted if words not in ended.output]) == (0, [])


def test_dry_run_of_an_observer_changes_nothing(run_watched: StartRun) -> None:
    """What would be created in mode observe: nothing."""
    ended = run_watched("run", "--dry-run", "--mode", "observe", "-k", "test_scope")
    assert ("Would be created: nothing" in ended.output, "POST" in ended.output) == (True, False)


def test_dry_run_leaves_real_secrets_alone(run_watched: StartRun) -> None:
    """The stand-in has tokens of its own: a listed one that nobody knows is as good for a rehearsal."""
    ended = run_watched("run", "--dry-run", "--mode", "sandbox", "-k", "test_scope")
    assert [secret for secret in TOKENS.values() if secret in ended.output] == []
