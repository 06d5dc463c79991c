"""What a real run leaves in its folder: alone, in parallel, cut short, and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import jsonschema_rs
import pytest

from helpers.suite import run_suite
from paylera_conformance.model.outcomes import Verdict
from paylera_conformance.reports.raw import read_run
from paylera_conformance.reports.results import results_schema
from paylera_conformance.reports.write import ARTEFACTS
from paylera_conformance.target.local_mock import embedded_mock
from paylera_fixtures.clauses import CLAUSES

pytestmark = pytest.mark.slow

ReadJson: TypeAlias = Callable[[Path], Any]

SELECTION: Final = "scheme_is_found or grace or lifetime"
MEMBERS: Final = {
    "run_id",
    "target",
    "environment",
    "profile",
    "readings",
    "mode",
    "driver",
    "strict",
    "seed",
    "suite_version",
    "contract_version",
    "started_at",
    "ended_at",
    "selection",
    "findings",
    "trouble",
    "pytest_exit",
}


@pytest.fixture(scope="module", params=[("-n", "1"), ("-n", "2")], ids=["alone", "parallel"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of some clauses against the fake."""
    place = tmp_path_factory.mktemp("run")
    run_suite(place, "run", "-k", SELECTION, *request.param, "--report", "out")
    return place / "out"


def test_every_artefact_is_there(folder: Path) -> None:
    """And nothing else: no draft is left."""
    assert {path.name for path in folder.iterdir()} == set(ARTEFACTS)


def test_results_are_as_published(folder: Path, read_json: ReadJson) -> None:
    """Those of a real run too."""
    validator = jsonschema_rs.validator_for(results_schema(), validate_formats=True)
    assert [error.message for error in validator.iter_errors(read_json(folder / "results.json"))] == []


def test_raw_run_tells_how_it_came_about(folder: Path, read_json: ReadJson) -> None:
    """With the words that left cases out."""
    raw = read_json(folder / "run.json")
    assert set(raw) >= MEMBERS
    assert raw["selection"] == ["-k", SELECTION]


def test_every_case_has_its_exchanges(folder: Path) -> None:
    """As many as it sent requests."""
    cases = read_run(folder).cases
    assert cases
    assert [(case.case, case.requests) for case in cases if len(case.exchanges) != case.requests] == []


def test_clauses_about_time_have_moved_the_clock(folder: Path) -> None:
    """The fake's clock is moved, which is said of each clause that rests on it."""
    report = read_run(folder)
    about_time = [clause.id for clause in CLAUSES if clause.needs_time and report.cases_of(clause.id)]
    assert {report.time_evidence(clause) for clause in about_time} == {"moved clock"}


def test_folder_is_rebuilt_from_the_raw_run(folder: Path, tmp_path: Path) -> None:
    """`report` writes every artefact as the run wrote it."""
    (tmp_path / "run.json").write_bytes((folder / "run.json").read_bytes())
    ended = run_suite(tmp_path, "report", str(tmp_path))
    assert ended.code == 0
    assert [name for name in ARTEFACTS if (tmp_path / name).read_bytes() != (folder / name).read_bytes()] == []


def test_folder_without_a_run_is_a_mistake(tmp_path: Path) -> None:
    """Exit 4, in one line."""
    ended = run_suite(tmp_path, "report", str(tmp_path))
    assert (ended.code, len(ended.output.splitlines())) == (4, 1)
    assert "run.json cannot be read" in ended.output


def test_run_that_is_cut_short_has_its_folder(tmp_path: Path, fake: str) -> None:
    """What was found until then, in every artefact."""
    run_suite(tmp_path, "run", fake, "-x", "-k", "test_scope", "--report", "out")
    report = read_run(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(ARTEFACTS)
    assert "--maxfail=1" in report.facts.selection


def test_run_that_found_nobody_has_its_folder(tmp_path: Path) -> None:
    """With the reason in it."""
    run_suite(tmp_path, "run", "http://127.0.0.1:9", "--report", "out")
    report = read_run(tmp_path / "out")
    assert (report.verdict, report.exit_code) == (Verdict.NO_VERDICT, 13)
    assert "cannot be reached" in report.facts.trouble


# A run that has to wait

CONFIG: Final = """
[target]
mode = "full"
[versions]
supported = ["2026-04-01"]
current = "2026-04-01"
[tokens.service]
token = "${SERVICE}"
[tokens.operator]
token = "${OPERATOR}"
audience = "admin"
aal = 2
"""
ENV: Final = {
    "SERVICE": "sk_sandbox_" + "serviceall".ljust(32, "0"),
    "OPERATOR": "sk_sandbox_" + "adminaal2".ljust(32, "0"),
    "PAYLERA_CONFORMANCE_STATE_KEY": "correct horse battery",
}


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    """A fake whose control API nobody is told of."""
    with embedded_mock("guide", {}) as mock:
        yield mock.url


@pytest.fixture(scope="module")
def sessions(fake: str, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """The folders of a run that waits, and of the session after, in which nothing is due yet."""
    place = tmp_path_factory.mktemp("waits")
    (place / "paylera-conformance.toml").write_text(CONFIG)
    told = ("--state", "state", "--report", "first", "-k", "scheme_is_found or secret_works_for_a_day")
    first = run_suite(place, "run", fake, *told, env=ENV)
    second = run_suite(place, "resume", "state", "--report", "second", env=ENV)
    assert (first.code, second.code) == (10, 10), first.output + second.output
    return place / "first", place / "second"


def test_evidence_of_an_earlier_session_is_kept(sessions: Sequence[Path]) -> None:
    """The last report has every case of the run with what it sent and got."""
    first, second = (
        {case.case: (case.outcome, case.exchanges) for case in read_run(folder).cases} for folder in sessions
    )
    assert "pending" in {outcome for outcome, _ in second.values()}
    assert {name: kept for name, kept in first.items() if kept[0] == "pass"}.items() <= second.items()


def test_run_began_with_its_first_session(sessions: Sequence[Path]) -> None:
    """Whenever it ends."""
    first, second = (read_run(folder).facts for folder in sessions)
    assert first.started_at == second.started_at
