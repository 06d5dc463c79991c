"""The fake answers, sends and accepts what its OpenAPI document says: to the letter, with no member beyond it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from werkzeug.test import Client, TestResponse

from helpers.document import Checked, Document
from helpers.fake import Fake
from helpers.webhooks import Hooks, Receiver, live_through_everything
from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation, Resource
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import Problems, Profile
from paylera_mock.app import create_app
from paylera_mock.core.policy import Policy
from paylera_mock.operations.sandbox_payment_methods import TEST_TOKENS

DAY: Final = 24 * 60 * 60
WRITES: Final = [operation for operation in OPERATIONS if operation.method in {"POST", "PATCH"}]


class Story:
    """A fresh fake whose every answer is compared with its document, and what is asked of it."""

    def __init__(self, profile: Profile) -> None:
        self.checked = Checked(Client(create_app(Policy.for_profile(profile))))
        self._fake = Fake(Client(self.checked.application))
        powerless = self._fake.token(audience="admin")["secret"]
        self.secrets = {token.name: token.secret for token in WELL_KNOWN[:-1]} | {
            "live": WELL_KNOWN[-1].secret,
            "unknown": "sk_sandbox_" + "x" * 32,
            "powerless admin": powerless,
        }

    def call(self, operation_id: str, identifier: str = "", who: str = "adminaal2", /, **request: Any) -> Any:
        """Call an operation: with a body where it takes one, and a key of its own unless the headers have one."""
        operation = BY_ID[operation_id]
        path = operation.concrete(identifier) + request.pop("query", "")
        headers = {"Idempotency-Key": str(uuid4()), "Authorization": f"Bearer {self.secrets[who]}"}
        headers |= request.pop("headers", {})
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.checked.open(path, method=operation.method, headers=sent, **request)

    def did(self, operation_id: str, identifier: str = "", /, **body: Any) -> dict[str, Any]:
        """Call an operation that is accepted, with a body where it takes one: what it answers."""
        operation = BY_ID[operation_id]
        answer = self.call(operation_id, identifier, json=body if operation.method in {"POST", "PATCH"} else None)
        assert answer.status_code == operation.status, (operation_id, answer.text)
        return dict(answer.get_json(silent=True) or {})

    def made(self, kind: str, **more: Any) -> str:
        """Make an object by the control API: its id."""
        return self._fake.made(kind, **{"customer_id": "cus_ada", **more})

    def control(self, path: str, **body: Any) -> None:
        """Send a call to the control API."""
        assert self._fake.control("POST", path, **body).status_code < 300


def catalog(story: Story) -> None:
    """Products and plans, with little and with much."""
    story.did("create_product", code="bare", name="Bare")
    story.did("create_product", code="rich", name="Rich", description="d", tax_code="t")
    components = [{"code": "c", "model": "per_unit", "unit_amount": "1.00", "amount": "0.10"}, {"model": "tiered"}]
    plan = {"product_code": "rich", "currency": "USD", "interval": "year"}
    story.did("create_plan", **plan, code="bare")
    story.did("create_plan", **plan, code="rich", interval_count=2, trial_days=30, components=components)
    story.did("get_plan", "rich")


def customers(story: Story) -> None:
    """Customers and their wallets."""
    address = dict.fromkeys(("line1", "line2", "city", "region", "postal_code"), "x") | {"country": "GB"}
    story.did("create_customer", email="bare@example.com")
    rich = story.did(
        "create_customer",
        email="rich@example.com",
        name="Rich",
        billing_address=address,
        default_payment_method_id="tok_visa_success",
        metadata={"a": "b"},
    )["id"]
    story.did("update_customer", rich, name=None, billing_address=None, default_payment_method_id=None)
    wallet = story.did("create_wallet", customer_id=rich, currency="USD")["id"]
    story.did("credit_wallet", wallet, amount="500.00", reason="r", external_id="e")
    story.did("pay_invoice", story.made("invoice", customer_id=rich), source="wallet")
    story.did("get_wallet", wallet)
    story.did("delete_customer", rich)


def subscriptions(story: Story) -> None:
    """Subscriptions in every state that they reach."""
    bare = {"customer_id": "cus_ada", "plan_code": "pro-monthly-usd"}
    rich = {"quantities": {"seats": 7}, "coupons": ["SPRING"], "default_payment_method_id": "pm_card"}
    trial = story.did("create_subscription", **bare, **rich, trial_days=14, metadata={"a": "b"})["id"]
    story.did("cancel_subscription", story.did("create_subscription", **bare)["id"])
    story.did("pause_subscription", story.did("create_subscription", **bare)["id"])
    story.made("subscription", status="past_due")
    story.control("clock/advance", seconds=15 * DAY)
    story.did("get_subscription", trial)


def invoices(story: Story) -> None:
    """Invoices in every state that they reach, and payments of every outcome."""
    line = {"description": "Seats", "quantity": "7", "unit_amount": "10.00"}
    for lines in ([], [line]):
        draft = story.did("create_invoice", customer_id="cus_ada", currency="USD", lines=lines)["id"]
        story.did("finalize_invoice", draft)
        story.did("void_invoice", draft)
    paid = {
        method: story.did("pay_invoice", story.made("invoice"), payment_method_id=method)["payment_id"]
        for method in TEST_TOKENS
    }
    story.control(f"payment-actions/{paid['tok_visa_3ds']}")
    story.did("cancel_payment", story.made("payment", status="requires_action"))
    for status in ("pending", "processing"):
        story.made("payment", status=status)
    for body in ({"amount": "1.00", "reason": "r"}, {}):
        story.did("refund_payment", paid["tok_visa_success"], **body)
    part = story.made("payment")
    story.did("refund_payment", part, amount="1.00")
    story.did("list_payments")
    story.control("clock/advance", seconds=DAY)
    for payment in (*paid.values(), part):
        story.did("get_payment", payment)


def tokens(story: Story) -> None:
    """Tokens before and after their rotation, in their grace, and revoked."""
    bound = {"audience": "customer", "scopes": ["*"], "customer_id": "cus_ada", "environment": "sandbox"}
    story.did("create_api_token", **bound)
    made = story.did("create_api_token", audience="admin", scopes=["*"], name="n", aal=2)["id"]
    story.did("rotate_api_token", made)
    story.did("get_api_token", made)
    story.did("revoke_api_token", made)
    story.did("get_api_token", made)


def others(story: Story) -> None:
    """Webhook endpoints, actors, and the audit log."""
    bare = {"url": "https://example.com", "events": ["*"]}
    story.did("create_webhook_endpoint", **bare)
    endpoint = story.did("create_webhook_endpoint", **bare, description="d")["id"]
    story.did("update_webhook_endpoint", endpoint, status="disabled", description=None)
    story.did("rotate_secret_webhook_endpoint", endpoint)
    story.did("get_webhook_endpoint", endpoint)
    story.did("delete_webhook_endpoint", endpoint)
    story.did("create_actor")
    actor = story.did("create_actor", email="ada@example.com", name="Ada", role="support")["id"]
    body = example("create_customer")
    story.call("create_customer", json=body, headers={"X-Paylera-Acting-As": actor})
    story.did("delete_actor", actor)


CHAPTERS: Final = (catalog, customers, subscriptions, invoices, tokens, others)


@pytest.fixture(scope="module", params=Profile)
def told(request: pytest.FixtureRequest) -> Story:
    """Everything that is accepted, in each profile; at the end every list is read, with a page that has a next one."""
    story = Story(request.param)
    for chapter in CHAPTERS:
        chapter(story)
    for operation in OPERATIONS:
        if operation.is_list:
            for query in ("?limit=1", "?limit=100"):
                assert story.call(operation.id, query=query).status_code == 200
    story.did("get_customer", "cus_ada")
    story.did("get_product", "prod_pro")
    story.did("get_invoice", "inv_ada")
    return story


def test_every_success_is_as_the_document_has_it(told: Story) -> None:
    """Status, headers, media type, and every member of the body."""
    assert told.checked.flaws == []


def test_every_operation_succeeds(told: Story) -> None:
    """Nothing that the document has is left out."""
    succeeded = {operation.id for operation, answer in told.checked.answers if answer.status_code == operation.status}
    assert succeeded == set(BY_ID)


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of an answer, at every depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from objects_in(each)
    if isinstance(value, dict) and isinstance(value.get("object"), str):
        yield value


def test_every_member_of_the_document_is_answered(told: Story) -> None:
    """The document promises none that never comes."""
    answered: dict[str, set[str]] = defaultdict(set)
    for _, answer in told.checked.answers:
        for each in objects_in(answer.get_json(silent=True)):
            answered[each["object"]] |= set(each) - {"secret"}
    schemas = told.checked.document.content["components"]["schemas"]
    assert answered == {kind.value: set(schemas[kind.value]["properties"]) for kind in Resource}


# The states that only time or another system than the fake would bring about.
UNREACHED: Final = {
    "subscription_status": {"pending_activation", "ended", "incomplete_expired"},
    "invoice_status": {"partially_paid", "uncollectible"},
    "payment_status": set[str](),
}


@pytest.mark.parametrize("name", UNREACHED)
def test_every_state_is_reached(told: Story, name: str) -> None:
    """The answers were looked at in each."""
    kind = name.removesuffix("_status")
    reached = {
        each["status"]
        for _, answer in told.checked.answers
        for each in objects_in(answer.get_json(silent=True))
        if each["object"] == kind
    }
    assert reached == set(told.checked.document.content["components"]["schemas"][name]["enum"]) - UNREACHED[name]


# What is changed in a request: whose token it has, what its path names, and the rest of it.
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "no token": {"headers": {"Authorization": None}},
    "another scheme": {"headers": {"Authorization": "Basic abc"}},
    "an unknown token": {"who": "unknown"},
    "an expired token": {"who": "expired"},
    "a revoked token": {"who": "revoked"},
    "a token of the other environment": {"who": "live"},
    "no scope": {"who": "servicenoscope"},
    "an admin without scope": {"who": "powerless admin"},
    "no second factor": {"who": "adminaal1"},
    "a customer's token": {"who": "customerada"},
    "a service's token": {"who": "serviceall"},
    "another tenant's token": {"who": "othertenant"},
    "an object that is not there": {},
    "no key": {"headers": {"Idempotency-Key": None}},
    "a malformed key": {"headers": {"Idempotency-Key": "a b"}},
    "an unknown version": {"headers": {"Paylera-Version": "1999-01-01"}},
    "an unknown actor": {"headers": {"X-Paylera-Acting-As": "actor_nobody"}},
    "no JSON": {"data": b"{", "content_type": "application/json"},
    "text": {"data": b"{}", "content_type": "text/plain"},
    "too much": {"data": b" " * (1024 * 1024 + 1), "content_type": "application/json"},
    "members of the wrong type": {"json": dict.fromkeys(("email", "code", "url", "audience", "amount", "source"), 1)},
    "another host": {"base_url": "http://elsewhere.example"},
    "no page": {"query": "?limit=0"},
}


@pytest.fixture(scope="module", params=Profile)
def refused(request: pytest.FixtureRequest) -> Story:
    """Everything that is refused, in each profile: each operation with each change, and what its state refuses."""
    story = Story(request.param)
    for operation in OPERATIONS:
        for change in CHANGES.values():
            usual = {"json": example(operation.id)} if operation.method in {"POST", "PATCH"} else {}
            rest = {**({} if "data" in change else usual), **change}
            story.call(operation.id, "absent", rest.pop("who", "adminaal2"), **rest)
    for operation in WRITES:
        for body in (example(operation.id, suffix="-new"), {"email": "another"}):
            story.call(operation.id, "absent", headers={"Idempotency-Key": "used"}, json=body)
    refuse_by_state(story)
    return story


def refuse_by_state(story: Story) -> None:
    """What can be asked for, and not of this object."""
    for operation_id, identifier in (
        ("cancel_subscription", story.made("subscription", status="canceled")),
        ("pause_subscription", story.made("subscription", status="canceled")),
        ("finalize_invoice", "inv_ada"),
        ("void_invoice", "inv_ada_draft"),
        ("cancel_payment", "pay_ada"),
    ):
        assert story.call(operation_id, identifier).status_code == 422
    for invoice in ("inv_ada", story.made("invoice")):  # what the wallet holds is due once
        story.call("pay_invoice", invoice, json={"source": "wallet"})
    story.call("pay_invoice", "inv_ada_draft", json={})
    for amount in ("1000.00", "0.001"):
        story.call("refund_payment", "pay_ada", json={"amount": amount})
    story.call("refund_payment", "pay_ada_waiting", json={})
    for code in ("pro", "pro-monthly-usd"):
        story.call("create_product", json=example("create_product") | {"code": code})
        story.call("create_plan", json=example("create_plan") | {"code": code})
    grant = {"scopes": ["*"], "aal": 2, "audience": "admin"}
    story.call("create_api_token", "", "adminaal1", json=grant)
    story.control("faults", action="answer", status=500)
    story.call("list_customers")
    story.control("faults", action="answer", status=429, retry_after=3)
    story.call("list_customers")


def test_every_refusal_is_as_the_document_has_it(refused: Story) -> None:
    """Status, code, headers, media type, and every member of the problem."""
    assert refused.checked.flaws == []


ONCE_FOR_ALL: Final = {Problems.INTERNAL.code, Problems.RATE_LIMITED.code}


def test_every_refusal_of_the_document_happens(refused: Story) -> None:
    """The document threatens with none that never comes; those that have no cause of their own are seen at one list."""
    seen: dict[str, set[str]] = defaultdict(set)
    for operation, answer in refused.checked.answers:
        if answer.status_code >= 400:
            seen[operation.id].add(answer.json["problem"])
    unseen = {
        f"{operation.id}: {code}"
        for operation in OPERATIONS
        for code in codes_of(refused.checked.document, operation) - seen[operation.id] - ONCE_FOR_ALL
    }
    assert (unseen, seen["list_customers"] >= ONCE_FOR_ALL) == (set(), True)


def codes_of(document: Document, operation: Operation) -> set[str]:
    """The codes with which the document has an operation refused."""
    responses = document.described(operation)["responses"].items()
    return {
        code.strip("`") for status, said in responses if status >= "400" for code in said["description"].split(", ")
    }


def as_its_example_has_it(story: Story, operation: Operation) -> TestResponse:
    """Call an operation with nothing but what the document gives as examples, and a token."""
    described = story.checked.document.described(operation)
    shared = story.checked.document.content["components"]["parameters"]
    parameters = [
        shared[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in described["parameters"]
    ]
    examples = {each["name"]: each["example"] for each in parameters if each["required"]}
    headers = {each["name"]: examples.get(each["name"]) for each in parameters if each["in"] == "header"}
    identifier = next((examples[each["name"]] for each in parameters if each["in"] == "path"), "")
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    answer: TestResponse = story.call(operation.id, identifier, headers=headers, json=content.get("example"))
    return answer


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_example_succeeds_in_a_fresh_fake(operation: Operation) -> None:
    """Whoever tries the document out begins with its examples."""
    story = Story(Profile.REFERENCE)
    answer = as_its_example_has_it(story, operation)
    assert (answer.status_code, story.checked.flaws) == (operation.status, []), answer.text


def test_all_examples_succeed_one_after_the_other() -> None:
    """What is deleted comes last."""
    story = Story(Profile.REFERENCE)
    in_order = sorted(OPERATIONS, key=lambda operation: operation.method == "DELETE")
    assert {o.id: as_its_example_has_it(story, o).status_code for o in in_order} == {o.id: o.status for o in in_order}


# What a customer and an endpoint are before they are read.
AS_READ: Final = (
    ("customer", {"email": "ada@example.com"}),
    ("customer", example("create_customer")),
    ("webhook_endpoint", {"url": "https://example.com", "events": ["*"]}),
    ("webhook_endpoint", example("create_webhook_endpoint")),
)


@pytest.mark.parametrize(("kind", "body"), AS_READ)
def test_a_patch_takes_what_a_get_has_given(kind: str, body: dict[str, Any]) -> None:
    """Many a client reads an object, changes a member, and sends the whole back."""
    story = Story(Profile.GUIDE)
    identifier = story.did(f"create_{kind}", **body)["id"]
    read = story.did(f"get_{kind}", identifier)
    assert story.did(f"update_{kind}", identifier, **read) | {"updated_at": ""} == read | {"updated_at": ""}


def test_an_endpoint_that_was_disabled_by_its_refusals_is_sent_back_as_it_is(hooks: Hooks, receiver: Receiver) -> None:
    """Its state can be read and sent back, and is nothing that one can choose."""
    fake, admin = hooks.fake, hooks.fake.admin()
    receiver.answers = [410] * 100
    endpoint, other = (hooks.register(receiver.url, pattern)["id"] for pattern in ("customer.*", "invoice.*"))
    secret = fake.secret()
    for _ in range(hooks.namespace.policy.webhooks.rejections):
        hooks.customer(secret)
        hooks.flush()
    paths = [f"/v1/admin/webhook-endpoints/{each}" for each in (endpoint, other)]
    read = fake.call("GET", paths[0], admin).json or {}
    statuses = [fake.call("PATCH", path, admin, json=read).status_code for path in paths]
    assert (read["status"], statuses) == ("auto_disabled", [200, 422])


def test_every_webhook_is_as_the_document_has_it(hooks: Hooks, receiver: Receiver, other: Receiver) -> None:
    """Its headers, and every member of the event that it brings; the document has no other event."""
    hooks.register(other.url)
    live_through_everything(hooks, receiver)
    document = Document(hooks.fake.client.get(f"{hooks.fake.base}/openapi/v1.json").json or {})
    webhooks = document.content["webhooks"]
    flaws = []
    for (_, headers, _), event in zip(other.received, other.events, strict=True):
        said = webhooks[event["type"]]["post"]
        flaws += document.flaws(said["requestBody"]["content"]["application/json"]["schema"], event)
        named = {parameter["name"] for parameter in said["parameters"]}
        flaws += [str(headers)] if named != {name for name in headers if name.startswith("Paylera-")} else []
    assert (flaws, set(other.types)) == ([], set(webhooks))
