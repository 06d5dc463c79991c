"""Payments: what becomes of a charge, canceled before it succeeds, refunded after (reference, Payments and Status)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.operations.common import change, created, framed, illegal, move, moved, named
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import positive, written
from paylera_mock.operations.sandbox_payment_methods import AUTHENTICATION, PLAIN, Card
from paylera_mock.operations.state_machines import PAYMENT, sources
from paylera_mock.pipeline.context import Context


def payment_object(context: Context, invoice: Object, *, status: str, method: str | None = None) -> Object:
    """A new payment of what an invoice has due."""
    settled = context.text() if status == "succeeded" else None
    payment = framed(
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
    """What the customer has to do before a payment can succeed."""
    return {"type": "redirect_to_url", "url": f"https://hooks.paylera.io/3ds/{payment['id']}"}


def charge(context: Context, invoice: Object, method: str | None, card: Card = PLAIN) -> Object:
    """Charge what an invoice has due: a new payment, which has succeeded, has failed, or waits for the customer."""
    waits = card.asks_first and not _was_charged(context, invoice["customer_id"], method)
    payment = payment_object(context, invoice, status="pending", method=method)
    created(context, Resource.PAYMENT, payment)
    move(context, payment, "processing")
    if waits:
        move(context, payment, "requires_action", next_action=_action(payment))
    elif card.decline is not None:
        move(context, payment, "failed", last_error=card.last_error)
    else:
        _succeed(context, payment)
    for seconds, happening in card.later:
        context.schedule(happening, payment, seconds)
    return payment


def _was_charged(context: Context, customer_id: str, method: str | None) -> bool:
    return context.objects.find(Resource.PAYMENT, customer_id=customer_id, payment_method_id=method) is not None


def _succeed(context: Context, payment: Object) -> None:
    now = context.text()
    move(context, payment, "succeeded", captured_at=now, settled_at=now, next_action=None)


def complete_action(context: Context, payment: Object, *, succeeded: bool) -> None:
    """The customer has done what a payment waited for, or has failed at it."""
    emit(context, payment, "action_completed")
    if succeeded:
        _succeed(context, payment)
    else:
        move(context, payment, "failed", next_action=None, last_error=Card(decline=AUTHENTICATION).last_error)


def charge_back(context: Context, payment: Object) -> None:
    """The customer's bank takes a payment back, if there is something to take back. The invoice stays paid."""
    if payment["status"] in sources(PAYMENT, "charged_back"):
        move(context, payment, "charged_back")


def win_dispute(context: Context, payment: Object) -> None:
    """The bank gives back what it took: the payment is again what it was."""
    if payment["status"] == "charged_back":
        change(context, payment, status="partially_refunded" if payment["refunds"] else "succeeded")
        emit(context, payment, "dispute_won")


def cancel_payment(context: Context) -> Outcome:
    """Cancel a payment that has not succeeded yet."""
    return moved(context, "cancel", "canceled", next_action=None)


def refund_payment(context: Context) -> Outcome:
    """Give back a part of a payment, or all that is left of it; the answer is the refund."""
    payment = named(context)
    if isinstance(payment, Problem):
        return payment
    refusal = illegal(context, payment, "refund", "refunded")
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
        "id": context.state.new_id(Resource.REFUND),
        "object": Resource.REFUND.value,
        "payment_id": payment["id"],
        "amount": written(amount, payment["currency"]),
        "currency": payment["currency"],
        "reason": context.payload.get("reason"),
        "status": "succeeded",
        "created_at": context.text(),
    }
    status = "refunded" if amount == rest else "partially_refunded"
    move(context, payment, status, refunds=[*payment["refunds"], refund])
    return refund
