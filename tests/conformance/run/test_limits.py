"""What a run may send: reads only where it observes, no more than it was allowed, and nothing that stays behind."""

from __future__ import annotations

import pytest

from helpers.http_client import http_client
from helpers.watched_target import TOKENS, StartRun, Watched
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.outcomes import NotRun
from paylera_conformance.probe.variation import USER_AGENTS

# The bounds themselves


def test_observer_may_read() -> None:
    """A GET changes nothing."""
    Limits(reads_only=True).admit("GET")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "get"])
def test_observer_sends_nothing_but_get(method: str) -> None:
    """What was promised to the owner of a live system is kept at the one place that all requests pass."""
    with pytest.raises(NotRun, match="mode observe"):
        Limits(reads_only=True).admit(method)


def test_number_is_kept() -> None:
    """One more than was allowed is not sent."""
    limits = Limits(most=2)
    limits.admit("GET")
    limits.admit("GET")
    with pytest.raises(NotRun, match="--max-requests 2 were sent"):
        limits.admit("GET")


def test_last_request_is_no_creation() -> None:
    """What could not be removed any more is not made."""
    with pytest.raises(NotRun):
        Limits(most=1).admit("POST")


def test_removal_is_kept_back() -> None:
    """Two of three are spoken for once something was made: making it, and removing it."""
    limits = Limits(most=3)
    limits.admit("POST")
    limits.reserve()
    limits.admit("GET")
    with pytest.raises(NotRun):
        limits.admit("GET")


def test_removal_may_be_sent() -> None:
    """What was kept back for it is there."""
    limits = Limits(most=2)
    limits.admit("POST")
    limits.reserve()
    limits.release()
    limits.admit("DELETE")


# A whole run


@pytest.mark.slow
def test_observing_run_sends_gets_only_and_judges(run_watched: StartRun, watched: Watched) -> None:
    """Raw requests and generated ones included; much can be seen by reading alone."""
    ended = run_watched("run", "--mode", "observe", "--report", "out")
    assert set(watched.methods) == {"GET"}
    cases = [case for case in ended.clause("token.unknown")["cases"] if "-list_" in case["case"]]
    lists = {case["outcome"] for case in cases if not case.get("dropped")}
    assert (lists, ended.having("fail", "error")) == ({"pass"}, set())


@pytest.mark.slow
def test_no_more_is_sent_than_was_allowed_and_nothing_fails(run_watched: StartRun, watched: Watched) -> None:
    """Removals included. A run that ends early has no opinion of what it has not seen."""
    ended = run_watched("run", "--max-requests", "150", "--seed", "2", "--report", "out")
    assert 140 < len(watched.seen) <= 150
    assert (ended.code, ended.having("fail", "error"), len(ended.having("not-run")) > 50) == (10, set(), True)


@pytest.mark.slow
def test_budget_of_one_is_no_unreachable_target(run_watched: StartRun) -> None:
    """That no token could be looked at is the budget's doing, not the target's."""
    assert run_watched("run", "--max-requests", "1", "-k", "test_token").code == 5


@pytest.mark.slow
def test_no_request_names_the_run(run_watched: StartRun, watched: Watched) -> None:
    """Several clients' names are in the access log, the suite's among them: the target cannot tell who asks."""
    run_watched("run", "--run-id", "run4711", "--seed", "7", "-k", "test_scope")
    agents = {agent for _, _, agent in watched.seen}
    assert (len(agents) > 3, agents <= set(USER_AGENTS)) == (True, True)


@pytest.mark.slow
def test_every_request_may_have_one_user_agent(run_watched: StartRun, watched: Watched) -> None:
    """A target may let certain clients in alone; hostile bytes have it too."""
    run_watched("run", "--user-agent", "acme/1 (run 4711)", "-k", "test_scope or hostile_bytes")
    assert {agent for _, _, agent in watched.seen} == {"acme/1 (run 4711)"}


@pytest.mark.slow
def test_nothing_that_can_be_removed_is_left(run_watched: StartRun, watched_url: str) -> None:
    """The customers, endpoints, actors and tokens that the run made are gone."""
    header = {"Authorization": f"Bearer {TOKENS['ADMIN']}"}
    paths = ("/v1/customers", "/v1/admin/webhook-endpoints", "/v1/admin/actors")
    with http_client(base_url=watched_url, headers=header) as client:
        before = [client.get(f"{path}?limit=100").json()["data"] for path in paths]
        run_watched("run", "--mode", "full", "-k", "idempotency or acting or audience")
        assert [client.get(f"{path}?limit=100").json()["data"] for path in paths] == before


@pytest.mark.slow
def test_what_stays_is_reported(run_watched: StartRun) -> None:
    """The API removes no plan, so the owner is told its name."""
    ended = run_watched(
        "run", "-k", "distinct or required_on or each_operation or needs_a_key or without_key", "--report", "out"
    )
    assert {line.split()[0] for line in ended.report["left_behind"]} <= {
        "plan",
        "product",
        "invoice",
        "subscription",
        "wallet",
    }
