"""Invoices: drawn up, finalized, paid or made void (reference, Invoices and Status)."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Final

from paylera_fixtures.operations import Resource
from paylera_mock import problems
from paylera_mock.context import Context, Outcome, Reply
from paylera_mock.money import product, too_large, unknown_currency, written
from paylera_mock.problems import Problem
from paylera_mock.resources.common import change, changed, created, framed, illegal, moved, named, referred
from paylera_mock.resources.payments import payment_object
from paylera_mock.store import Object

_PAYABLE: Final = ("open", "partially_paid")
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
        number=f"INV-{context.world.clock.now():%Y}-{context.shelf.sequence:06d}",
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
        "id": f"il_{context.world.entropy.word(_LINE_ID_LENGTH)}",
        "description": given["description"],
        "quantity": given["quantity"],
        "unit_amount": given["unit_amount"],
        "amount": written(amount, currency),
    }


def finalize_invoice(context: Context) -> Outcome:
    """Open a draft: from then on it is due."""
    invoice = named(context)
    if isinstance(invoice, Problem):
        return invoice
    now = context.text()
    refusal = illegal(context, invoice, "finalize", ("draft",))
    return refusal or changed(context, invoice, status="open", issued_at=now, due_at=now)


def void_invoice(context: Context) -> Outcome:
    """Make an open invoice void."""
    return moved(context, "void", ("open",), "void")


def pay_invoice(context: Context) -> Outcome:
    """Pay what is due: with a payment method, or from the customer's wallet. The answer sums the payment up."""
    invoice = named(context)
    if isinstance(invoice, Problem):
        return invoice
    refusal = illegal(context, invoice, "pay", _PAYABLE) or _draw_on_wallet(context, invoice)
    if refusal:
        return refusal
    payment = payment_object(context, invoice, status="succeeded", method=context.payload.get("payment_method_id"))
    context.shelf.add(Resource.PAYMENT, payment)
    _settle(context, invoice, payment)
    summary = {"payment_id": payment["id"]} | {member: payment[member] for member in ("status", "amount", "currency")}
    return Reply(HTTPStatus.OK, summary, payment["id"])


def _settle(context: Context, invoice: Object, payment: Object) -> None:
    nothing = written(Decimal(0), invoice["currency"])
    paid = [*invoice["payments"], payment["id"]]
    change(context, invoice, status="paid", payments=paid, amount_paid=invoice["total"], amount_due=nothing)


def _draw_on_wallet(context: Context, invoice: Object) -> Problem | None:
    """Take what is due out of the wallet, where the body says so."""
    if context.payload.get("source") != "wallet":
        return None
    currency, due = invoice["currency"], Decimal(invoice["amount_due"])
    wallet = context.shelf.find(Resource.WALLET, customer_id=invoice["customer_id"], currency=currency)
    if wallet is None or Decimal(wallet["balance"]) < due:
        return problems.wallet_insufficient()
    change(context, wallet, balance=written(Decimal(wallet["balance"]) - due, currency))
    return None
