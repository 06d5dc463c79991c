"""Makes the payload of a certificate from a run, and verifies certificates. The clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import ValidationError, convert

from paylera_conformance.certificate.bundle import AlteredError, Bundle, decode_certificate
from paylera_conformance.certificate.first_format import decode_first_format
from paylera_conformance.certificate.levels import (
    SKEW,
    CertificateLevel,
    Suite,
    describe_other_suite,
    find_obstacles,
    oldest_evidence,
)
from paylera_conformance.certificate.statement import Claims, ended_at, expiry, statement
from paylera_conformance.provenance import ChangedSuiteError, Origin, origin
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.raw import raw_run, report_from
from paylera_conformance.target.settings import ConfigError

MAX_AGE: Final = 90
"""Days that evidence may be old, unless whoever verifies it says otherwise."""

_UNREADABLE: Final = (
    ConfigError,
    ValidationError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What a made-up run or statement can raise."""


class LevelNotReachedError(Exception):
    """A run does not reach the level; `reasons` holds every reason, each in one line."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class CertificateVerification:
    """What came of verifying a certificate.

    - `statement`: what the certificate says; empty where it cannot be read;
    - `problems`: why it does not hold, none where it does;
    - `notes`: what its reader should know.
    """

    statement: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_payload(
    report: RunReport, level: CertificateLevel, suite: Suite, *, now: datetime, days: int
) -> dict[str, Any]:
    """What a certificate holds: the statement, and the raw run that it rests on. Raises `LevelNotReachedError`."""
    reasons = find_obstacles(report, level, suite)
    try:
        claims = Claims(level, now, days, origin())
    except ChangedSuiteError as error:
        raise LevelNotReachedError([*reasons, f"the installed suite was changed: {error}"]) from None
    if not report.facts.ended_at:
        reasons.append("the run does not say when it ended")
    elif ended_at(report) > now + SKEW:
        reasons.append(f"the run ended at {report.facts.ended_at}, which is yet to come")
    elif expiry(report, claims) <= now:
        reasons.append(f"the run ended at {report.facts.ended_at}, more than {days} days ago: run the suite again")
    if reasons:
        raise LevelNotReachedError(reasons)
    return {"statement": statement(report, claims, suite), "run": raw_run(report)}


def verify_certificate(
    content: bytes, suite: Suite, *, now: datetime, public_key: str | None = None, max_age: int = MAX_AGE
) -> CertificateVerification:
    """Compare a certificate with everything that can be computed from its evidence again.

    - `public_key`: the key, in hexadecimal, by which it has to be signed; `None` where any will do, or none;
    - `max_age`: how many days old its evidence may be.
    """
    try:
        bundle = decode_first_format(content) or decode_certificate(content)
    except AlteredError as error:
        return CertificateVerification(problems=[str(error)])
    stated = bundle.payload.get("statement")
    if not isinstance(stated, dict):
        return CertificateVerification(problems=["it has no statement"])
    match bundle.payload.get("run"):
        # Another suite may keep its evidence in another form, which this one cannot read.
        case {"suite_version": str(version), "suite_sha256": str(sha256)}:
            if other := describe_other_suite(version, sha256, suite):
                return CertificateVerification(stated, [other])
    try:
        report, claims = report_from(bundle.payload["run"]), convert(stated, Claims)
        problems = _find_problems(report, claims, suite, stated=stated, now=now)
        problems += _check_age(report, now - timedelta(days=max_age))
    except _UNREADABLE as error:
        return CertificateVerification(stated, [f"its evidence cannot be read: {error}"])
    if public_key is not None and bundle.public_key is None:
        problems.append("it is not signed, and a key was given to hold it against")
    elif public_key not in {None, bundle.public_key}:
        problems.append("it was signed with another key than the one given")
    return CertificateVerification(stated, problems, _make_notes(bundle, stated, public_key))


def _find_problems(
    report: RunReport, claims: Claims, suite: Suite, *, stated: Mapping[str, Any], now: datetime
) -> list[str]:
    problems = find_obstacles(report, claims.level, suite)
    computed = statement(report, claims, suite)
    problems += [
        f"it says of {name} what does not follow from its evidence"
        for name in sorted(computed.keys() | stated.keys())
        if computed.get(name) != stated.get(name)
    ]
    if claims.issued_at > now + SKEW or ended_at(report) > claims.issued_at + SKEW:
        problems.append(
            f"it was issued at {stated['issued_at']} on a run that ended at {stated['run_ended_at']}: that cannot be"
        )
    if now >= expiry(report, claims):
        problems.append(f"it expired at {stated['expires_at']}: run the suite again")
    return problems


def _check_age(report: RunReport, since: datetime) -> list[str]:
    oldest = oldest_evidence(report)
    return [f"its evidence is of {oldest.isoformat()}, too old by --max-age"] if oldest < since else []


def _make_notes(bundle: Bundle, stated: Mapping[str, Any], public_key: str | None) -> list[str]:
    notes = []
    if stated.get("local"):
        notes.append("LOCAL: the target was on the issuer's own machine; nobody else can look at it")
    if bundle.public_key is None:
        notes.append("UNSIGNED: whoever wrote it could have made the evidence up; nobody vouches for it")
    elif public_key is None:
        notes.append(f"SIGNED BY {bundle.public_key[:16]}…, held against no key: give --key to know whose it is")
    if stated.get("origin") == Origin.CHECKOUT.value:
        notes.append("the suite that issued it was a working tree; its files are those of the suite installed here")
    return notes
