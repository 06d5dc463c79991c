"""The example of a receiver: it believes what is signed, and nothing else."""

from __future__ import annotations

import runpy
from typing import Final

import pytest

from helpers.paths import EXAMPLES
from helpers.webhooks import Hooks, Receiver
from paylera_mock.state.webhooks.signatures import signature

EXAMPLE: Final = runpy.run_path(str(EXAMPLES / "fake" / "webhook_receiver.py"))
SECRET: Final = "whsec_test"  # noqa: S105 - of no fake's
BODY: Final = b'{"id":"evt_1"}'
NOW: Final = 1_736_179_200
GENUINE: Final = signature([SECRET], NOW, BODY)


def believed(header: str, body: bytes = BODY, *, now: float = NOW) -> bool:
    """What the example says."""
    return bool(EXAMPLE["is_genuine"](header, body, SECRET, now))


@pytest.mark.parametrize("now", [NOW - 300, NOW, NOW + 300])
def test_what_is_signed_is_believed(now: float) -> None:
    """For five minutes, however wrong the clock of the receiver is."""
    assert believed(GENUINE, now=now)


@pytest.mark.parametrize("header", [signature(["whsec_new", SECRET], NOW, BODY), GENUINE.replace(",", ", ")])
def test_one_of_two_signatures_is_enough(header: str) -> None:
    """While the secret is being changed."""
    assert believed(header)


# What is not genuine.
FORGED: Final = (
    "",
    "t=,v1=",
    f"t={NOW}",
    GENUINE.partition(",")[2],
    GENUINE.replace("v1=", "v0="),
    GENUINE[:-1],
    GENUINE.replace(f"t={NOW}", f"t={NOW + 1}"),
    GENUINE.replace(f"t={NOW}", "t=²"),
    f"t={NOW},v1=é",
    signature(["whsec_other"], NOW, BODY),
)


@pytest.mark.parametrize("header", FORGED)
def test_what_is_not_signed_is_not_believed(header: str) -> None:
    """Whatever it looks like."""
    assert not believed(header)


def test_another_body_is_not_believed() -> None:
    """One byte more."""
    assert not believed(GENUINE, BODY + b" ")


@pytest.mark.parametrize("now", [NOW - 301, NOW + 301])
def test_an_old_signature_is_not_believed(now: float) -> None:
    """Someone may have kept it."""
    assert not believed(GENUINE, now=now)


def test_what_the_fake_sends_is_believed(hooks: Hooks, receiver: Receiver) -> None:
    """By the secret that the endpoint was given."""
    endpoint = hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [(_, headers, body)] = receiver.received
    now = hooks.namespace.clock.epoch()
    assert EXAMPLE["is_genuine"](headers["Paylera-Signature"], body, endpoint["secret"], now)
