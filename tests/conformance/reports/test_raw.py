"""The raw run holds all that a report needs: from it alone the same run is judged, and written, again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ExitCode, Outcome, Verdict
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.raw import RAW_NAME, raw_json, raw_run, read_run, report_from
from paylera_conformance.reports.repeat import repeat_scripts
from paylera_conformance.reports.write import ARTEFACTS, write_report
from paylera_conformance.run.state_file import RunState, read_state, write_state
from paylera_conformance.target.settings import ConfigError


def through_json(report: RunReport) -> dict[str, Any]:
    """A raw run as whoever reads the file gets it."""
    read: dict[str, Any] = json.loads(json.dumps(raw_run(report)))
    return read


def test_run_is_rebuilt(mixed: RunReport) -> None:
    """Facts, cases, what came of each clause, and the verdict: all as they were."""
    assert report_from(through_json(mixed)) == mixed


@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_artefact_is_rebuilt(mixed: RunReport, artefact: str) -> None:
    """Byte for byte."""
    make = ARTEFACTS[artefact]
    again = report_from(through_json(mixed))
    assert make(again, repeat_scripts(again)) == make(mixed, repeat_scripts(mixed))


def test_file_has_what_is_shared_once(mixed: RunReport) -> None:
    """An exchange, a header and a body of many cases are a row of a table."""
    raw = through_json(mixed)
    evidence = [set(case["exchanges"]) for case in raw["cases"]]
    assert (len(raw["exchanges"]), evidence) == (3, [{0, 1, 2}] * len(mixed.cases))
    assert len(raw["headers"]) == len({tuple(pair) for pair in raw["headers"]})
    assert len(raw["bodies"]) == len(set(raw["bodies"]))


def test_half_a_character_is_written_too(
    make_report: Callable[..., RunReport], make_case: Callable[..., CaseResult]
) -> None:
    """Wherever it came from, and read again."""
    report = make_report([make_case("scope.required", Outcome.FAIL, "test_it[\ud800]")])
    assert report_from(json.loads(raw_json(report))) == report


def test_what_a_terminal_would_obey_is_spelled_out(
    make_report: Callable[..., RunReport], make_case: Callable[..., CaseResult]
) -> None:
    """Who looks at the file in a terminal sees what a target said, and nothing of what it would have done there."""
    said = "\x1b]0;owned\x07 \x9b31m \x7f \u202e \u2066 \u2028 \ufeff ü"
    report = make_report([make_case("scope.required", Outcome.FAIL, f"test_it[{said}]")])
    text = raw_json(report)
    shown = {character for character in text if not character.isprintable()}
    assert (shown, report_from(json.loads(text))) == ({"\n"}, report)


def test_verdict_is_found_anew(mixed: RunReport) -> None:
    """It rests on the cases, and on nothing that somebody wrote beside them."""
    raw = through_json(mixed)
    failed = [case for case in raw["cases"] if case["outcome"] == Outcome.FAIL]
    for case in failed:
        case["outcome"] = Outcome.PASS.value
    assert (mixed.verdict, report_from(raw).verdict) == (Verdict.NON_CONFORMANT, Verdict.NOT_FULLY_VERIFIED)


def test_every_case_has_its_level(mixed: RunReport) -> None:
    """Whoever reads the raw run alone need not know the contract."""
    assert {(case["clause"], case["level"]) for case in raw_run(mixed)["cases"]} == {
        (result.id, result.level.value) for result in mixed.results
    }


ENDINGS = {
    "trouble": ({"trouble": "no answer", "trouble_exit": 13}, Verdict.NO_VERDICT, ExitCode.UNREACHABLE),
    "interrupted": ({"pytest_exit": 2}, Verdict.CONFORMANT, ExitCode.INTERRUPTED),
    "broken": ({"pytest_exit": 3}, Verdict.CONFORMANT, ExitCode.INTERNAL),
    "cut-short": ({"pytest_exit": 2, "cut_short": True}, Verdict.CONFORMANT, ExitCode.CONFORMANT),
    "tests-failed": ({"pytest_exit": 1}, Verdict.CONFORMANT, ExitCode.CONFORMANT),
}


@pytest.mark.parametrize(("facts", "verdict", "code"), ENDINGS.values(), ids=ENDINGS)
def test_how_pytest_ended_counts(
    make_report: Callable[..., RunReport], green: RunReport, facts: dict[str, Any], verdict: Verdict, code: int
) -> None:
    """A run that went wrong itself says so by its exit code, whatever its cases came to."""
    report = make_report(green.cases, known=(), findings=(), **facts)
    assert (report.verdict, report.exit_code) == (verdict, code)


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "not-a-run": lambda raw: raw.update(format="something else"),
    "another-contract": lambda raw: raw.update(contract_version="0"),
    "escape-as-contract": lambda raw: raw.update(contract_version="\x1b[2J\n"),
    "another-schema": lambda raw: raw.update(schema=99),
    "no-cases": lambda raw: raw.pop("cases"),
    "no-such-outcome": lambda raw: raw["cases"][0].update(outcome="splendid"),
    "no-such-clause": lambda raw: raw["cases"][0].update(clause="credential.splendid"),
    "no-such-member": lambda raw: raw["cases"][0].update(splendid=True),
    "no-such-time": lambda raw: raw["cases"][0].update(time_evidence="splendid clock"),
    "no-facts": lambda raw: raw.pop("control_url"),
    "escape-as-outcome": lambda raw: raw["cases"][0].update(outcome="\x1b[2J\n"),
    "escape-as-member": lambda raw: raw["cases"][0].update({"\x1b[2J\n": 1}),
    "more-than-was-sent": lambda raw: raw["exchanges"][0].update(splendid=True),
    "more-than-was-answered": lambda raw: raw["exchanges"][0]["answer"].update(splendid=True),
    "no-such-exchange": lambda raw: raw["cases"][0].update(exchanges=[99]),
    "number-below-all": lambda raw: raw["cases"][0].update(exchanges=[-1]),
    "no-such-body": lambda raw: raw["exchanges"][0]["answer"].update(body=99),
    "no-such-profile": lambda raw: raw.update(profile="splendid"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_run_is_refused(mixed: RunReport, damage: Callable[[dict[str, Any]], object]) -> None:
    """Rather than reported on as far as it goes: in one line, which nothing in the file can break or colour."""
    raw = through_json(mixed)
    damage(raw)
    with pytest.raises(ConfigError) as refused:
        report_from(raw)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("content", ["", "[]", '{"format": ', "null"])
def test_file_that_is_no_run_is_refused(tmp_path: Path, content: str) -> None:
    """In a sentence that names the file."""
    (tmp_path / RAW_NAME).write_text(content)
    with pytest.raises(ConfigError, match="run"):
        read_run(tmp_path)


def test_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    """It was perhaps never finished."""
    with pytest.raises(ConfigError, match=r"run\.json cannot be read"):
        read_run(tmp_path)


def test_folder_is_written_and_read(mixed: RunReport, tmp_path: Path) -> None:
    """By the folder or by the file."""
    folder = write_report(mixed, tmp_path / "made" / "on-the-way")
    assert read_run(folder) == read_run(folder / RAW_NAME) == mixed


def test_evidence_survives_waiting(make_case: Callable[..., CaseResult], tmp_path: Path) -> None:
    """What a case of an earlier session sent and got is in the report of the last one."""
    case = make_case("scope.required", Outcome.FAIL, left_behind=("customer cus_1",))
    state = RunState("http://target.test", "guide", "1", "run1", cases=[case], started_at="2026-11-24T10:00:00+00:00")
    write_state(tmp_path / "state", state, "correct horse battery")
    assert read_state(tmp_path / "state", "correct horse battery") == state
