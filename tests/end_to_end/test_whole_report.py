"""The report of a whole run, as a person gets it: small, each exchange once, with the control calls and both clocks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from paylera_conformance.reports.raw import read_run
from paylera_mock.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from helpers.suite import Program

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

PAGE_BYTES = 1_000_000


@pytest.fixture(scope="module")
def whole(serve: Serve, make_program: Callable[[], Program]) -> Program:
    """The folder of a whole run against a fake that keeps the contract."""
    url, program = serve(create_app()), make_program()
    assert program.run(url, "--control-url", f"{url}/_mock", "-n", "2").code == 0
    return program


def test_page_is_below_a_megabyte(whole: Program) -> None:
    """It can be mailed."""
    assert (whole.folder / "out" / "report.html").stat().st_size < PAGE_BYTES


def test_archive_has_each_exchange_once(whole: Program) -> None:
    """Whichever cases share it; a secret's label may be another in two cases, which makes two of a few."""
    entries = json.loads((whole.folder / "out" / "exchanges.har").read_text("utf-8"))["log"]["entries"]
    counts = Counter((entry["startedDateTime"], entry["request"]["url"], entry["time"]) for entry in entries)
    assert sum(count > 1 for count in counts.values()) < len(entries) / 100


def test_run_tells_what_its_tokens_and_clock_were(whole: Program) -> None:
    """No secret of the control API is in the evidence of it."""
    cases = read_run(whole.folder / "out").cases
    minted = [
        json.loads(call.answer.body)["secret"]
        for case in cases
        for call in case.control_calls
        if call.url.endswith("/tokens")
    ]
    moved = [case for case in cases if case.time_evidence == "moved clock"]
    assert {secret[0] for secret in minted} == {"‹"}
    assert all(any(exchange.target_time for exchange in case.exchanges) for case in moved)
