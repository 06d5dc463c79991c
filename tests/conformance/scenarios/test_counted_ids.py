"""Where a database counts, ids are numbers: an actor has that of a customer, and a record has others of its own."""

from __future__ import annotations

from typing import Any

import pytest

from paylera_conformance.scenarios.audit_log import places_of, record_mentions
from paylera_conformance.scenarios.token_lifecycle import may_be_counted_with


@pytest.mark.parametrize(
    ("identifier", "known"),
    [("1", "12"), ("120", "12"), ("7", "1"), ("actor_1", "actor_12"), ("actor-3", "actor-4"), ("a_b_1", "a_b_2")],
)
def test_number_may_be_another_ones(identifier: str, known: str) -> None:
    """So it cannot be sent as nobody's."""
    assert may_be_counted_with(identifier, known)


@pytest.mark.parametrize(
    ("identifier", "known"),
    [
        ("", "1"),
        ("cus_1", "actor_1"),
        ("actor_1", "1"),
        ("1", "01hv5pq0a9"),
        ("actor_x7kq", "actor_x7kq3"),
        ("123456789012", "12"),
        ("actor_", "actor_1"),
    ],
)
def test_other_form_is_not(identifier: str, known: str) -> None:
    """Nor is what is too long to have been counted, as an id that is made up."""
    assert not may_be_counted_with(identifier, known)


RECORD: dict[str, Any] = {
    "id": 2,
    "tenant_id": 7,
    "created_at": "2026-04-02T03:12:40Z",
    "who": {"credential": {"kind": "token", "ref": "1"}, "behalf": [{"actor": 40}]},
}


def test_number_in_a_record_counts_as_a_whole() -> None:
    """Not as a part of a time, and not as the record's own."""
    assert [number for number in ("1", "2", "3", "7", "12", "40") if record_mentions(RECORD, number)] == [
        "1",
        "7",
        "40",
    ]


def test_number_in_a_record_has_its_places() -> None:
    """By which the same is found in another record."""
    assert places_of([RECORD], "40") == {("who", "behalf", "actor")}


def test_other_id_counts_as_a_word() -> None:
    """Wherever it stands."""
    record = {"what": "actor_1 acted by tok_12"}
    assert [name for name in ("actor_1", "tok_1", "tok_12") if record_mentions(record, name)] == ["actor_1", "tok_12"]
