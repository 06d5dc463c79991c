"""Several processes behind one address: what one has learnt and another has not yet is seen, whichever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.caching_worker import workers_behind_nginx
from helpers.nginx import require_nginx
from helpers.suite import Run, run_suite
from paylera_mock.cli.subprocess_server import running_fake

pytestmark = pytest.mark.slow

WORKERS_KNOW = "every_worker_knows"
LOOKED = {"revocation.immediate", "rotation.new-works", "rotation.grace-ends"}


@pytest.fixture(scope="module", autouse=True)
def nginx() -> None:
    """It is there, or the tests are skipped."""
    require_nginx()


@pytest.fixture
def fake() -> Iterator[str]:
    """The URL of a fake, which the workers stand before."""
    with running_fake() as ready:
        yield ready.url


def run_before(fake: str, folder: Path, *, seconds: float) -> Run:
    """A run of the cases about workers, against two of them that remember for so many seconds."""
    with workers_behind_nginx(folder, fake, seconds=seconds) as url:
        return run_suite(folder, "run", url, "--control-url", f"{url}/_mock", "-k", WORKERS_KNOW, "--report", "out")


def test_worker_that_learns_of_a_revocation_a_second_late_is_seen(fake: str, tmp_path: Path) -> None:
    """Whoever asks it within that second gets in by a token that no longer is one: there is no certificate for that."""
    run = run_before(fake, tmp_path, seconds=1)
    assert (run.code, "revocation.immediate" in run.having("fail")) == (1, True), run.output
    assert " connections" in run.messages()["revocation.immediate"]


def test_workers_that_remember_nothing_are_right(fake: str, tmp_path: Path) -> None:
    """That there are several is no flaw."""
    run = run_before(fake, tmp_path, seconds=0)
    outcomes = {case["outcome"] for name in LOOKED for case in run.clause(name)["cases"]}
    assert outcomes == {"pass"}, run.output
    assert run.report["looked_at"]["connections"] > 0
