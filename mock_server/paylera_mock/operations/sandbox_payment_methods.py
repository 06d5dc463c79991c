"""The sandbox's test tokens: payment methods whose outcome is fixed (reference, Environments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from paylera_mock.core.messages import Object
from paylera_mock.operations.common import refuse_member
from paylera_mock.state.schedule import ScheduledEffect

_PREFIX: Final = "tok_"


@dataclass(frozen=True, slots=True)
class Card:
    """What becomes of a charge.

    - `decline`: the code of the decline, where it is declined, and `is_retriable`: whether to try again makes sense;
    - `asks_first`: whether a customer's first charge waits for the customer's action;
    - `later`: what happens to it after that, in seconds from the charge.
    """

    decline: str | None = None
    is_retriable: bool = False
    asks_first: bool = False
    later: tuple[tuple[float, ScheduledEffect], ...] = ()

    @property
    def last_error(self) -> Object | None:
        """The member `last_error` of a payment that it declines (reference, Payments)."""
        if self.decline is None:
            return None
        return {
            "code": "card_declined",
            "decline_code": self.decline,
            "provider_message": f"The card was declined: {self.decline}.",
            "user_message": "Your card was declined. Try another payment method.",
            "is_retriable": self.is_retriable,
            "retriable_after": None,
        }


AUTHENTICATION: Final = "authentication_failed"
"""The decline of a charge whose customer failed at the action that it waited for. No source names one."""

PLAIN: Final = Card()
"""Every payment method that is no test token: its charges succeed."""

TEST_TOKENS: Final[Mapping[str, Card]] = {
    "tok_visa_success": PLAIN,
    "tok_visa_3ds": Card(asks_first=True),
    "tok_visa_decline": Card(decline="card_declined"),
    "tok_visa_insufficient_funds": Card(decline="insufficient_funds", is_retriable=True),
    "tok_visa_chargeback": Card(later=((60, ScheduledEffect.CHARGE_BACK),)),
    # The page breaks off at "(90": that it is 90 seconds from the charge is a reading.
    "tok_visa_dispute_won": Card(later=((60, ScheduledEffect.CHARGE_BACK), (90, ScheduledEffect.DISPUTE_WON))),
}


def card_of(method: str | None, field: str = "payment_method_id") -> Card:
    """What a payment method does. Raises `RefusedError` for a word that looks like a test token and is none."""
    if method is None or not method.startswith(_PREFIX):
        return PLAIN
    card = TEST_TOKENS.get(method)
    if card is None:
        message = f"No test token has this name: use one of {', '.join(TEST_TOKENS)}, or the id of a payment method."
        raise refuse_member(field, "reference.unknown", message)
    return card
