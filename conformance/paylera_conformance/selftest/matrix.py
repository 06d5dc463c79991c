"""The kill matrix: every variant and every null server with what came of it, as JSON and as one page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paylera_conformance.reports.frame import render
from paylera_conformance.selftest.nulls import NullResult
from paylera_conformance.selftest.verdicts import Breadth, Finding, VariantResult, judge_variant
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CLAUSES, CONTRACT_VERSION
from paylera_fixtures.mutants import Kind, Variant

SCHEMA: Final = 1
JSON_NAME: Final = "kill-matrix.json"
PAGE_NAME: Final = "kill-matrix.html"


@dataclass(frozen=True)
class Matrix:
    """What a selftest found. `complete` is false where only some variants were run."""

    variants: Sequence[Variant]
    results: Mapping[str, VariantResult]
    nulls: Sequence[NullResult]
    seconds: float
    complete: bool
    breadth: Breadth

    def finding(self, variant: Variant) -> Finding:
        """What came of a variant."""
        return judge_variant(variant, self.results[variant.id])

    @property
    def is_good(self) -> bool:
        """Whether every mutant was caught, every dialect tolerated, and no null server passed anything."""
        return all(self.finding(variant).is_good for variant in self.variants) and not any(
            null.fooled for null in self.nulls
        )

    def figures(self) -> dict[str, int]:
        """The three figures, each as a part and a whole."""
        mutants = [variant for variant in self.variants if variant.kind is Kind.MUTANT]
        dialects = [variant for variant in self.variants if variant.kind is Kind.DIALECT]
        return {
            "mutants": len(mutants),
            "mutants_caught": sum(self.finding(variant).is_good for variant in mutants),
            "subtle_mutants": sum(variant.subtle for variant in mutants),
            "dialects": len(dialects),
            "dialects_tolerated": sum(self.finding(variant).is_good for variant in dialects),
            "null_servers": len(self.nulls),
            "null_servers_fooling": sum(null.fooled for null in self.nulls),
        }

    def rows(self) -> list[Variant]:
        """The variants, the worst findings first."""
        order = list(Finding)
        return sorted(self.variants, key=lambda variant: order.index(self.finding(variant)))

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
            "variants": [self._row(variant) for variant in self.rows()],
            "null_servers": [null.to_json() for null in self.nulls],
        }

    def _row(self, variant: Variant) -> dict[str, Any]:
        result = self.results[variant.id]
        return {
            "id": variant.id,
            "kind": variant.kind.value,
            "says": variant.says,
            "profile": variant.profile.value,
            "subtle": variant.subtle,
            "finding": self.finding(variant).value,
            "breaks": list(variant.breaks),
            "may_break": list(variant.may_break),
            **{name: value for name, value in result.to_json().items() if name != "id"},
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
    """One page without network: the variants with survivors first, each clause with its mutants, null servers."""
    selection = "" if matrix.complete else ", a selection"
    return render(
        "kill-matrix.html.j2", styles=["base.css", "matrix.css"],
        about=f"Suite {VERSION}, contract {CONTRACT_VERSION}, {matrix.seconds:.0f} s{selection}",
        figures=_figures(matrix.figures()), variants=[_row(matrix, variant) for variant in matrix.rows()],
        clauses=_clauses(matrix),
        nulls=matrix.nulls,
    )  # fmt: skip


def _clauses(matrix: Matrix) -> list[tuple[str, list[str]]]:
    """Each clause with the variants that break it; those that none breaks are told of a complete run only."""
    rows = [(clause.id, [row.id for row in matrix.variants if clause.id in row.breaks]) for clause in CLAUSES]
    return [(clause, breaking) for clause, breaking in rows if breaking or matrix.complete]


def _figures(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    seen_through = counts["null_servers"] - counts["null_servers_fooling"]
    figures = (
        (counts["mutants_caught"], counts["mutants"], "wrong servers caught, each by the clauses it breaks"),
        (counts["dialects_tolerated"], counts["dialects"], "right servers of another dialect left in peace"),
        (seen_through, counts["null_servers"], "servers that do nothing useful seen through"),
    )
    return [{"part": part, "whole": whole, "says": says} for part, whole, says in figures if whole]


def _row(matrix: Matrix, variant: Variant) -> dict[str, Any]:
    finding, result = matrix.finding(variant), matrix.results[variant.id]
    return {
        "id": variant.id,
        "finding": finding.value,
        "is_good": finding.is_good,
        "subtle": variant.subtle,
        "says": variant.says,
        "violated": [
            {"id": clause, "extra": clause not in variant.may, "message": result.messages.get(clause, "")}
            for clause in result.violated
        ],
    }
