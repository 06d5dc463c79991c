"""A run, ended, as plain facts: enough to judge it again and to write every report, without the run itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from paylera_conformance.model.case_results import CaseResult, Scoreboard
from paylera_conformance.model.outcomes import ClauseResult, Outcome, PreflightFinding, Verdict
from paylera_conformance.verdict.known_failures import Judged, KnownFailure, judge_known, judge_with_known
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import BY_ID, CONTRACT_VERSION
from paylera_fixtures.vocabulary import Environment, Profile

TIME_DEPENDENT: Final = frozenset({
    "idempotency.lifetime", "rotation.again", "rotation.grace-ends", "rotation.grace-holds", "rotation.new-works",
})  # fmt: skip
"""The clauses that say what is so after hours have passed."""

SIGNS: Final = {
    Outcome.PASS: "✓",
    Outcome.FAIL: "✗",
    Outcome.ERROR: "!",
    Outcome.BLOCKED: "?",
    Outcome.PENDING: "…",
    Outcome.NOT_RUN: "-",
    Outcome.INAPPLICABLE: "-",
    Outcome.UNOBSERVABLE: "○",
    Outcome.WARN: "~",
}
"""The sign of each outcome, for those who know it; the word stands beside it."""

NO_EVIDENCE: Final = "none"
_MOVED: Final = "moved clock"
_SHOWN: Final = frozenset({Outcome.PASS, Outcome.WARN, Outcome.FAIL})
_VERDICT_EXITS: Final = frozenset({0, 1, 5})
"""pytest's own exit codes that the verdict's take the place of; the others say that the run itself went wrong."""


@dataclass(frozen=True)
class RunFacts:
    """What a run was told, and how it went.

    - `control_url`: where tokens came from, empty where they were listed;
    - `seed`: of the generated probes;
    - `suite_sha256`: the digest of the suite's own files, by which a certificate tells a changed suite;
    - `started_at`, `ended_at`: RFC 3339 in UTC; a run that waited began with its first session;
    - `seconds`: how long its last session took;
    - `selection`: the words by which cases were left out, as `-k rotation`; empty for a whole run;
    - `findings`: what the doctor saw before;
    - `trouble`: why nothing was judged, `trouble_exit`: what such a run ends with; empty and `None` for others;
    - `pytest_exit`: how pytest itself ended; `cut_short`: it was told to stop at a failure;
    - `known`: the list of known failures.
    """

    run_id: str
    target: str
    environment: Environment
    profile: Profile
    readings: Mapping[str, str]
    mode: str
    driver: str
    control_url: str = ""
    strict: bool = False
    seed: int | None = None
    suite_version: str = VERSION
    suite_sha256: str = ""
    contract_version: str = CONTRACT_VERSION
    started_at: str = ""
    ended_at: str = ""
    seconds: float = 0.0
    selection: tuple[str, ...] = ()
    findings: tuple[PreflightFinding, ...] = ()
    trouble: str = ""
    trouble_exit: int | None = None
    pytest_exit: int = 0
    cut_short: bool = False
    known: tuple[KnownFailure, ...] = ()

    @property
    def ended_on(self) -> date:
        """The day on which the run ended, in UTC."""
        return datetime.fromisoformat(self.ended_at).date() if self.ended_at else datetime.now(UTC).date()


@dataclass(frozen=True)
class RunReport:
    """A run with what follows from it: what came of each clause, and the verdict. Made by `report_on`."""

    facts: RunFacts
    scoreboard: Scoreboard
    results: list[ClauseResult]
    verdict: Verdict
    exit_code: int
    known: list[Judged] = field(default_factory=list)

    def cases_of(self, clause_id: str) -> list[CaseResult]:
        """The cases of a clause, the worst first."""
        return sorted(self.scoreboard.cases.get(clause_id, []), key=lambda case: case.outcome.rank)

    def time_evidence(self, clause_id: str) -> str | None:
        """How time passed for what a clause was seen to do; `None` where none had to.

        `moved clock` where any of it rests on that, `wall clock` where all was waited for, `none` where a clause that
        is about time was not shown.
        """
        grades = {case.time_evidence for case in self.cases_of(clause_id) if case.outcome in _SHOWN} - {""}
        if not grades:
            return NO_EVIDENCE if clause_id in TIME_DEPENDENT else None
        return _MOVED if _MOVED in grades else grades.pop()


def report_on(facts: RunFacts, cases: Iterable[CaseResult]) -> RunReport:
    """Judge a run by its facts and its cases alone."""
    board = Scoreboard(facts.profile)
    for case in cases:
        board.add(case)
    results = list(board.results())
    known = judge_known(facts.known, results, today=facts.ended_on)
    verdict, code = judge_with_known(results, known, strict=facts.strict)
    if facts.trouble_exit is not None:
        verdict, code = Verdict.NO_VERDICT, facts.trouble_exit
    elif facts.pytest_exit not in _VERDICT_EXITS and not facts.cut_short:
        code = facts.pytest_exit
    return RunReport(facts, board, results, verdict, code, known)


def unproven(report: RunReport) -> list[ClauseResult]:
    """The clauses of which nothing was shown, whether bar or not."""
    return [result for result in report.results if result.outcome not in _SHOWN]


def left_behind(report: RunReport) -> list[str]:
    """What the run made at the target and could not remove."""
    return [name for case in report.scoreboard.all() for name in case.left_behind]


def reasons(results: Iterable[ClauseResult]) -> dict[str, list[ClauseResult]]:
    """The clauses by outcome and message: a missing token that blocks forty of them is told once."""
    found: dict[str, list[ClauseResult]] = {}
    for result in results:
        found.setdefault(f"{result.outcome}: {result.message}", []).append(result)
    return found


def because(report: RunReport) -> str:
    """The verdict's reason in a sentence: how many clauses of which level came to what."""
    counts: dict[tuple[Outcome, str], int] = {}
    for result in report.results:
        counts[result.outcome, result.level] = counts.get((result.outcome, result.level), 0) + 1
    order = sorted(counts, key=lambda key: (key[0].rank, key[1]))
    return "clauses: " + ", ".join(f"{counts[key]} {key[1]} {key[0]}" for key in order)


def group_of(result: ClauseResult) -> str:
    """The group of a clause."""
    return BY_ID[result.id].group
