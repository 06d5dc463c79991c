"""A certificate is an in-toto attestation, which other tools read and verify without this suite."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Predicate
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from helpers.paths import DOCS
from paylera_conformance.certificate.bundle import encode_certificate, make_signer
from paylera_conformance.certificate.check import make_payload
from paylera_conformance.certificate.levels import CertificateLevel, Suite
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.provenance import digest
from paylera_conformance.reports.model import RunReport

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PAGE = DOCS / "how-to" / "certificate.md"
Payload = dict[str, Any]


def open_envelope(content: bytes) -> dict[str, Any]:
    """The in-toto statement inside a certificate."""
    document: dict[str, Any] = json.loads(base64.b64decode(json.loads(content)["payload"]))
    return document


def test_statement_is_one_to_in_toto(payload: Payload) -> None:
    """By in-toto's own library: its type, and a subject that is the target with the digest of what was seen of it."""
    message = ParseDict(open_envelope(encode_certificate(payload, None)), StatementMessage())
    Statement.copy_from_pb(message).validate()
    subject = {"name": "https://api.example", "digest": {"sha256": digest(payload["run"])}}
    assert [{"name": found.name, "digest": dict(found.digest)} for found in message.subject] == [subject]


def test_predicate_is_a_test_result(payload: Payload, suite: Suite) -> None:
    """By in-toto's own schema: what passed, and the suite and the contract by their digests."""
    document = open_envelope(encode_certificate(payload, None))
    predicate = ParseDict(document["predicate"], Predicate(), ignore_unknown_fields=True)
    assert document["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert (predicate.result, set(predicate.passed_tests)) == ("PASSED", set(suite.plan))
    assert (list(predicate.warned_tests), list(predicate.failed_tests)) == ([], [])
    digests = [dict(part.digest) for part in predicate.configuration]
    assert digests == [{"sha256": suite.sha256}, {"sha256": suite.contract_sha256}]


def test_finding_is_a_warning(
    run_of: Callable[..., RunReport], case: Callable[..., CaseResult], suite: Suite, now: datetime
) -> None:
    """Of the whole and of its clause; what nobody can see is in none of the lists."""
    warned = case("credential.challenge", "test_one", outcome=Outcome.WARN)
    unseen = case("token.length", "test_one", outcome=Outcome.UNOBSERVABLE)
    payload = make_payload(run_of([warned, unseen]), CertificateLevel.CORE, suite, now=now, days=90)
    predicate = open_envelope(encode_certificate(payload, None))["predicate"]
    assert (predicate["result"], predicate["warnedTests"]) == ("WARNED", ["credential.challenge"])
    assert "token.length" not in predicate["passedTests"]


@pytest.fixture
def verifier(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the program of the page on certificates, beside a certificate and KEY's public key."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)

    def run(content: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "certificate.json").write_bytes(content)
        return subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_documented_program_verifies_a_certificate(
    payload: Payload, verifier: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """With a library that knows nothing of this suite."""
    ended = verifier(encode_certificate(payload, make_signer(KEY)))
    assert (ended.returncode, ended.stdout) == (0, "PASSED https://api.example\n"), ended.stderr


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_documented_program_refuses_what_the_key_did_not_sign(
    payload: Payload, verifier: Callable[..., subprocess.CompletedProcess[str]], key: Ed25519PrivateKey | None
) -> None:
    """Be it unsigned, or signed by somebody else."""
    ended = verifier(encode_certificate(payload, None if key is None else make_signer(key)))
    assert (ended.returncode, "VerificationError" in ended.stderr) == (1, True)


def test_documented_program_refuses_an_altered_certificate(
    payload: Payload, verifier: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Even where everything but the signature was made anew."""
    signed = json.loads(encode_certificate(payload, make_signer(KEY)))
    payload["statement"]["target"] = "https://other.example"
    forged = json.loads(encode_certificate(payload, None))
    ended = verifier(json.dumps({**forged, "signatures": signed["signatures"]}).encode())
    assert (ended.returncode, "VerificationError" in ended.stderr) == (1, True)
