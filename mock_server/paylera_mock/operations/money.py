"""Money: decimal strings beside an ISO 4217 code (reference, Money)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from paylera_mock.core.messages import Object
from paylera_mock.operations.common import refuse_member

MINOR_UNITS: Final[Mapping[str, int]] = {
    "AUD": 2,
    "BHD": 3,
    "CAD": 2,
    "CHF": 2,
    "CLF": 4,
    "EUR": 2,
    "GBP": 2,
    "JOD": 3,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
    "USD": 2,
}
"""The currencies that the reference names, and the digits after the point that each has."""


LARGEST: Final = Decimal(10) ** 12
"""Amounts stay below it: that is what their form allows."""

# Wide enough for the product of the two longest numbers that a body may hold, a hundred times over.
_WIDE: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)


def read_currency(body: Object) -> str:
    """The member `currency` of a body. Raises `RefusedError` where it is not in the table."""
    currency: str = body["currency"]
    if currency not in MINOR_UNITS:
        raise refuse_member("currency", "currency.invalid", f"The currency is none of {', '.join(MINOR_UNITS)}.")
    return currency


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """An amount in whole minor units, half to even."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS[currency]), context=_WIDE)


def line_amount(quantity: str, unit_amount: str, currency: str) -> Decimal:
    """The amount of one line, rounded by itself."""
    return round_amount(_WIDE.multiply(Decimal(quantity), Decimal(unit_amount)), currency)


def check_size(amount: Decimal, field: str) -> None:
    """Raise `RefusedError` for an amount that would grow beyond the form of one."""
    if amount >= LARGEST:
        raise refuse_member(field, "amount.invalid", f"The amount would not stay below {LARGEST}.")


def format_amount(amount: Decimal, currency: str) -> str:
    """An amount as objects show it, in whole minor units."""
    return f"{round_amount(amount, currency):f}"


def read_amount(text: str, currency: str, field: str) -> Decimal:
    """Read an amount that moves. Raises `RefusedError` where it is not above 0, or not in whole minor units."""
    amount = Decimal(text)
    if amount <= 0:
        raise refuse_member(field, "amount.invalid", "The amount must be above 0.")
    if amount != round_amount(amount, currency):
        message = f"{currency} has {MINOR_UNITS[currency]} digits after the point: the amount has more."
        raise refuse_member(field, "amount.invalid", message)
    return amount
