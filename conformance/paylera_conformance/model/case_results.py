"""Collects what came of each case, in whichever process it ran, and says what came of each clause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from paylera_conformance.model.outcomes import ClauseResult, Outcome, worst
from paylera_fixtures.clauses import Clause, Level, clauses_of
from paylera_fixtures.vocabulary import Profile

_LISTS: Final = ("left_behind", "exchanges")
"""Members of a case that JSON has as lists."""


@dataclass(frozen=True)
class CaseResult:
    """What came of one case.

    - `headline`, `message`: in one line, and in full; empty for a pass;
    - `dropped`: the case was about an operation that the target does not have, and others stand for the clause;
    - `planned`: how many cases the clause has when nothing is deselected;
    - `partial`: single cases were picked by name, so that it is not known whether these are all;
    - `change`, `wanted`, `got`, `hint`: the parts of a violation's message;
    - `time_evidence`: how time passed that had to: `moved clock`, `wall clock`, or empty where none had to;
    - `seconds`: how long it took;
    - `left_behind`: what it made at the target and could not remove;
    - `exchanges`: what was sent and answered, as `record.records_of` gives it; empty where nobody asked for a report.
    """

    clause: str
    case: str
    outcome: Outcome
    headline: str = ""
    message: str = ""
    dropped: bool = False
    planned: int = 0
    partial: bool = False
    requests: int = 0
    change: str = ""
    wanted: str = ""
    got: str = ""
    hint: str = ""
    time_evidence: str = ""
    seconds: float = 0.0
    left_behind: tuple[str, ...] = ()
    exchanges: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it travels between the processes of a parallel run, and between the sessions of one that waits."""
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        return {**vars(self), "outcome": self.outcome.value, **lists}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CaseResult:
        """The inverse of `to_json`."""
        lists = {name: tuple(data.get(name, ())) for name in _LISTS}
        return cls(**{**data, "outcome": Outcome(data["outcome"]), **lists})


@dataclass
class Scoreboard:
    """Every case of a run, and from them every clause of a profile, whatever happened."""

    profile: Profile
    cases: dict[str, list[CaseResult]] = field(default_factory=lambda: defaultdict(list))

    def add(self, result: CaseResult) -> None:
        """Note what came of a case; a case that is noted twice has the worse outcome."""
        self.cases[result.clause].append(result)

    def all(self) -> Iterator[CaseResult]:
        """Every case that was noted."""
        return (case for cases in self.cases.values() for case in cases)

    @property
    def requests(self) -> int:
        """Requests sent by all cases."""
        return sum(case.requests for cases in self.cases.values() for case in cases)

    def results(self) -> Iterator[ClauseResult]:
        """Every clause that the profile looks at, in the order of the contract."""
        for clause in clauses_of(self.profile):
            yield self._result(clause)

    def _result(self, clause: Clause) -> ClauseResult:
        level = clause.level(self.profile)
        cases = self.cases.get(clause.id, [])
        if not cases:
            return ClauseResult(clause.id, level, Outcome.NOT_RUN, "no case of it ran")
        kept = [case for case in cases if not case.dropped] or cases
        outcome = worst(case.outcome for case in kept)
        told = next((case for case in kept if case.outcome is outcome), None)
        message = told.headline if told is not None else ""
        missing = self._missing(cases)
        if missing and outcome.rank > Outcome.NOT_RUN.rank:
            return ClauseResult(clause.id, level, Outcome.NOT_RUN, missing, len(cases))
        return ClauseResult(clause.id, level, outcome, message, len(cases))

    def _missing(self, cases: list[CaseResult]) -> str:
        ran = len({case.case for case in cases})
        planned = max(case.planned for case in cases)
        if ran < planned:
            return f"only {ran} of its {planned} cases ran"
        return "its cases were picked by name" if any(case.partial for case in cases) else ""


def level_of(outcome: Outcome, level: Level) -> Outcome:
    """What a violation comes to at a level: a `should` that is violated is a warning."""
    return Outcome.WARN if outcome is Outcome.FAIL and level is Level.SHOULD else outcome
