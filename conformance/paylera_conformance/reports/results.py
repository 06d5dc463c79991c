"""`results.json`: what came of each clause, and the verdict, for programs to read; and its JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from paylera_conformance.model.case_results import Count
from paylera_conformance.model.messages import Seconds
from paylera_conformance.model.outcomes import CONFIG, TARGET, ClauseResult, Outcome, Verdict
from paylera_conformance.reports.causes import Cause, find_causes
from paylera_conformance.reports.matrix import LookedAt, MatrixPicture
from paylera_conformance.reports.model import RunHeader, RunReport, TimeEvidence, one_of
from paylera_conformance.reports.repeat import Scripts
from paylera_conformance.verdict.known_failures import JudgedFailure
from paylera_fixtures.clauses import BY_ID, Level
from paylera_fixtures.vocabulary import Source

SCHEMA: Final = 1
RESULTS_NAME: Final = "results.json"


class FindingRow(Struct, frozen=True):
    """Seen before the run: `CONFIG` is to be mended by whoever runs the suite, `TARGET` by whoever runs the server."""

    label: Annotated[str, one_of((CONFIG, TARGET))]
    text: str


class CaseRow(Struct, frozen=True, omit_defaults=True):
    """One case of a clause.

    - `dropped`: it was about an operation that the target does not have;
    - `repeat`: the script in the folder of the report that repeats a violation.
    """

    case: str
    outcome: Outcome
    message: str
    requests: Count
    seconds: Seconds
    dropped: Annotated[bool, Meta(extra_json_schema={"const": True})] = False
    repeat: str = ""


class ClauseRow(Struct, frozen=True, kw_only=True):
    """What came of one clause."""

    id: Annotated[str, one_of(BY_ID)]
    outcome: Outcome
    level: Annotated[str, one_of((Level.MUST, Level.SHOULD))]
    message: Annotated[str, Meta(description="of the case that decided, in one line; empty for a pass")]
    source: Source
    section: str
    says: str
    time_evidence: TimeEvidence | UnsetType = UNSET
    cases: tuple[CaseRow, ...]


class MatrixCell(Struct, frozen=True):
    """One rule on one operation. `case`: where its evidence is; `features`: what its calls carried besides."""

    rule: str
    clause: Annotated[str, one_of(BY_ID)]
    operation: str
    outcome: Outcome
    case: str
    features: tuple[str, ...]


class Results(RunHeader, frozen=True, kw_only=True):
    """What `paylera-conformance run --report` found: the facts of the run, the verdict, and every clause."""

    schema: Annotated[int, Meta(extra_json_schema={"const": SCHEMA})]
    verdict: Verdict
    exit_code: Annotated[int, Meta(ge=0, le=255)]
    findings: tuple[FindingRow, ...]
    left_behind: tuple[str, ...]
    requests: Count
    base_urls: Annotated[tuple[str, ...], Meta(description="scheme and host of every URL that evidence came from")]
    known_failures: tuple[JudgedFailure, ...]
    clauses: tuple[ClauseRow, ...]
    matrix: tuple[MatrixCell, ...]
    looked_at: LookedAt
    causes: tuple[Cause, ...] = ()


def results_json(report: RunReport, scripts: Scripts) -> dict[str, Any]:
    """The report as JSON values, in the shape of `Results`; no secret is in it.

    - `scripts`: those that repeat violations.
    """
    facts, picture = report.facts, MatrixPicture(report)
    results = Results(
        **{name: getattr(facts, name) for name in RunHeader.__struct_fields__},
        schema=SCHEMA,
        verdict=report.verdict,
        exit_code=report.exit_code,
        findings=msgspec.convert(facts.findings, tuple[FindingRow, ...], from_attributes=True),
        left_behind=tuple(report.left_behind),
        requests=report.requests,
        base_urls=tuple(report.base_urls),
        known_failures=tuple(report.known),
        clauses=tuple(_clause_row(report, result, scripts) for result in report.results),
        matrix=tuple(
            MatrixCell(
                row.rule, row.clause, operation, case.outcome, case.case, case.cell.features if case.cell else ()
            )
            for row in picture.rows
            for operation, case in row.cells.items()
        ),
        looked_at=picture.looked_at,
        causes=tuple(find_causes(report)),
    )
    written: dict[str, Any] = msgspec.to_builtins(results)
    return written


def _clause_row(report: RunReport, result: ClauseResult, scripts: Scripts) -> ClauseRow:
    clause = BY_ID[result.id]
    cases = msgspec.convert(report.cases_of(result.id), tuple[CaseRow, ...], from_attributes=True)
    return ClauseRow(
        id=result.id,
        outcome=result.outcome,
        level=result.level,
        message=result.message,
        source=clause.source,
        section=clause.section,
        says=clause.says,
        time_evidence=report.time_evidence(result.id) or UNSET,
        cases=tuple(structs.replace(case, repeat=scripts.name_of(result.id, case.case)) for case in cases),
    )


def results_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12. Members may be added to `results.json`; those required here stay."""
    _, found = msgspec.json.schema_components([Results], ref_template="#/$defs/{name}")
    parts = json.loads(msgspec.json.encode(found))  # defaults are JSON values too
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:paylera-testkit:results:{SCHEMA}",
        **parts.pop("Results"),
        "title": "results.json of paylera-conformance",
        "$defs": parts,
    }
