"""Issues bundles and holds them to their evidence. Pure but for the clock, which is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from paylera_conformance.certificate.bundle import AlteredError, Bundle, unpack
from paylera_conformance.certificate.levels import CertificateLevel, Suite, bars
from paylera_conformance.certificate.statement import Claims, ended_at, expiry, statement
from paylera_conformance.provenance import ChangedSuiteError, Origin, origin
from paylera_conformance.reports.model import RunReport
from paylera_conformance.reports.raw import raw_run, report_from
from paylera_conformance.target.settings import ConfigError

_SKEW: Final = timedelta(minutes=10)
"""By so much may two machines' clocks differ."""


class BarredError(Exception):
    """A run does not reach the level; `reasons` holds every reason, each in one line."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Findings:
    """What came of verifying a bundle: `problems` say why it does not hold, `notes` what its reader should know."""

    statement: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def payload_for(
    report: RunReport, level: CertificateLevel, suite: Suite, *, now: datetime, days: int
) -> dict[str, Any]:  # fmt: skip
    """What a bundle holds: the statement, and the raw run that it rests on. Raises `BarredError`."""
    reasons = bars(report, level, suite)
    try:
        claims = Claims(level, now, days, origin())
    except ChangedSuiteError as error:
        raise BarredError([*reasons, f"the installed suite was changed: {error}"]) from None
    if not reasons and not ended_at(report) <= now + _SKEW:
        reasons.append(f"the run ended at {report.facts.ended_at}, which is yet to come")
    if not reasons and expiry(report, claims) <= now:
        reasons.append(f"the run ended at {report.facts.ended_at}, more than {days} days ago: run the suite again")
    if reasons:
        raise BarredError(reasons)
    return {"statement": statement(report, claims, suite), "run": raw_run(report)}


def verify_bundle(content: bytes, suite: Suite, *, now: datetime, public_key: str | None = None) -> Findings:
    """Hold a bundle to everything that can be found again.

    - `public_key`: the key, in hexadecimal, by which it has to be signed; `None` where any will do, or none.
    """
    try:
        bundle = unpack(content)
    except AlteredError as error:
        return Findings(problems=[str(error)])
    said = bundle.payload.get("statement")
    if not isinstance(said, dict):
        return Findings(problems=["it has no statement"])
    try:
        report, claims = report_from(bundle.payload["run"]), Claims.from_json(said)
        problems = _problems(report, claims, suite, said=said, now=now)
    except (ConfigError, AttributeError, KeyError, TypeError, ValueError) as error:
        return Findings(said, [f"its evidence cannot be read: {error}"])
    return Findings(said, [*problems, *_key_problems(bundle, public_key)], _notes(bundle, said, public_key))


def _problems(
    report: RunReport, claims: Claims, suite: Suite, *, said: Mapping[str, Any], now: datetime
) -> list[str]:  # fmt: skip
    found = bars(report, claims.level, suite)
    again = statement(report, claims, suite)
    for name in sorted(again.keys() | said.keys()):
        if again.get(name) != said.get(name):
            found.append(f"it says of {name} what does not follow from its evidence")
    if claims.issued_at > now + _SKEW or ended_at(report) > claims.issued_at + _SKEW:
        found.append(
            f"it was issued at {said['issued_at']} on a run that ended at {said['run_ended_at']}: that cannot be"
        )
    if now >= expiry(report, claims):
        found.append(f"it expired at {said['expires_at']}: run the suite again")
    return found


def _key_problems(bundle: Bundle, public_key: str | None) -> list[str]:
    if public_key is None or bundle.public_key == public_key:
        return []
    if bundle.public_key is None:
        return ["it is not signed, and a key was given to hold it against"]
    return ["it was signed with another key than the one given"]


def _notes(bundle: Bundle, said: Mapping[str, Any], public_key: str | None) -> list[str]:
    notes = []
    if said.get("local"):
        notes.append("LOCAL: the target was on the issuer's own machine; nobody else can look at it")
    if bundle.public_key is None:
        notes.append("UNSIGNED: whoever wrote it could have made the evidence up; nobody vouches for it")
    elif public_key is None:
        notes.append(f"SIGNED BY {bundle.public_key[:16]}…, held against no key: give --key to know whose it is")
    if said.get("origin") == Origin.CHECKOUT.value:
        notes.append("the suite that issued it was a working tree; its files are those of the suite installed here")
    return notes
