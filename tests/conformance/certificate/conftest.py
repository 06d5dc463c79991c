"""A made-up run that reaches every level, and the suite that would have made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest

from helpers.certified_run import CASES, NOW, all_cases, case_of, evidence, facts_of
from paylera_conformance.certificate.levels import Suite
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.reports.model import RunReport, report_on
from paylera_fixtures.clauses import CLAUSES, CONTRACT_VERSION


@pytest.fixture
def suite() -> Suite:
    """The suite that made the run, with its plan."""
    plan = {clause.id: frozenset(CASES) for clause in CLAUSES}
    return Suite(plan, "1.0", "5" * 64, CONTRACT_VERSION, "c" * 64)


@pytest.fixture
def run_of() -> Callable[..., RunReport]:
    """Makes runs: `changed` gives cases in place of those of the same name, `without` names cases that are missing.

    Further arguments are the run's facts.
    """

    def make(changed: Iterable[CaseResult] = (), without: Iterable[tuple[str, str]] = (), **facts: Any) -> RunReport:
        cases = {(case.clause, case.case): case for case in all_cases()}
        cases |= {(case.clause, case.case): case for case in changed}
        kept = [case for name, case in cases.items() if name not in set(without)]
        return report_on(facts_of(**facts), kept)

    return make


@pytest.fixture
def case() -> Callable[..., CaseResult]:
    """Makes a case: the clause, the name, and what is other than in one that passed."""
    return case_of


@pytest.fixture
def sent_to() -> Callable[[str], dict[str, Any]]:
    """Makes the record of an exchange with a base URL."""
    return evidence


@pytest.fixture
def now() -> datetime:
    """An hour after the run's end."""
    return NOW
