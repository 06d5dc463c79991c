"""A made-up run that reaches every level, and the suite that would have made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from helpers.certified_run import CASES, NOW, all_cases, case_of, evidence, facts_of
from paylera_conformance.certificate.check import make_payload
from paylera_conformance.certificate.levels import CertificateLevel, Suite
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import ExchangeRecord
from paylera_conformance.provenance import canonical
from paylera_conformance.reports.model import RunReport, report_on
from paylera_fixtures.clauses import CLAUSES, CONTRACT_VERSION


@pytest.fixture
def suite() -> Suite:
    """The suite that made the run, with its plan."""
    plan = {clause.id: frozenset(CASES) for clause in CLAUSES}
    return Suite(plan, "1.0", "5" * 64, CONTRACT_VERSION, "c" * 64)


@pytest.fixture
def run_of() -> Callable[..., RunReport]:
    """Makes runs: `changed` gives cases in place of those of the same name, `without` names cases that are missing.

    Further arguments are the run's facts.
    """

    def make(changed: Iterable[CaseResult] = (), without: Iterable[tuple[str, str]] = (), **facts: Any) -> RunReport:
        cases = {(case.clause, case.case): case for case in all_cases()}
        cases |= {(case.clause, case.case): case for case in changed}
        kept = [case for name, case in cases.items() if name not in set(without)]
        return report_on(facts_of(**facts), kept)

    return make


@pytest.fixture
def case() -> Callable[..., CaseResult]:
    """Makes a case: the clause, the name, and what is other than in one that passed."""
    return case_of


@pytest.fixture
def sent_to() -> Callable[[str], ExchangeRecord]:
    """Makes the record of an exchange with a base URL."""
    return evidence


@pytest.fixture
def now() -> datetime:
    """An hour after the run's end."""
    return NOW


@pytest.fixture
def payload(run_of: Callable[..., RunReport], suite: Suite, now: datetime) -> dict[str, Any]:
    """The payload of a certificate as it is issued, made of JSON values alone."""
    issued: dict[str, Any] = json.loads(
        json.dumps(make_payload(run_of(), CertificateLevel.CORE, suite, now=now, days=90))
    )
    return issued


@pytest.fixture(scope="session")
def encode_first_format() -> Callable[..., bytes]:
    """Writes a payload as `certify` wrote it in the first format; the samples show that it does."""

    def encode(payload: dict[str, Any], key: Ed25519PrivateKey | None = None, /, **members: Any) -> bytes:
        content = canonical(payload)
        document: dict[str, Any] = {"format": "paylera-conformance certificate", "schema": 1, "payload": payload}
        document |= {"sha256": hashlib.sha256(content).hexdigest(), "signature": None}
        if key is not None:
            public = key.public_key().public_bytes_raw().hex()
            document["signature"] = {"algorithm": "Ed25519", "public_key": public, "value": key.sign(content).hex()}
        return json.dumps({**document, **members}, sort_keys=True, indent=1).encode() + b"\n"

    return encode
