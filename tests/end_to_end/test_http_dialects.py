"""The fake behind a relay that speaks HTTP otherwise than the fake's own server can: nothing may be complained of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.relay import Head, in_http_1_0, in_odd_letters, relay

CONFORMANT = 0
LONGEST_RUN = 300

DIALECTS = {"http-1.0": in_http_1_0, "header-case": in_odd_letters}


@contextmanager
def fake() -> Iterator[str]:
    """The fake as a program: its URL."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--no-banner"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


def certify(url: str, report: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the suite as a program; give the run and its `results.json`."""
    command = [sys.executable, "-m", "paylera_conformance", "run", url, "--control-url", f"{url}/_mock"]
    # Cut off from the settings of whoever runs the tests.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
    run = subprocess.run(
        [*command, "--report", str(report)],
        capture_output=True, text=True, check=False, cwd=report.parent, env=env, timeout=LONGEST_RUN,
    )  # fmt: skip
    return run, json.loads((report / "results.json").read_text())


@pytest.mark.parametrize("head", DIALECTS.values(), ids=DIALECTS)
def test_a_right_server_that_speaks_http_otherwise_is_conformant(head: Head, tmp_path: Path) -> None:
    """Which version of HTTP an answer is written in, and how, is no business of any clause."""
    with fake() as origin, relay(origin, head) as url:
        run, results = certify(url, tmp_path / "report")
    others = {c["id"]: (c["outcome"], c["message"]) for c in results["clauses"] if c["outcome"] != "pass"}
    assert (others, results["verdict"], run.returncode) == ({}, "CONFORMANT", CONFORMANT), run.stdout
