"""Why clauses are unproven: each cause once, with the clauses that hang on it.

One wrong answer may block fifty clauses, each with a sentence of its own about the request that it was met with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Final

from msgspec import Meta, Struct

from paylera_conformance.model.outcomes import ClauseResult, Outcome
from paylera_conformance.reports.answers import CHANCE
from paylera_conformance.reports.model import RunReport
from paylera_fixtures.clauses import BY_ID

MANY: Final = 5
"""A cause of so many clauses is told before all else."""

_SEE: Final = re.compile(r"\(see ([\w-]+\.[\w-]+)\)")
_ANSWERED: Final = re.compile(r"^.* (was answered .*)$")
_BESIDE: Final = re.compile(r" \(beside [^)]*\)")
_COUNTED: Final = re.compile(r"^only \d+ of its \d+ cases ran$")
_AMONG: Final = re.compile(r"^on \d+ of \d+ operations \([^:]*\): ")


class Cause(Struct, frozen=True):
    """What keeps clauses from being shown.

    - `says`: in a line, what was seen; `clause`: the violated clause on which they wait, empty where it is none;
    - `clauses`: those that hang on it.
    """

    says: str
    clause: Annotated[str, Meta(description="the clause that was not kept; empty where none is named")]
    clauses: tuple[str, ...]


def find_causes(report: RunReport, results: Iterable[ClauseResult] | None = None) -> list[Cause]:
    """The causes of what is unproven, those of most clauses first.

    - `results`: the clauses to be explained, all that are unproven where not given.
    """
    found: dict[str, list[ClauseResult]] = {}
    for result in report.unproven_clauses if results is None else results:
        found.setdefault(_key(result), []).append(result)
    causes = [_cause(report, rows) for rows in found.values()]
    return sorted(causes, key=lambda cause: -len(cause.clauses))


def main_causes(report: RunReport) -> list[str]:
    """A line for each cause on which many clauses hang."""
    blocked = [result for result in report.unproven_clauses if result.outcome in {Outcome.BLOCKED, Outcome.ERROR}]
    total = len(report.results)
    return [
        f"{len(cause.clauses)} of {total} clauses hang on one cause: {cause.says}"
        for cause in find_causes(report, blocked)
        if len(cause.clauses) >= MANY
    ]


def _key(result: ClauseResult) -> str:
    """What clauses of one cause have in common: the clause that is named, or what was answered, without chance."""
    see = _see(result)
    if see:
        return f"{result.outcome} {see}"
    plain = _COUNTED.sub("only some of their cases ran", _AMONG.sub("", result.message))
    answered = _ANSWERED.match(plain)
    return f"{result.outcome} {CHANCE.sub(_keep_status, answered[1] if answered else plain)}"


def _keep_status(found: re.Match[str]) -> str:
    return found[0] if re.fullmatch(r"[1-5]\d\d", found[0]) else "…"


def _see(result: ClauseResult) -> str:
    named = _SEE.search(result.message)
    return named[1] if named and named[1] in BY_ID else ""


def _cause(report: RunReport, rows: list[ClauseResult]) -> Cause:
    see, first = _see(rows[0]), _AMONG.sub("", rows[0].message)
    by_id = {result.id: result for result in report.results}
    named = by_id.get(see)
    if named is not None and named.outcome in {Outcome.FAIL, Outcome.WARN}:
        says = f"{see} is violated: {_BESIDE.sub('', _AMONG.sub('', named.message))}"
    else:
        says = _COUNTED.sub("only some of their cases ran", first) if len(rows) > 1 else first
    return Cause(says, see, tuple(row.id for row in rows))
