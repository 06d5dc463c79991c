"""`junit.xml` is read by continuous integration servers as the run is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.junit import junit_xml
from paylera_conformance.reports.model import RunReport

KINDS = {Outcome.PASS: None, Outcome.FAIL: "failure", Outcome.ERROR: "error"}


def parsed(report: RunReport) -> ET.Element:
    """The document as a reader gets it."""
    return ET.fromstring(junit_xml(report))  # noqa: S314 - our own document


def kind_of(case: ET.Element) -> str | None:
    """What became of a test case, in JUnit's words; `None` for a pass."""
    return next((child.tag for child in case if child.tag != "properties"), None)


def case_of(report: RunReport, clause: str) -> ET.Element:
    """The first test case of a clause."""
    return next(case for case in parsed(report).iter("testcase") if case.get("classname") == clause)


def test_every_outcome_has_its_element(mixed: RunReport, special: Mapping[str, Outcome]) -> None:
    """A failure is one, an error is one; what fails no run is skipped."""
    found = {clause: kind_of(case_of(mixed, clause)) for clause in special}
    assert found == {clause: KINDS.get(outcome, "skipped") for clause, outcome in special.items()}


def test_pass_has_no_element(green: RunReport) -> None:
    """Nor has the verdict of a run that is in order."""
    assert {kind_of(case) for case in parsed(green).iter("testcase")} == {None}


def test_finding_under_strict_is_a_failure(
    make_report: Callable[..., RunReport], make_case: Callable[..., Any]
) -> None:
    """There it fails the run."""
    report = make_report([make_case("problem.media-type", Outcome.WARN)], strict=True)
    assert kind_of(case_of(report, "problem.media-type")) == "failure"


def test_skipped_case_says_why(mixed: RunReport) -> None:
    """A server that lists skipped tests shows the outcome and the reason."""
    skipped = case_of(mixed, "credential.missing").find("skipped")
    assert skipped is not None
    assert skipped.get("message", "").startswith("blocked: blocked of credential.missing")


def test_case_has_clause_level_and_outcome(mixed: RunReport) -> None:
    """As properties, for servers that can filter by them."""
    properties = {each.get("name"): each.get("value") for each in case_of(mixed, "scope.required").iter("property")}
    assert properties == {"clause": "scope.required", "level": "must", "outcome": "fail"}


def test_suites_are_the_groups(mixed: RunReport) -> None:
    """After the verdict, in the order of the contract."""
    names = [suite.get("name") for suite in parsed(mixed)]
    assert names[:4] == ["verdict", "credential", "token", "audience"]


def test_counts_are_right(mixed: RunReport) -> None:
    """Those of the whole are the sums of the suites'."""
    root = parsed(mixed)
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name, "")) == sum(int(suite.get(name, "")) for suite in root) > 0


def test_untouched_clause_is_skipped(make_report: Callable[..., RunReport]) -> None:
    """A clause of which no case ran is not left out."""
    assert kind_of(case_of(make_report([]), "scope.required")) == "skipped"


VERDICTS = {"nothing-ran": ({}, "error"), "unreachable": ({"trouble": "no answer", "trouble_exit": 13}, "error")}


@pytest.mark.parametrize(("facts", "kind"), VERDICTS.values(), ids=VERDICTS)
def test_run_without_proof_is_not_green(
    make_report: Callable[..., RunReport], facts: dict[str, Any], kind: str
) -> None:
    """A server that reads this file alone must not take it for a success."""
    assert kind_of(case_of(make_report([], **facts), "verdict")) == kind


def test_failed_run_fails_its_verdict(mixed: RunReport) -> None:
    """With the verdict as message."""
    failure = case_of(mixed, "verdict").find("failure")
    assert failure is not None
    assert failure.get("message") == "NON-CONFORMANT (exit 1)"


def test_hostile_text_arrives_as_text(mixed: RunReport) -> None:
    """What XML cannot hold is spelled out; markup is none."""
    text = case_of(mixed, "scope.required").findtext("failure")
    assert text is not None
    assert "</script><script>evil()" in text
    assert "\\x00\\x1b[2J" in text
