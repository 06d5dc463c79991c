"""What a certificate says, computed from the raw run: when it is issued, and again when it is verified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from paylera_conformance.certificate.levels import CertificateLevel, Suite, is_local
from paylera_conformance.model.outcomes import ClauseResult, Outcome, Verdict
from paylera_conformance.provenance import Origin, digest
from paylera_conformance.reports.matrix import MatrixPicture
from paylera_conformance.reports.model import RunReport

TITLE: Final = "Certificate of conformance to Paylera's authentication contract"
LOCAL_TITLE: Final = "Local rehearsal, not a certificate: the target was on the machine of whoever ran this"
CERTIFICATE_MEMBER: Final = "payleraCertificate"
"""The member of the predicate that holds what in-toto has no words for; other tools ignore it."""
SCHEMA: Final = 2
"""Of that member. The first format, which was no DSSE envelope, had schema 1."""

_RESULTS: Final = {Verdict.CONFORMANT: "PASSED", Verdict.WITH_FINDINGS: "WARNED"}


class Claims(msgspec.Struct, frozen=True):
    """What the issuer decides, and no evidence can show.

    - `days`: how long the certificate holds, counted from the end of the run, when the target was seen.
    """

    level: CertificateLevel
    issued_at: Annotated[datetime, msgspec.Meta(tz=True)]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    origin: Origin


def statement(report: RunReport, claims: Claims, suite: Suite) -> dict[str, Any]:
    """What a certificate says of a run, as JSON values."""
    facts = report.facts
    local = is_local(report)
    return {
        "level": claims.level.value,
        "issued_at": claims.issued_at.isoformat(timespec="seconds"),
        "days": claims.days,
        "origin": claims.origin.value,
        "title": LOCAL_TITLE if local else TITLE,
        "local": local,
        "target": facts.target,
        "environment": facts.environment.value,
        "profile": facts.profile.value,
        "verdict": report.verdict.value,
        "run_id": facts.run_id,
        "base_urls": report.base_urls,
        "run_started_at": facts.started_at,
        "run_ended_at": facts.ended_at,
        "expires_at": expiry(report, claims).isoformat(timespec="seconds"),
        "suite": {"version": suite.version, "sha256": suite.sha256},
        "contract": {"version": suite.contract_version, "sha256": suite.contract_sha256},
        "looked_at": msgspec.to_builtins(MatrixPicture(report).looked_at),
        "clauses": [_clause(report, result) for result in report.results],
    }


def _clause(report: RunReport, result: ClauseResult) -> dict[str, Any]:
    cases = [case for case in report.cases if case.clause == result.id]
    time_evidence = report.time_evidence(result.id)
    return {
        "id": result.id,
        "level": result.level.value,
        "outcome": result.outcome.value,
        "cases": len(cases),
        "evidence_sha256": digest(msgspec.to_builtins(cases)),
        **({} if time_evidence is None else {"time_evidence": time_evidence}),
    }


def ended_at(report: RunReport) -> datetime:
    """When the run ended. Raises `ValueError` where it does not say."""
    return datetime.fromisoformat(report.facts.ended_at).astimezone(UTC)


def expiry(report: RunReport, claims: Claims) -> datetime:
    """When a certificate ends. Raises `ValueError` where the run does not say when it ended."""
    return ended_at(report) + timedelta(days=claims.days)


def in_toto_statement(stated: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    """The in-toto statement (v1, predicate test-result v0.1) of a certificate, as JSON values.

    A server has no digest of its own, and in-toto asks for one: the subject is named by the target's URL, and its
    digest is that of the raw run, which is what was seen of the target. A clause that neither passed nor warned nor
    failed (it may be unobservable) is in none of the lists.

    - `stated`: what `statement` gives;
    - `run`: the raw run.
    """
    suite, contract = stated["suite"], stated["contract"]
    passed, warned, failed = (
        [clause["id"] for clause in stated["clauses"] if clause["outcome"] == outcome]
        for outcome in (Outcome.PASS, Outcome.WARN, Outcome.FAIL)
    )
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": stated["target"], "digest": {"sha256": digest(run)}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": _RESULTS.get(stated["verdict"], "FAILED"),
            "configuration": [
                {"name": name, "digest": {"sha256": part["sha256"]}, "annotations": {"version": part["version"]}}
                for name, part in (("paylera-conformance", suite), ("paylera-contract", contract))
            ],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
            CERTIFICATE_MEMBER: {"schema": SCHEMA, "statement": stated, "statement_sha256": digest(stated), "run": run},
        },
    }
