"""What a customer does beyond the API, and so no request of a client can do: the mock's own call."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.control.request import ControlRequest, Table
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome, Reply
from paylera_mock.core.problems import RefusedError
from paylera_mock.operations.common import check_transition
from paylera_mock.operations.invoices import settle
from paylera_mock.operations.payments import complete_action

_OUTCOMES: Final = ("succeeded", "failed")


def act(call: ControlRequest) -> Outcome:
    """`POST C/payment-actions/{id}`: the customer does what a payment waits for, and succeeds or fails."""
    stage = call.stage()
    payment = stage.objects.get(Resource.PAYMENT, call.identifier)
    if payment is None:
        return problems.not_found(Resource.PAYMENT.value)
    succeeded = call.word("outcome", _OUTCOMES, "succeeded") == "succeeded"
    invoice = stage.objects.get(Resource.INVOICE, payment["invoice_id"])
    if payment["status"] != "requires_action":
        return problems.illegal_state(stage.policy, "act on", payment["status"], ("requires_action",))
    if succeeded and invoice is not None:
        try:
            check_transition(stage, invoice, "pay", "paid")
        except RefusedError as refused:
            return refused.problem
    complete_action(stage, payment, succeeded=succeeded)
    if succeeded and invoice is not None:
        settle(stage, invoice)
    return Reply(HTTPStatus.OK, payment, payment["id"])


CALLS: Final[Table] = MappingProxyType({"payment-actions/{id}": {"POST": act}})
