"""The levels of a certificate, and every reason why a run does not reach one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from paylera_conformance.model.outcomes import Outcome, Verdict
from paylera_conformance.provenance import contract_digest, suite_digest
from paylera_conformance.reports.model import SHOWN, VERDICT_EXITS, RunReport, TimeEvidence
from paylera_conformance.run.plan import Plan
from paylera_conformance.version import VERSION
from paylera_fixtures.clauses import CONTRACT_VERSION, Level
from paylera_fixtures.hosts import is_loopback_url, origin_of
from paylera_fixtures.vocabulary import Profile, readings_for

GRACE: Final = ("rotation.grace-holds", "rotation.grace-ends")
"""The clauses that the level `strict` wants seen on the wall clock."""

_CONFORMANT: Final = frozenset({Verdict.CONFORMANT, Verdict.WITH_FINDINGS})
_WITHOUT_FINDING: Final = frozenset({Outcome.PASS, Outcome.UNOBSERVABLE})
SKEW: Final = timedelta(minutes=10)
"""By so much may two machines' clocks differ."""

_NAMED: Final = 5
"""So many of a kind are named in one line."""


class CertificateLevel(StrEnum):
    """How much a certificate says."""

    CORE = "core"
    FULL = "full"
    STRICT = "strict"

    @property
    def profile(self) -> Profile:
        """The profile that a run must have had."""
        return Profile.GUIDE if self is CertificateLevel.CORE else Profile.REFERENCE


def level_for(profile: Profile) -> CertificateLevel:
    """The level to ask for where none is named."""
    return CertificateLevel.CORE if profile is Profile.GUIDE else CertificateLevel.FULL


@dataclass(frozen=True)
class Suite:
    """The suite that looks at a run: its version, its digests, and its cases."""

    plan: Plan
    version: str
    sha256: str
    contract_version: str
    contract_sha256: str


def installed_suite(plan: Plan) -> Suite:
    """The suite that is installed here."""
    return Suite(plan, VERSION, suite_digest(), CONTRACT_VERSION, contract_digest())


def describe_other_suite(version: str, sha256: str, suite: Suite) -> str | None:
    """Why a run of a suite with this version and digest is nothing for `suite`; `None` where it is the same one."""
    made, here = (version, sha256), (suite.version, suite.sha256)
    if made == here:
        return None
    made_by, installed = (f"suite {version} ({sha256[:12] or 'no digest'})" for version, sha256 in (made, here))
    return f"the run was made by {made_by}, and this is {installed}: use the same one, unchanged"


def find_obstacles(report: RunReport, level: CertificateLevel, suite: Suite) -> list[str]:
    """Every reason why a run does not reach a level, each in one line; none where it does."""
    found = [*_check_extent(report), *_check_settings(report, level, suite), *_check_cases(report, suite.plan)]
    return [*found, *_check_evidence(report), *_check_outcome(report, level)]


def _check_extent(report: RunReport) -> Iterator[str]:
    """The run went to its end, left nothing out and excused nothing."""
    facts = report.facts
    if facts.trouble:
        yield f"nothing was judged: {facts.trouble}"
    if facts.cut_short:
        yield "the run was told to stop at a failure"
    if facts.pytest_exit not in VERDICT_EXITS:
        yield f"the run ended before it was over (pytest's exit code {facts.pytest_exit})"
    if facts.selection:
        yield f"cases were left out: {' '.join(facts.selection)}"
    if facts.known:
        yield f"the run excused known failures: {_format_names(entry.clause for entry in facts.known)}"


def _check_settings(report: RunReport, level: CertificateLevel, suite: Suite) -> Iterator[str]:
    """The run had the level's profile and its readings, and was made by this suite."""
    facts = report.facts
    if facts.profile is not level.profile:
        yield f"level {level} takes a run in profile {level.profile}, and this one was in {facts.profile}"
    own = readings_for(facts.profile)
    for name, value in facts.readings.items():
        if own.get(name) != value:
            yield f"the reading {name} was set to {value}: level {level} takes that of the profile, {own.get(name)}"
    if other := describe_other_suite(facts.suite_version, facts.suite_sha256, suite):
        yield other
    if facts.contract_version != suite.contract_version:
        yield f"the run is about contract {facts.contract_version}, and this suite knows {suite.contract_version}"


def _check_cases(report: RunReport, plan: Plan) -> Iterator[str]:
    """Every case of every clause is there, and nothing else, each with the evidence of what it sent."""
    for result in report.results:
        cases = report.cases_of(result.id)
        names, planned = {case.case for case in cases}, plan.get(result.id, frozenset())
        missing, strange = planned - names, names - planned
        if missing:
            yield f"{result.id}: {len(missing)} of its {len(planned)} cases did not run: {_format_names(missing)}"
        if strange:
            yield f"{result.id}: the suite has no such cases: {_format_names(strange)}"
        # Each request is on record, and there is one where something was shown.
        bare = [
            case.case
            for case in cases
            if len(case.exchanges) != case.requests or (case.requests == 0 and case.outcome in SHOWN)
        ]
        if bare:
            yield f"{result.id}: cases without the evidence of what they sent: {_format_names(bare)}"
        decided = [
            case.case
            for case in cases
            if case.outcome is Outcome.PASS and any(record.deciding for record in case.exchanges)
        ]
        if decided:
            yield f"{result.id}: cases that passed, and yet an exchange decided otherwise: {_format_names(decided)}"


def _check_evidence(report: RunReport) -> Iterator[str]:
    """What was seen was seen at the target that was named, and while the run went on."""
    foreign = set(report.base_urls) - {origin_of(report.facts.target), *report.facts.origins}
    if foreign:
        yield f"evidence is of hosts that were not named as the target's: {_format_names(foreign)}"
    try:
        begin, end = (datetime.fromisoformat(moment) for moment in (report.facts.started_at, report.facts.ended_at))
        untimely = {
            case.case
            for case in report.cases
            for record in case.exchanges
            if not begin - SKEW <= datetime.fromisoformat(record.at) <= end + SKEW
        }
    except (TypeError, ValueError):  # no time, or one without its zone
        yield "the run does not say when it was, or when some of its evidence is of"
        return
    if untimely:
        yield f"cases whose evidence is not of the time of the run: {_format_names(untimely)}"


def oldest_evidence(report: RunReport) -> datetime:
    """When the first of the exchanges was. Raises `ValueError` where there is none, or one without a time."""
    return min(datetime.fromisoformat(record.at) for case in report.cases for record in case.exchanges)


def _check_outcome(report: RunReport, level: CertificateLevel) -> Iterator[str]:
    """Nobody on the way could read along, and the verdict is what the level asks for."""
    plain = [base for base in bases(report) if base.startswith("http:") and not is_loopback_url(base)]
    if plain:
        yield f"the connection was not secure: {_format_names(plain)}"
    open_clauses = [result for result in report.results if result.outcome not in _WITHOUT_FINDING]
    if report.verdict not in _CONFORMANT:
        musts = [result for result in open_clauses if result.level is Level.MUST]
        if report.verdict is Verdict.NON_CONFORMANT:  # by what failed, whatever else was left open
            musts = [result for result in musts if result.outcome is Outcome.FAIL]
        reasons = [f"{result.id} {result.outcome}" for result in musts]
        reasons = reasons or [finding.text for finding in report.facts.target_findings]
        yield f"the verdict is {report.verdict}" + (f": {_format_names(reasons)}" if reasons else "")
    if level is not CertificateLevel.STRICT:
        return
    shoulds = [f"{result.id} {result.outcome}" for result in open_clauses if result.level is Level.SHOULD]
    if shoulds:
        yield f"level strict takes no finding: {_format_names(shoulds)}"
    for clause in GRACE:
        grade = report.time_evidence(clause)
        if grade is not TimeEvidence.WALL_CLOCK:
            yield f"level strict takes {clause} seen on the wall clock, and its evidence is {grade}"


def _format_names(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def bases(report: RunReport) -> set[str]:
    """The scheme and host of every URL that the run sent something to."""
    return {*report.base_urls, *map(origin_of, {report.facts.target, report.facts.control_url} - {""})}


def is_local(report: RunReport) -> bool:
    """Whether anything that the run looked at was on its own machine, which nobody else can look at."""
    return any(is_loopback_url(base) for base in bases(report))
