"""What the benchmark makes of its rounds, and what it holds the fake to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

import gate
import wrk
from helpers.paths import ROOT
from paylera_mock.server.http_client import send_request
from scenarios import LIST, POST, REPLAY, SCENARIOS
from servers import Server, answers_of, serving_bare, serving_fake, serving_other_fake, started
from speed import Place, Row, rows_of
from wrk import Round

BARE: Final = Round(requests=1000, seconds=1, p50_ms=1, p99_ms=2, server_cpu=0.8, generator_cpu=0.2)
FAKE: Final = replace(BARE, requests=500)
ROW: Final = Row("16 connections", LIST.name, "fake", 500, 1, 2, 1600, ratio=0.5, cpu_ratio=0.5)


def rows(fake: Sequence[Round], bare: Sequence[Round]) -> dict[str, Row]:
    """The rows of both, by server."""
    found = rows_of(
        {Place("1 connection", LIST.name, name): taken for name, taken in (("fake", fake), ("flask", bare))}
    )
    return {row.server: row for row in found}


def test_ratio_is_the_median_of_the_rounds() -> None:
    """A round in which something else ran must not decide."""
    disturbed = replace(FAKE, requests=10)
    found = rows([FAKE, disturbed, FAKE], [BARE, BARE, BARE])
    assert (found["fake"].ratio, found["fake"].cpu_ratio, found["flask"].ratio) == (0.5, 0.5, 1.0)


@pytest.mark.parametrize("busy", ["fake", "flask"])
def test_no_ratio_where_the_generator_was_busier(busy: str) -> None:
    """Whichever server it outdid: the rate is then the generator's own."""
    taken = {"fake": FAKE, "flask": BARE}
    taken[busy] = replace(taken[busy], generator_cpu=0.9)
    found = rows([taken["fake"]], [taken["flask"]])
    assert found["fake"].ratio is None
    assert found["fake"].rate == 500


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            replace(ROW, cpu_ratio=0.19),
            f"{LIST.name}, 16 connections: the ratio of processor time to bare Flask is 0.19",
        ),
        (replace(ROW, over="in process", cpu_ratio=0.29), f"{LIST.name}, in process: the ratio of processor time to"),
        # A request that waits takes no processor time.
        (replace(ROW, ratio=0.04), f"{LIST.name}, 16 connections: the ratio of rate to bare Flask is 0.04"),
    ],
)
def test_gate_names_what_is_slower(row: Row, told: str) -> None:
    """The scenario, what was found, and what should be."""
    slower = list(gate.find_slower([row]))
    assert len(slower) == 1
    assert slower[0].startswith(told)


@pytest.mark.parametrize("row", [ROW, replace(ROW, ratio=None), replace(ROW, server="flask", cpu_ratio=0)])
def test_gate_lets_pass_what_is_within_the_bounds(row: Row) -> None:
    """A ratio that could not be measured is no slowness, and bare Flask is what is compared with."""
    assert list(gate.find_slower([row])) == []


def test_gate_is_skipped_without_wrk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    monkeypatch.setattr(gate, "WRK", None)
    gate.main()
    assert capsys.readouterr().out == f"skipped: {wrk.WITHOUT_WRK}\n"


def test_load_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip of the keyboard must hit nobody."""
    monkeypatch.setattr(wrk, "WRK", "/bin/false")
    with pytest.raises(SystemExit, match="loopback"):
        wrk.drive("https://api.paylera.io", 1, LIST, "any", connections=1, seconds=1)


@pytest.mark.slow
@pytest.mark.skipif(wrk.WRK is None, reason=wrk.WITHOUT_WRK)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_scenario_can_be_driven(scenario: Any) -> None:
    """Its answers have its status, and both sides' processor time is known."""
    with serving_fake() as fake:
        taken = fake.drive(scenario, connections=2, seconds=1)
    assert taken.requests > 0
    assert taken.server_cpu > 0
    assert taken.generator_cpu > 0


def count_customers(server: Server) -> int:
    """How many there are, page by page."""
    count, cursor = 0, ""
    while cursor is not None:
        _, body = send_request("GET", f"{server.url}{LIST.path}?limit=100{cursor}", secret=server.secret)
        page = json.loads(body)
        count += len(page["data"])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return count


@pytest.mark.slow
@pytest.mark.skipif(wrk.WRK is None, reason=wrk.WITHOUT_WRK)
def test_new_key_creates_and_same_key_does_not() -> None:
    """The first request of all is the one that is replayed."""
    with serving_fake() as fake:
        before = count_customers(fake)
        posted = fake.drive(POST, connections=2, seconds=1)
        assert count_customers(fake) > before + posted.requests
        fake.drive(REPLAY, connections=2, seconds=1)
        assert count_customers(fake) == before + 1


@pytest.mark.slow
@pytest.mark.skipif(wrk.WRK is None, reason=wrk.WITHOUT_WRK)
def test_other_status_ends_the_measurement() -> None:
    """An error is answered faster than what was asked for."""
    with serving_fake() as fake, pytest.raises(RuntimeError, match="should be answered 201: 200"):
        fake.drive(replace(LIST, status=201), connections=1, seconds=1)


@pytest.mark.slow
def test_fake_of_another_environment_is_started_by_its_interpreter() -> None:
    """And is brought back to how it was at the start, as the fake is."""
    with serving_other_fake(sys.executable) as other:
        before = count_customers(other)
        answers_of(other)
        assert count_customers(other) == before + 1
        other.reset()
        assert count_customers(other) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flask", "wsgi"])
def test_bare_views_answer_what_the_fake_does(kind: str, tmp_path: Any) -> None:
    """Or they would not be comparable."""
    with serving_fake() as fake:
        answers = answers_of(fake)
    with serving_bare(kind, answers, tmp_path) as bare:
        assert answers_of(bare) == answers


def test_program_that_ends_before_it_is_ready_is_named() -> None:
    """Nobody waits for its line."""
    with pytest.raises(RuntimeError, match="ended before it was ready"), started([sys.executable, "-c", "0"]):
        pass


def test_measurements_are_listed_and_found() -> None:
    """Also where Python does not look beside a script."""
    environment = {"PYTHONSAFEPATH": "1"}
    ended = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks")], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stderr == "\nname one of these: python benchmarks publish\n"
    assert [line.split()[0] for line in ended.stdout.splitlines()][:3] == ["publish", "gate", "speed"]
