"""What can come of a case, a clause and a run; and the exceptions by which a test says so.

A test never decides the level of what it saw: it raises `Violation`, and the clause's level in the profile makes that a
`fail` or a `warn`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paylera_conformance.model.messages import Exchange
from paylera_fixtures.clauses import Level
from paylera_fixtures.printable import printable_lines


class Outcome(StrEnum):
    """What came of a case or a clause, the worst first."""

    FAIL = "fail"
    ERROR = "error"
    BLOCKED = "blocked"
    PENDING = "pending"
    NOT_RUN = "not-run"
    INAPPLICABLE = "inapplicable"
    UNOBSERVABLE = "unobservable"
    WARN = "warn"
    PASS = "pass"  # noqa: S105 - an outcome, not a password

    @property
    def rank(self) -> int:
        """How bad it is: 0 is the worst."""
        return _RANKS[self]


_RANKS: Final = {outcome: rank for rank, outcome in enumerate(Outcome)}

VIOLATED: Final = frozenset({Outcome.FAIL, Outcome.WARN})
"""What a clause comes to, or a case, that was seen to be broken, whatever its level."""

UNPROVEN: Final = frozenset({Outcome.ERROR, Outcome.BLOCKED, Outcome.NOT_RUN, Outcome.INAPPLICABLE})
"""Outcomes of a `must` that leave a target not fully verified."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of several outcomes; `not-run` where there is none."""
    return min(outcomes, key=lambda outcome: outcome.rank, default=Outcome.NOT_RUN)


class Verdict(StrEnum):
    """What is said of a target, the first that fits."""

    NO_VERDICT = "NO VERDICT"
    NON_CONFORMANT = "NON-CONFORMANT"
    NOT_FULLY_VERIFIED = "NOT FULLY VERIFIED"
    PENDING = "PENDING"
    KNOWN_FAILURES_ONLY = "NON-CONFORMANT WITH KNOWN FAILURES ONLY"
    WITH_KNOWN_FINDINGS = "CONFORMANT WITH KNOWN FAILURES"
    WITH_FINDINGS = "CONFORMANT WITH FINDINGS"
    CONFORMANT = "CONFORMANT"


class ExitCode:
    """Exit codes of `paylera-conformance`."""

    CONFORMANT: Final = 0
    FAILED: Final = 1
    INTERRUPTED: Final = 2
    INTERNAL: Final = 3
    USAGE: Final = 4
    NOTHING_RAN: Final = 5
    NOT_FULLY_VERIFIED: Final = 10
    PENDING: Final = 11
    STALE_KNOWN_FAILURE: Final = 12
    UNREACHABLE: Final = 13


@dataclass(frozen=True)
class ClauseResult:
    """What came of one clause: the worst of its cases, and the message of that case.

    - `has_run`: some case of it ran, if not enough of them for the clause.
    """

    id: str
    level: Level
    outcome: Outcome
    message: str = ""
    cases: int = 0
    has_run: bool = False


def judge(
    results: Iterable[ClauseResult], *, strict: bool = False, known: Collection[str] = (), barred: bool = False
) -> tuple[Verdict, int]:
    """The verdict of a run and its exit code. `off` clauses are not to be given.

    - `barred`: something stands against the target that is no clause's, so that it cannot be conformant;
    - `known`: clauses that are known to be violated: they fail no run, and the verdict says that there are some.
    """
    results = list(results)
    excused = {result.level for result in results if result.id in known}
    musts = {result.outcome for result in results if result.level is Level.MUST and result.id not in known}
    shoulds = {result.outcome for result in results if result.level is Level.SHOULD and result.id not in known}
    if all(result.outcome is Outcome.NOT_RUN and not result.has_run for result in results):
        return Verdict.NO_VERDICT, ExitCode.NOTHING_RAN
    if Outcome.FAIL in musts:
        return Verdict.NON_CONFORMANT, ExitCode.FAILED
    if musts & UNPROVEN or barred:
        return Verdict.NOT_FULLY_VERIFIED, ExitCode.NOT_FULLY_VERIFIED
    if Outcome.PENDING in musts:
        return Verdict.PENDING, ExitCode.PENDING
    found = (shoulds | musts) & {Outcome.WARN, Outcome.FAIL} or (strict and shoulds & (UNPROVEN | {Outcome.PENDING}))
    code = ExitCode.FAILED if found and strict else ExitCode.CONFORMANT
    if Level.MUST in excused:
        return Verdict.KNOWN_FAILURES_ONLY, code
    if Level.SHOULD in excused:
        return Verdict.WITH_KNOWN_FINDINGS, code
    return (Verdict.WITH_FINDINGS if found else Verdict.CONFORMANT), code


class CaseEnd(Exception):  # noqa: N818 - named by outcome, not by error
    """A case ended otherwise than by passing. Raised by verbs of the probe, caught by the plugin alone."""

    outcome: Outcome

    def __init__(self, reason: str, *, exchange: Exchange | None = None) -> None:
        super().__init__(reason)
        # What a target said may stand in it, and it is shown in many places.
        self.reason = printable_lines(reason)
        self.exchange = exchange


class Blocked(CaseEnd):
    """A prerequisite, a credential or a capability is missing, so that nothing was proven."""

    outcome = Outcome.BLOCKED


class Inapplicable(CaseEnd):
    """The target does not have what the clause speaks of."""

    outcome = Outcome.INAPPLICABLE


class NotOffered(Inapplicable):
    """What this one case of many looks at is not offered: it drops out, and the clause rests on the other cases."""


class Unobservable(CaseEnd):
    """No source makes what the clause says visible in this profile."""

    outcome = Outcome.UNOBSERVABLE


class NotRun(CaseEnd):
    """The case lies beyond the mode of the run."""

    outcome = Outcome.NOT_RUN


class TransportTrouble(CaseEnd):
    """No answer came: connection refused or reset, time ran out, TLS failed, the body never ended."""

    outcome = Outcome.ERROR


class Violation(CaseEnd):
    """The target did not keep the clause. The level decides whether that is a `fail` or a `warn`.

    - `wanted`: what the clause asks for, in one line;
    - `got`: what came instead, in one line;
    - `change`: the one thing in which the request differed from an accepted one (empty: it was to be accepted);
    - `hint`: the likely cause, where one is known.
    """

    outcome = Outcome.FAIL

    def __init__(
        self, wanted: str, got: str, *, change: str = "", hint: str = "", exchange: Exchange | None = None
    ) -> None:
        super().__init__(f"wanted {wanted}, got {got}", exchange=exchange)
        self.wanted = wanted
        self.got = got
        self.change = change
        self.hint = hint


class Deviation(Violation):
    """The target departs from the letter of a clause in a way that another source allows.

    It is a finding at every level, as long as no other case of the clause was judged and ended otherwise: see
    `case_results.settle_deviations`.
    """

    outcome = Outcome.WARN


CONFIG: Final = "CONFIG"
TARGET: Final = "TARGET"


@dataclass(frozen=True)
class PreflightFinding:
    """Something that the doctor saw. `exit_code`: what to end with, where nothing can be judged; else `None`."""

    label: str
    text: str
    exit_code: int | None = None
