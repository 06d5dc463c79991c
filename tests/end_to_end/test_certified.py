"""A certificate for a target whose clock nobody moves: run, resumed twice, certified, and verified by somebody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from helpers.deployment import Deployment
from helpers.suite import Run

pytestmark = pytest.mark.slow

Deploy: TypeAlias = Callable[..., "Deployment"]
Furnish: TypeAlias = Callable[["Deployment"], "Deployment"]


@dataclass(frozen=True)
class Certification:
    """A target with the sessions of its certification, and what came of certifying the last."""

    target: Deployment
    first: Run
    last: Run
    issued: Run

    @property
    def attestation(self) -> dict[str, Any]:
        """The in-toto statement of the certificate that was issued."""
        envelope = json.loads((self.target.folder / "bundle.json").read_bytes())
        found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
        return found


@pytest.fixture(scope="module")
def certification(deploy: Deploy, furnish: Furnish) -> Certification:
    """Begun; looked at late in the 24th hour of each grace, and again after two days, when everything is due."""
    target = furnish(deploy())
    first = target.run()
    target.pass_time(23.5)
    target.resume()
    target.pass_time(23.4)
    target.resume()
    target.pass_time(2.6)
    last = target.resume()
    issued = target.suite("certify", f"resumed-{target.hours:g}", "--out", "bundle.json")
    return Certification(target, first, last, issued)


def test_first_session_cannot_be_certified(certification: Certification) -> None:
    """It waits: what was not seen is not certified, and each clause is named."""
    ended = certification.target.suite("certify", "out")
    assert (certification.first.code, ended.code) == (11, 1)
    assert "the verdict is PENDING: " in ended.output


def test_last_session_is_certified(certification: Certification) -> None:
    """Every case is there with its evidence, from whichever session it comes."""
    assert (certification.last.code, certification.issued.code) == (0, 0), certification.issued.output


def test_certificate_tells_that_the_grace_was_waited_for(certification: Certification) -> None:
    """By the wall clock, which is worth more than a moved one."""
    certificate = certification.attestation["predicate"]["payleraCertificate"]
    rows = {clause["id"]: clause for clause in certificate["statement"]["clauses"]}
    assert {rows[name]["time_evidence"] for name in ("rotation.grace-holds", "rotation.grace-ends")} == {"wall clock"}


def test_certificate_holds(certification: Certification) -> None:
    """For whoever has the same suite."""
    ended = certification.target.suite("verify", "bundle.json")
    assert (ended.code, ended.output.startswith("HOLDS")) == (0, True), ended.output


def test_no_secret_is_in_the_certificate(certification: Certification) -> None:
    """It is made to be handed around."""
    written = json.dumps(certification.attestation)
    tokens = {name: value for name, value in certification.target.env.items() if name.startswith("T_")}
    assert [name for name, secret in tokens.items() if secret in written] == []


def test_wrong_target_gets_no_certificate(deploy: Deploy, furnish: Furnish) -> None:
    """The clause that it broke is the reason of its verdict, whatever else was not looked at."""
    target = furnish(deploy("--mutant", "grace-never-ends"))
    target.run("--clause", "rotation")
    target.pass_time(50)
    target.resume()
    ended = target.suite("certify", "resumed-50")
    assert (ended.code, "NON-CONFORMANT: rotation.grace-ends fail\n" in ended.output) == (1, True), ended.output
