"""A list of known failures excuses what it names, hides nothing, and is an error of its own once it is out of date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from paylera_conformance.model.outcomes import ClauseResult, ExitCode, Outcome, Verdict
from paylera_conformance.target.settings import ConfigError
from paylera_conformance.verdict.known_failures import KnownFailure, Standing, judge_known, judge_with_known, read_known
from paylera_fixtures.clauses import Level

TODAY = date(2026, 6, 15)
MUST, SHOULD, OTHER = "credential.missing", "credential.challenge", "token.unknown"


def entry(clause: str, expires: date = TODAY) -> KnownFailure:
    """An entry whose last day is today, unless told otherwise."""
    return KnownFailure(clause, "the gateway answers for us", "https://issues.example/7", expires)


def results_of(must: Outcome, should: Outcome, other: Outcome = Outcome.PASS) -> list[ClauseResult]:
    """The results of a contract of three clauses."""
    return [
        ClauseResult(MUST, Level.MUST, must),
        ClauseResult(SHOULD, Level.SHOULD, should),
        ClauseResult(OTHER, Level.MUST, other),
    ]


PASS, FAIL, WARN, BLOCKED = Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.BLOCKED
YESTERDAY = date(2026, 6, 14)

# Outcomes of the must, the should and the other must; the list; the verdict and the exit code that they come to.
ENDINGS: dict[str, tuple[list[ClauseResult], list[KnownFailure], Verdict, int]] = {
    "known-must": (results_of(FAIL, PASS), [entry(MUST)], Verdict.KNOWN_FAILURES_ONLY, 0),
    "known-should": (results_of(PASS, WARN), [entry(SHOULD)], Verdict.WITH_KNOWN_FINDINGS, 0),
    "both-known": (results_of(FAIL, WARN), [entry(MUST), entry(SHOULD)], Verdict.KNOWN_FAILURES_ONLY, 0),
    "another-fails": (results_of(FAIL, PASS, FAIL), [entry(MUST)], Verdict.NON_CONFORMANT, 1),
    "another-is-blocked": (results_of(FAIL, PASS, BLOCKED), [entry(MUST)], Verdict.NOT_FULLY_VERIFIED, 10),
    "another-waits": (results_of(FAIL, PASS, Outcome.PENDING), [entry(MUST)], Verdict.PENDING, 11),
    "passes": (results_of(PASS, PASS), [entry(MUST)], Verdict.CONFORMANT, 12),
    "passes-beside-blocked": (results_of(PASS, PASS, BLOCKED), [entry(MUST)], Verdict.NOT_FULLY_VERIFIED, 12),
    # A failure that nobody listed is worse news than a list that is out of date.
    "passes-beside-a-failure": (results_of(PASS, PASS, FAIL), [entry(MUST)], Verdict.NON_CONFORMANT, 1),
    "no-such-clause": (results_of(PASS, PASS), [entry("credential.mising")], Verdict.CONFORMANT, 12),
    "expired": (results_of(FAIL, PASS), [entry(MUST, YESTERDAY)], Verdict.NON_CONFORMANT, 12),
    "expired-should": (results_of(PASS, WARN), [entry(SHOULD, YESTERDAY)], Verdict.WITH_FINDINGS, 12),
    "must-blocked": (results_of(BLOCKED, PASS), [entry(MUST)], Verdict.NOT_FULLY_VERIFIED, 10),
    "must-in-error": (results_of(Outcome.ERROR, PASS), [entry(MUST)], Verdict.NOT_FULLY_VERIFIED, 10),
    # Nothing else would say that the entry met nothing.
    "should-blocked": (results_of(PASS, BLOCKED), [entry(SHOULD)], Verdict.CONFORMANT, 12),
    "should-not-run": (results_of(PASS, Outcome.NOT_RUN), [entry(SHOULD)], Verdict.CONFORMANT, 12),
}


@pytest.mark.parametrize(("results", "entries", "verdict", "code"), ENDINGS.values(), ids=ENDINGS)
def test_list_decides_the_exit_and_the_verdict_tells(
    results: list[ClauseResult], entries: list[KnownFailure], verdict: Verdict, code: int
) -> None:
    """What is listed does not fail the run, the verdict names it, and a stale entry does fail the run."""
    assert judge_with_known(results, judge_known(entries, results, today=TODAY)) == (verdict, code)


def test_strict_run_excuses_the_listed_finding_alone() -> None:
    """`--strict` makes findings fail: a listed one does not, a second one does."""
    results = [*results_of(PASS, WARN), ClauseResult("credential.scheme-case", Level.SHOULD, WARN)]
    judged = judge_known([entry(SHOULD)], results, today=TODAY)
    assert judge_with_known(results[:3], judged, strict=True)[1] == ExitCode.CONFORMANT
    assert judge_with_known(results, judged, strict=True)[1] == ExitCode.FAILED


@pytest.mark.parametrize("outcome", [FAIL, WARN])
def test_no_known_failure_is_plainly_conformant(outcome: Outcome) -> None:
    """Whoever reads the verdict alone learns that there are known failures."""
    results = results_of(outcome, outcome)
    verdict, _ = judge_with_known(results, judge_known([entry(MUST), entry(SHOULD)], results, today=TODAY))
    assert "WITH KNOWN FAILURES" in verdict


STANDINGS: dict[str, tuple[Outcome, date, Standing, str]] = {
    "fails": (FAIL, TODAY, Standing.MET, "the gateway answers for us"),
    "passes": (PASS, TODAY, Standing.PASSES, "remove the entry"),
    "expired": (FAIL, YESTERDAY, Standing.EXPIRED, "expired on 2026-06-14"),
    # What is to be done about it is the same, expired or not.
    "expired-and-passes": (PASS, YESTERDAY, Standing.PASSES, "remove the entry"),
    "blocked": (BLOCKED, TODAY, Standing.UNPROVEN, "the clause is blocked"),
}


@pytest.mark.parametrize(("outcome", "expires", "standing", "reason"), STANDINGS.values(), ids=STANDINGS)
def test_entry_is_told_with_its_clause_and_what_to_do(
    outcome: Outcome, expires: date, standing: Standing, reason: str
) -> None:
    """Each entry is named, and what it is worth."""
    judged = judge_known([entry(MUST, expires)], results_of(outcome, PASS), today=TODAY)[0]
    assert (judged.standing, MUST in judged.message, reason in judged.message) == (standing, True, True)


def test_misspelt_clause_is_told_the_right_one() -> None:
    """An entry that matches nothing is most often misspelt."""
    judged = judge_known([entry("credential.mising")], results_of(PASS, PASS), today=TODAY)[0]
    assert "did you mean credential.missing?" in judged.message


GOOD = '[[known]]\nclause = "token.unknown"\nreason = "r"\nissue = "i"\nexpires = 2027-01-31\n'
MISTAKES = {
    "no-toml": ("[[known", "is not valid TOML"),
    "other-table": ("[known_failures]\n", "entries [[known]] and nothing else"),
    "no-reason": (
        '[[known]]\nclause = "a"\nissue = "i"\nexpires = 2027-01-31\n',
        "entry 1: Object missing required field `reason`; it must have exactly",
    ),
    "further-member": (GOOD + "why = 1\n", "unknown field `why`; it must have exactly the members"),
    "empty-issue": (GOOD.replace('"i"', '" "'), "at `$.issue`; it must have exactly"),
    "date-as-text": (GOOD.replace("2027-01-31", '"2027-01-31"'), "got `str` - at `$.expires`; it must have"),
    "date-and-time": (
        GOOD.replace("2027-01-31", "2027-01-31T00:00:00Z"),
        "got `datetime` - at `$.expires`; it must have",
    ),
    "twice": (GOOD + GOOD, "lists token.unknown twice"),
}


@pytest.mark.parametrize(("text", "reason"), MISTAKES.values(), ids=MISTAKES)
def test_list_that_cannot_be_used_is_a_mistake(tmp_path: Path, text: str, reason: str) -> None:
    """Every entry has a clause, a reason, an issue and an expiry, and nothing that would be ignored."""
    (tmp_path / "known.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as mistake:
        read_known(tmp_path / "known.toml")
    assert reason in str(mistake.value)


def test_list_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """A path that is misspelt must not be taken for an empty list."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_known(tmp_path / "known.toml")


def test_list_is_read(tmp_path: Path) -> None:
    """As it stands in the file."""
    (tmp_path / "known.toml").write_text(GOOD, "utf-8")
    wanted: Sequence[KnownFailure] = (KnownFailure("token.unknown", "r", "i", date(2027, 1, 31)),)
    assert read_known(tmp_path / "known.toml") == wanted
