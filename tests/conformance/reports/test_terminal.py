"""What a run tells at its end: in a terminal of 80 columns, and in `results.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpers.report_cases import PLAIN_FACTS
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import TARGET, ExitCode, Outcome, PreflightFinding
from paylera_conformance.reports.model import RunReport, report_on
from paylera_conformance.reports.repeat import Scripts
from paylera_conformance.reports.results import results_json
from paylera_conformance.reports.terminal import summary_lines
from paylera_conformance.reports.write import ARTEFACTS, write_report
from paylera_fixtures.clauses import CLAUSES, GROUPS, clauses_of
from paylera_fixtures.terminal import render_lines
from paylera_fixtures.vocabulary import Profile

COLUMNS = 80
LONG = "the same request was to be accepted and was answered otherwise, " * 4


# A run in which every outcome occurs; the others pass.
SPECIAL = {
    "scope.required": (Outcome.FAIL, "wanted 401; got 200"),
    "credential.missing": (Outcome.BLOCKED, LONG),
    "audience.admin-accepted": (Outcome.BLOCKED, LONG),
    "token.unknown": (Outcome.ERROR, "GET /v1/customers: ConnectError"),
    "rotation.grace-ends": (Outcome.PENDING, "due tomorrow"),
    "acting-as.audited": (Outcome.UNOBSERVABLE, "no audit log can be read"),
    "revocation.immediate": (Outcome.NOT_RUN, "needs mode full, and this run is in mode sandbox"),
    "aal2.required": (Outcome.INAPPLICABLE, "the target has no POST /v1/payments/{id}/cancel"),
    "problem.media-type": (Outcome.WARN, "wanted application/problem+json; got text/html"),
}


def report_of(cases: Sequence[CaseResult], **members: Any) -> RunReport:
    """A run of which these cases came."""
    return report_on(replace(PLAIN_FACTS, **members), cases)


def mixed(**members: Any) -> RunReport:
    """The run in which every outcome occurs."""
    cases = []
    for clause in clauses_of(Profile.GUIDE):
        outcome, said = SPECIAL.get(clause.id, (Outcome.PASS, ""))
        message = f"{clause.id}\n{said}" if said else ""
        cases.append(CaseResult(clause.id, f"test_{clause.id}", outcome, said, message, requests=2))
    return report_of(cases, **members)


def hanging() -> RunReport:
    """A run in which one violation blocks twenty clauses, each by an exchange of its own."""
    first, *others = [clause.id for clause in clauses_of(Profile.GUIDE) if clause.id != "credential.missing"][:21]
    wrong = CaseResult("credential.missing", "test_it", Outcome.FAIL, "wanted 401; got 403", "wanted 401; got 403")
    blocked = [
        CaseResult(clause, "a", Outcome.BLOCKED, f"GET /{clause} was answered 403, not 401 (see credential.missing)")
        for clause in others
    ]
    return report_of([wrong, CaseResult(first, "a", Outcome.PASS), *blocked])


REPORTS: dict[str, Callable[[], RunReport]] = {
    "mixed": mixed,
    "green": lambda: report_of([CaseResult(clause.id, "a", Outcome.PASS) for clause in CLAUSES]),
    "nothing-ran": lambda: report_of([]),
    "unreachable": lambda: report_of(
        [], trouble=f"the target cannot be reached: {LONG}", trouble_exit=ExitCode.UNREACHABLE
    ),
    "findings": lambda: report_of([], findings=(PreflightFinding(TARGET, LONG),)),
}


def printed(report: RunReport, *, coloured: bool = False, width: int = COLUMNS) -> str:
    """The summary as it is printed."""
    return "".join(f"{text}\n" for text in render_lines(summary_lines(report), width=width, styled=coloured))


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that shows colours, whatever the tests are run in."""
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize("width", [COLUMNS, 72, 132])
@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_summary_fits_the_terminal(make: Callable[[], RunReport], width: int) -> None:
    """In whatever comes of a run, no line of it is broken by the terminal."""
    assert [line for line in printed(make(), width=width).splitlines() if len(line) > width] == []


def test_wide_terminal_is_used() -> None:
    """What fills four lines of 80 columns takes fewer of 132."""
    assert len(printed(mixed(), width=132).splitlines()) < len(printed(mixed()).splitlines())


@pytest.mark.parametrize("coloured", [False, True], ids=["plain", "coloured"])
@pytest.mark.parametrize("said", ["[bold]x[/bold]", "[/]", "‹everything #3f9c›", "[list_products] :warning:"])
def test_text_of_a_target_is_no_markup(said: str, *, coloured: bool) -> None:
    """Brackets, labels and colons are printed as they came, in colour too."""
    report = report_of([CaseResult("scope.required", f"test[{said}]", Outcome.FAIL, said, f"got {said}")])
    assert f"  got {said}\n" in without_colour(printed(report, coloured=coloured))


def without_colour(text: str) -> str:
    """The text without ANSI codes."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_plain_summary_has_no_colour_codes(make: Callable[[], RunReport]) -> None:
    """Colours are the terminal's business, so that a log file gets none."""
    assert "\x1b" not in printed(make())


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_colour_tells_nothing_that_words_do_not(make: Callable[[], RunReport]) -> None:
    """With its codes taken out, the coloured summary is the plain one."""
    coloured = printed(make(), coloured=True)
    assert coloured != printed(make())
    assert without_colour(coloured) == printed(make())


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_is_there(group: str) -> None:
    """In a line, with its title."""
    (line,) = (line for line in printed(mixed()).splitlines() if line.startswith(f"{group} "))
    assert line.endswith(f"  {GROUPS[group]}")


def test_clauses_of_a_group_are_counted() -> None:
    """By outcome, the worst first."""
    assert "credential   ? 1 blocked, 9 pass  how" in printed(mixed())


@pytest.mark.parametrize("clause", SPECIAL)
def test_every_clause_that_did_not_pass_is_named(clause: str) -> None:
    """With why."""
    assert clause in printed(mixed())


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_told_in_words(outcome: Outcome) -> None:
    """A sign alone is for those who know it."""
    assert re.search(rf"\b\d+ {outcome}\b", printed(mixed()))


def test_clauses_with_one_reason_stand_together() -> None:
    """A missing token that blocks forty clauses is told once."""
    _, _, reasons = printed(mixed()).partition("Unproven, and why")
    assert reasons.count("blocked:") == 1
    assert "credential.missing  audience.admin-accepted" in reasons


def test_clauses_of_which_some_cases_ran_are_told_without_numbers_that_differ() -> None:
    """Two of nine cases of one clause are not two of nine of all of them; of one alone the numbers are told."""
    numbers = {"scope.required": 130, "token.unknown": 9, "aal2.required": 12}
    cases = [CaseResult(clause, "a", Outcome.PASS, planned=planned) for clause, planned in numbers.items()]
    several, alone = printed(report_of(cases)), printed(report_of(cases[:1]))
    assert (several.count("cases ran"), "only some of their cases ran" in several) == (1, True)
    assert "only 1 of its 130 cases ran" in alone


def test_untouched_clauses_are_counted() -> None:
    """Rather than listed once more."""
    untouched = len(clauses_of(Profile.GUIDE))
    assert f"not-run: {untouched} clauses of which no case was run" in printed(report_of([]))


def test_evidence_of_a_violation_is_printed() -> None:
    """Its worst case in full."""
    assert "✗ FAIL test_scope.required\n  scope.required\n  wanted 401; got 200\n" in printed(mixed())


def test_what_is_wrong_stands_beside_the_verdict() -> None:
    """Nobody scrolls past what is unproven to find it."""
    _, _, end = printed(mixed()).partition("What is wrong")
    assert "Unproven" not in end
    assert "NON-CONFORMANT" in end


def test_cause_of_many_is_the_first_line() -> None:
    """With what hangs on it: however differently each of them says so."""
    text, *_ = printed(hanging()).splitlines()
    assert text.startswith(
        f"20 of {len(CLAUSES)} clauses hang on one cause: credential.missing is violated: wanted 401;"
    )


def test_summary_fits_a_hundred_lines() -> None:
    """Where everything is wrong, at length, and a thousand objects are left behind."""
    left = tuple(f"customer cus_{number}" for number in range(1000))
    message = "\n".join(["a.clause (must)", *[f"wanted  {LONG}"] * 20, *["        header: x"] * 100])
    cases = [
        CaseResult(clause.id, "test_it", Outcome.FAIL, LONG, message, left_behind=left)
        for clause in clauses_of(Profile.GUIDE)
    ]
    half = [replace(case, outcome=Outcome.BLOCKED, headline=f"{case.clause} {LONG}") for case in cases[::2]]
    assert len(printed(report_of([*half, *cases[1::2]])).splitlines()) <= 100


def test_verdict_comes_last() -> None:
    """Where the eye is when the run ends: verdict, target, counts, time, requests, exit code."""
    text = " ".join(printed(mixed()).splitlines()[-6:])
    requests = 2 * len(clauses_of(Profile.GUIDE))
    for part in ("NON-CONFORMANT", "http://target.test", "1 must fail", f"{requests} requests in 1.2 s", "exit 1"):
        assert part in text


def test_trouble_is_told_in_place_of_clauses() -> None:
    """A target that was not reached has nothing that could be listed."""
    text = printed(REPORTS["unreachable"]())
    assert "the target cannot be reached" in text
    assert "credential" not in text


def test_finding_is_labelled() -> None:
    """As whose it is to mend."""
    assert printed(REPORTS["findings"]()).lstrip().startswith(f"{TARGET}: the same request")


def test_report_has_the_documented_members(tmp_path: Path) -> None:
    """Those that readers may rely on; more may come."""
    folder = write_report(mixed(), tmp_path / "made" / "on-the-way")
    report = json.loads((folder / "results.json").read_text("utf-8"))
    assert {name: report[name] for name in ("schema", "verdict", "exit_code", "profile", "target", "seed")} == {
        "schema": 1,
        "verdict": "NON-CONFORMANT",
        "exit_code": 1,
        "profile": "guide",
        "target": "http://target.test",
        "seed": 7,
    }
    assert report["readings"] == {"scope_refusal": "401", "aal2_refusal": "401", "key_required_on": "creating"}
    assert {"suite_version", "contract_version"} <= set(report)


@pytest.mark.parametrize("clause", SPECIAL)
def test_report_has_the_outcome_and_the_message_of_a_clause(clause: str) -> None:
    """As the summary tells them."""
    row = next(row for row in results_json(mixed(), Scripts())["clauses"] if row["id"] == clause)
    assert (row["outcome"], row["message"]) == (SPECIAL[clause][0].value, SPECIAL[clause][1])


def test_report_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    """A reader never sees half a report, and nothing else is left in the folder."""
    write_report(mixed(), tmp_path)
    write_report(REPORTS["green"](), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(ARTEFACTS)
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["verdict"] == "CONFORMANT"


def test_dropped_case_is_marked() -> None:
    """So that nobody takes it for what its clause rests on."""
    cases = [
        CaseResult("credential.missing", "a", Outcome.PASS),
        CaseResult("credential.missing", "b", Outcome.INAPPLICABLE, dropped=True),
    ]
    row = next(row for row in results_json(report_of(cases), Scripts())["clauses"] if row["id"] == "credential.missing")
    assert [(case["case"], case.get("dropped", False)) for case in row["cases"]] == [("b", True), ("a", False)]


def test_unproven_is_what_shows_nothing() -> None:
    """Neither that a clause is kept nor that it is violated."""
    shown = {Outcome.PASS, Outcome.FAIL, Outcome.WARN}
    assert {result.id for result in mixed().unproven_clauses} == {
        clause for clause, (outcome, _) in SPECIAL.items() if outcome not in shown
    }


@pytest.mark.parametrize(("folder", "place"), [(None, "report.html (--report DIR)"), ("a/b", "a/b/report.html")])
def test_report_is_where_it_was_written(folder: str | None, place: str) -> None:
    """Only where there is none, how to have one."""
    lines = "\n".join(render_lines(summary_lines(mixed(), folder=folder), width=200, styled=False))
    assert (place in lines, "--report DIR" in lines) == (True, folder is None)
