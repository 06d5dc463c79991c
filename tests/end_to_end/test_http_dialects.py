"""The fake behind a relay that speaks HTTP otherwise than the fake's own server can: nothing may be complained of."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.relay import Head, in_http_1_0, in_odd_letters, relay
from helpers.suite import run_suite
from paylera_mock.cli.subprocess_server import running_fake

CONFORMANT = 0

DIALECTS = {"http-1.0": in_http_1_0, "header-case": in_odd_letters}


@pytest.mark.slow
@pytest.mark.parametrize("head", DIALECTS.values(), ids=DIALECTS)
def test_a_right_server_that_speaks_http_otherwise_is_conformant(head: Head, tmp_path: Path) -> None:
    """Which version of HTTP an answer is written in, and how, is no business of any clause."""
    with running_fake() as origin, relay(origin.url, head) as url:
        run = run_suite(tmp_path, "run", url, "--control-url", f"{url}/_mock", "--report", "out")
    others = {c["id"]: (c["outcome"], c["message"]) for c in run.report["clauses"] if c["outcome"] != "pass"}
    assert (others, run.report["verdict"], run.code) == ({}, "CONFORMANT", CONFORMANT), run.output
