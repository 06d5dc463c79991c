"""The states of objects, and which leads to which (reference, Status). What is not in the tables is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from paylera_fixtures.api.operations import Resource

Machine: TypeAlias = Mapping[str, tuple[str, ...]]
"""The states that each state leads to; a terminal one leads nowhere."""

SUBSCRIPTION: Final[Machine] = {
    "pending_activation": ("trialing", "active", "incomplete_expired"),
    "trialing": ("active", "canceled"),
    "active": ("past_due", "paused", "canceled", "ended"),
    "past_due": ("active", "canceled", "paused"),
    "paused": ("active", "canceled"),
    "canceled": (),
    "ended": (),
    "incomplete_expired": (),
}

INVOICE: Final[Machine] = {
    "draft": ("open",),
    "open": ("partially_paid", "paid", "void", "uncollectible"),
    "partially_paid": ("paid", "uncollectible"),
    "paid": (),
    "void": (),
    "uncollectible": (),
}

# The page is readable up to the middle of this one; the rest follows from the operations on payments.
PAYMENT: Final[Machine] = {
    "pending": ("processing", "canceled"),
    "processing": ("requires_action", "succeeded", "failed"),
    "requires_action": ("succeeded", "failed", "canceled"),
    "succeeded": ("partially_refunded", "refunded", "charged_back"),
    # A second refund of a part leaves it where it is.
    "partially_refunded": ("partially_refunded", "refunded", "charged_back"),
    # Back to what it was, where the dispute is won.
    "charged_back": ("succeeded", "partially_refunded"),
    "failed": (),
    "canceled": (),
    "refunded": (),
}

MACHINES: Final[Mapping[Resource, Machine]] = {
    Resource.SUBSCRIPTION: SUBSCRIPTION,
    Resource.INVOICE: INVOICE,
    Resource.PAYMENT: PAYMENT,
}
"""The machine of each kind of object that has one."""


def sources(machine: Machine, target: str) -> tuple[str, ...]:
    """The states that lead to a state, in the order of the table."""
    return tuple(state for state, targets in machine.items() if target in targets)
