"""What a customer does outside the API, so that no request of a client can: the mock's own call."""

from __future__ import annotations

from typing import Literal

from paylera_fixtures.api.operations import Resource
from paylera_mock.control.request import ControlRequest, OwnerBody
from paylera_mock.core import problems
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import check_transition
from paylera_mock.operations.invoices import settle
from paylera_mock.operations.payments import complete_action


class ActionBody(OwnerBody, kw_only=True):
    """What comes of the action that a payment waits for."""

    outcome: Literal["succeeded", "failed"] = "succeeded"


def complete_payment_action(call: ControlRequest, body: ActionBody) -> Object:
    """`POST C/payment-actions/{id}`: let the customer do what a payment waits for, and succeed or fail.

    Raises `RefusedError` where there is no such payment, or where it waits for nothing.
    """
    context = call.context_of(body)
    payment = context.objects.get(Resource.PAYMENT, call.identifier)
    if payment is None:
        raise RefusedError(problems.not_found(Resource.PAYMENT.value))
    if payment["status"] != "requires_action":
        problem = problems.illegal_state(context.policy, "act on", payment["status"], ("requires_action",))
        raise RefusedError(problem)
    invoice = context.objects.get(Resource.INVOICE, payment["invoice_id"]) if body.outcome == "succeeded" else None
    if invoice is not None:
        check_transition(context, invoice, "pay", "paid")
    complete_action(context, payment, succeeded=body.outcome == "succeeded")
    if invoice is not None:
        settle(context, invoice)
    return payment
