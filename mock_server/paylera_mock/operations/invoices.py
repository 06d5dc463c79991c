"""Invoices: drawn up, finalized, paid or made void (reference, Invoices and Status)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.operations.common import change, created, framed, illegal, move, moved, named, referred
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import product, too_large, unknown_currency, written
from paylera_mock.operations.payments import charge
from paylera_mock.operations.sandbox_payment_methods import card_of
from paylera_mock.pipeline.context import Context

_LINE_ID_LENGTH: Final = 24


def create_invoice(context: Context) -> Outcome:
    """Draw up an invoice, as a draft."""
    refusal = unknown_currency(context.payload["currency"])
    if refusal:
        return refusal
    customer = referred(context, Resource.CUSTOMER, "customer_id")
    if isinstance(customer, Problem):
        return customer
    invoice = invoice_object(context, context.payload)
    return too_large(Decimal(invoice["total"]), "lines") or created(context, Resource.INVOICE, invoice)


def invoice_object(context: Context, given: Object) -> Object:
    """A new draft. total = subtotal - discount + tax; each line is rounded by itself."""
    currency = given["currency"]
    lines = [_line(context, line, currency) for line in given.get("lines", [])]
    total = written(sum((Decimal(line["amount"]) for line in lines), Decimal(0)), currency)
    nothing = written(Decimal(0), currency)
    return framed(
        context,
        Resource.INVOICE,
        number=f"INV-{context.text()[:4]}-{context.objects.sequence:06d}",
        customer_id=given["customer_id"],
        subscription_id=None,
        currency=currency,
        status="draft",
        issued_at=None,
        due_at=None,
        lines=lines,
        subtotal=total,
        discount=nothing,
        tax=nothing,
        total=total,
        amount_paid=nothing,
        amount_due=total,
        payments=[],
        credit_notes=[],
        metadata=given.get("metadata", {}),
    )


def _line(context: Context, given: Object, currency: str) -> Object:
    amount = product(given["quantity"], given["unit_amount"], currency)
    return {
        "id": f"il_{context.state.randomness.word(_LINE_ID_LENGTH)}",
        "description": given["description"],
        "quantity": given["quantity"],
        "unit_amount": given["unit_amount"],
        "amount": written(amount, currency),
    }


def finalize_invoice(context: Context) -> Outcome:
    """Open a draft: from then on it is due."""
    now = context.text()
    return moved(context, "finalize", "open", issued_at=now, due_at=now)


def void_invoice(context: Context) -> Outcome:
    """Make an open invoice void."""
    return moved(context, "void", "void")


def pay_invoice(context: Context) -> Outcome:
    """Pay what is due: with a payment method, or from the customer's wallet. The answer sums the payment up.

    A charge that is declined or waits for the customer is an answer too, and leaves the invoice to be paid.
    """
    invoice = named(context)
    if isinstance(invoice, Problem):
        return invoice
    refusal = illegal(context, invoice, "pay", "paid")
    if refusal:
        return refusal
    field, method = _method(context, invoice)
    card = card_of(method, field)
    if isinstance(card, Problem):
        return card
    refusal = _draw_on_wallet(context, invoice)
    if refusal:
        return refusal
    payment = charge(context, invoice, method, card)
    change(context, invoice, payments=[*invoice["payments"], payment["id"]])
    if payment["status"] == "succeeded":
        settle(context, invoice)
    return Reply(HTTPStatus.OK, _summary(payment), payment["id"])


def _method(context: Context, invoice: Object) -> tuple[str, str | None]:
    """What is charged, and the member that names it: the body's, else the customer's default, unless a wallet pays."""
    given = context.payload
    customer = context.objects.get(Resource.CUSTOMER, invoice["customer_id"])
    if "source" in given:
        return "source", None
    if "payment_method_id" in given or customer is None:
        return "payment_method_id", given.get("payment_method_id")
    return "default_payment_method_id", customer["default_payment_method_id"]


def _summary(payment: Object) -> Object:
    summary = {"payment_id": payment["id"]} | {member: payment[member] for member in ("status", "amount", "currency")}
    return summary | {member: payment[member] for member in ("next_action", "last_error") if payment[member]}


def settle(context: Context, invoice: Object) -> None:
    """Note that all that was due is paid."""
    nothing = written(Decimal(0), invoice["currency"])
    move(context, invoice, "paid", amount_paid=invoice["total"], amount_due=nothing)


def _draw_on_wallet(context: Context, invoice: Object) -> Problem | None:
    """Take what is due out of the wallet, where the body says so."""
    if context.payload.get("source") != "wallet":
        return None
    currency, due = invoice["currency"], Decimal(invoice["amount_due"])
    wallet = context.objects.find(Resource.WALLET, customer_id=invoice["customer_id"], currency=currency)
    if wallet is None or Decimal(wallet["balance"]) < due:
        return problems.wallet_insufficient()
    change(context, wallet, balance=written(Decimal(wallet["balance"]) - due, currency))
    emit(context, wallet, "debited")
    return None
