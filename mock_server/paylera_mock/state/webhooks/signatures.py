"""The signature of a webhook, and the secrets it is made with (reference, Webhook signatures)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf


def signature(secrets: Iterable[str], timestamp: int, body: bytes) -> str:
    """The value of `Paylera-Signature`: `t=<timestamp>`, and for each secret `v1=` with an HMAC-SHA-256 in hex.

    Signed are the timestamp in seconds since the epoch, a full stop, and the raw body; the key is the secret as text.
    """
    signed = f"{timestamp}.".encode() + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={timestamp}", *(f"v1={digest}" for digest in digests)))


@dataclass(frozen=True, slots=True)
class _Key:
    secret: str = field(repr=False)
    ends_at: float = inf


class SigningSecrets:
    """The signing secrets of a namespace's endpoints. They are kept here alone, and nothing that is shown has them."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[_Key, ...]] = {}

    def __len__(self) -> int:
        """How many endpoints there are."""
        return len(self._keys)

    def add(self, endpoint_id: str, secret: str, now: float, *, grace_seconds: float) -> None:
        """Sign with a new secret from now on, and for the grace with the one before it too."""
        before = self._keys.get(endpoint_id, ())[:1]
        self._keys[endpoint_id] = (_Key(secret), *(_Key(key.secret, now + grace_seconds) for key in before))

    def secrets(self, endpoint_id: str, now: float) -> tuple[str, ...]:
        """The secrets that sign at a moment, the newest first."""
        return tuple(key.secret for key in self._keys.get(endpoint_id, ()) if now < key.ends_at)

    def remove(self, endpoint_id: str) -> None:
        """Forget the secrets of an endpoint."""
        self._keys.pop(endpoint_id, None)
