"""Idempotency records: what was answered to a key, and for how long that is remembered (reference, Idempotency)."""

from __future__ import annotations

from dataclasses import dataclass

from paylera_mock.core.messages import Answer, RecordKey
from paylera_mock.core.policy import Policy


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
        self._records: dict[RecordKey, IdempotencyRecord] = {}

    def adopt(self, policy: Policy) -> None:
        """Remember as long as another policy says."""
        self._policy = policy

    def records(self) -> list[tuple[RecordKey, IdempotencyRecord]]:
        """Every record that is kept, the first used first; the time of some may be over."""
        return list(self._records.items())

    def copy(self) -> IdempotencyStore:
        """The same records, in a store of their own."""
        idempotency = IdempotencyStore(self._policy)
        idempotency._records = dict(self._records)
        return idempotency

    def find(self, key: RecordKey, now: float) -> IdempotencyRecord | None:
        """The living record of a key."""
        record = self._records.get(key)
        return None if record is None or self._is_over(record, now) else record

    def keep(self, key: RecordKey, record: IdempotencyRecord) -> None:
        """Remember an answer, and drop those whose time is over: they stand first, in the order of their first use."""
        self._records.pop(key, None)
        self._records[key] = record
        while self._is_over(next(iter(self._records.values())), record.first_used):
            del self._records[next(iter(self._records))]

    def _is_over(self, record: IdempotencyRecord, now: float) -> bool:
        return now - record.first_used >= self._policy.key_lifetime_seconds
