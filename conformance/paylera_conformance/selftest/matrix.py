"""The kill matrix: every mutant, dialect and null server with what came of it, as JSON and as one page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from paylera_conformance.reports.frame import render
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.null_servers import NullResult
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, SelftestFinding, judge_mutant
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CLAUSES, CONTRACT_VERSION

SCHEMA: Final = 1
JSON_NAME: Final = "kill-matrix.json"
PAGE_NAME: Final = "kill-matrix.html"


@dataclass(frozen=True)
class Matrix:
    """What a selftest found. `complete` is false where only some mutants were run."""

    mutants: Sequence[Mutant]
    results: Mapping[str, MutantResult]
    nulls: Sequence[NullResult]
    seconds: float
    complete: bool
    breadth: Breadth

    def finding(self, mutant: Mutant) -> SelftestFinding:
        """What came of a mutant or dialect."""
        return judge_mutant(mutant, self.results[mutant.id])

    @property
    def is_good(self) -> bool:
        """Whether every mutant was caught, every dialect tolerated, and no null server passed anything."""
        is_wrong = any(null.is_wrongly_accepted for null in self.nulls)
        return not is_wrong and all(self.finding(mutant).is_good for mutant in self.mutants)

    def figures(self) -> dict[str, int]:
        """The four figures, each as a part and a whole."""
        mutants = [mutant for mutant in self.mutants if not mutant.is_dialect and not mutant.operation]
        holes = [mutant for mutant in self.mutants if mutant.operation]
        dialects = [mutant for mutant in self.mutants if mutant.is_dialect]
        return {
            "mutants": len(mutants),
            "mutants_caught": sum(self.finding(mutant).is_good for mutant in mutants),
            "subtle_mutants": sum(mutant.subtle for mutant in mutants),
            "holes": len(holes),
            "holes_caught": sum(self.finding(hole).is_good for hole in holes),
            "dialects": len(dialects),
            "dialects_tolerated": sum(self.finding(dialect).is_good for dialect in dialects),
            "null_servers": len(self.nulls),
            "null_servers_fooling": sum(null.is_wrongly_accepted for null in self.nulls),
        }

    def shares(self) -> list[tuple[int, int, str]]:
        """The four figures as people read them: how many of how many did what; without those of which none was run."""
        counts = self.figures()
        rejected = counts["null_servers"] - counts["null_servers_fooling"]
        shares = (
            (counts["mutants_caught"], counts["mutants"], "wrong servers caught, each by the clauses it breaks"),
            (counts["holes_caught"], counts["holes"], "rules dropped on one operation, each caught there"),
            (counts["dialects_tolerated"], counts["dialects"], "right servers of another dialect tolerated"),
            (rejected, counts["null_servers"], "servers that do nothing useful rejected"),
        )
        return [share for share in shares if share[1]]

    def rows(self) -> list[Mutant]:
        """The mutants and dialects, the worst findings first."""
        order = list(SelftestFinding)
        return sorted(self.mutants, key=lambda mutant: order.index(self.finding(mutant)))

    def to_json(self) -> dict[str, Any]:
        """As `kill-matrix.json` has it."""
        return {
            "schema": SCHEMA,
            "suite_version": VERSION,
            "contract_version": CONTRACT_VERSION,
            "complete": self.complete,
            "breadth": self.breadth.value,
            "seconds": round(self.seconds, 1),
            "figures": self.figures(),
            "variants": [self._row(mutant) for mutant in self.rows()],
            "null_servers": [{**msgspec.to_builtins(null), "fooled": null.is_wrongly_accepted} for null in self.nulls],
        }

    def _row(self, mutant: Mutant) -> dict[str, Any]:
        return {
            "id": mutant.id,
            "kind": mutant.kind,
            "says": mutant.description,
            "profile": mutant.profile.value,
            "subtle": mutant.subtle,
            "finding": self.finding(mutant).value,
            "breaks": mutant.breaks,
            "may_break": mutant.may_break,
            **msgspec.to_builtins(self.results[mutant.id]),
        }


def write_matrix(matrix: Matrix, directory: str) -> Path:
    """Write the matrix as JSON and as a page into a directory, made if need be; gives the page's path."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON_NAME).write_text(json.dumps(matrix.to_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    page = folder / PAGE_NAME
    page.write_text(render_page(matrix), "utf-8")
    return page


def render_page(matrix: Matrix) -> str:
    """One page without network: the mutants, the worst findings first, each clause with its mutants, null servers."""
    selection = "" if matrix.complete else ", a selection"
    return render(
        "kill-matrix.html.j2",
        styles=["matrix.css"],
        about=f"Suite {VERSION}, contract {CONTRACT_VERSION}, {matrix.seconds:.0f} s{selection}",
        figures=[{"part": part, "whole": whole, "says": says} for part, whole, says in matrix.shares()],
        variants=[_page_row(matrix, mutant) for mutant in matrix.rows()],
        clauses=_clauses(matrix),
        nulls=matrix.nulls,
    )


def _clauses(matrix: Matrix) -> list[tuple[str, list[str]]]:
    """Each clause with the mutants that break it; a clause that none breaks is shown for a complete run only."""
    rows = [(clause.id, [row.id for row in matrix.mutants if clause.id in row.breaks]) for clause in CLAUSES]
    return [(clause, breaking) for clause, breaking in rows if breaking or matrix.complete]


def _page_row(matrix: Matrix, mutant: Mutant) -> dict[str, Any]:
    finding, result = matrix.finding(mutant), matrix.results[mutant.id]
    return {
        "id": mutant.id,
        "finding": finding.value,
        "is_good": finding.is_good,
        "subtle": mutant.subtle,
        "says": mutant.description,
        "violated": [
            {"id": clause, "extra": clause not in mutant.may_violate, "message": result.messages.get(clause, "")}
            for clause in result.violated
        ],
    }
