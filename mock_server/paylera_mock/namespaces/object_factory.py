"""Objects ready to be acted on, made without the API: for the seed of the default namespace and the control API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.contract import CONTRACT
from paylera_mock.core.messages import Object, Request
from paylera_mock.operations.catalog import plan_object, product_object
from paylera_mock.operations.common import update
from paylera_mock.operations.customers import customer_object, wallet_object
from paylera_mock.operations.invoices import invoice_object
from paylera_mock.operations.money import format_amount
from paylera_mock.operations.payments import payment_object
from paylera_mock.operations.subscriptions import subscription_object
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import Grant, StoredToken

_SUFFIX_LENGTH: Final = 8
_BALANCE: Final = Decimal(100)


def internal_context(state: State, tenant_id: str, environment: Environment) -> Context:
    """A context in which a tenant's objects are made and changed without a request, by a token that nobody has."""
    token = StoredToken("", Grant(tenant_id, Audience.ADMIN, (), environment), state.versions.current, (), 0, 0)
    context = Context.of(Request("POST", "/", environment), state, CONTRACT)
    context.token = token
    return context


@dataclass(frozen=True)
class ObjectOrder:
    """Which object to make: its status, its customer, and its id or code, where these matter."""

    status: str = ""
    customer_id: str = ""
    id: str | None = None
    code: str | None = None


def make_object(context: Context, kind: Resource, order: ObjectOrder) -> Object:
    """Make and keep an object of a kind in `STATUSES`, with whatever it needs around it."""
    return _MAKERS[kind](context, order)


def make_customer(context: Context, email: str | None = None, *, name: str = "", id: str | None = None) -> Object:
    """Make a customer."""
    value = customer_object(context, {"email": email or f"{_suffix(context)}@example.com", "name": name})
    if id is not None:
        value |= {"id": id, "customer_id": id}
    return context.objects.add(Resource.CUSTOMER, value)


def _suffix(context: Context) -> str:
    return context.state.randomness.word(_SUFFIX_LENGTH)


def _keep(context: Context, kind: Resource, value: Object, order: ObjectOrder) -> Object:
    return context.objects.add(kind, value if order.id is None else value | {"id": order.id})


def _product(context: Context, order: ObjectOrder) -> Object:
    code = order.code or f"product-{_suffix(context)}"
    return _keep(context, Resource.PRODUCT, product_object(context, {"code": code, "name": "Pro"}), order)


def _plan(context: Context, order: ObjectOrder) -> Object:
    product = context.objects.find(Resource.PRODUCT) or _product(context, ObjectOrder(code="pro"))
    given = {
        "product_code": product["code"],
        "code": order.code or f"plan-{_suffix(context)}",
        "currency": "USD",
        "interval": "month",
        "components": [{"code": "base", "model": "flat", "amount": "29.00"}],
    }
    return _keep(context, Resource.PLAN, plan_object(context, given), order)


def _subscription(context: Context, order: ObjectOrder) -> Object:
    plan = context.objects.find(Resource.PLAN) or _plan(context, ObjectOrder())
    value = subscription_object(context, plan, {"customer_id": order.customer_id})
    return _keep(context, Resource.SUBSCRIPTION, value | {"status": order.status}, order)


def _invoice(context: Context, order: ObjectOrder) -> Object:
    line = {"description": "Active seats", "quantity": "10", "unit_amount": "10.00"}
    given = {"customer_id": order.customer_id, "currency": "USD", "lines": [line]}
    value = invoice_object(context, given)
    issued = None if order.status == "draft" else context.format_now()
    value |= {"status": order.status, "issued_at": issued, "due_at": issued}
    if order.status == "paid":
        value |= {"amount_paid": value["total"], "amount_due": "0.00"}
    return _keep(context, Resource.INVOICE, value, order)


def _payment(context: Context, order: ObjectOrder) -> Object:
    invoice = _invoice(context, ObjectOrder("open", order.customer_id))
    payment = _keep(context, Resource.PAYMENT, payment_object(context, invoice, status=order.status), order)
    update(context, invoice, payments=[payment["id"]])
    if order.status == "succeeded":
        update(context, invoice, status="paid", amount_paid=invoice["total"], amount_due="0.00")
    return payment


def _wallet(context: Context, order: ObjectOrder) -> Object:
    value = wallet_object(context, order.customer_id, "USD") | {"balance": format_amount(_BALANCE, "USD")}
    return _keep(context, Resource.WALLET, value, order)


_MAKERS: Final[Mapping[Resource, Callable[[Context, ObjectOrder], Object]]] = {
    Resource.PRODUCT: _product,
    Resource.PLAN: _plan,
    Resource.SUBSCRIPTION: _subscription,
    Resource.INVOICE: _invoice,
    Resource.PAYMENT: _payment,
    Resource.WALLET: _wallet,
}

STATUSES: Final[Mapping[Resource, tuple[str, ...]]] = {
    Resource.PRODUCT: (),
    Resource.PLAN: (),
    Resource.SUBSCRIPTION: ("active", "trialing", "past_due", "paused", "canceled"),
    Resource.INVOICE: ("open", "draft", "paid", "void"),
    Resource.PAYMENT: ("succeeded", "requires_action", "pending", "processing", "failed", "canceled"),
    Resource.WALLET: (),
}
"""The kinds that can be made, and the statuses that each can be made in; the first is the default."""
