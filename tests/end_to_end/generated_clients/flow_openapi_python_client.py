"""One real flow through a client that openapi-python-client has made; the client is imported as `paylera_client`."""

from __future__ import annotations

import os
from typing import TypeVar
from uuid import uuid4

from paylera_client import AuthenticatedClient
from paylera_client.api.api_token import create_api_token, revoke_api_token, rotate_api_token
from paylera_client.api.customer import create_customer, list_customers
from paylera_client.api.invoice import create_invoice, finalize_invoice, pay_invoice
from paylera_client.api.payment import get_payment, refund_payment
from paylera_client.api.subscription import create_subscription
from paylera_client.models import (
    Address,
    ApiTokenWithSecret,
    Audience,
    CreateApiTokenRequest,
    CreateCustomerRequest,
    CreateInvoiceRequest,
    CreateSubscriptionRequest,
    Customer,
    CustomerList,
    Invoice,
    InvoiceStatus,
    NewInvoiceLine,
    PayInvoiceRequest,
    Payment,
    PaymentStatus,
    PaymentSummary,
    Problem,
    ProblemCode,
    Refund,
    RefundPaymentRequest,
    Subscription,
    SubscriptionStatus,
)

Wanted = TypeVar("Wanted")


def must(answer: object, kind: type[Wanted]) -> Wanted:
    """What was answered, if it is what was wanted."""
    assert isinstance(answer, kind), answer
    return answer


def key() -> str:
    """A key of its own."""
    return str(uuid4())


def main() -> None:
    """Go through everything once."""
    url = os.environ["PAYLERA_BASE_URL"]
    client = AuthenticatedClient(url, os.environ["PAYLERA_ADMIN_KEY"], raise_on_unexpected_status=True)

    new = CreateCustomerRequest("mary@example.com", name="Mary", billing_address=Address(country="GB"))
    customer = must(create_customer.sync(client=client, body=new, idempotency_key=key()), Customer)
    assert customer.name == "Mary"
    assert must(customer.billing_address, Address).country == "GB"

    page = must(list_customers.sync(client=client, limit=2), CustomerList)
    found = list(page.data)
    while page.next_cursor is not None:
        page = must(list_customers.sync(client=client, limit=2, cursor=page.next_cursor), CustomerList)
        found += page.data
    assert customer.id in [each.id for each in found]

    wanted = CreateSubscriptionRequest(customer.id, "pro-monthly-usd", trial_days=14)
    answer = create_subscription.sync(client=client, body=wanted, idempotency_key=key())
    assert must(answer, Subscription).status is SubscriptionStatus.TRIALING

    line = NewInvoiceLine("Seats", "7", "10.00")
    order = CreateInvoiceRequest(customer.id, "USD", lines=[line])
    draft = must(create_invoice.sync(client=client, body=order, idempotency_key=key()), Invoice)
    assert (must(draft.lines, list)[0].amount, draft.total) == ("70.00", "70.00")
    open_ = must(finalize_invoice.sync(draft.id, client=client, idempotency_key=key()), Invoice)
    assert open_.status is InvoiceStatus.OPEN

    method = PayInvoiceRequest(payment_method_id="tok_visa_success")
    summary = must(pay_invoice.sync(draft.id, client=client, body=method, idempotency_key=key()), PaymentSummary)
    assert summary.status is PaymentStatus.SUCCEEDED
    part = RefundPaymentRequest(amount="1.00", reason="order_change")
    refund = must(refund_payment.sync(summary.payment_id, client=client, body=part, idempotency_key=key()), Refund)
    payment = must(get_payment.sync(summary.payment_id, client=client), Payment)
    assert [each.id for each in payment.refunds] == [refund.id]

    service = CreateApiTokenRequest(Audience.SERVICE, ["customers:read"])
    token = must(create_api_token.sync(client=client, body=service, idempotency_key=key()), ApiTokenWithSecret)
    rotated = must(rotate_api_token.sync(token.id, client=client, idempotency_key=key()), ApiTokenWithSecret)
    assert rotated.secret != token.secret
    assert revoke_api_token.sync_detailed(token.id, client=client).status_code == 204

    former = AuthenticatedClient(url, must(rotated.secret, str))
    assert must(list_customers.sync(client=former), Problem).problem is ProblemCode.AUTH_INVALID_TOKEN


if __name__ == "__main__":
    main()
