"""`summary.md`: what a reader of a pull request must know, for the summary of a CI step."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup

from paylera_conformance.model.outcomes import ClauseResult, Outcome
from paylera_conformance.reports.causes import find_causes, main_causes
from paylera_conformance.reports.frame import template_environment
from paylera_conformance.reports.model import RunReport
from paylera_fixtures.clauses import BY_ID, Level

SUMMARY_NAME: Final = "summary.md"
_SHOWN: Final = 30
"""Violations shown in full: a step's summary may hold 1 MiB."""

_ACTIVE: Final = re.compile(r"[\\`*_{}\[\]()<>#+!|~&-]")
"""What could mean something in Markdown."""

_COLUMNS: Final = (Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.PENDING)


def summary_markdown(report: RunReport) -> str:
    """The page. Every value is escaped, but those that the template marks as safe, which are the suite's own words."""
    environment = template_environment(
        finalize=lambda value: value if isinstance(value, Markup) else escape_markdown(str(value))
    )
    environment.filters["fence"] = fence
    groups = [*report.groups(), ("**all**", report.results)]
    page = environment.get_template("summary.md.j2").render(
        report=report,
        facts=report.facts,
        columns=[*_COLUMNS, "unproven"],
        groups=[(group, _count_by_column(rows)) for group, rows in groups],
        violations=sorted(report.violated_clauses, key=lambda row: row.outcome.rank),
        shown=_SHOWN,
        clauses=BY_ID,
        causes=main_causes(report),
        unproven=find_causes(report),
        outcomes={row.id: row.outcome for row in report.results},
        left=report.left_behind[:_SHOWN],
    )
    return page + "\n"


def escape_markdown(text: str) -> str:
    """Text of a target's, with nothing in it that Markdown would act upon."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def fence(text: str) -> Markup:
    """Text as it is, in a fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return Markup(f"{marks}text\n{text}\n{marks}")  # noqa: S704 - in a fence nothing of it is markup


def _count_by_column(rows: Iterable[ClauseResult]) -> list[str]:
    """For each column of the table how many clauses it has, as `must / should`; empty for none."""
    counts = Counter((row.outcome if row.outcome in _COLUMNS else "unproven", row.level) for row in rows)
    numbers = [(counts[column, Level.MUST], counts[column, Level.SHOULD]) for column in (*_COLUMNS, "unproven")]
    return [f"{musts} / {shoulds}" if musts or shoulds else "" for musts, shoulds in numbers]
