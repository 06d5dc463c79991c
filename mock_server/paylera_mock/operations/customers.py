"""Customers and their wallets."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.operations.common import change, changed, created, framed, named, referred
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import positive, too_large, unknown_currency, written
from paylera_mock.pipeline.context import Context

_MEMBERS: Final = ("email", "name", "billing_address", "default_payment_method_id", "metadata")


def create_customer(context: Context) -> Outcome:
    """Add a customer."""
    return created(context, Resource.CUSTOMER, customer_object(context, context.payload))


def customer_object(context: Context, given: Object) -> Object:
    """A new customer; its id stands in it under both names (reference, guide "Onboard a customer")."""
    customer = framed(
        context,
        Resource.CUSTOMER,
        customer_id="",
        email=given["email"],
        name=given.get("name"),
        billing_address=given.get("billing_address"),
        default_payment_method_id=given.get("default_payment_method_id"),
        metadata=given.get("metadata", {}),
    )
    return customer | {"customer_id": customer["id"]}


def update_customer(context: Context) -> Outcome:
    """Change members of a customer."""
    customer = named(context)
    if isinstance(customer, Problem):
        return customer
    given = {member: context.payload[member] for member in _MEMBERS if member in context.payload}
    answer = changed(context, customer, **given)
    emit(context, customer, "updated")
    return answer


def delete_customer(context: Context) -> Outcome:
    """Delete a customer: it is not there any more, and lists skip it."""
    customer = named(context)
    if isinstance(customer, Problem):
        return customer
    context.objects.remove(Resource.CUSTOMER, customer["id"])
    emit(context, customer, "deleted")
    return Reply(HTTPStatus.NO_CONTENT, object_id=customer["id"])


def create_wallet(context: Context) -> Outcome:
    """Give a customer an empty wallet."""
    refusal = unknown_currency(context.payload["currency"])
    if refusal:
        return refusal
    customer = referred(context, Resource.CUSTOMER, "customer_id")
    if isinstance(customer, Problem):
        return customer
    return created(context, Resource.WALLET, wallet_object(context, customer["id"], context.payload["currency"]))


def wallet_object(context: Context, customer_id: str, currency: str) -> Object:
    """A new wallet, with nothing in it."""
    balance = written(Decimal(0), currency)
    return framed(context, Resource.WALLET, customer_id=customer_id, currency=currency, balance=balance)


def credit_wallet(context: Context) -> Outcome:
    """Add to a wallet's balance; the answer is the wallet."""
    wallet = named(context)
    if isinstance(wallet, Problem):
        return wallet
    amount = positive(context.payload["amount"], wallet["currency"], "amount")
    if isinstance(amount, Problem):
        return amount
    balance = Decimal(wallet["balance"]) + amount
    refusal = too_large(balance, "amount")
    if refusal:
        return refusal
    change(context, wallet, balance=written(balance, wallet["currency"]))
    emit(context, wallet, "credited")
    return Reply(HTTPStatus.CREATED, wallet, wallet["id"])
