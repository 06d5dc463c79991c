"""The index by which a secret finds its namespace, and the memory of those that have none any more."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

REMEMBERED: Final = 5_000
"""Secrets whose end is remembered, the latest ones; enough to explain a test that runs after its namespace was gone."""


class TokenOwner(Protocol):
    """The namespace that a token belongs to, as far as the token store and the index have to know it."""

    id: str | None


Owner = TypeVar("Owner", bound=TokenOwner)


class FormerOwner(NamedTuple):
    """The id of a namespace that was deleted or reset; `None` for the default one."""

    id: str | None


class Holder(Generic[Owner]):
    """Who holds secrets in the index: an owner from its start, or from its last reset, to its end.

    `owner` is `None` after the end, which takes effect for all of its secrets at once; `id` stays.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner: Owner | None = owner
        self.id = owner.id

    def end(self) -> None:
        """Hold nothing any more."""
        self.owner = None


class TokenIndex(Generic[Owner]):
    """The owners of tokens (`TokenOwner`) by the digests and the `fingerprints()` of their secrets. Thread-safe."""

    def __init__(self) -> None:
        self._holders: dict[str, Holder[Owner]] = {}
        self._former: OrderedDict[str, FormerOwner] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, holder: Holder[Owner], secret_digest: str, fingerprints: Iterable[str]) -> None:
        """Have a secret lead to a holder. Where it leads to another owner already, that stays so."""
        with self._lock:
            known = self._holders.get(secret_digest)
            if known is None or known.owner in {None, holder.owner}:
                self._holders[secret_digest] = holder
            self._holders.update(dict.fromkeys(fingerprints, holder))

    def owner(self, secret_digest: str) -> Owner | None:
        """The owner of a secret, or of a fingerprint."""
        holder = self._holders.get(secret_digest)
        return holder.owner if holder else None

    def take_out(self, digests: Iterable[str], holder: Holder[Owner]) -> None:
        """Forget that secrets lead to a holder, and remember that they did. What leads to others stays."""
        with self._lock:
            for secret_digest in digests:
                if self._holders.get(secret_digest) is holder:
                    del self._holders[secret_digest]
                    self._former[secret_digest] = FormerOwner(holder.id)
                    self._former.move_to_end(secret_digest)
            while len(self._former) > REMEMBERED:
                self._former.popitem(last=False)

    def former_owner(self, secret_digest: str) -> FormerOwner | None:
        """The namespace whose deletion or reset ended a secret; `None` where none is remembered."""
        holder = self._holders.get(secret_digest)
        if holder is not None and holder.owner is None:
            return FormerOwner(holder.id)
        return self._former.get(secret_digest)
