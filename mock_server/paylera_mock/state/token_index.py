"""The index by which a secret finds its namespace, and the memory of those that have none any more."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol, TypeVar

REMEMBERED: Final = 5_000
"""Secrets whose end is remembered, the latest ones; enough to explain a test that runs after its namespace was gone."""


class TokenOwner(Protocol):
    """The namespace that a token belongs to, as far as the token store and the index have to know it."""

    id: str | None


Owner = TypeVar("Owner", bound=TokenOwner)


class FormerOwner(NamedTuple):
    """The id of a namespace that was deleted or reset; `None` for the default one."""

    id: str | None


class TokenIndex(dict[str, Owner]):
    """The owners of tokens (`TokenOwner`) by the digests and the `fingerprints()` of their secrets. Thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._former: dict[str, FormerOwner] = {}
        self._lock = threading.Lock()

    def take_out(self, digests: Iterable[str], namespace_id: str | None) -> None:
        """Forget which secrets belong to a namespace, and remember that they did. Those of others stay."""
        with self._lock:
            for secret_digest in digests:
                owner = self.get(secret_digest)
                if owner is not None and owner.id == namespace_id:
                    del self[secret_digest]
                    self._former[secret_digest] = FormerOwner(namespace_id)
            while len(self._former) > REMEMBERED:
                del self._former[next(iter(self._former))]

    def former_owner(self, secret_digest: str) -> FormerOwner | None:
        """The namespace whose deletion or reset ended a secret; `None` where none is remembered."""
        return self._former.get(secret_digest)
