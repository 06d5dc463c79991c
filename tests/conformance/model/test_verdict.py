"""From the outcomes of cases to those of clauses, and from these to the verdict and the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from paylera_conformance.model.case_results import CaseResult, clause_results, outcome_at_level, settle_deviations
from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome, Verdict, judge, worst
from paylera_fixtures.clauses import CLAUSES, Level
from paylera_fixtures.vocabulary import Profile

CLAUSE = "credential.missing"

CONFORMANT = (Verdict.CONFORMANT, ExitCode.CONFORMANT)
WITH_FINDINGS = (Verdict.WITH_FINDINGS, ExitCode.CONFORMANT)
FAILING_FINDINGS = (Verdict.WITH_FINDINGS, ExitCode.FAILED)
NON_CONFORMANT = (Verdict.NON_CONFORMANT, ExitCode.FAILED)
NOT_VERIFIED = (Verdict.NOT_FULLY_VERIFIED, ExitCode.NOT_FULLY_VERIFIED)
PENDING = (Verdict.PENDING, ExitCode.PENDING)
NO_VERDICT = (Verdict.NO_VERDICT, ExitCode.NOTHING_RAN)

# Outcomes of musts, of shoulds, and the verdict without and with --strict.
VERDICTS = {
    "nothing": ("", "", NO_VERDICT, NO_VERDICT),
    "nothing-ran": ("not-run", "not-run", NO_VERDICT, NO_VERDICT),
    "all-pass": ("pass", "pass", CONFORMANT, CONFORMANT),
    "no-should": ("pass", "", CONFORMANT, CONFORMANT),
    "must-failed": ("pass fail", "pass", NON_CONFORMANT, NON_CONFORMANT),
    "fail-outweighs-blocked": ("blocked fail error", "pass", NON_CONFORMANT, NON_CONFORMANT),
    "must-error": ("pass error", "pass", NOT_VERIFIED, NOT_VERIFIED),
    "must-blocked": ("pass blocked", "pass", NOT_VERIFIED, NOT_VERIFIED),
    "must-not-run": ("pass not-run", "pass", NOT_VERIFIED, NOT_VERIFIED),
    "must-inapplicable": ("pass inapplicable", "pass", NOT_VERIFIED, NOT_VERIFIED),
    "unverified-outweighs-pending": ("pending blocked", "pass", NOT_VERIFIED, NOT_VERIFIED),
    "must-pending": ("pass pending", "pass", PENDING, PENDING),
    "pending-outweighs-findings": ("pass pending", "warn", PENDING, PENDING),
    # What no source makes visible is no bar, whatever its level and however strict.
    "must-unobservable": ("pass unobservable", "pass", CONFORMANT, CONFORMANT),
    "should-unobservable": ("pass", "unobservable", CONFORMANT, CONFORMANT),
    "must-deviated-from": ("pass warn", "pass", WITH_FINDINGS, FAILING_FINDINGS),
    "should-violated": ("pass", "pass warn", WITH_FINDINGS, FAILING_FINDINGS),
    "should-blocked": ("pass", "blocked", CONFORMANT, FAILING_FINDINGS),
    "should-error": ("pass", "error", CONFORMANT, FAILING_FINDINGS),
    "should-not-run": ("pass", "not-run", CONFORMANT, FAILING_FINDINGS),
    "should-inapplicable": ("pass", "inapplicable", CONFORMANT, FAILING_FINDINGS),
    "should-pending": ("pass", "pending", CONFORMANT, FAILING_FINDINGS),
}


def results_of(words: str, level: Level) -> list[ClauseResult]:
    """A clause result for each outcome named."""
    return [ClauseResult(f"x.{number}", level, Outcome(word)) for number, word in enumerate(words.split())]


@pytest.mark.parametrize(("musts", "shoulds", "plain", "strict"), VERDICTS.values(), ids=VERDICTS)
@pytest.mark.parametrize("is_strict", [False, True], ids=["plain", "strict"])
def test_verdict_is_the_first_that_fits(
    musts: str, shoulds: str, plain: tuple[Verdict, int], strict: tuple[Verdict, int], *, is_strict: bool
) -> None:
    """Each verdict comes from the worst that stands against it, and each has its exit code."""
    results = results_of(musts, Level.MUST) + results_of(shoulds, Level.SHOULD)
    assert judge(results, strict=is_strict) == (strict if is_strict else plain)


def test_every_verdict_is_in_the_table() -> None:
    """A verdict that no row leads to would be untested; those of runs with known failures have tests of their own."""
    with_known = {Verdict.KNOWN_FAILURES_ONLY, Verdict.WITH_KNOWN_FINDINGS}
    assert {row[2][0] for row in VERDICTS.values()} == set(Verdict) - with_known


def test_what_ran_in_part_is_no_nothing() -> None:
    """Some cases of one clause ran, so that something can be said, if not enough."""
    results = [ClauseResult("x.1", Level.MUST, Outcome.NOT_RUN, has_run=True), *results_of("not-run", Level.MUST)]
    assert judge(results) == NOT_VERIFIED


BARRED = {"all-pass": ("pass", NOT_VERIFIED), "failed": ("fail", NON_CONFORMANT), "pending": ("pending", NOT_VERIFIED)}


@pytest.mark.parametrize(("musts", "verdict"), BARRED.values(), ids=BARRED)
def test_what_is_no_clauses_can_bar_a_conformant_verdict(musts: str, verdict: tuple[Verdict, int]) -> None:
    """The doctor saw something wrong with the target: what failed is still worse."""
    assert judge(results_of(musts, Level.MUST), barred=True) == verdict


@pytest.mark.parametrize("better", range(1, len(Outcome)))
def test_worst_outcome_is_the_first_of_the_order(better: int) -> None:
    """Of two outcomes the one that stands earlier in the list wins, in whichever order they come."""
    first, second = list(Outcome)[better - 1 : better + 1]
    assert worst([second, first, second]) is first


def test_worst_of_nothing_is_not_run() -> None:
    """Where nothing ran nothing was shown."""
    assert worst([]) is Outcome.NOT_RUN


@pytest.mark.parametrize(
    ("outcome", "level", "comes_to"),
    [
        (Outcome.FAIL, Level.MUST, Outcome.FAIL),
        (Outcome.FAIL, Level.SHOULD, Outcome.WARN),
        (Outcome.ERROR, Level.SHOULD, Outcome.ERROR),
        (Outcome.BLOCKED, Level.SHOULD, Outcome.BLOCKED),
        (Outcome.PASS, Level.SHOULD, Outcome.PASS),
    ],
)
def test_violated_should_is_a_warning(outcome: Outcome, level: Level, comes_to: Outcome) -> None:
    """The level decides what a violation means, and nothing but a violation."""
    assert outcome_at_level(outcome, level) is comes_to


def scored(*cases: CaseResult) -> ClauseResult:
    """What comes of the clause that these cases are about."""
    return next(result for result in clause_results(cases, Profile.GUIDE) if result.id == CLAUSE)


def case(name: str, outcome: Outcome = Outcome.PASS, **members: Any) -> CaseResult:
    """A case of the clause, its headline its name."""
    return CaseResult(CLAUSE, name, outcome, name, **members)


DEVIATING = case("a", Outcome.WARN, deviates=True)
UNEVEN: dict[str, tuple[CaseResult, Outcome]] = {
    "another-deviates": (case("b", Outcome.WARN, deviates=True), Outcome.WARN),
    "another-keeps-to-the-letter": (case("b"), Outcome.FAIL),
    "another-fails": (case("b", Outcome.FAIL), Outcome.FAIL),
    "another-is-not-judged": (case("b", Outcome.BLOCKED), Outcome.WARN),
    "another-is-dropped": (case("b", dropped=True), Outcome.WARN),
}


@pytest.mark.parametrize(("other", "outcome"), UNEVEN.values(), ids=UNEVEN)
def test_who_deviates_here_and_there_fails(other: CaseResult, outcome: Outcome) -> None:
    """A deviation is a finding where each case that was judged is one."""
    assert settle_deviations([DEVIATING, other])[0].outcome is outcome


SCORES: dict[str, tuple[Sequence[CaseResult], Outcome, str]] = {
    "none": ([], Outcome.NOT_RUN, "no case of it ran"),
    "one": ([case("a")], Outcome.PASS, "a"),
    "worst": ([case("a"), case("b", Outcome.BLOCKED), case("c", Outcome.INAPPLICABLE)], Outcome.BLOCKED, "b"),
    # What was seen to be wrong is not undone by what could not be looked at.
    "warned-and-blocked": ([case("a"), case("b", Outcome.BLOCKED), case("c", Outcome.WARN)], Outcome.WARN, "c"),
    "warned-and-in-error": ([case("a", Outcome.WARN), case("b", Outcome.ERROR)], Outcome.ERROR, "b"),
    # The call passed and the clean-up failed: the worse counts.
    "twice": ([case("a"), case("a", Outcome.ERROR)], Outcome.ERROR, "a"),
    "dropped": ([case("a"), case("b", Outcome.INAPPLICABLE, dropped=True)], Outcome.PASS, "a"),
    "all-dropped": ([case("a", Outcome.INAPPLICABLE, dropped=True)], Outcome.INAPPLICABLE, "a"),
    "fewer-than-planned": ([case("a", planned=3), case("b", planned=3)], Outcome.NOT_RUN, "only 2 of its 3 cases ran"),
    "as-planned": ([case("a", planned=2), case("b", planned=2)], Outcome.PASS, "a"),
    # One case noted twice is one case.
    "planned-twice": ([case("a", planned=2), case("a", planned=2)], Outcome.NOT_RUN, "only 1 of its 2 cases ran"),
    "failed-before-all-ran": ([case("a", Outcome.FAIL, planned=9)], Outcome.FAIL, "a"),
    "warned-before-all-ran": ([case("a", Outcome.WARN, planned=9)], Outcome.WARN, "a"),
    # A deviation is a finding, and what is not proven beside it is not proven.
    "deviating": ([case("a", Outcome.WARN, deviates=True), case("b", Outcome.WARN, deviates=True)], Outcome.WARN, "a"),
    "deviating-and-blocked": (
        [case("a", Outcome.WARN, deviates=True), case("b", Outcome.BLOCKED)],
        Outcome.BLOCKED,
        "b",
    ),
    "picked": ([case("a", planned=1, partial=True)], Outcome.NOT_RUN, "its cases were picked by name"),
}


@pytest.mark.parametrize(("cases", "outcome", "message"), SCORES.values(), ids=SCORES)
def test_clause_has_the_worst_of_its_cases(cases: Sequence[CaseResult], outcome: Outcome, message: str) -> None:
    """Green only where every planned case ran and none was worse; the message is that of the case that decided."""
    result = scored(*cases)
    assert (result.outcome, result.message) == (outcome, message)


@pytest.mark.parametrize("profile", Profile)
def test_every_clause_of_a_profile_has_a_result(profile: Profile) -> None:
    """A clause that nothing looked at is listed as that."""
    listed = [result.id for result in clause_results([], profile)]
    assert listed == [clause.id for clause in CLAUSES if clause.level(profile) is not Level.OFF]


def test_clauses_do_not_mix() -> None:
    """A case speaks for its own clause alone."""
    results = clause_results([case("a", Outcome.FAIL)], Profile.GUIDE)
    assert {result.id for result in results if result.outcome is not Outcome.NOT_RUN} == {CLAUSE}


def test_case_travels_between_processes() -> None:
    """What a worker of a parallel run notes arrives as it was."""
    noted = case("a", Outcome.WARN, planned=3, dropped=True, partial=True, requests=7)
    assert msgspec.convert(msgspec.to_builtins(noted), CaseResult) == noted
