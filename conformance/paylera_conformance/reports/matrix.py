"""The matrix of a run: what came of each rule on each operation, and how much was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct, structs

from paylera_conformance.model.case_results import CaseResult, Count
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport
from paylera_fixtures.clauses import BY_ID


class LookedAt(Struct, frozen=True):
    """How much a run looked at.

    - `rules`, `operations`: of the matrix, `cells` what was looked at of it, and `features` how many combinations of
      features the calls had;
    - `connections`: of their own, on which it was looked whether all processes behind the target agree;
    - `instants`: at how many instants after time had passed.
    """

    rules: Count
    operations: Count
    cells: Count
    features: Count
    connections: Count
    instants: Count

    def __str__(self) -> str:
        extent = f"{self.rules} rules by {self.operations} operations, {self.features} combinations of features"
        return f"{extent}; {self.connections} connections, {self.instants} instants"


@dataclass(frozen=True)
class MatrixRow:
    """One rule: its name, its clause, and its cases by operation."""

    rule: str
    clause: str
    cells: Mapping[str, CaseResult]


class MatrixPicture:
    """The rules as rows, the operations as columns; a cell that was dropped is none.

    - `rows`: in the order of the contract; `operations`: by path;
    - `features`: how many combinations of features their calls had.
    """

    def __init__(self, report: RunReport) -> None:
        cells = [(case.cell, case) for case in report.cases if case.cell and not case.dropped]
        found: dict[tuple[str, str], dict[str, CaseResult]] = {}
        for cell, case in cells:
            row = found.setdefault((case.clause, cell.rule), {})
            row |= dict.fromkeys(cell.held, structs.replace(case, outcome=Outcome.PASS)) | {cell.operation: case}
        order = list(BY_ID)
        names = sorted(found, key=lambda name: (order.index(name[0]), name[1]))
        self.rows = [MatrixRow(rule, clause, found[clause, rule]) for clause, rule in names]
        self.operations = sorted(
            {name for row in self.rows for name in row.cells}, key=lambda name: name.split(" ")[::-1]
        )
        self.features = len({features for cell, _ in cells for features in cell.features})

        self.looked_at = LookedAt(
            rules=len(self.rows),
            operations=len(self.operations),
            cells=sum(len(row.cells) for row in self.rows),
            features=self.features,
            connections=sum(case.connections for case in report.cases),
            instants=sum(case.instants for case in report.cases),
        )

    @cached_property
    def clauses(self) -> Mapping[str, tuple[int, int]]:
        """For each clause on how many operations it was shown, and of how many."""
        counts = {}
        for clause in dict.fromkeys(row.clause for row in self.rows):
            rows = [row for row in self.rows if row.clause == clause]
            operations = {name for row in rows for name in row.cells}
            held = [name for name in operations if all(_holds(row.cells.get(name)) for row in rows)]
            counts[clause] = (len(held), len(operations))
        return counts

    def sentences(self) -> Iterator[str]:
        """A line for each clause, as `token.revoked 44 of 44 operations`."""
        for clause, (held, among) in self.clauses.items():
            yield f"{clause} {held} of {among} operations"


def _holds(case: CaseResult | None) -> bool:
    return case is None or case.outcome is Outcome.PASS
