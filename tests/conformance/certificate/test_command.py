"""`certify` and `verify` as programs: files in, files out, exit codes and what they say."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from msgspec.structs import replace

from helpers.certified_run import evidence
from helpers.suite import Run, run_suite
from paylera_conformance.certificate.check import make_payload
from paylera_conformance.certificate.levels import CertificateLevel, installed_suite
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.provenance import suite_digest
from paylera_conformance.reports.model import RunReport, report_on
from paylera_conformance.reports.raw import raw_run
from paylera_conformance.run.plan import Plan, planned_cases
from paylera_conformance.version import VERSION

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Office:
    """A folder in which certificates are issued."""

    folder: Path

    def run(self, *arguments: str) -> Run:
        """Run `paylera-conformance` there."""
        return run_suite(self.folder, *arguments)

    def write_run(self, report: RunReport) -> None:
        """Write the raw run of a report into the folder `run`."""
        (self.folder / "run").mkdir()
        (self.folder / "run" / "run.json").write_text(json.dumps(raw_run(report)), "utf-8")

    def write_keys(self) -> None:
        """Write a pair of keys, and the public key of somebody else."""
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "key.pem").write_bytes(private)
        for name, owner in (("public.pem", key), ("other.pem", Ed25519PrivateKey.generate())):
            public = owner.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (self.folder / name).write_bytes(public)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An empty one."""
    return Office(tmp_path)


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Every case of the installed suite."""
    return planned_cases()


@pytest.fixture
def perfect(plan: Plan, run_of: Callable[..., RunReport], case: Callable[..., CaseResult]) -> Callable[..., RunReport]:
    """Makes runs of the installed suite in which every case passed; arguments are the run's facts."""
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    seen = (replace(evidence(), at=ended),)
    cases = [case(clause, name, planned=len(names), exchanges=seen) for clause, names in plan.items() for name in names]

    def make(*changed: CaseResult, **facts: Any) -> RunReport:
        known = {
            "suite_version": VERSION,
            "suite_sha256": suite_digest(),
            "started_at": ended,
            "ended_at": ended,
            **facts,
        }
        by_name = {(item.clause, item.case): item for item in [*cases, *changed]}
        return report_on(run_of(**known).facts, by_name.values())

    return make


def test_certificate_is_issued_and_holds(office: Office, perfect: Callable[..., RunReport]) -> None:
    """Unsigned, which both programs say loudly."""
    office.write_run(perfect())
    issued = office.run("certify", "run")
    verified = office.run("verify", "run/certificate.json")
    assert (issued.code, verified.code) == (0, 0), issued.output + verified.output
    assert re.search(r"UNSIGNED.*nobody vouches", issued.output)
    assert re.search(r"UNSIGNED.*nobody vouches", verified.output)
    assert "HOLDS  Certificate of conformance" in verified.output


def test_signed_certificate_holds_for_its_key_alone(office: Office, perfect: Callable[..., RunReport]) -> None:
    """The public key is what its owner gave out, not what the certificate holds."""
    office.write_run(perfect())
    office.write_keys()
    issued = office.run("certify", "run", "--key", "key.pem", "--out", "other.json")
    assert (issued.code, "UNSIGNED" in issued.output) == (0, False)
    assert office.run("verify", "other.json", "--key", "public.pem").code == 0
    assert office.run("verify", "other.json", "--key", "other.pem").code == 1


ALTERED: dict[str, tuple[bytes, bytes]] = {
    "evidence": (b'"status":401', b'"status":400'),
    "expiry": (b'"days":90', b'"days":99'),
    "result": (b'"result":"PASSED"', b'"result":"WARNED"'),
}


@pytest.mark.parametrize(("before", "after"), ALTERED.values(), ids=ALTERED)
def test_altered_certificate_does_not_hold(
    office: Office, perfect: Callable[..., RunReport], before: bytes, after: bytes
) -> None:
    """A few bytes inside the envelope are enough."""
    office.write_run(perfect())
    office.run("certify", "run")
    path = office.folder / "run" / "certificate.json"
    document = json.loads(path.read_bytes())
    altered = base64.b64decode(document["payload"]).replace(before, after, 1)
    document["payload"] = base64.b64encode(altered).decode()
    path.write_bytes(json.dumps(document, sort_keys=True, indent=1).encode() + b"\n")
    ended = office.run("verify", "run/certificate.json")
    assert (ended.code, "DOES NOT HOLD" in ended.output, "altered" in ended.output) == (1, True, True)


def test_certificate_of_the_first_format_holds(
    office: Office, perfect: Callable[..., RunReport], plan: Plan, encode_first_format: Callable[..., bytes]
) -> None:
    """For whoever has the suite that issued it."""
    issued = make_payload(perfect(), CertificateLevel.CORE, installed_suite(plan), now=datetime.now(UTC), days=90)
    (office.folder / "old.json").write_bytes(encode_first_format(issued))
    ended = office.run("verify", "old.json")
    assert (ended.code, ended.output.startswith("HOLDS  Certificate of conformance")) == (0, True), ended.output
    assert re.search(r"UNSIGNED.*nobody vouches", ended.output)


@pytest.mark.parametrize("kind", ["signed", "unsigned"])
def test_certificate_of_another_suite_says_which_to_use(office: Office, kind: str) -> None:
    """These were issued in the first format, by a suite that nobody has installed."""
    ended = office.run("verify", str(Path(__file__).parent / "first_format" / f"{kind}.json"))
    made_by = f"suite 1.0 (555555555555), and this is suite {VERSION} ({suite_digest()[:12]})"
    assert (ended.code, ended.output.splitlines()[:2]) == (
        1,
        ["DOES NOT HOLD", f"  because: the run was made by {made_by}: use the same one, unchanged"],
    )


def test_run_that_is_barred_gets_nothing(
    office: Office, perfect: Callable[..., RunReport], case: Callable[..., CaseResult]
) -> None:
    """Exit 1, every reason, and no file that could be taken for a certificate."""
    failed = case("token.revoked", "test_a_revoked_token_is_refused", outcome=Outcome.FAIL)
    office.write_run(perfect(failed, selection=("-x",)))
    ended = office.run("certify", "run")
    assert (ended.code, "NO CERTIFICATE" in ended.output) == (1, True)
    assert "cases were left out: -x" in ended.output
    assert "NON-CONFORMANT: token.revoked fail" in ended.output
    assert not (office.folder / "run" / "certificate.json").exists()


def test_changed_suite_gets_nothing(office: Office, perfect: Callable[..., RunReport]) -> None:
    """The run was made by files that are not these."""
    office.write_run(perfect(suite_sha256="0" * 64))
    ended = office.run("certify", "run")
    assert (ended.code, "use the same one, unchanged" in ended.output) == (1, True)


MISTAKES = {
    "no-run": (("certify", "nowhere"), "cannot be read"),
    "no-certificate": (("verify", "nowhere.json"), "cannot be read"),
    "no-such-level": (("certify", "run", "--level", "gold"), "--level"),
    "no-key": (("certify", "run", "--key", "nowhere.pem"), "nowhere.pem cannot be read"),
    "public-key-to-sign": (("certify", "run", "--key", "public.pem"), "is no Ed25519 private key"),
    "private-key-to-verify": (("verify", "run/run.json", "--key", "key.pem"), "is no Ed25519 public key"),
    "no-days": (("certify", "run", "--days", "0"), "--days"),
    "nowhere-to-write": (("certify", "run", "--out", "key.pem/x"), "cannot be written"),
}


@pytest.mark.parametrize(("arguments", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_exit_4_in_words(
    office: Office, perfect: Callable[..., RunReport], arguments: tuple[str, ...], told: str
) -> None:
    """What the user can mend is no verdict about a certificate."""
    office.write_run(perfect())
    office.write_keys()
    ended = office.run(*arguments)
    assert (ended.code, told in ended.output, "Traceback" in ended.output) == (4, True, False), ended.output
