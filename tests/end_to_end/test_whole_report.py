"""The report of a whole run, as a person gets it: small, each exchange once, with the control calls and both clocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from helpers.suite import Program, Run
from paylera_conformance.reports.raw import read_run

pytestmark = pytest.mark.slow

PAGE_BYTES = 1_000_000


@pytest.fixture(scope="module")
def program(make_program: Callable[[], Program]) -> Program:
    """The folder of the whole run."""
    return make_program()


@pytest.fixture(scope="module")
def whole(program: Program) -> Run:
    """A whole run of the fake that comes with the suite, a list of known failures given."""
    (program.folder / "known.toml").write_text("", "utf-8")
    return program.run("--known-failures", "known.toml")


def test_conformant_target_is_exit_0(whole: Run) -> None:
    """The fake keeps the contract, and an empty list of known failures changes nothing."""
    assert (whole.code, whole.report["verdict"], whole.report["known_failures"]) == (0, "CONFORMANT", [])


@pytest.mark.usefixtures("whole")
def test_page_is_below_a_megabyte(program: Program) -> None:
    """It can be mailed."""
    assert (program.folder / "out" / "report.html").stat().st_size < PAGE_BYTES


@pytest.mark.usefixtures("whole")
def test_archive_has_each_exchange_once(program: Program) -> None:
    """Whichever cases share it; a secret's label may be another in two cases, which makes two of a few."""
    entries = json.loads((program.folder / "out" / "exchanges.har").read_text("utf-8"))["log"]["entries"]
    counts = Counter((entry["startedDateTime"], entry["request"]["url"], entry["time"]) for entry in entries)
    assert sum(count > 1 for count in counts.values()) < len(entries) / 100


@pytest.mark.usefixtures("whole")
def test_run_tells_what_its_tokens_and_clock_were(program: Program) -> None:
    """No secret of the control API is in the evidence of it."""
    cases = read_run(program.folder / "out").cases
    minted = [
        json.loads(call.answer.body)["secret"]
        for case in cases
        for call in case.control_calls
        if call.url.endswith("/tokens")
    ]
    moved = [case for case in cases if case.time_evidence == "moved clock"]
    assert {secret[0] for secret in minted} == {"‹"}
    assert all(any(exchange.target_time for exchange in case.exchanges) for case in moved)
