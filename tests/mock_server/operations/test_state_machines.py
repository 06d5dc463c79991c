"""What becomes of charges and trials: by test tokens, by the customer, and by the clock."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from helpers.fake import Fake
from paylera_fixtures.vocabulary import Environment
from paylera_mock.operations.sandbox_payment_methods import TEST_TOKENS
from paylera_mock.operations.state_machines import MACHINES, Machine, sources
from paylera_mock.state.schedule import Schedule, ScheduledEffect, ScheduledItem

DAY: Final = 24 * 60 * 60


def post(fake: Fake, path: str, secret: str, **body: Any) -> dict[str, Any]:
    """Send a POST with a key of its own, which is accepted."""
    answer = _post(fake, path, secret, **body)
    assert answer.status_code in {200, 201}, answer.text
    return dict(answer.json or {})


def _post(fake: Fake, path: str, secret: str, **body: Any) -> TestResponse:
    return fake.call("POST", path, secret, key=str(uuid4()), json=body)


def read(fake: Fake, path: str, secret: str) -> dict[str, Any]:
    """Read an object."""
    return dict(fake.call("GET", path, secret).json or {})


def pay(fake: Fake, secret: str, invoice: str, method: str) -> dict[str, Any]:
    """Pay an invoice: the payment as it is then."""
    summary = post(fake, f"/v1/invoices/{invoice}/pay", secret, payment_method_id=method)
    return read(fake, f"/v1/payments/{summary['payment_id']}", secret)


# Test token, and what becomes of payment and invoice.
FATES: Final = (
    ("tok_visa_success", "succeeded", "paid"),
    ("tok_visa_3ds", "requires_action", "open"),
    ("tok_visa_decline", "failed", "open"),
    ("tok_visa_insufficient_funds", "failed", "open"),
    ("tok_visa_chargeback", "succeeded", "paid"),
    ("tok_visa_dispute_won", "succeeded", "paid"),
    ("pm_card", "succeeded", "paid"),
)


@pytest.mark.parametrize(("method", "payment_status", "invoice_status"), FATES)
def test_a_test_token_has_its_fate(fake: Fake, method: str, payment_status: str, invoice_status: str) -> None:
    """And what is no test token succeeds."""
    secret, invoice = fake.secret(), fake.made("invoice")
    payment = pay(fake, secret, invoice, method)
    after = read(fake, f"/v1/invoices/{invoice}", secret)
    assert (payment["status"], after["status"], after["payments"]) == (payment_status, invoice_status, [payment["id"]])


def test_every_test_token_is_tried() -> None:
    """The table above leaves none out."""
    assert {method for method, *_ in FATES} >= set(TEST_TOKENS)


@pytest.mark.parametrize(
    ("method", "decline", "is_retriable"),
    [("tok_visa_decline", "card_declined", False), ("tok_visa_insufficient_funds", "insufficient_funds", True)],
)
def test_a_decline_says_why(fake: Fake, method: str, decline: str, is_retriable: bool) -> None:  # noqa: FBT001 - a case
    """In the answer as in the payment."""
    secret, invoice = fake.secret(), fake.made("invoice")
    summary = post(fake, f"/v1/invoices/{invoice}/pay", secret, payment_method_id=method)
    error = read(fake, f"/v1/payments/{summary['payment_id']}", secret)["last_error"]
    said = error["code"], error["decline_code"], error["is_retriable"], error["retriable_after"]
    assert (said, summary["last_error"]) == (("card_declined", decline, is_retriable, None), error)


@pytest.mark.parametrize("method", ["tok_visa_decline", "tok_visa_3ds"])
def test_an_invoice_can_be_paid_after_a_charge_that_came_to_nothing(fake: Fake, method: str) -> None:
    """Nothing was paid yet, so all of it is still due."""
    secret, invoice = fake.secret(), fake.made("invoice")
    pay(fake, secret, invoice, method)
    again = pay(fake, secret, invoice, "tok_visa_success")
    after = read(fake, f"/v1/invoices/{invoice}", secret)
    assert (again["amount"], after["status"], len(after["payments"])) == ("100.00", "paid", 2)


def test_a_charge_that_waits_says_what_for(fake: Fake) -> None:
    """An answer like any other, with what is to be done (reference, Errors)."""
    answer = _post(fake, f"/v1/invoices/{fake.made('invoice')}/pay", fake.secret(), payment_method_id="tok_visa_3ds")
    summary = answer.json or {}
    action = {"type": "redirect_to_url", "url": f"https://hooks.paylera.io/3ds/{summary['payment_id']}"}
    assert (answer.status_code, summary["status"], summary["next_action"]) == (200, "requires_action", action)


def test_a_customers_second_charge_needs_no_action(fake: Fake) -> None:
    """Another customer's first one does."""
    secret = fake.secret()
    owner = (fake.control("POST", "customers").json or {})["id"]
    invoices = [fake.made("invoice", customer_id=owner) for _ in range(2)] + [fake.made("invoice")]
    found = [pay(fake, secret, invoice, "tok_visa_3ds")["status"] for invoice in invoices]
    assert found == ["requires_action", "succeeded", "requires_action"]


@pytest.mark.parametrize(("outcome", "invoice_status"), [("succeeded", "paid"), ("failed", "open")])
def test_the_customer_acts(fake: Fake, outcome: str, invoice_status: str) -> None:
    """By the control API, since no client of Paylera can."""
    secret, invoice = fake.secret(), fake.made("invoice")
    payment = pay(fake, secret, invoice, "tok_visa_3ds")
    fake.control("POST", f"payment-actions/{payment['id']}", outcome=outcome)
    after = read(fake, f"/v1/payments/{payment['id']}", secret)
    status = read(fake, f"/v1/invoices/{invoice}", secret)["status"]
    assert (after["status"], after["next_action"], status) == (outcome, None, invoice_status)


def test_nobody_acts_on_what_does_not_wait(fake: Fake) -> None:
    """A payment that has succeeded is done with."""
    answer = fake.control("POST", f"payment-actions/{fake.made('payment')}")
    assert (answer.status_code, (answer.json or {})["problem"]) == (422, "state.illegal_transition")


def test_an_invoice_is_not_paid_twice_by_an_action(fake: Fake) -> None:
    """It was paid otherwise while the customer hesitated."""
    secret, invoice = fake.secret(), fake.made("invoice")
    payment = pay(fake, secret, invoice, "tok_visa_3ds")
    pay(fake, secret, invoice, "tok_visa_success")
    assert fake.control("POST", f"payment-actions/{payment['id']}").status_code == 422


def test_an_action_of_no_payment_is_refused(fake: Fake) -> None:
    """As what does not exist."""
    assert fake.control("POST", "payment-actions/pay_none").status_code == 404


def test_a_test_token_that_does_not_exist_is_refused(fake: Fake) -> None:
    """With those that do."""
    answer = _post(fake, f"/v1/invoices/{fake.made('invoice')}/pay", fake.secret(), payment_method_id="tok_visa_3sd")
    error = (answer.json or {})["errors"][0]
    named = [token for token in TEST_TOKENS if token in error["message"]]
    assert (answer.status_code, error["field"], named) == (422, "payment_method_id", list(TEST_TOKENS))


def test_the_customers_default_pays_where_nothing_is_named(fake: Fake) -> None:
    """Here one that is declined."""
    secret = fake.secret()
    body = {"email": "ada@example.com", "default_payment_method_id": "tok_visa_decline"}
    owner = post(fake, "/v1/customers", secret, **body)["id"]
    summary = post(fake, f"/v1/invoices/{fake.made('invoice', customer_id=owner)}/pay", secret)
    assert summary["status"] == "failed"


def test_a_wallet_pays_whatever_the_customers_default_is(fake: Fake) -> None:
    """Else it were drawn on for a charge that is declined."""
    secret = fake.secret()
    body = {"email": "ada@example.com", "default_payment_method_id": "tok_visa_decline"}
    owner = post(fake, "/v1/customers", secret, **body)["id"]
    fake.made("wallet", customer_id=owner)
    path = f"/v1/invoices/{fake.made('invoice', customer_id=owner)}/pay"
    assert post(fake, path, secret, source="wallet", payment_method_id="tok_visa_decline")["status"] == "succeeded"


# Test token, seconds since the charge, and what the payment is then.
LATER: Final = (
    ("tok_visa_chargeback", 59, "succeeded"),
    ("tok_visa_chargeback", 60, "charged_back"),
    ("tok_visa_chargeback", DAY, "charged_back"),
    ("tok_visa_dispute_won", 60, "charged_back"),
    ("tok_visa_dispute_won", 89, "charged_back"),
    ("tok_visa_dispute_won", 90, "succeeded"),
)


@pytest.mark.parametrize(("method", "seconds", "status"), LATER)
def test_a_payment_is_taken_back_by_the_clock(fake: Fake, method: str, seconds: int, status: str) -> None:
    """To the second."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), method)
    fake.advance(seconds)
    assert read(fake, f"/v1/payments/{payment['id']}", secret)["status"] == status


def test_what_happens_late_bears_the_time_it_was_due(fake: Fake) -> None:
    """One long step of the clock is like many short ones."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), "tok_visa_chargeback")
    fake.advance(60)
    minute = (fake.control("GET", "clock").json or {})["now"]
    fake.advance(DAY)
    assert read(fake, f"/v1/payments/{payment['id']}", secret)["updated_at"] == minute


def test_what_is_going_to_happen_has_a_name(fake: Fake) -> None:
    """By which the clock goes there."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), "tok_visa_chargeback")
    fake.control("POST", "clock", to=f"object:{payment['id']}:charge_back")
    assert read(fake, f"/v1/payments/{payment['id']}", secret)["status"] == "charged_back"


def test_what_was_given_back_is_not_taken_back(fake: Fake) -> None:
    """A refunded payment stays refunded."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), "tok_visa_chargeback")
    post(fake, f"/v1/payments/{payment['id']}/refunds", secret)
    fake.advance(60)
    assert read(fake, f"/v1/payments/{payment['id']}", secret)["status"] == "refunded"


def test_a_dispute_won_leaves_a_part_refunded(fake: Fake) -> None:
    """The payment is again what it was."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), "tok_visa_dispute_won")
    post(fake, f"/v1/payments/{payment['id']}/refunds", secret, amount="1.00")
    fake.advance(90)
    assert read(fake, f"/v1/payments/{payment['id']}", secret)["status"] == "partially_refunded"


def test_what_was_taken_back_cannot_be_refunded(fake: Fake) -> None:
    """The money is gone already."""
    secret = fake.secret()
    payment = pay(fake, secret, fake.made("invoice"), "tok_visa_chargeback")
    fake.advance(60)
    assert _post(fake, f"/v1/payments/{payment['id']}/refunds", secret).status_code == 422


def subscribe(fake: Fake, secret: str, days: int) -> dict[str, Any]:
    """Subscribe a customer of its own with a trial."""
    plan = read(fake, f"/v1/plans/{fake.made('plan')}", secret)["code"]
    owner = (fake.control("POST", "customers").json or {})["id"]
    return post(fake, "/v1/subscriptions", secret, customer_id=owner, plan_code=plan, trial_days=days)


@pytest.mark.parametrize(("seconds", "status"), [(14 * DAY - 1, "trialing"), (14 * DAY, "active")])
def test_a_trial_ends_by_the_clock(fake: Fake, seconds: int, status: str) -> None:
    """At the time that the subscription names."""
    secret = fake.secret()
    made = subscribe(fake, secret, 14)
    fake.advance(seconds)
    assert read(fake, f"/v1/subscriptions/{made['id']}", secret)["status"] == status


def test_a_subscription_names_the_end_of_its_trial(fake: Fake) -> None:
    """The time that it will have been active from."""
    secret = fake.secret()
    made = subscribe(fake, secret, 14)
    fake.advance(15 * DAY)
    assert read(fake, f"/v1/subscriptions/{made['id']}", secret)["updated_at"] == made["trial_end"]


def test_a_trial_that_was_canceled_does_not_end(fake: Fake) -> None:
    """It has ended before."""
    secret = fake.secret()
    made = subscribe(fake, secret, 14)
    post(fake, f"/v1/subscriptions/{made['id']}/cancel", secret)
    fake.advance(15 * DAY)
    assert read(fake, f"/v1/subscriptions/{made['id']}", secret)["status"] == "canceled"


def test_a_reset_forgets_what_was_going_to_happen(fake: Fake) -> None:
    """The new world is without a past."""
    pay(fake, fake.secret(), fake.made("invoice"), "tok_visa_chargeback")
    fake.control("POST", "reset")
    fake.advance(60)
    assert (read(fake, "/v1/payments", fake.secret()))["data"] == []


@pytest.mark.parametrize("machine", MACHINES.values(), ids=list(MACHINES))
def test_a_machine_is_closed(machine: Machine) -> None:
    """Every state that one leads to stands in the table."""
    assert {state for targets in machine.values() for state in targets} <= set(machine)


def test_sources_of_a_state() -> None:
    """Those that lead to it, in the order of the table."""
    machine = {"a": ("b", "c"), "b": ("c",), "c": ()}
    assert (sources(machine, "c"), sources(machine, "a")) == (("a", "b"), ())


def due(at: float, object_id: str) -> ScheduledItem:
    """Something that is going to happen."""
    return ScheduledItem(at, ScheduledEffect.TRIAL_END, "ten_1", Environment.SANDBOX, object_id)


def test_an_agenda_is_taken_off_in_the_order_of_time() -> None:
    """And of being put there, at the same time."""
    schedule = Schedule()
    for each in (due(2, "c"), due(1, "a"), due(1, "b"), due(9, "d")):
        schedule.put(each)
    taken = [schedule.take(2) for _ in range(4)]
    assert ([each.object_id if each else None for each in taken], schedule.next_at) == (["a", "b", "c", None], 9)
