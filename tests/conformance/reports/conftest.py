"""A run in which every outcome occurs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helpers.report_cases import EVIL, FACTS, SPECIAL, case_of
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport, report_on
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.vocabulary import Profile


@pytest.fixture(scope="session")
def make_report() -> Callable[..., RunReport]:
    """Makes reports of cases; further arguments replace facts of the run."""

    def make(cases: Sequence[CaseResult] = (), **facts: Any) -> RunReport:
        return report_on(replace(FACTS, **facts), cases)

    return make


@pytest.fixture(scope="session")
def make_case() -> Callable[..., CaseResult]:
    """Makes cases."""
    return case_of


@pytest.fixture(scope="session")
def special() -> Mapping[str, Outcome]:
    """What became of the clauses that did not pass in `mixed`."""
    return SPECIAL


@pytest.fixture(scope="session")
def evil() -> str:
    """What the hostile target writes."""
    return EVIL


@pytest.fixture(scope="session")
def mixed(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which every outcome occurs."""
    cases = [case_of(row.id, SPECIAL.get(row.id, Outcome.PASS)) for row in clauses_of(Profile.GUIDE)]
    dropped = case_of("scope.granted", Outcome.INAPPLICABLE, "test_it[dropped]", dropped=True)
    left = case_of("scope.granted", Outcome.PASS, "test_it[left]", left_behind=("customer cus_1",))
    return make_report([*cases, dropped, left])


@pytest.fixture(scope="session")
def green(make_report: Callable[..., RunReport]) -> RunReport:
    """A run in which everything passes."""
    cases = [case_of(row.id, Outcome.PASS) for row in clauses_of(Profile.GUIDE)]
    return make_report(cases, known=(), selection=(), findings=())


@pytest.fixture(scope="session")
def read_json() -> Callable[[Path], Any]:
    """Reads a file of JSON."""
    return lambda path: json.loads(path.read_text("utf-8"))
