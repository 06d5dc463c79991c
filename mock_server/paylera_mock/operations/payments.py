"""Payments: what becomes of a charge, canceled before it succeeds, refunded after (reference, Payments and Status)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import (
    check_transition,
    create,
    new_object,
    object_in_path,
    operation,
    set_status,
    transition,
    update,
)
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import format_amount, read_amount
from paylera_mock.operations.sandbox_payment_methods import AUTHENTICATION, PLAIN, Card
from paylera_mock.operations.state_machines import PAYMENT, sources
from paylera_mock.pipeline.context import Context


def payment_object(context: Context, invoice: Object, *, status: str, method: str | None = None) -> Object:
    """A new payment of what an invoice has due."""
    settled = context.format_now() if status == "succeeded" else None
    payment = new_object(
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
        next_action=None,
        last_error=None,
        refunds=[],
        metadata={},
    )
    return payment | {"next_action": _action(payment) if status == "requires_action" else None}


def _action(payment: Object) -> Object:
    return {"type": "redirect_to_url", "url": f"https://hooks.paylera.io/3ds/{payment['id']}"}


def charge(context: Context, invoice: Object, method: str | None, card: Card = PLAIN) -> Object:
    """Charge what an invoice has due: a new payment, which has succeeded, has failed, or waits for the customer."""
    earlier = context.objects.find(Resource.PAYMENT, customer_id=invoice["customer_id"], payment_method_id=method)
    waits = card.asks_first and earlier is None
    payment = payment_object(context, invoice, status="pending", method=method)
    create(context, Resource.PAYMENT, payment)
    set_status(context, payment, "processing")
    if waits:
        set_status(context, payment, "requires_action", next_action=_action(payment))
    elif card.decline is not None:
        set_status(context, payment, "failed", last_error=card.last_error)
    else:
        _set_succeeded(context, payment)
    for seconds, effect in card.later:
        context.schedule(effect, payment, seconds)
    return payment


def _set_succeeded(context: Context, payment: Object) -> None:
    now = context.format_now()
    set_status(context, payment, "succeeded", captured_at=now, settled_at=now, next_action=None)


def complete_action(context: Context, payment: Object, *, succeeded: bool) -> None:
    """The customer has done what a payment waited for, or has failed at it."""
    emit(context, payment, "action_completed")
    if succeeded:
        _set_succeeded(context, payment)
    else:
        set_status(context, payment, "failed", next_action=None, last_error=Card(decline=AUTHENTICATION).last_error)


def charge_back(context: Context, payment: Object) -> None:
    """The customer's bank takes a payment back, if there is something to take back. The invoice stays paid."""
    if payment["status"] in sources(PAYMENT, "charged_back"):
        set_status(context, payment, "charged_back")


def win_dispute(context: Context, payment: Object) -> None:
    """The bank gives back what it took: the payment is again what it was."""
    if payment["status"] == "charged_back":
        update(context, payment, status="partially_refunded" if payment["refunds"] else "succeeded")
        emit(context, payment, "dispute_won")


@operation
def cancel_payment(context: Context) -> Reply:
    """Cancel a payment that has not succeeded yet."""
    return transition(context, "cancel", "canceled", next_action=None)


@operation
def refund_payment(context: Context) -> Reply:
    """Give back a part of a payment, or all that is left of it; the answer is the refund.

    Raises `RefusedError` where the payment cannot be refunded, or not by so much.
    """
    payment = object_in_path(context)
    check_transition(context, payment, "refund", "refunded")
    rest = _rest(payment)
    amount = read_amount(context.payload.get("amount", str(rest)), payment["currency"], "amount")
    if amount > rest:
        raise RefusedError(problems.refund_too_large(format_amount(rest, payment["currency"])))
    return Reply(HTTPStatus.CREATED, _refund(context, payment, amount, rest), payment["id"])


def _rest(payment: Object) -> Decimal:
    """What has not been refunded yet."""
    return Decimal(payment["amount"]) - sum((Decimal(refund["amount"]) for refund in payment["refunds"]), Decimal(0))


def _refund(context: Context, payment: Object, amount: Decimal, rest: Decimal) -> Object:
    refund = {
        "id": context.state.new_id(Resource.REFUND),
        "object": Resource.REFUND.value,
        "payment_id": payment["id"],
        "amount": format_amount(amount, payment["currency"]),
        "currency": payment["currency"],
        "reason": context.payload.get("reason"),
        "status": "succeeded",
        "created_at": context.format_now(),
    }
    status = "refunded" if amount == rest else "partially_refunded"
    set_status(context, payment, status, refunds=[*payment["refunds"], refund])
    return refund
