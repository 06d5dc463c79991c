"""The fake behind a relay that speaks HTTP otherwise than the fake's own server can: nothing may be complained of."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from helpers.relay import Head, in_http_1_0, in_odd_letters, relay
from helpers.suite import run_suite
from paylera_fixtures.clauses import CLAUSES
from paylera_mock.cli.subprocess_server import running_fake

CONFORMANT = 0

LEFT_OUT = "on_every_operation or later or stays_dead or every_worker or spelling"
SELECTED = ("-k", f"no-token-get_customer or revoked-get_customer or not ({LEFT_OUT})")
"""Nearly every clause, and two rows of the matrix on one operation: the answers come by one way."""


def by_turns() -> Head:
    """A head in each of the dialects in turn, as from two servers behind one address: one run is for both."""
    dialects = cycle([in_http_1_0, in_odd_letters])

    def write(status: int, reason: str, headers: list[tuple[str, str]]) -> str:
        return next(dialects)(status, reason, headers)

    return write


@pytest.mark.slow
@pytest.mark.extended
def test_a_right_server_that_speaks_http_otherwise_is_conformant(tmp_path: Path) -> None:
    """By the whole suite."""
    with running_fake() as origin, relay(origin.url, by_turns()) as url:
        run = run_suite(tmp_path, "run", url, "--control-url", f"{url}/_mock", "--report", "out")
    others = {c["id"]: (c["outcome"], c["message"]) for c in run.report["clauses"] if c["outcome"] != "pass"}
    assert (others, run.report["verdict"], run.code) == ({}, "CONFORMANT", CONFORMANT), run.output


@pytest.mark.slow
def test_of_a_right_server_that_speaks_http_otherwise_nothing_is_said(tmp_path: Path) -> None:
    """Which version of HTTP an answer is written in, and how, is no business of any clause."""
    with running_fake() as origin, relay(origin.url, by_turns()) as url:
        run = run_suite(tmp_path, "run", url, "--control-url", f"{url}/_mock", "--report", "out", *SELECTED)
    complained_of = run.having("fail", "warn", "error", "blocked")
    assert (complained_of, len(run.having("pass")) > len(CLAUSES) / 4) == (set(), True), run.output
