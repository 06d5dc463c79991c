"""The kill matrix: every variant and every null server with what came of it, as JSON and as one page."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from paylera_conformance.selftest.nulls import NullResult
from paylera_conformance.selftest.verdicts import Finding, VariantResult, judge_variant
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CLAUSES, CONTRACT_VERSION, GROUPS
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


_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; --soft: #8882; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 2.5rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { position: sticky; top: 0; background: Canvas; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; list-style: none; }
.figures li { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem; }
.figures b { font-size: 1.6rem; display: block; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
details summary { cursor: pointer; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --good: #81c784; } }
"""


def render_page(matrix: Matrix) -> str:
    """One page without network: the variants with survivors first, each clause with its mutants, null servers."""
    figures = matrix.figures()
    selection = "" if matrix.complete else ", a selection"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Paylera conformance: kill matrix</title><style>{_STYLE}</style><h1>What the suite catches</h1>",
        f"<p>Suite {VERSION}, contract {CONTRACT_VERSION}, {matrix.seconds:.0f} s{selection}.</p>",
        "<ul class=figures>",
        _figure(figures["mutants_caught"], figures["mutants"], "wrong servers caught, each by the clause it breaks"),
        _figure(figures["dialects_tolerated"], figures["dialects"], "right servers of another dialect left in peace"),
        _figure(
            figures["null_servers"] - figures["null_servers_fooling"], figures["null_servers"],
            "servers that do nothing useful seen through",
        ),
        "</ul>",
        _table("Variants, the worst findings first", ("finding", "variant", "what is different", "clauses violated"), (
            _variant_cells(matrix, variant) for variant in matrix.rows()
        )),
        _table("Clauses, and the mutants that break them", ("clause", "mutants"), _clause_rows(matrix)),
        _table("Null servers", ("server", "verdict", "what the run said first"), _null_rows(matrix)),
        "</html>",
    ]  # fmt: skip
    return "\n".join(parts)


def _figure(part: int, whole: int, says: str) -> str:
    return f"<li class={'good' if part == whole else 'bad'}><b>{part} of {whole}</b>{html.escape(says)}</li>"


def _table(title: str, heads: Sequence[str], rows: Any) -> str:
    head = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in heads)
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<h2>{html.escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _variant_cells(matrix: Matrix, variant: Variant) -> tuple[str, ...]:
    finding, result = matrix.finding(variant), matrix.results[variant.id]
    mark = "good" if finding.is_good else "bad"
    name = f"<code>{html.escape(variant.id)}</code>{' (subtle)' if variant.subtle else ''}"
    return (
        f"<span class={mark}>{finding}</span>", name, html.escape(variant.says), _violated_cell(variant, result)
    )  # fmt: skip


def _violated_cell(variant: Variant, result: VariantResult) -> str:
    if not result.violated:
        return "none"
    items = []
    for clause in result.violated:
        mark = "" if clause in variant.may else " class=bad"
        items.append(f"<div{mark}><code>{clause}</code> {html.escape(result.messages.get(clause, ''))}</div>")
    return f"<details><summary>{', '.join(result.violated)}</summary>{''.join(items)}</details>"


def _clause_rows(matrix: Matrix) -> list[tuple[str, str]]:
    rows = []
    for clause in CLAUSES:
        breaking = [variant.id for variant in matrix.variants if clause.id in variant.breaks]
        cell = ", ".join(f"<code>{html.escape(name)}</code>" for name in breaking) or "none"
        rows.append((f"<code>{clause.id}</code><br>{html.escape(GROUPS[clause.group])}", cell))
    return rows


def _null_rows(matrix: Matrix) -> list[tuple[str, str, str]]:
    return [
        (
            f"<code>{html.escape(null.name)}</code>",
            f"<span class={'bad' if null.fooled else 'good'}>{html.escape(null.verdict)}, exit {null.exit_code}</span>",
            html.escape(null.first_line),
        )
        for null in matrix.nulls
    ]
