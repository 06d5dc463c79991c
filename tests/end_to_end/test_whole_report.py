"""The report of a whole run, as a person gets it: small, each exchange once, with the control calls and both clocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest

from helpers.suite import Program, Run, known_failure
from paylera_conformance.reports.raw import read_run
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.mutants import all_mutants

pytestmark = pytest.mark.slow

PAGE_BYTES = 1_000_000
DEFECT = "token-in-query"
BROKEN = all_mutants()[DEFECT].breaks


@pytest.fixture(scope="module")
def program(make_program: Callable[[], Program]) -> Program:
    """The folder of the whole run."""
    return make_program()


@pytest.fixture(scope="module")
def whole(program: Program) -> Run:
    """A whole run of a fake with one defect, every clause that it breaks listed as a known failure."""
    (program.folder / "known.toml").write_text("".join(map(known_failure, BROKEN)), "utf-8")
    with running_fake(["--mutant", DEFECT]) as fake:
        return program.run(fake.url, "--control-url", f"{fake.url}/_mock", "--known-failures", "known.toml")


def test_known_failures_alone_are_exit_0(whole: Run) -> None:
    """What is listed does not fail the run, and the verdict says that it is there."""
    assert (whole.code, whole.report["verdict"]) == (0, "NON-CONFORMANT WITH KNOWN FAILURES ONLY"), whole.output


def test_known_failure_keeps_its_outcome(whole: Run) -> None:
    """It is excused, not hidden."""
    assert whole.having("fail") == {*BROKEN}
    standings = {item["clause"]: item["standing"] for item in whole.report["known_failures"]}
    assert standings == dict.fromkeys(BROKEN, "met")


@pytest.mark.usefixtures("whole")
def test_known_failures_get_no_certificate(program: Program) -> None:
    """They are the only reasons: that they were excused, and that they are broken."""
    ended = program.command("certify", "out")
    broken = ", ".join(BROKEN)
    reasons = [line.strip() for line in ended.output.splitlines() if "because: " in line]
    assert (ended.code, reasons) == (
        1,
        [
            f"because: the run excused known failures: {broken}",
            "because: the verdict is NON-CONFORMANT WITH KNOWN FAILURES ONLY: "
            + ", ".join(f"{clause} fail" for clause in BROKEN),
        ],
    ), ended.output


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
