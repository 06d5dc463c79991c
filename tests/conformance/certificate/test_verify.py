"""Verifying computes the verdict again: what a certificate says is believed where it follows from its evidence."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from paylera_conformance.certificate.bundle import encode_certificate, make_signer
from paylera_conformance.certificate.check import LevelNotReachedError, make_payload, verify_certificate
from paylera_conformance.certificate.levels import CertificateLevel, Suite
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.model import RunReport

SIGNER = make_signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = make_signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
PUBLIC = SIGNER.public_key.keyval["public"]
Payload = dict[str, Any]


def test_what_was_issued_holds(payload: Payload, suite: Suite, now: datetime) -> None:
    """Unchanged, with the suite that issued it."""
    assert verify_certificate(encode_certificate(payload, None), suite, now=now).problems == []


def test_statement_names_every_clause_with_the_digest_of_its_evidence(payload: Payload, suite: Suite) -> None:
    """So that two people who dispute a clause know that they speak of the same evidence."""
    clauses = payload["statement"]["clauses"]
    assert {clause["id"] for clause in clauses} == set(suite.plan)
    assert {len(clause["evidence_sha256"]) for clause in clauses} == {64}


def say(name: str, value: object) -> Callable[[Payload], None]:
    """Make the statement say something else."""

    def alter(payload: Payload) -> None:
        payload["statement"][name] = value

    return alter


def case(**members: Any) -> Callable[[Payload], None]:
    """Make the first case another."""

    def alter(payload: Payload) -> None:
        payload["run"]["cases"][0].update(members)

    return alter


def drop_case(payload: Payload) -> None:
    """Leave a case out."""
    del payload["run"]["cases"][0]


def drop_clause(payload: Payload) -> None:
    """Leave a clause out of the statement."""
    del payload["statement"]["clauses"][0]


def answer_otherwise(payload: Payload) -> None:
    """Make the target have answered otherwise."""
    payload["run"]["exchanges"][0]["answer"]["status"] = 200


def url_otherwise(payload: Payload) -> None:
    """Make a request have gone to what is no URL."""
    payload["run"]["exchanges"][0]["url"] = "http://["


# Each with its digests made anew, by somebody who knows how certificates are written and has no key.
FORGED: dict[str, tuple[Callable[[Payload], None], str]] = {
    "verdict": (say("verdict", "CONFORMANT WITH FINDINGS"), "it says of verdict what does not follow"),
    "level": (say("level", "full"), "level full takes a run in profile reference"),
    "target": (say("target", "https://other.example"), "it says of target what does not follow"),
    "title": (say("title", "Very conformant"), "it says of title"),
    "local": (say("local", value=True), "it says of local"),
    "longer": (say("expires_at", "2036-06-15T11:00:00+00:00"), "it says of expires_at"),
    "much-longer": (say("days", 4000), "its evidence cannot be read"),
    "suite": (say("suite", {"version": "1.0", "sha256": "0" * 64}), "it says of suite"),
    "contract": (say("contract", {"version": "1", "sha256": "0" * 64}), "it says of contract"),
    "further-words": (say("recommended", value=True), "it says of recommended"),
    "issued-later": (say("issued_at", "2027-06-15T11:00:00+00:00"), "that cannot be"),
    "issued-before": (say("issued_at", "2025-06-15T11:00:00+00:00"), "that cannot be"),
    "issued-nowhere": (say("issued_at", "2026-06-15T11:00:00"), "its evidence cannot be read"),
    "no-such-level": (say("level", "gold"), "its evidence cannot be read"),
    "outcome": (case(outcome=Outcome.FAIL.value), "the verdict is NON-CONFORMANT"),
    "message": (case(message="all is well"), "it says of clauses"),
    "no-evidence": (case(exchanges=[]), "without the evidence of what they sent"),
    "less-evidence": (case(exchanges=[], requests=0), "without the evidence of what they sent"),
    "another-name": (case(case="test_easier"), "the suite has no such cases: test_easier"),
    "no-such-clause": (case(clause="token.easier"), "its evidence cannot be read"),
    "case-dropped": (drop_case, "1 of its 2 cases did not run"),
    "clause-dropped": (drop_clause, "it says of clauses"),
    "answer": (answer_otherwise, "it says of clauses"),
    "cases-are-none": (lambda payload: payload["run"].update(cases=None), "its evidence cannot be read"),
    "cases-are-words": (lambda payload: payload["run"].update(cases=["pass"]), "its evidence cannot be read"),
    "readings-are-none": (lambda payload: payload["run"].update(readings=None), "its evidence cannot be read"),
    "end-of-time": (
        lambda payload: payload["run"].update(ended_at="9999-12-31T00:00:00+00:00"),
        "its evidence cannot be read",
    ),
    "no-exchange": (case(exchanges=[99]), "its evidence cannot be read"),
    "odd-url": (url_otherwise, "its evidence cannot be read"),
    "run-is-a-list": (lambda payload: payload.update(run=[]), "its evidence cannot be read"),
    "run-is-empty": (lambda payload: payload.update(run={}), "its evidence cannot be read"),
}


@pytest.mark.parametrize(("alter", "message"), FORGED.values(), ids=FORGED)
def test_forged_certificate_does_not_hold(
    payload: Payload, suite: Suite, now: datetime, alter: Callable[[Payload], None], message: str
) -> None:
    """Even where its digest was made anew, it says more than its evidence does."""
    alter(payload)
    assert message in "\n".join(verify_certificate(encode_certificate(payload, None), suite, now=now).problems)


def test_altered_byte_is_the_only_thing_told(payload: Payload, suite: Suite, now: datetime) -> None:
    """What an altered certificate says further is of no interest."""
    document = json.loads(encode_certificate(payload, None))
    altered = base64.b64decode(document["payload"]).replace(b'"level":"core"', b'"level":"full"')
    document["payload"] = base64.b64encode(altered).decode()
    problems = verify_certificate(json.dumps(document).encode(), suite, now=now).problems
    assert problems == ["its content does not have its digest: it was altered"]


OTHER_SUITES: dict[str, dict[str, Any]] = {
    "changed": {"sha256": "6" * 64},
    "newer": {"version": "2.0"},
    "other-contract": {"contract_sha256": "d" * 64},
}


@pytest.mark.parametrize("members", OTHER_SUITES.values(), ids=OTHER_SUITES)
def test_certificate_of_another_suite_does_not_hold(
    payload: Payload, suite: Suite, now: datetime, members: dict[str, Any]
) -> None:
    """A changed suite could pass anything; who verifies has the released one."""
    assert verify_certificate(encode_certificate(payload, None), replace(suite, **members), now=now).problems


def test_suite_with_further_cases_finds_them_missing(payload: Payload, suite: Suite, now: datetime) -> None:
    """The plan is that of whoever verifies."""
    plan = {clause: cases | {"test_three"} for clause, cases in suite.plan.items()}
    problems = verify_certificate(encode_certificate(payload, None), replace(suite, plan=plan), now=now).problems
    assert len(problems) == len(plan)


DAYS = timedelta(days=90)


@pytest.mark.parametrize(("after", "holds"), [(DAYS - timedelta(hours=2), True), (DAYS, False), (10 * DAYS, False)])
def test_certificate_holds_until_its_expiry(
    payload: Payload, suite: Suite, now: datetime, after: timedelta, *, holds: bool
) -> None:
    """Counted from the end of the run: that is when it was seen."""
    found = verify_certificate(encode_certificate(payload, None), suite, now=now + after, max_age=1000)
    assert found.problems == ([] if holds else ["it expired at 2026-09-13T11:00:00+00:00: run the suite again"])


@pytest.mark.parametrize(("days", "holds"), [(1, False), (2, True)])
def test_evidence_is_only_so_old_as_its_reader_takes(
    payload: Payload, suite: Suite, now: datetime, days: int, *, holds: bool
) -> None:
    """How long a certificate holds its issuer says; what it is worth to somebody else is for that one to say."""
    found = verify_certificate(
        encode_certificate(payload, None), suite, now=now + timedelta(days=1, hours=12), max_age=days
    )
    told = ["its evidence is of 2026-06-15T11:00:00+00:00, too old by --max-age"]
    assert found.problems == ([] if holds else told)


def test_statement_says_where_and_when_the_evidence_is_from(payload: Payload) -> None:
    """Every base URL, and the time of the run."""
    stated = payload["statement"]
    assert (stated["base_urls"], stated["run_started_at"]) == (["https://api.example"], "2026-06-15T11:00:00+00:00")


KEYS: dict[str, tuple[CryptoSigner | None, str | None, list[str]]] = {
    "signed-as-wanted": (SIGNER, PUBLIC, []),
    "signed-by-another": (OTHER, PUBLIC, ["it was signed with another key than the one given"]),
    "unsigned": (None, PUBLIC, ["it is not signed, and a key was given to hold it against"]),
    "signed-and-no-key": (SIGNER, None, []),
}


@pytest.mark.parametrize(("signer", "wanted", "problems"), KEYS.values(), ids=KEYS)
def test_key_that_is_given_is_held_to(
    payload: Payload, suite: Suite, now: datetime, *, signer: Any, wanted: Any, problems: list[str]
) -> None:
    """A key that only the certificate itself names proves nothing about its owner."""
    assert (
        verify_certificate(encode_certificate(payload, signer), suite, now=now, public_key=wanted).problems == problems
    )


NOTES = {"unsigned": (None, "UNSIGNED: whoever wrote it"), "no-key-given": (SIGNER, "held against no key: give --key")}


@pytest.mark.parametrize(("signer", "message"), NOTES.values(), ids=NOTES)
def test_certificate_that_nobody_vouches_for_says_so(
    payload: Payload, suite: Suite, now: datetime, signer: CryptoSigner | None, message: str
) -> None:
    """It holds, and its reader learns what that is worth."""
    assert message in "\n".join(verify_certificate(encode_certificate(payload, signer), suite, now=now).notes)


def test_local_certificate_says_so(run_of: Callable[..., RunReport], suite: Suite, now: datetime) -> None:
    """Loudly: in its title and beside it."""
    report = run_of(target="http://127.0.0.1:4242")
    issued = make_payload(report, CertificateLevel.CORE, suite, now=now, days=90)
    found = verify_certificate(encode_certificate(issued, None), suite, now=now)
    assert "not a certificate" in found.statement["title"]
    assert any(note.startswith("LOCAL") for note in found.notes)


BARRED: dict[str, tuple[dict[str, Any], str]] = {
    "old": ({"ended_at": "2026-01-15T11:00:00+00:00"}, "more than 90 days ago"),
    "yet-to-come": ({"ended_at": "2026-07-15T11:00:00+00:00"}, "yet to come"),
    "unended": ({"ended_at": ""}, "does not say when it ended"),
    "deselected": ({"selection": ("-x",)}, "cases were left out: -x"),
}


@pytest.mark.parametrize(("facts", "message"), BARRED.values(), ids=BARRED)
def test_nothing_is_issued_for_a_run_that_is_barred(
    run_of: Callable[..., RunReport], suite: Suite, now: datetime, facts: dict[str, Any], message: str
) -> None:
    """Every reason is told instead."""
    with pytest.raises(LevelNotReachedError, match=message):
        make_payload(run_of(**facts), CertificateLevel.CORE, suite, now=now, days=90)
