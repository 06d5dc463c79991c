"""Which requests were sent at the same moment."""

from __future__ import annotations

import pytest

from paylera_conformance.model.messages import AnswerRecord, ExchangeRecord
from paylera_conformance.reports.simultaneous import group_simultaneous


def sent(at: str, seconds: float, *, body: str = "{}") -> ExchangeRecord:
    """An exchange that began at a second, and took so many."""
    return ExchangeRecord(
        method="POST",
        url="http://target.test/v1/customers",
        role=None,
        headers=(("Idempotency-Key", "key"),),
        body=body,
        answer=AnswerRecord(201, (), "{}"),
        at=at,
        seconds=seconds,
    )


def second(number: float) -> str:
    """A time, as an exchange has it."""
    return f"2026-04-01T00:00:{number:09.6f}+00:00"


@pytest.mark.parametrize(
    ("records", "groups"),
    [
        ([], []),
        ([sent(second(1), 1), sent(second(3), 1)], [[0], [1]]),
        ([sent(second(1), 1), sent(second(1.5), 1)], [[0, 1]]),
        ([sent(second(1), 1), sent(second(1.5), 0.1), sent(second(1.9), 1), sent(second(2.5), 1)], [[0, 1, 2, 3]]),
        ([sent(second(1), 1), sent(second(2), 1)], [[0], [1]]),
        ([sent(second(1.5), 1), sent(second(1), 1)], [[1, 0]]),
        ([sent(second(1), 1), sent(second(1.5), 1, body="[]")], [[0], [1]]),
        ([sent(second(1), 1), sent(second(1.2), 0.1, body="[]"), sent(second(1.5), 1)], [[1], [0, 2]]),
        ([sent("", 1), sent("", 1)], [[0], [1]]),
    ],
)
def test_requests_that_were_under_way_together_are_a_group(
    records: list[ExchangeRecord], groups: list[list[int]]
) -> None:
    """One that begins when the one before has ended is of no group with it, nor is another request."""
    assert group_simultaneous(records) == groups
