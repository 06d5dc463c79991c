"""A run, ended, as plain facts: enough to judge it again and to write every report, without the run itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct, structs

from paylera_conformance.model.case_results import CaseResult, clause_results, settle_deviations
from paylera_conformance.model.messages import ExchangeRecord, Seconds
from paylera_conformance.model.outcomes import TARGET, ClauseResult, Outcome, PreflightFinding, Verdict
from paylera_conformance.target.settings import Mode
from paylera_conformance.verdict.known_failures import JudgedFailure, KnownFailure, judge_known, judge_with_known
from paylera_fixtures.clauses import BY_ID, GROUPS
from paylera_fixtures.hosts import origin_of
from paylera_fixtures.vocabulary import READINGS, Environment, Profile

PAGE_NAME: Final = "report.html"

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
"""The sign of each outcome; the word stands beside it."""

SHOWN: Final = frozenset({Outcome.PASS, Outcome.WARN, Outcome.FAIL})
"""Outcomes by which it was shown whether a clause is kept."""

_OF_OTHERS: Final = 3
"""So many exchanges are shown for a case in which nothing is wrong; the raw run has every one."""

VERDICT_EXITS: Final = frozenset({0, 1, 5})
"""pytest's own exit codes that the verdict's take the place of; the others say that the run itself went wrong."""


def one_of(values: Iterable[object]) -> Meta:
    """In a JSON Schema: one of these texts."""
    return Meta(extra_json_schema={"enum": [str(value) for value in values]})


class TimeEvidence(StrEnum):
    """How time passed for what was seen of a clause; only of clauses that need it to pass."""

    WALL_CLOCK = "wall clock"
    MOVED_CLOCK = "moved clock"
    NONE = "none"


_Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


WRONG: Final = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.ERROR})
"""What a case comes to in which something was seen that is not as it should be."""


class RunHeader(Struct, frozen=True, kw_only=True):
    """What `run.json` and `results.json` both say of a run; it is written here once.

    - `started_at`, `ended_at`: RFC 3339 in UTC; a run that waited began with its first session;
    - `seconds`: how long its last session took.
    """

    run_id: str
    target: Annotated[str, Meta(extra_json_schema={"format": "uri"})]
    environment: Environment
    profile: Profile
    readings: Annotated[
        Mapping[str, str],
        Meta(extra_json_schema={"properties": {name: {"enum": list(row.values)} for name, row in READINGS.items()}}),
    ]
    mode: Annotated[str, one_of(Mode)]
    driver: str
    strict: bool
    seed: Annotated[int | None, Meta(description="of the generated probes")]
    suite_version: str
    contract_version: str
    started_at: _Moment
    ended_at: _Moment
    seconds: Seconds
    selection: Annotated[tuple[str, ...], Meta(description="what left cases out; empty for a whole run")]
    trouble: Annotated[str, Meta(description="why there is no verdict; empty where there is one")]
    embedded: Annotated[bool, Meta(description="the target is the fake that came with the suite")] = False


class RunFacts(RunHeader, frozen=True, kw_only=True):
    """The settings of a run, and how it went.

    - `control_url`: where tokens came from, empty where they were listed;
    - `origins`: those that were named as the target's;
    - `suite_sha256`: the digest of the suite's own files, by which a certificate shows a changed suite;
    - `findings`: what the doctor saw before;
    - `trouble_exit`: what a run ends with in which nothing was judged; `None` for others;
    - `pytest_exit`: how pytest itself ended; `cut_short`: it was told to stop at a failure;
    - `known`: the list of known failures.
    """

    control_url: str = ""
    origins: tuple[str, ...] = ()
    suite_sha256: str = ""
    findings: tuple[PreflightFinding, ...] = ()
    trouble_exit: int | None = None
    pytest_exit: int = 0
    cut_short: bool = False
    known: tuple[KnownFailure, ...] = ()

    @property
    def ended_on(self) -> date:
        """The day on which the run ended, in UTC."""
        return datetime.fromisoformat(self.ended_at).date() if self.ended_at else datetime.now(UTC).date()

    @property
    def target_findings(self) -> list[PreflightFinding]:
        """What is wrong with the target as the doctor saw it: it bars a conformant verdict."""
        return [finding for finding in self.findings if finding.label == TARGET]

    @property
    def other_findings(self) -> list[PreflightFinding]:
        """The findings before the run, but for the one that is the run's trouble."""
        return [finding for finding in self.findings if finding.text != self.trouble]


@dataclass(frozen=True)
class RunReport:
    """A run with what follows from it: what came of each clause, and the verdict. Made by `report_on`."""

    facts: RunFacts
    cases: tuple[CaseResult, ...]
    results: list[ClauseResult]
    verdict: Verdict
    exit_code: int
    known: list[JudgedFailure]

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(case.new_requests for case in self.cases)

    @property
    def base_urls(self) -> list[str]:
        """The scheme, host and port of every URL that evidence came from."""
        return sorted({origin_of(record.url) for case in self.cases for record in case.exchanges})

    @property
    def left_behind(self) -> list[str]:
        """What the run made at the target and could not remove."""
        return [name for case in self.cases for name in case.left_behind]

    @property
    def reason(self) -> str:
        """The verdict's reason in a sentence: the trouble, or how many clauses of which level came to what."""
        counts = Counter((result.outcome, result.level) for result in self.results)
        order = sorted(counts.items(), key=lambda item: (item[0][0].rank, item[0][1]))
        if self.facts.trouble:
            return self.facts.trouble
        clauses = ", ".join(f"{count} {level} {outcome}" for (outcome, level), count in order)
        findings = len(self.facts.target_findings)
        named = "a TARGET finding" if findings == 1 else f"{findings} TARGET findings"
        barred = f"; {named} before the run, by which the verdict cannot be conformant" if findings else ""
        return f"clauses: {clauses}{barred}"

    @property
    def violated_clauses(self) -> list[ClauseResult]:
        """The clauses that were violated or are in error: what has a message to show."""
        return [row for row in self.results if row.outcome in WRONG]

    @property
    def unproven_clauses(self) -> list[ClauseResult]:
        """The clauses of which nothing was shown, whether they stand against the verdict or not."""
        return [result for result in self.results if result.outcome not in SHOWN]

    def groups(self) -> Iterator[tuple[str, list[ClauseResult]]]:
        """The clauses by group, in the order of the contract; a group without any is left out."""
        for group in GROUPS:
            rows = [result for result in self.results if BY_ID[result.id].group == group]
            if rows:
                yield group, rows

    def cases_of(self, clause_id: str) -> list[CaseResult]:
        """The cases of a clause, the worst first."""
        return sorted((case for case in self.cases if case.clause == clause_id), key=lambda case: case.outcome.rank)

    def time_evidence(self, clause_id: str) -> TimeEvidence | None:
        """How time passed for what a clause was seen to do; `None` where none had to.

        `moved clock` where any of it rests on that, `wall clock` where all was waited for, `none` where a clause that
        is about time was not shown.
        """
        grades = {case.time_evidence for case in self.cases_of(clause_id) if case.outcome in SHOWN} - {""}
        if not grades:
            return TimeEvidence.NONE if BY_ID[clause_id].needs_time else None
        return TimeEvidence.MOVED_CLOCK if TimeEvidence.MOVED_CLOCK in grades else TimeEvidence.WALL_CLOCK


def shown_exchanges(case: CaseResult) -> list[ExchangeRecord]:
    """The exchanges that are shown for a case: all where something is wrong, else the first and the deciding one."""
    most = len(case.exchanges) if case.outcome in WRONG else _OF_OTHERS
    return [*case.exchanges[:most], *(record for record in case.exchanges[most:] if record.deciding)]


def without_decision(record: ExchangeRecord) -> ExchangeRecord:
    """An exchange as it is alike in every case, whichever rests on it."""
    return structs.replace(record, deciding=False, curl="")


def report_on(facts: RunFacts, cases: Iterable[CaseResult]) -> RunReport:
    """Judge a run by its facts and its cases alone."""
    cases = settle_deviations(cases)
    order = list(dict.fromkeys(case.clause for case in cases))
    # The cases of a clause stand together, whichever worker of a parallel run they came from, its own before what was
    # seen of it in others.
    cases = tuple(sorted(cases, key=lambda case: (order.index(case.clause), case.planned == 0)))
    results = clause_results(cases, facts.profile)
    known = judge_known(facts.known, results, today=facts.ended_on)
    verdict, code = judge_with_known(results, known, strict=facts.strict, barred=bool(facts.target_findings))
    if facts.trouble_exit is not None:
        verdict, code = Verdict.NO_VERDICT, facts.trouble_exit
    elif facts.pytest_exit not in VERDICT_EXITS and not facts.cut_short:
        code = facts.pytest_exit
    return RunReport(facts, cases, results, verdict, code, known)
