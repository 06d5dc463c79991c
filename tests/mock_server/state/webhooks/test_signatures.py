"""What deliveries are signed with, by the clock of the namespace."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import pytest

from helpers.webhooks import Hooks, Receiver
from paylera_mock.state.webhooks.signatures import SigningSecrets, signature

DAY: Final = 24 * 60 * 60
ENDPOINTS: Final = "/v1/admin/webhook-endpoints"


def digest(secret: str, timestamp: str, body: bytes) -> str:
    """What a receiver compares a signature with."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def test_a_delivery_is_signed(hooks: Hooks, receiver: Receiver) -> None:
    """With the secret that was shown once, at the time of the clock that stands still."""
    endpoint = hooks.register(receiver.url, "customer.created")
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [(_, headers, body)] = receiver.received
    timestamp = headers["Paylera-Signature"].partition(",")[0].removeprefix("t=")
    signed = f"t={timestamp},v1={digest(endpoint['secret'], timestamp, body)}"
    assert headers["Paylera-Signature"] == signed


def test_a_delivery_is_signed_at_the_time_of_the_clock(hooks: Hooks, receiver: Receiver) -> None:
    """Not of the machine."""
    hooks.register(receiver.url, "customer.created")
    secret = hooks.fake.secret()
    for _ in range(2):
        hooks.customer(secret)
        hooks.flush()
        hooks.fake.advance(DAY)
    times = [
        int(headers["Paylera-Signature"].partition(",")[0].removeprefix("t=")) for _, headers, _ in receiver.received
    ]
    assert times[1] - times[0] == DAY


@pytest.mark.parametrize(("seconds", "count"), [(0, 2), (DAY - 1, 2), (DAY, 1)])
def test_the_secret_before_signs_for_a_day_too(hooks: Hooks, receiver: Receiver, seconds: int, count: int) -> None:
    """The new one first."""
    endpoint = hooks.register(receiver.url, "customer.created")
    path = f"{ENDPOINTS}/{endpoint['id']}/rotate-secret"
    rotated = hooks.fake.call("POST", path, hooks.fake.admin()).json or {}
    hooks.fake.advance(seconds)
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    [(_, headers, body)] = receiver.received
    timestamp, *signatures = headers["Paylera-Signature"].split(",")
    secrets = (rotated["secret"], endpoint["secret"])[:count]
    assert signatures == [f"v1={digest(secret, timestamp.removeprefix('t='), body)}" for secret in secrets]


def test_a_signature_is_as_documented() -> None:
    """Computed once by another program: printf '1736179200.{}' | openssl dgst -sha256 -hmac whsec_test."""
    expected = "t=1736179200,v1=a8ffbd904caf659fd9e686db526f67b5e6a4e7418649383a8fca3f27d277ac1c"
    assert signature(["whsec_test"], 1736179200, b"{}") == expected


def test_another_policy_ends_the_old_secret_sooner(hooks: Hooks, receiver: Receiver) -> None:
    """The grace of the policy that a namespace goes by now, and not of the one that it began with."""
    endpoint = hooks.register(receiver.url, "customer.created")
    hooks.namespace.state.adopt(hooks.namespace.policy.but(grace_seconds=60))
    hooks.fake.call("POST", f"{ENDPOINTS}/{endpoint['id']}/rotate-secret", hooks.fake.admin())
    hooks.fake.advance(60)
    hooks.customer(hooks.fake.secret())
    hooks.flush()
    assert receiver.received[-1][1]["Paylera-Signature"].count("v1=") == 1


def test_a_keyring_shows_no_secret() -> None:
    """Whoever prints it."""
    signing_secrets = SigningSecrets()
    signing_secrets.add("we_1", "whsec_test", 0, grace_seconds=1)
    assert "whsec_test" not in repr(signing_secrets) + repr(vars(signing_secrets))
