"""Payments: canceled before they succeed, refunded after (reference, Payments)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Final

from paylera_fixtures.operations import Resource
from paylera_mock import problems
from paylera_mock.context import Context, Outcome, Reply
from paylera_mock.money import positive, written
from paylera_mock.problems import Problem
from paylera_mock.resources.common import change, framed, illegal, moved, named
from paylera_mock.store import Object

_CANCELABLE: Final = ("pending", "requires_action")
_REFUNDABLE: Final = ("succeeded", "partially_refunded")


def payment_object(context: Context, invoice: Object, *, status: str, method: str | None = None) -> Object:
    """A new payment of what an invoice has due."""
    settled = context.text() if status == "succeeded" else None
    action = {"type": "redirect_to_url", "url": "https://hooks.paylera.io/3ds/mock"}
    return framed(
        context,
        Resource.PAYMENT,
        invoice_id=invoice["id"],
        customer_id=invoice["customer_id"],
        payment_method_id=method,
        provider="mock",
        status=status,
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        captured_at=settled,
        settled_at=settled,
        next_action=action if status == "requires_action" else None,
        last_error=None,
        refunds=[],
        metadata={},
    )


def cancel_payment(context: Context) -> Outcome:
    """Cancel a payment that has not succeeded yet."""
    return moved(context, "cancel", _CANCELABLE, "canceled")


def refund_payment(context: Context) -> Outcome:
    """Give back a part of a payment, or all that is left of it; the answer is the refund."""
    payment = named(context)
    if isinstance(payment, Problem):
        return payment
    refusal = illegal(context, payment, "refund", _REFUNDABLE)
    if refusal:
        return refusal
    rest = _rest(payment)
    amount = positive(context.payload.get("amount", str(rest)), payment["currency"], "amount")
    if isinstance(amount, Problem):
        return amount
    if amount > rest:
        return problems.refund_too_large(written(rest, payment["currency"]))
    return Reply(HTTPStatus.CREATED, _refund(context, payment, amount, rest), payment["id"])


def _rest(payment: Object) -> Decimal:
    """What has not been refunded yet."""
    return Decimal(payment["amount"]) - sum((Decimal(refund["amount"]) for refund in payment["refunds"]), Decimal(0))


def _refund(context: Context, payment: Object, amount: Decimal, rest: Decimal) -> Object:
    refund = {
        "id": context.world.new_id(Resource.REFUND),
        "object": Resource.REFUND.value,
        "payment_id": payment["id"],
        "amount": written(amount, payment["currency"]),
        "currency": payment["currency"],
        "reason": context.payload.get("reason"),
        "status": "succeeded",
        "created_at": context.text(),
    }
    status = "refunded" if amount == rest else "partially_refunded"
    change(context, payment, refunds=[*payment["refunds"], refund], status=status)
    return refund
