"""Objects: made, read, listed, changed, and kept apart."""

from __future__ import annotations

import base64
from typing import Any, Final
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from helpers.fake import Fake
from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.operations.pagination import decode_cursor

CUSTOMERS: Final = "/v1/customers"
EVERYTHING: Final = WELL_KNOWN[0].secret
LISTS: Final = [operation for operation in OPERATIONS if operation.is_list]
READS: Final = [o for o in OPERATIONS if o.is_read and o.has_parameter and not o.is_admin and o.id != "get_customer"]


def post(fake: Fake, path: str, secret: str, **body: Any) -> TestResponse:
    """Send a POST with a key of its own."""
    return fake.call("POST", path, secret, key=str(uuid4()), json=body)


def found(answer: TestResponse) -> tuple[int, str]:
    """What a refusal is recognised by."""
    return answer.status_code, (answer.json or {})["problem"]


def flaw(answer: TestResponse) -> tuple[int, str, str]:
    """The status, and the first member that is wrong."""
    error = (answer.json or {})["errors"][0]
    return answer.status_code, error["field"], error["code"]


def walk(fake: Fake, path: str, secret: str) -> list[str]:
    """Every id of a list, page by page."""
    ids: list[str] = []
    cursor = ""
    while True:
        page = fake.call("GET", f"{path}&cursor={cursor}" if cursor else path, secret).json or {}
        ids += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
        if not cursor:
            return ids


@pytest.mark.parametrize("operation", LISTS, ids=str)
def test_a_list_has_its_envelope(default: Fake, operation: Operation) -> None:
    """Clause pagination.envelope."""
    admin = default.admin()
    page = default.call("GET", operation.path, admin).json or {}
    assert list(page) == ["data", "has_more", "next_cursor"]


def test_a_list_is_walked_newest_first(fake: Fake) -> None:
    """Every object once, over pages of three (clause pagination.walk)."""
    ids = [(fake.control("POST", "customers").json or {})["id"] for _ in range(8)]
    assert walk(fake, f"{CUSTOMERS}?limit=3", fake.secret()) == ids[::-1]


def test_a_page_that_is_full_and_last_says_so(fake: Fake) -> None:
    """No empty page at the end."""
    for _ in range(3):
        fake.control("POST", "customers")
    page = fake.call("GET", f"{CUSTOMERS}?limit=3", fake.secret()).json or {}
    assert (page["has_more"], page["next_cursor"]) == (False, None)


def test_a_page_has_25_by_default(fake: Fake) -> None:
    """And says that there are more."""
    for _ in range(26):
        fake.control("POST", "customers")
    page = fake.call("GET", CUSTOMERS, fake.secret()).json or {}
    assert (len(page["data"]), page["has_more"]) == (25, True)


def test_what_is_deleted_is_skipped(fake: Fake) -> None:
    """Also the one that the cursor was made at."""
    secret = fake.secret()
    ids = [(fake.control("POST", "customers").json or {})["id"] for _ in range(4)]
    page = fake.call("GET", f"{CUSTOMERS}?limit=2", secret).json or {}
    for gone in (ids[2], ids[1]):
        fake.call("DELETE", f"{CUSTOMERS}/{gone}", secret)
    rest = fake.call("GET", f"{CUSTOMERS}?limit=2&cursor={page['next_cursor']}", secret).json or {}
    assert [each["id"] for each in rest["data"]] == [ids[0]]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1.5", "+1", "%D9%A1", "99999999999999999999"])
def test_a_limit_beyond_its_bounds_is_refused(fake: Fake, limit: str) -> None:
    """From 1 to 100, in plain digits."""
    assert flaw(fake.call("GET", f"{CUSTOMERS}?limit={limit}", fake.secret())) == (422, "limit", "limit.invalid")


@pytest.mark.parametrize("limit", ["1", "100"])
def test_a_limit_within_its_bounds_is_taken(fake: Fake, limit: str) -> None:
    """Both bounds included."""
    assert fake.call("GET", f"{CUSTOMERS}?limit={limit}", fake.secret()).status_code == 200


@pytest.mark.parametrize("cursor", ["", "x", "e30", "bnVsbA", "%00", "W10", "é"])
def test_a_cursor_that_is_none_is_refused(fake: Fake, cursor: str) -> None:
    """It is the `next_cursor` of the same list or nothing."""
    answer = fake.call("GET", f"{CUSTOMERS}?cursor={cursor}", fake.secret())
    assert flaw(answer) == (422, "cursor", "cursor.invalid")


def test_a_cursor_is_no_longer_than_the_document_has_it(fake: Fake) -> None:
    """Though what it says be right: JSON may be filled up with spaces."""
    fake.made("wallet")
    padded = base64.urlsafe_b64encode(b'{"kind": "customer", "at": 9' + b" " * 400 + b"}").decode()
    answer = fake.call("GET", f"{CUSTOMERS}?cursor={padded}", fake.secret())
    assert flaw(answer) == (422, "cursor", "cursor.invalid")


def test_a_date_is_one(default: Fake) -> None:
    """A format that the document names is looked at."""
    body = example("create_subscription") | {"billing_cycle_anchor": "next week"}
    answer = default.call("POST", "/v1/subscriptions", EVERYTHING, key="k", json=body)
    assert flaw(answer) == (422, "billing_cycle_anchor", "member.form")


def test_a_cursor_of_another_list_is_refused(fake: Fake) -> None:
    """A place among customers is none among wallets."""
    for _ in range(2):
        fake.made("wallet")
    cursor = (fake.call("GET", f"{CUSTOMERS}?limit=1", fake.secret()).json or {})["next_cursor"]
    assert fake.call("GET", f"/v1/wallets?cursor={cursor}", fake.secret()).status_code == 422


@pytest.mark.parametrize("text", ["W10", "eyJhdCI6dHJ1ZX0", "[" * 100_000])
def test_a_cursor_is_read_without_trust(text: str) -> None:
    """What is no cursor is nothing, and never an error."""
    assert decode_cursor(text, Resource.CUSTOMER) is None


@pytest.mark.parametrize("operation", READS, ids=str)
def test_an_object_of_another_tenant_does_not_exist(fake: Fake, operation: Operation) -> None:
    """Nor of another environment (clause token.one-tenant)."""
    identifier = fake.made(operation.resource.value)
    others = (
        fake.call("GET", operation.concrete(identifier), fake.secret(tenant_id=fake.tenant())),
        fake.call("GET", operation.concrete(identifier), fake.secret(environment="live"), live=True),
    )
    own = fake.call("GET", operation.concrete(identifier), fake.secret())
    assert (own.status_code, [answer.status_code for answer in others]) == (200, [404, 404])


@pytest.mark.parametrize("kind", ["subscription", "invoice", "payment", "wallet"])
def test_a_customer_sees_its_own_only(fake: Fake, kind: str) -> None:
    """In lists, and by id (clause audience.customer-sees-only-own)."""
    token = fake.token("*", audience="customer")
    own, foreign = fake.made(kind, customer_id=token["customer_id"]), fake.made(kind)
    listed = [each["id"] for each in (fake.call("GET", f"/v1/{kind}s", token["secret"]).json or {})["data"]]
    statuses = [fake.call("GET", f"/v1/{kind}s/{each}", token["secret"]).status_code for each in (own, foreign)]
    assert (listed, statuses) == ([own], [200, 404])


@pytest.mark.parametrize(
    ("operation", "member"),
    [("create_subscription", "customer_id"), ("create_invoice", "customer_id"), ("create_wallet", "customer_id")],
)
def test_a_reference_to_another_tenants_object_is_refused(fake: Fake, operation: str, member: str) -> None:
    """What another tenant owns does not exist for it."""
    foreign = (fake.control("POST", "customers", tenant_id=fake.tenant()).json or {})["id"]
    path = next(o.path for o in OPERATIONS if o.id == operation)
    answer = post(fake, path, fake.secret(), **example(operation, customer_id=foreign))
    assert flaw(answer) == (422, member, "reference.unknown")


def test_a_customer_has_its_id_under_both_names(fake: Fake) -> None:
    """And what was given, and is read back as it was answered."""
    secret = fake.secret()
    made = post(fake, CUSTOMERS, secret, email="ada@example.com", name="Ada", metadata={"a": "b"}).json or {}
    read = fake.call("GET", f"{CUSTOMERS}/{made['id']}", secret).json
    assert (made["customer_id"], read, made["metadata"]) == (made["id"], made, {"a": "b"})


def test_a_customer_is_changed_and_deleted(fake: Fake) -> None:
    """What is not named stays."""
    secret = fake.secret()
    made = post(fake, CUSTOMERS, secret, email="ada@example.com", name="Ada").json or {}
    path = f"{CUSTOMERS}/{made['id']}"
    changed = fake.call("PATCH", path, secret, json={"name": "Ada King"}).json or {}
    statuses = [fake.call(method, path, secret).status_code for method in ("DELETE", "GET", "DELETE")]
    assert (changed["name"], changed["email"], statuses) == ("Ada King", "ada@example.com", [204, 404, 404])


def test_a_code_is_taken_once(fake: Fake) -> None:
    """Of products and of plans."""
    secret = fake.secret()
    codes = {"code": "pro", "name": "Pro"}
    first = fake.call("POST", "/v1/products", secret, key="1", json=codes)
    again = fake.call("POST", "/v1/products", secret, key="2", json=codes)
    assert (first.status_code, found(again)) == (201, (409, "resource.conflict"))


def test_a_plan_is_addressed_by_its_code(default: Fake) -> None:
    """As the pages have it."""
    assert (default.call("GET", "/v1/plans/pro-monthly-usd", EVERYTHING).json or {})["code"] == "pro-monthly-usd"


@pytest.mark.parametrize("currency", ["usd", "Usd", "US$", "840", "XXX", "DEM"])
def test_a_currency_is_one_of_the_table_in_capitals(fake: Fake, currency: str) -> None:
    """The code of the flaw is documented."""
    owner = (fake.control("POST", "customers").json or {})["id"]
    answer = post(fake, "/v1/wallets", fake.secret(), customer_id=owner, currency=currency)
    assert flaw(answer) == (422, "currency", "currency.invalid")


def test_an_invoice_is_added_up(fake: Fake) -> None:
    """Each line is rounded by itself, half to even."""
    owner = (fake.control("POST", "customers").json or {})["id"]
    lines = [
        {"description": "a", "quantity": "7", "unit_amount": "10.00"},
        {"description": "b", "quantity": "0.5", "unit_amount": "0.05"},
        {"description": "c", "quantity": "0.5", "unit_amount": "0.07"},
    ]
    made = post(fake, "/v1/invoices", fake.secret(), customer_id=owner, currency="USD", lines=lines).json or {}
    amounts = [line["amount"] for line in made["lines"]]
    assert (made["status"], amounts, made["total"]) == ("draft", ["70.00", "0.02", "0.04"], "70.06")


@pytest.mark.parametrize(("currency", "total"), [("JPY", "10"), ("KWD", "10.500"), ("CLF", "10.5000")])
def test_amounts_are_in_minor_units(fake: Fake, currency: str, total: str) -> None:
    """As many digits as the currency has: 10.5 yen are 10, half to even."""
    owner = (fake.control("POST", "customers").json or {})["id"]
    lines = [{"description": "a", "quantity": "2", "unit_amount": "5.25"}]
    made = post(fake, "/v1/invoices", fake.secret(), customer_id=owner, currency=currency, lines=lines).json or {}
    assert made["total"] == total


def test_an_invoice_that_is_too_large_is_refused(fake: Fake) -> None:
    """Two numbers of twelve digits do not break the fake."""
    owner = (fake.control("POST", "customers").json or {})["id"]
    lines = [{"description": "a", "quantity": "9" * 12, "unit_amount": f"{'9' * 12}.99999999"}] * 100
    answer = post(fake, "/v1/invoices", fake.secret(), customer_id=owner, currency="USD", lines=lines)
    assert flaw(answer) == (422, "lines", "amount.invalid")


def test_an_invoice_is_finalized_and_paid(fake: Fake) -> None:
    """The answer sums the payment up; the invoice then names it."""
    secret = fake.secret()
    invoice = fake.made("invoice", status="draft")
    fake.call("POST", f"/v1/invoices/{invoice}/finalize", secret)
    paid = post(fake, f"/v1/invoices/{invoice}/pay", secret, payment_method_id="pm_card").json or {}
    after = fake.call("GET", f"/v1/invoices/{invoice}", secret).json or {}
    shown = {member: after[member] for member in ("status", "amount_paid", "amount_due", "payments")}
    assert (paid, shown) == (
        {"payment_id": paid["payment_id"], "status": "succeeded", "amount": "100.00", "currency": "USD"},
        {"status": "paid", "amount_paid": "100.00", "amount_due": "0.00", "payments": [paid["payment_id"]]},
    )


def test_a_wallet_pays(fake: Fake) -> None:
    """And is drawn on; what it does not hold it does not pay."""
    secret = fake.secret()
    owner = (fake.control("POST", "customers").json or {})["id"]
    wallet = fake.made("wallet", customer_id=owner)
    invoices = [fake.made("invoice", customer_id=owner) for _ in range(2)]
    answers = [post(fake, f"/v1/invoices/{invoice}/pay", secret, source="wallet") for invoice in invoices]
    balance = (fake.call("GET", f"/v1/wallets/{wallet}", secret).json or {})["balance"]
    assert (answers[0].status_code, found(answers[1]), balance) == (200, (422, "wallet.insufficient_funds"), "0.00")


def test_a_wallet_is_credited(fake: Fake) -> None:
    """The balance grows."""
    answer = post(fake, f"/v1/wallets/{fake.made('wallet')}/credits", fake.secret(), amount="25.50")
    assert (answer.status_code, (answer.json or {})["balance"]) == (201, "125.50")


@pytest.mark.parametrize("amount", ["0", "0.00", "1.001", "999999999999"])
def test_an_amount_that_does_not_fit_is_refused(fake: Fake, amount: str) -> None:
    """Nothing, less than a cent, more than a balance may have."""
    answer = post(fake, f"/v1/wallets/{fake.made('wallet')}/credits", fake.secret(), amount=amount)
    assert flaw(answer) == (422, "amount", "amount.invalid")


def test_a_payment_is_refunded_in_parts(fake: Fake) -> None:
    """Until nothing is left."""
    secret, payment = fake.secret(), fake.made("payment")
    path = f"/v1/payments/{payment}"
    statuses = []
    for body in ({"amount": "40.00"}, {}):
        post(fake, f"{path}/refunds", secret, **body)
        statuses.append((fake.call("GET", path, secret).json or {})["status"])
    refunds = (fake.call("GET", path, secret).json or {})["refunds"]
    amounts = [refund["amount"] for refund in refunds]
    assert (statuses, amounts) == (["partially_refunded", "refunded"], ["40.00", "60.00"])


def test_no_more_is_refunded_than_is_left(fake: Fake) -> None:
    """And nothing changes."""
    secret, payment = fake.secret(), fake.made("payment")
    answer = post(fake, f"/v1/payments/{payment}/refunds", secret, amount="100.01")
    refunds = (fake.call("GET", f"/v1/payments/{payment}", secret).json or {})["refunds"]
    assert (found(answer), refunds) == ((422, "payment.refund_exceeds_amount"), [])


# Kind, the status that does not allow it, and what is not allowed.
ILLEGAL: Final = (
    ("payment", "requires_action", "refunds"),
    ("payment", "succeeded", "cancel"),
    ("invoice", "open", "finalize"),
    ("invoice", "draft", "void"),
    ("invoice", "paid", "pay"),
    ("subscription", "canceled", "cancel"),
    ("subscription", "trialing", "pause"),
)


@pytest.mark.parametrize(("kind", "status", "action"), ILLEGAL)
def test_what_the_state_does_not_allow_is_refused(fake: Fake, kind: str, status: str, action: str) -> None:
    """As a state machine's refusal (reference, Status)."""
    path = f"/v1/{kind}s/{fake.made(kind, status=status)}/{action}"
    assert found(post(fake, path, fake.admin())) == (422, "state.illegal_transition")


@pytest.mark.parametrize(("action", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_a_subscription_is_moved(fake: Fake, action: str, status: str) -> None:
    """From active."""
    answer = post(fake, f"/v1/subscriptions/{fake.made('subscription')}/{action}", fake.secret())
    assert (answer.json or {})["status"] == status


@pytest.mark.parametrize(("days", "status"), [(0, "active"), (14, "trialing")])
def test_a_subscription_starts_with_its_trial(default: Fake, days: int, status: str) -> None:
    """The call's trial goes before the plan's."""
    body = example("create_subscription") | {"trial_days": days}
    answer = default.call("POST", "/v1/subscriptions", EVERYTHING, key="k", json=body)
    assert (answer.status_code, (answer.json or {})["status"]) == (201, status)


def test_a_webhooks_secret_is_shown_once(fake: Fake) -> None:
    """On creation and rotation, never on reading; then kept from caches."""
    admin = fake.admin()
    path = "/v1/admin/webhook-endpoints"
    made = post(fake, path, admin, **example("create_webhook_endpoint"))
    endpoint = made.json or {}
    rotated = fake.call("POST", f"{path}/{endpoint['id']}/rotate-secret", admin).json or {}
    reads = [fake.call("GET", f"{path}{rest}", admin).text for rest in ("", f"/{endpoint['id']}")]
    secrets = {endpoint["secret"], rotated["secret"]}
    shown = [secret for secret in secrets for text in reads if secret in text]
    assert (len(secrets), shown, made.headers["Cache-Control"]) == (2, [], "no-store")


def test_a_webhook_endpoint_is_changed_and_removed(fake: Fake) -> None:
    """Disabled by hand, then gone."""
    admin, path = fake.admin(), "/v1/admin/webhook-endpoints"
    endpoint = (post(fake, path, admin, **example("create_webhook_endpoint")).json or {})["id"]
    changed = fake.call("PATCH", f"{path}/{endpoint}", admin, json={"status": "disabled"}).json or {}
    statuses = [fake.call(method, f"{path}/{endpoint}", admin).status_code for method in ("DELETE", "GET")]
    assert (changed["status"], statuses) == ("disabled", [204, 404])
