"""Idempotency records: what was answered to a key, and for how long that is remembered (reference, Idempotency)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from paylera_mock.core.messages import Answer, RecordKey
from paylera_mock.core.policy import Policy
from paylera_mock.state.discarded import Part

_DROPPED_AT_ONCE: Final = 4
"""Records that are dropped when one is kept: fewer than all, so that nobody waits for the end of a whole day's."""


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first request with a key: the digest of its body, and what it was answered. No secret is in it."""

    body_digest: bytes
    answer: Answer
    first_used: float


class IdempotencyStore:
    """The records of one namespace. Not thread-safe: the namespace's lock is held around it."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        # Ordered, so that the first one is found at once, however many stood before it.
        self._records: OrderedDict[RecordKey, IdempotencyRecord] = OrderedDict()
        self._below: IdempotencyStore | None = None

    def adopt(self, policy: Policy) -> None:
        """Remember as long as another policy says."""
        self._policy = policy

    def records(self) -> list[tuple[RecordKey, IdempotencyRecord]]:
        """Every record that is kept, the first used first; the time of some may be over."""
        return list(self._records.items())

    def overlay(self) -> IdempotencyStore:
        """The same records, in a store of their own, for as long as nothing changes here."""
        idempotency = IdempotencyStore(self._policy)
        idempotency._below = self
        return idempotency

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [self._records]

    def find(self, key: RecordKey, now: float) -> IdempotencyRecord | None:
        """The living record of a key."""
        record = self._records.get(key)
        if record is None and self._below is not None:
            return self._below.find(key, now)
        return None if record is None or self._is_over(record, now) else record

    def keep(self, key: RecordKey, record: IdempotencyRecord) -> None:
        """Remember an answer, and drop some whose time is over: they stand first, in the order of their first use."""
        self._records[key] = record
        self._records.move_to_end(key)
        for _ in range(_DROPPED_AT_ONCE):
            if not self._is_over(next(iter(self._records.values())), record.first_used):
                return
            self._records.popitem(last=False)

    def _is_over(self, record: IdempotencyRecord, now: float) -> bool:
        return now - record.first_used >= self._policy.key_lifetime_seconds
