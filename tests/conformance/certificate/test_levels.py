"""What bars a run from a level, each reason told in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace as replace_record

from helpers.certified_run import evidence
from paylera_conformance.certificate.levels import (
    CertificateLevel,
    Suite,
    find_obstacles,
    is_local,
    level_for,
)
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import ExchangeRecord
from paylera_conformance.model.outcomes import TARGET, Outcome, PreflightFinding
from paylera_conformance.reports.model import RunReport
from paylera_conformance.verdict.known_failures import KnownFailure
from paylera_fixtures.vocabulary import Profile, readings_for

RunOf = Callable[..., RunReport]
CaseOf = Callable[..., CaseResult]

MUST, OTHER_MUST, SHOULD = "token.unknown", "token.revoked", "credential.challenge"
ONE, TWO = "test_one", "test_two[a]"
LEVELS = {
    CertificateLevel.CORE: Profile.GUIDE,
    CertificateLevel.FULL: Profile.REFERENCE,
    CertificateLevel.STRICT: Profile.REFERENCE,
}


@pytest.mark.parametrize(("level", "profile"), LEVELS.items(), ids=LEVELS)
def test_whole_run_without_finding_reaches_every_level(
    run_of: RunOf, suite: Suite, level: CertificateLevel, profile: Profile
) -> None:
    """Nothing is in the way where every case ran and passed."""
    assert find_obstacles(run_of(profile=profile), level, suite) == []


@pytest.mark.parametrize("level", [CertificateLevel.FULL, CertificateLevel.STRICT])
def test_full_takes_the_reference_profile(run_of: RunOf, suite: Suite, level: CertificateLevel) -> None:
    """What the reference pages say is no must in the guide's profile."""
    assert "takes a run in profile reference" in find_obstacles(run_of(), level, suite)[0]


def test_core_takes_the_guide_profile(run_of: RunOf, suite: Suite) -> None:
    """The two read some pages differently, so that one is not a part of the other."""
    assert (
        "takes a run in profile guide"
        in find_obstacles(run_of(profile=Profile.REFERENCE), CertificateLevel.CORE, suite)[0]
    )


@pytest.mark.parametrize("profile", Profile)
def test_level_follows_the_profile_where_none_is_named(profile: Profile) -> None:
    """What needs more than the profile is to be asked for."""
    assert (
        level_for(profile) is {Profile.GUIDE: CertificateLevel.CORE, Profile.REFERENCE: CertificateLevel.FULL}[profile]
    )


KNOWN = KnownFailure(MUST, "r", "i", date(2027, 1, 31))
FACTS: dict[str, tuple[dict[str, Any], str]] = {
    "deselected": ({"selection": ("-k", "rotation")}, "cases were left out: -k rotation"),
    "stopped": ({"cut_short": True}, "told to stop at a failure"),
    "interrupted": ({"pytest_exit": 2}, "ended before it was over"),
    "broken": ({"pytest_exit": 3}, "ended before it was over"),
    "nothing-judged": ({"trouble": "no way", "trouble_exit": 13}, "nothing was judged: no way"),
    # Even where the entry met nothing.
    "known-failures": ({"known": (KNOWN,)}, "excused known failures: token.unknown"),
    "own-reading": ({"readings": {**readings_for(Profile.GUIDE), "scope_refusal": "403"}}, "scope_refusal was set to"),
    "plain-http": ({"target": "http://api.example"}, "not secure: http://api.example"),
    # Tokens that somebody on the way has read could be anybody's.
    "plain-http-for-tokens": ({"control_url": "http://c.example/_mock"}, "not secure: http://c.example"),
    "other-version": ({"suite_version": "0.9"}, "made by suite 0.9"),
    "changed-suite": ({"suite_sha256": "6" * 64}, "use the same one, unchanged"),
    "undigested-suite": ({"suite_sha256": ""}, "no digest"),
    "other-contract": ({"contract_version": "0"}, "about contract 0"),
}


@pytest.mark.parametrize(("facts", "told"), FACTS.values(), ids=FACTS)
def test_what_a_run_was_told_can_bar_it(run_of: RunOf, suite: Suite, facts: dict[str, Any], told: str) -> None:
    """A run that left out, excused or could have been tampered with is no certificate."""
    assert told in "\n".join(find_obstacles(run_of(**facts), CertificateLevel.CORE, suite))


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "must-failed": ({"outcome": Outcome.FAIL}, "NON-CONFORMANT: token.unknown fail"),
    "must-blocked": ({"outcome": Outcome.BLOCKED}, "NOT FULLY VERIFIED: token.unknown blocked"),
    "must-pending": ({"outcome": Outcome.PENDING}, "PENDING: token.unknown pending"),
    "must-inapplicable": ({"outcome": Outcome.INAPPLICABLE}, "token.unknown inapplicable"),
    "no-exchange": ({"exchanges": ()}, "without the evidence of what they sent: test_one"),
    "nothing-sent": ({"exchanges": (), "requests": 0}, "without the evidence of what they sent: test_one"),
    "picked-by-name": ({"partial": True}, "token.unknown not-run"),
}


@pytest.mark.parametrize(("members", "told"), CASES.values(), ids=CASES)
def test_one_case_can_bar_a_run(run_of: RunOf, case: CaseOf, suite: Suite, members: dict[str, Any], told: str) -> None:
    """A clause is as good as the worst of its cases."""
    assert told in "\n".join(find_obstacles(run_of([case(MUST, ONE, **members)]), CertificateLevel.CORE, suite))


def test_what_is_violated_is_the_reason(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """Beside it nothing is named that was only left open, of which there may be many."""
    run = run_of([case(MUST, ONE, outcome=Outcome.FAIL)], without=[(OTHER_MUST, ONE), (OTHER_MUST, TWO)])
    told = [each for each in find_obstacles(run, CertificateLevel.CORE, suite) if "verdict" in each]
    assert told == [f"the verdict is NON-CONFORMANT: {MUST} fail"]


def test_what_was_excused_hides_no_reason(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """A known failure decides nothing, so that what does is named beside it."""
    changed = [case(MUST, ONE, outcome=Outcome.FAIL), case(OTHER_MUST, ONE, outcome=Outcome.BLOCKED)]
    told = "\n".join(find_obstacles(run_of(changed, known=(KNOWN,)), CertificateLevel.CORE, suite))
    assert f"the verdict is NOT FULLY VERIFIED: {OTHER_MUST} blocked, {MUST} fail" in told


def test_verdict_that_rests_on_no_must_is_named_alone(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """What was excused is named by another reason."""
    known = (KnownFailure(SHOULD, "r", "i", date(2027, 1, 31)),)
    told = find_obstacles(run_of([case(SHOULD, ONE, outcome=Outcome.WARN)], known=known), CertificateLevel.CORE, suite)
    assert told == [f"the run excused known failures: {SHOULD}", "the verdict is CONFORMANT WITH KNOWN FAILURES"]


@pytest.mark.parametrize("clause", [MUST, SHOULD])
def test_missing_case_bars_any_level(run_of: RunOf, suite: Suite, clause: str) -> None:
    """Also one of a should: what did not run was left out by somebody."""
    told = find_obstacles(run_of(without=[(clause, TWO)]), CertificateLevel.CORE, suite)
    assert f"{clause}: 1 of its 2 cases did not run: {TWO}" in told


def test_missing_case_is_missed_whatever_the_run_says_was_planned(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """The plan is the suite's; what a run says of it can be written by anyone."""
    run = run_of([case(MUST, ONE, planned=1)], without=[(MUST, TWO)])
    assert any("did not run" in told for told in find_obstacles(run, CertificateLevel.CORE, suite))


def test_case_that_the_suite_does_not_have_find_obstacles(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """A made-up case is no evidence."""
    told = find_obstacles(run_of([case(MUST, "test_three")]), CertificateLevel.CORE, suite)
    assert told == [f"{MUST}: the suite has no such cases: test_three"]


def test_exchange_over_plain_http_bars(
    run_of: RunOf, case: CaseOf, suite: Suite, sent_to: Callable[[str], ExchangeRecord]
) -> None:
    """One request that anybody on the way could have answered is enough."""
    changed = case(MUST, ONE, exchanges=(sent_to("http://other.example"),))
    run = run_of([changed], origins=("https://api.example", "http://other.example"))
    assert find_obstacles(run, CertificateLevel.CORE, suite) == ["the connection was not secure: http://other.example"]


def test_evidence_of_another_host_bars(
    run_of: RunOf, case: CaseOf, suite: Suite, sent_to: Callable[[str], ExchangeRecord]
) -> None:
    """What another server answered says nothing about the target."""
    changed = case(MUST, ONE, exchanges=(sent_to("https://other.example"),))
    assert find_obstacles(run_of([changed]), CertificateLevel.CORE, suite) == [
        "evidence is of hosts that were not named as the target's: https://other.example"
    ]


# What an exchange says of its time, and why that bars.
TIMES = {
    "none": ("", "does not say when"),
    "no-time": ("noon", "does not say when"),
    "no-zone": ("2026-06-15T11:00:00", "does not say when"),
    "before": ("2026-06-15T10:40:00+00:00", "not of the time of the run: test_one"),
    "after": ("2026-06-15T11:20:00+00:00", "not of the time of the run: test_one"),
}


@pytest.mark.parametrize(("at", "told"), TIMES.values(), ids=TIMES)
def test_evidence_of_another_time_bars(run_of: RunOf, case: CaseOf, suite: Suite, at: str, told: str) -> None:
    """What was seen before or after the run was seen of another server, for all that anybody knows."""
    changed = case(MUST, ONE, exchanges=(replace_record(evidence(), at=at),))
    assert told in "\n".join(find_obstacles(run_of([changed]), CertificateLevel.CORE, suite))


def test_exchange_that_decides_a_passed_case_bars(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """A case passes where nothing decided against it: somebody has changed its outcome."""
    changed = case(MUST, ONE, exchanges=(replace_record(evidence(), deciding=True),))
    assert find_obstacles(run_of([changed]), CertificateLevel.CORE, suite) == [
        f"{MUST}: cases that passed, and yet an exchange decided otherwise: {ONE}"
    ]


def test_what_the_doctor_found_at_the_target_bars(run_of: RunOf, suite: Suite) -> None:
    """Whatever the cases came to: they may have looked elsewhere."""
    run = run_of(findings=(PreflightFinding(TARGET, "it is open to everybody"),))
    assert find_obstacles(run, CertificateLevel.CORE, suite) == [
        "the verdict is NOT FULLY VERIFIED: it is open to everybody"
    ]


FINDINGS = {outcome: outcome for outcome in (Outcome.WARN, Outcome.BLOCKED, Outcome.INAPPLICABLE, Outcome.NOT_RUN)}


@pytest.mark.parametrize("outcome", FINDINGS)
def test_core_and_full_take_a_finding_and_strict_does_not(
    run_of: RunOf, case: CaseOf, suite: Suite, outcome: Outcome
) -> None:
    """A should that is violated or unproven bars the level that says there is none."""
    run = run_of([case(SHOULD, ONE, outcome=outcome)], profile=Profile.REFERENCE)
    assert find_obstacles(run, CertificateLevel.FULL, suite) == []
    assert find_obstacles(run, CertificateLevel.STRICT, suite) == [f"level strict takes no finding: {SHOULD} {outcome}"]


def test_strict_takes_the_grace_on_the_wall_clock(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """A clock that was moved shows what the target does with its clock, not that a day is a day."""
    moved = case("rotation.grace-ends", ONE, time_evidence="moved clock")
    run = run_of([moved], profile=Profile.REFERENCE)
    assert find_obstacles(run, CertificateLevel.FULL, suite) == []
    assert find_obstacles(run, CertificateLevel.STRICT, suite) == [
        "level strict takes rotation.grace-ends seen on the wall clock, and its evidence is moved clock"
    ]


def test_local_run_is_not_barred_and_is_called_local(run_of: RunOf, suite: Suite) -> None:
    """It can be rehearsed, and nobody takes it for more."""
    run = run_of(target="http://127.0.0.1:4242")
    assert (find_obstacles(run, CertificateLevel.CORE, suite), is_local(run)) == ([], True)


def test_reasons_are_all_told(run_of: RunOf, case: CaseOf, suite: Suite) -> None:
    """Whoever mends one should not find the next only afterwards."""
    run = run_of([case(MUST, ONE, outcome=Outcome.FAIL)], target="http://api.example", cut_short=True)
    assert len(find_obstacles(run, CertificateLevel.STRICT, replace(suite, sha256="0" * 64))) == 5
