"""`junit.xml`, as continuous integration servers read it: a test case for each case, a suite for each group.

- a pass: a plain `testcase`;
- `fail`, and a `warn` under `--strict`, where it fails the run: `failure`;
- `error`: `error`;
- everything else, a `warn` of other runs too: `skipped`, since it fails no run. Its message begins with the outcome;
- the verdict: a case of its own, which fails where the exit code is not 0. Without it a run that proved nothing would
  look green.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Final

from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite
from junitparser.junitparser import FinalResult
from junitparser.xunit2 import TestCase

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome
from paylera_conformance.reports.model import RunReport

JUNIT_NAME: Final = "junit.xml"

# What XML 1.0 cannot hold (section 2.2), escaped or not.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: RunReport) -> str:
    """The document."""
    root = JUnitXml("paylera-conformance")
    root.append(_suite(report, "verdict", [_verdict_case(report)]))
    for group, rows in report.groups():
        root.append(_suite(report, group, (case for row in rows for case in _clause_cases(report, row))))
    root.update_statistics()
    file = BytesIO()
    root.write(file, pretty=True)
    return file.getvalue().decode("utf-8")


def _suite(report: RunReport, name: str, cases: Iterable[TestCase]) -> TestSuite:
    suite = TestSuite(name)
    suite.timestamp = report.facts.started_at
    suite.extend(cases)
    return suite


def _verdict_case(report: RunReport) -> TestCase:
    facts = report.facts
    said = {"target": facts.target, "profile": facts.profile, "run_id": facts.run_id, "seed": str(facts.seed)}
    case = _test_case(
        "verdict", "verdict", 0.0, {"verdict": report.verdict, "exit_code": str(report.exit_code), **said}
    )
    if report.exit_code != ExitCode.CONFORMANT:
        kind = Failure if report.exit_code == ExitCode.FAILED else Error
        title = f"{report.verdict} (exit {report.exit_code})"
        _add_result(case, kind(title, title), report.reason)
    return case


def _clause_cases(report: RunReport, result: ClauseResult) -> Iterator[TestCase]:
    untouched = CaseResult(result.id, "no case", result.outcome, result.message)
    for case in report.cases_of(result.id) or [untouched]:
        properties = {"clause": case.clause, "level": result.level, "outcome": case.outcome}
        if case.time_evidence:
            properties["time_evidence"] = case.time_evidence
        element = _test_case(case.clause, case.case, case.seconds, properties)
        message = _writable(f"{case.outcome}: {case.headline}")
        if case.outcome is Outcome.FAIL or (case.outcome is Outcome.WARN and report.facts.strict):
            _add_result(element, Failure(message, case.outcome), case.message)
        elif case.outcome is Outcome.ERROR:
            _add_result(element, Error(message, case.outcome), case.message)
        elif case.outcome is not Outcome.PASS:
            _add_result(element, Skipped(message), case.message)
        yield element


def _test_case(group: str, name: str, seconds: float, properties: Mapping[str, str]) -> TestCase:
    case = TestCase(_writable(name), group, round(seconds, 3))
    for key, value in properties.items():
        case.add_property(key, _writable(value))
    return case


def _add_result(case: TestCase, result: FinalResult, text: str) -> None:
    result.text = _writable(text)
    case.append(result)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
