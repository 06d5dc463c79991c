"""The index by which a secret finds its namespace, and the memory of those that have none any more."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

REMEMBERED: Final = 5_000
"""Secrets whose end is remembered, the latest ones; enough to explain a test that runs after its namespace was gone."""


class TokenOwner(Protocol):
    """The namespace that a token belongs to, as far as the token store and the index have to know it."""

    id: str | None


Owner = TypeVar("Owner", bound=TokenOwner)


class TokenIndex(dict[str, Owner]):
    """The owners of tokens (`TokenOwner`) by the digests of their secrets, and by what `fingerprint` makes of them.

    `gone` tells of a secret that was taken out which namespace it was of (`None`: the default one). Thread-safe.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gone: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def take_out(self, digests: Iterable[str], namespace_id: str | None) -> None:
        """Forget which secrets belong to a namespace, and remember that they did. Those of others stay."""
        with self._lock:
            for secret_digest in digests:
                owner = self.get(secret_digest)
                if owner is not None and owner.id == namespace_id:
                    del self[secret_digest]
                    self._gone[secret_digest] = namespace_id
            while len(self._gone) > REMEMBERED:
                del self._gone[next(iter(self._gone))]

    def is_gone(self, secret_digest: str) -> bool:
        """Whether a secret was one, until its namespace was deleted or reset."""
        return secret_digest in self._gone

    def gone_from(self, secret_digest: str) -> str | None:
        """The id of the namespace that a secret was of, until it was deleted or reset; `None` for the default one."""
        return self._gone.get(secret_digest)
