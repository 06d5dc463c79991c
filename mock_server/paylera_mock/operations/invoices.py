"""Invoices: drawn up, finalized, paid or made void (reference, Invoices and Status)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus

from paylera_fixtures.api.operations import Resource
from paylera_mock.core import problems
from paylera_mock.core.ids import random_id
from paylera_mock.core.messages import Object, Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import (
    check_transition,
    create,
    new_object,
    object_in_path,
    operation,
    referenced_object,
    set_status,
    transition,
    update,
)
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import check_size, format_amount, line_amount, read_currency
from paylera_mock.operations.payments import charge
from paylera_mock.operations.sandbox_payment_methods import card_of
from paylera_mock.pipeline.context import Context


@operation
def create_invoice(context: Context) -> Reply:
    """Draw up an invoice, as a draft."""
    read_currency(context.payload)
    referenced_object(context, Resource.CUSTOMER, "customer_id")
    invoice = invoice_object(context, context.payload)
    check_size(Decimal(invoice["total"]), "lines")
    return create(context, Resource.INVOICE, invoice)


def invoice_object(context: Context, given: Object) -> Object:
    """A new draft. total = subtotal - discount + tax; each line is rounded by itself."""
    currency = given["currency"]
    lines = [_line(context, line, currency) for line in given.get("lines", [])]
    total = format_amount(sum((Decimal(line["amount"]) for line in lines), Decimal(0)), currency)
    nothing = format_amount(Decimal(0), currency)
    return new_object(
        context,
        Resource.INVOICE,
        number=f"INV-{context.format_now()[:4]}-{context.objects.sequence:06d}",
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
    amount = line_amount(given["quantity"], given["unit_amount"], currency)
    return {
        "id": random_id("il", context.state.randomness),
        "description": given["description"],
        "quantity": given["quantity"],
        "unit_amount": given["unit_amount"],
        "amount": format_amount(amount, currency),
    }


@operation
def finalize_invoice(context: Context) -> Reply:
    """Open a draft: from then on it is due."""
    now = context.format_now()
    return transition(context, "finalize", "open", issued_at=now, due_at=now)


@operation
def void_invoice(context: Context) -> Reply:
    """Make an open invoice void."""
    return transition(context, "void", "void")


@operation
def pay_invoice(context: Context) -> Reply:
    """Pay what is due: with a payment method, or from the customer's wallet. The answer sums the payment up.

    A charge that is declined or waits for the customer is an answer too, and leaves the invoice to be paid.
    """
    invoice = object_in_path(context)
    check_transition(context, invoice, "pay", "paid")
    field, method = _method(context, invoice)
    card = card_of(method, field)
    if context.payload.get("source") == "wallet":
        _draw_on_wallet(context, invoice)
    payment = charge(context, invoice, method, card)
    update(context, invoice, payments=[*invoice["payments"], payment["id"]])
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
    nothing = format_amount(Decimal(0), invoice["currency"])
    set_status(context, invoice, "paid", amount_paid=invoice["total"], amount_due=nothing)


def _draw_on_wallet(context: Context, invoice: Object) -> None:
    """Take what is due out of the customer's wallet; refused where that holds less."""
    currency, due = invoice["currency"], Decimal(invoice["amount_due"])
    wallet = context.objects.find(Resource.WALLET, customer_id=invoice["customer_id"], currency=currency)
    if wallet is None or Decimal(wallet["balance"]) < due:
        raise RefusedError(problems.wallet_insufficient())
    update(context, wallet, balance=format_amount(Decimal(wallet["balance"]) - due, currency))
    emit(context, wallet, "debited")
