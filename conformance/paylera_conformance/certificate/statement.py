"""What a certificate says, found from the raw run each time anew: when it is issued, and when it is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from paylera_conformance.certificate.levels import CertificateLevel, Suite, is_local
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import ClauseResult
from paylera_conformance.provenance import Origin, digest
from paylera_conformance.reports.model import RunReport

TITLE: Final = "Certificate of conformance to Paylera's authentication contract"
LOCAL_TITLE: Final = "Local rehearsal, not a certificate: the target was on the machine of whoever ran this"
MAX_DAYS: Final = 366


@dataclass(frozen=True)
class Claims:
    """What the issuer decides, and nobody can find from the evidence.

    - `days`: how long it holds, counted from the end of the run, since that is when it was seen.
    """

    level: CertificateLevel
    issued_at: datetime
    days: int
    origin: Origin

    def to_json(self) -> dict[str, Any]:
        """The claims as JSON values."""
        return {
            "level": self.level.value,
            "issued_at": self.issued_at.isoformat(timespec="seconds"),
            "days": self.days,
            "origin": self.origin.value,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Claims:
        """The inverse of `to_json`. Raises `KeyError`, `TypeError` and `ValueError`."""
        claims = cls(
            CertificateLevel(data["level"]), datetime.fromisoformat(data["issued_at"]), int(data["days"]),
            Origin(data["origin"]),
        )  # fmt: skip
        if not 0 < claims.days <= MAX_DAYS or claims.issued_at.tzinfo is None:
            raise ValueError("the claims cannot be so")
        return claims


def statement(report: RunReport, claims: Claims, suite: Suite) -> dict[str, Any]:
    """What a certificate says of a run, as JSON values."""
    facts = report.facts
    local = is_local(report)
    return {
        **claims.to_json(),
        "title": LOCAL_TITLE if local else TITLE,
        "local": local,
        "target": facts.target,
        "environment": facts.environment.value,
        "profile": facts.profile.value,
        "verdict": report.verdict.value,
        "run_id": facts.run_id,
        "run_ended_at": facts.ended_at,
        "expires_at": expiry(report, claims).isoformat(timespec="seconds"),
        "suite": {"version": suite.version, "sha256": suite.sha256},
        "contract": {"version": suite.contract_version, "sha256": suite.contract_sha256},
        "clauses": [_clause(report, result) for result in report.results],
    }


def ended_at(report: RunReport) -> datetime:
    """When the run ended. Raises `ValueError` where it does not say."""
    return datetime.fromisoformat(report.facts.ended_at).astimezone(UTC)


def expiry(report: RunReport, claims: Claims) -> datetime:
    """When a certificate ends. Raises `ValueError` where the run does not say when it ended."""
    return ended_at(report) + timedelta(days=claims.days)


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    cases = [case for case in report.cases if case.clause == result.id]
    time_evidence = report.time_evidence(result.id)
    return {
        "id": result.id,
        "level": result.level.value,
        "outcome": result.outcome.value,
        "cases": len(cases),
        "evidence_sha256": evidence_digest(cases),
        **({} if time_evidence is None else {"time_evidence": time_evidence}),
    }


def evidence_digest(cases: list[CaseResult]) -> str:
    """The SHA-256 over the cases of a clause, with everything that they sent and were answered."""
    return digest(msgspec.to_builtins(cases))
