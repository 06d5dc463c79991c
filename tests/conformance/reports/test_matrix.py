"""The matrix of a run: its rows and columns, how much was looked at, and what a clause says of its operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.report_cases import FACTS, case_of
from paylera_conformance.model.case_results import CaseResult, CellNote
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import RunReport, report_on
from paylera_conformance.reports.repeat import Scripts
from paylera_conformance.reports.results import results_json

LIST, READ = "GET /v1/customers", "GET /v1/customers/{id}"


def cell(rule: str, operation: str, clause: str, outcome: Outcome = Outcome.PASS, **members: object) -> CaseResult:
    """A case that is a cell, of which one request is told with another cell."""
    note = CellNote(rule, operation, ("", "HEAD"), shared=1)
    return case_of(clause, outcome, f"test_it[{rule}-{operation}]", cell=note, **members)


CELLS = (
    cell("revoked", LIST, "token.revoked", connections=24),
    cell("revoked", READ, "token.revoked", Outcome.FAIL),
    cell("unknown", LIST, "token.unknown", instants=2),
    cell("unknown", READ, "token.unknown", Outcome.INAPPLICABLE, dropped=True),
)


@pytest.fixture
def run() -> RunReport:
    """A run with two rules on two operations, and a case that is none of them."""
    return report_on(FACTS, [*CELLS, case_of("credential.accepted", Outcome.PASS)])


def test_cells_stand_in_rows_and_columns(run: RunReport) -> None:
    """What dropped out is none."""
    picture = MatrixPicture(run)
    assert [(row.rule, sorted(row.cells)) for row in picture.rows] == [("unknown", [LIST]), ("revoked", [LIST, READ])]
    assert picture.operations == [LIST, READ]


def test_sentence_counts_the_operations_on_which_a_clause_was_shown(run: RunReport) -> None:
    """Those on which it was violated, too."""
    assert list(MatrixPicture(run).sentences()) == [
        "token.unknown 1 of 1 operations",
        "token.revoked 1 of 2 operations",
    ]


def test_clause_names_the_operations_on_which_it_was_violated(run: RunReport) -> None:
    """Before what was seen on the first of them."""
    message = next(row.message for row in run.results if row.id == "token.revoked")
    assert message.startswith(f"on 1 of 2 operations ({READ}): fail of token.revoked")


def test_what_cells_share_is_counted_once(run: RunReport) -> None:
    """Four cells of three requests, one of which is told with another, and a case of three."""
    assert run.requests == 4 * 2 + 3


def test_results_have_every_cell_and_how_much_was_looked_at(run: RunReport) -> None:
    """For programs that draw a picture of their own."""
    results = results_json(replace(run), Scripts())
    assert [(row["rule"], row["operation"], row["outcome"]) for row in results["matrix"]] == [
        ("unknown", LIST, "pass"),
        ("revoked", LIST, "pass"),
        ("revoked", READ, "fail"),
    ]
    assert results["looked_at"] == {
        "rules": 2,
        "operations": 2,
        "cells": 3,
        "features": 2,
        "connections": 24,
        "instants": 2,
    }
