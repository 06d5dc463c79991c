"""Customers and their wallets."""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object, Reply
from paylera_mock.operations.common import create, new_object, object_in_path, operation, referenced_object, update
from paylera_mock.operations.emit_events import emit
from paylera_mock.operations.money import check_size, format_amount, read_amount, read_currency
from paylera_mock.pipeline.context import Context

_MEMBERS: Final = ("email", "name", "billing_address", "default_payment_method_id", "metadata")


@operation
def create_customer(context: Context) -> Reply:
    """Add a customer."""
    return create(context, Resource.CUSTOMER, customer_object(context, context.payload))


def customer_object(context: Context, given: Object) -> Object:
    """A new customer; its id stands in it under both names (reference, guide "Onboard a customer")."""
    customer = new_object(
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


@operation
def update_customer(context: Context) -> Reply:
    """Change members of a customer."""
    customer = object_in_path(context)
    update(context, customer, **{member: context.payload[member] for member in _MEMBERS if member in context.payload})
    emit(context, customer, "updated")
    return Reply(HTTPStatus.OK, customer, customer["id"])


@operation
def delete_customer(context: Context) -> Reply:
    """Delete a customer: it is not there any more, and lists skip it."""
    customer = object_in_path(context)
    context.objects.remove(Resource.CUSTOMER, customer["id"])
    emit(context, customer, "deleted")
    return Reply(HTTPStatus.NO_CONTENT, object_id=customer["id"])


@operation
def create_wallet(context: Context) -> Reply:
    """Give a customer an empty wallet."""
    currency = read_currency(context.payload)
    customer = referenced_object(context, Resource.CUSTOMER, "customer_id")
    return create(context, Resource.WALLET, wallet_object(context, customer["id"], currency))


def wallet_object(context: Context, customer_id: str, currency: str) -> Object:
    """A new wallet, with nothing in it."""
    balance = format_amount(Decimal(0), currency)
    return new_object(context, Resource.WALLET, customer_id=customer_id, currency=currency, balance=balance)


@operation
def credit_wallet(context: Context) -> Reply:
    """Add to a wallet's balance; the answer is the wallet."""
    wallet = object_in_path(context)
    balance = Decimal(wallet["balance"]) + read_amount(context.payload["amount"], wallet["currency"], "amount")
    check_size(balance, "amount")
    update(context, wallet, balance=format_amount(balance, wallet["currency"]))
    emit(context, wallet, "credited")
    return Reply(HTTPStatus.CREATED, wallet, wallet["id"])
