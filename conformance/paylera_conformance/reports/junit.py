"""`junit.xml`, as continuous integration servers read it: a test case for each case, a suite for each group.

- a pass: a plain `testcase`;
- `fail`, and a `warn` under `--strict`, where it fails the run: `failure`;
- `error`: `error`;
- everything else, a `warn` of other runs too: `skipped`, since it fails no run. Its message begins with the outcome;
- the verdict: a case of its own, which fails where the exit code says that something is amiss. Without it a run that
  proved nothing would look green.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome
from paylera_conformance.reports.model import RunReport, because, group_of
from paylera_fixtures.clauses import GROUPS, Level

JUNIT_NAME: Final = "junit.xml"

# What XML 1.0 cannot hold (section 2.2), escaped or not.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: RunReport) -> str:
    """The document."""
    root = ET.Element("testsuites", name="paylera-conformance")
    root.append(_suite(report, "verdict", [_verdict(report)]))
    for group in GROUPS:
        rows = [result for result in report.results if group_of(result) == group]
        cases = [element for result in rows for element in _clause(report, result)]
        if cases:
            root.append(_suite(report, group, cases))
    _count(root, list(root.iter("testcase")))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: RunReport, name: str, cases: Iterable[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", name=name, timestamp=report.facts.started_at)
    suite.extend(cases)
    _count(suite, list(suite))
    return suite


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    """Say of a suite how many cases it has, and what became of them."""
    element.set("tests", str(len(cases)))
    for name, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(child) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _verdict(report: RunReport) -> ET.Element:
    case = ET.Element("testcase", classname="verdict", name="verdict", time="0.000")
    facts = report.facts
    said = {"target": facts.target, "profile": facts.profile.value, "run_id": facts.run_id, "seed": str(facts.seed)}
    _properties(case, {"verdict": report.verdict.value, "exit_code": str(report.exit_code), **said})
    if report.exit_code != ExitCode.CONFORMANT:
        kind = "failure" if report.exit_code == ExitCode.FAILED else "error"
        reason = facts.trouble or because(report)
        _outcome(case, kind, f"{report.verdict} (exit {report.exit_code})", reason)
    return case


def _clause(report: RunReport, result: ClauseResult) -> list[ET.Element]:
    cases = report.cases_of(result.id)
    if not cases:
        untouched = CaseResult(result.id, "no case", result.outcome, headline=result.message)
        return [_case(untouched, result.level, strict=False)]
    return [_case(case, result.level, strict=report.facts.strict) for case in cases]


def _case(case: CaseResult, level: Level, *, strict: bool) -> ET.Element:
    element = ET.Element("testcase", classname=case.clause, name=_writable(case.case), time=f"{case.seconds:.3f}")
    facts = {"clause": case.clause, "level": level.value, "outcome": case.outcome.value}
    _properties(element, facts | ({"time_evidence": case.time_evidence} if case.time_evidence else {}))
    if case.outcome is Outcome.PASS:
        return element
    kind = {Outcome.FAIL: "failure", Outcome.ERROR: "error"}.get(case.outcome, "skipped")
    if case.outcome is Outcome.WARN and strict:
        kind = "failure"
    _outcome(element, kind, f"{case.outcome}: {case.headline}", case.message)
    return element


def _properties(case: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(case, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_writable(value))


def _outcome(case: ET.Element, kind: str, message: str, text: str) -> None:
    element = ET.SubElement(case, kind, message=_writable(message))
    if kind != "skipped":
        element.set("type", message.partition(":")[0])
    element.text = _writable(text)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
