"""Measures what a call costs beside much that is kept, as a multiple of what it costs beside little.

`python benchmarks costs [--many 100000] [--case TEXT …]`. Every call is made in this process, in two namespaces: one
that keeps 100 of what the case is about, and one that keeps many. They take turns, so that a busy moment of the machine
meets both, and the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from flask import Flask
from werkzeug.test import Client

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.app import EXTENSION, create_app
from paylera_mock.core.messages import Answer
from paylera_mock.namespaces.namespace import Namespace
from paylera_mock.namespaces.object_factory import ObjectOrder, internal_context, make_customer, make_object
from paylera_mock.operations.common import new_object
from paylera_mock.operations.customers import wallet_object
from paylera_mock.operations.pagination import encode_cursor
from paylera_mock.operations.payments import payment_object
from paylera_mock.pipeline.context import Context
from paylera_mock.state.actors import actor_object
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.objects import Entry
from paylera_mock.state.tokens import Grant

AIM: Final = 2.0
FEW: Final = 100
DAY: Final = 86_400
_NUMBERS: Final = count()


class World:
    """A namespace to fill and to call. `made`: the ids of what it was filled with, the oldest first."""

    def __init__(self, app: Flask) -> None:
        self.namespaces = app.extensions[EXTENSION].namespaces
        self.client = Client(app)
        self.namespace: Namespace = self.namespaces.create()
        self.base = f"/ns/{self.namespace.id}"
        self.made: list[str] = []
        self.service = self.mint(Audience.SERVICE)
        self.admin = self.mint(Audience.ADMIN)

    @property
    def context(self) -> Context:
        """What objects are made in."""
        state = self.namespace.state
        return internal_context(state, state.main_tenant, Environment.SANDBOX)

    def mint(self, audience: Audience, customer_id: str | None = None, scopes: tuple[str, ...] = ("*",)) -> str:
        """A token: its secret."""
        state = self.namespace.state
        grant = Grant(state.main_tenant, audience, scopes, aal=2, customer_id=customer_id)
        return state.tokens.mint(grant, version=state.versions.current, now=state.clock.epoch(), policy=state.policy)[1]

    def call(self, method: str, path: str, secret: str, *, status: int, **more: Any) -> Any:
        """One request to the API, under a key of its own where it writes."""
        headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
        if method == "POST":
            headers["Idempotency-Key"] = f"key-{next(_NUMBERS)}"
        return self._sent(method, f"{self.base}{path}", status, headers=headers, **more)

    def control(self, method: str, path: str, /, *, status: int = 200, **body: Any) -> Any:
        """One call of the control API."""
        return self._sent(method, f"{self.base}/_mock/{path}", status, json=body)

    def _sent(self, method: str, path: str, status: int, **more: Any) -> Any:
        answer = self.client.open(path, method=method, **more)
        if answer.status_code != status:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {answer.get_data()[:400]!r}")
        return answer.json if answer.is_json else None


Act = Callable[[World], Any]


@dataclass(frozen=True)
class Case:
    """One call. `fill` puts so many in a namespace; `act` gives what is measured, ready to be called again and again.

    - `most`: how many there are where there are many, where it is not the usual number;
    - `anew`: whether each measurement uses up what was filled in.
    """

    name: str
    fill: Callable[[World, int], None]
    act: Callable[[World], Callable[[], Any]]
    most: int | None = None
    anew: bool = False


# What there is much of


def customers(world: World, many: int) -> None:
    """Customers."""
    context = world.context
    world.made += [make_customer(context, f"{number}@example.com")["id"] for number in range(many)]


def tokens(world: World, many: int) -> None:
    """Service tokens."""
    for _ in range(many):
        world.mint(Audience.SERVICE)


def plans(world: World, many: int) -> None:
    """Plans of one product."""
    context = world.context
    customers(world, 1)
    make_object(context, Resource.PRODUCT, ObjectOrder(code="pro"))
    world.made += [make_object(context, Resource.PLAN, ObjectOrder(code=f"p-{n}"))["code"] for n in range(many)]


def invoices(world: World, many: int) -> None:
    """Open invoices, each of a customer of its own."""
    context = world.context
    for _ in range(many):
        customer = make_customer(context)["id"]
        world.made.append(make_object(context, Resource.INVOICE, ObjectOrder("open", customer))["id"])


def wallets(world: World, many: int) -> None:
    """Customers with a full wallet."""
    context = world.context
    for _ in range(many):
        customer = make_customer(context)["id"]
        context.objects.add(Resource.WALLET, wallet_object(context, customer, "USD") | {"balance": "1000000.00"})
        world.made.append(customer)


def payments(world: World, many: int) -> None:
    """Payments of one customer, by one payment method."""
    context = world.context
    customer = make_customer(context)["id"]
    invoice = make_object(context, Resource.INVOICE, ObjectOrder("paid", customer))
    for _ in range(many):
        payment = payment_object(context, invoice, status="succeeded", method="pm_old")
        context.objects.add(Resource.PAYMENT, payment)
    world.made.append(customer)


def audit_records(world: World, many: int) -> None:
    """Audit records."""
    for number in range(many):
        record = {"id": f"aud_{number}", "object": "audit_record", "token_id": "tok_x"}
        world.context.objects.add(Resource.AUDIT_RECORD, record)


def actors(world: World, many: int) -> None:
    """Actors."""
    state = world.namespace.state
    for number in range(many):
        state.actors.add(state.main_tenant, actor_object(f"actor_{number}", state.clock.text()))
        world.made.append(f"actor_{number}")


def records(world: World, many: int) -> None:
    """Idempotency records."""
    state, answer = world.namespace.state, Answer(200, (), b"{}")
    for number in range(many):
        key = (state.main_tenant, Environment.SANDBOX, "POST", "/v1/customers", f"old-{number}")
        state.idempotency.keep(key, IdempotencyRecord(b"", answer, state.clock.epoch()))


def endpoints(world: World, many: int) -> None:
    """Webhook endpoints that are registered for everything, and that nothing is sent to."""
    context = world.context
    for number in range(many):
        body = {"url": f"https://hooks.example/{number}", "events": ["*"], "status": "enabled"}
        endpoint = new_object(context, Resource.WEBHOOK_ENDPOINT, **body)
        context.state.webhooks.signing_secrets.add(endpoint["id"], "whsec_x", context.now, grace_seconds=0)
        world.made.append(context.objects.add(Resource.WEBHOOK_ENDPOINT, endpoint)["id"])


def namespaces(world: World, many: int) -> None:
    """Namespaces, in each of which a client has made a mistake."""
    for _ in range(many):
        namespace = world.namespaces.create()
        world.client.post(f"/ns/{namespace.id}/v1/customers", json={"email": "a@example.com"})
        world.made.append(namespace.id)


# What is called


def write(path: str, secret: str = "service", **body: Any) -> Callable[[World], Callable[[], Any]]:  # noqa: S107 - a name
    """A POST; `{new}` in it is the newest of what was filled in, `{n}` a new number."""

    def prepare(world: World) -> Callable[[], Any]:
        def act() -> Any:
            number = next(_NUMBERS)
            sent = {name: _fill_in(value, world, number) for name, value in body.items()}
            return world.call("POST", _fill_in(path, world, number), getattr(world, secret), status=201, json=sent)

        return act

    return prepare


def _fill_in(value: Any, world: World, number: int) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("{new}", world.made[-1] if world.made else "").replace("{n}", str(number))


def read(path: str, secret: str = "admin", status: int = 200) -> Callable[[World], Callable[[], Any]]:  # noqa: S107 - a name
    """A GET; `{new}` is the newest of what was filled in."""

    def prepare(world: World) -> Callable[[], Any]:
        url = _fill_in(path, world, 0)
        return lambda: world.call("GET", url, getattr(world, secret), status=status)

    return prepare


def read_last_page(path: str, kind: Resource) -> Callable[[World], Callable[[], Any]]:
    """A GET of the last page of a list."""
    cursor = encode_cursor(kind, Entry(20, {"id": "x"}))
    return read(f"{path}?limit=25&cursor={cursor}")


def list_as_customer(path: str) -> Callable[[World], Callable[[], Any]]:
    """A customer's own list, read by the customer that was made first."""

    def prepare(world: World) -> Callable[[], Any]:
        oldest = world.context.objects.find(Resource.CUSTOMER) or {}
        secret = world.mint(Audience.CUSTOMER, oldest["id"])
        return lambda: world.call("GET", path, secret, status=200)

    return prepare


def pay(source: dict[str, str]) -> Callable[[World], Callable[[], Any]]:
    """The newest customer pays an invoice."""

    def prepare(world: World) -> Callable[[], Any]:
        context = world.context
        ready = [make_object(context, Resource.INVOICE, ObjectOrder("open", world.made[-1]))["id"] for _ in range(200)]

        def act() -> Any:
            return world.call("POST", f"/v1/invoices/{ready.pop()}/pay", world.service, status=200, json=source)

        return act

    return prepare


def delete_oldest(path: str) -> Callable[[World], Callable[[], Any]]:
    """A DELETE of the oldest that there is."""
    return lambda world: lambda: world.call("DELETE", path.replace("{id}", world.made.pop(0)), world.admin, status=204)


def control(method: str, path: str, status: int = 200, **body: Any) -> Callable[[World], Callable[[], Any]]:
    """A call of the control API."""
    return lambda world: lambda: world.control(method, path, status=status, **body)


def post_after_a_day(world: World) -> Callable[[], Any]:
    """A POST at which every record is too old."""
    world.namespace.clock.advance(DAY + 1)
    return write("/v1/customers", email="{n}@example.com")(world)


def delete_namespace(world: World) -> Callable[[], Any]:
    """The end of the namespace."""
    return lambda: world.client.delete(f"/_mock/namespaces/{world.namespace.id}")


def create_and_delete_namespace(world: World) -> Callable[[], Any]:
    """A namespace for one test."""

    def act() -> None:
        made = world.client.post("/_mock/namespaces", json={}).json or {}
        world.client.delete(f"/_mock/namespaces/{made['id']}")

    return act


def read_all_findings(world: World) -> Callable[[], Any]:
    """One page of the findings of all namespaces."""
    return lambda: world.client.get("/_mock/findings?scope=all&limit=100").json


def rotate_oldest(world: World) -> Callable[[], Any]:
    """A rotation."""
    token = next(iter(reversed(list(world.namespace.state.tokens)))).id
    return lambda: world.call("POST", f"/v1/admin/api-tokens/{token}/rotate", world.admin, status=200)


def refused(world: World) -> Callable[[], Any]:
    """A refusal, with its hint."""
    poor = world.mint(Audience.SERVICE, scopes=())
    return lambda: world.call("GET", "/v1/customers", poor, status=401)


def act_as_newest(world: World) -> Callable[[], Any]:
    """A write for the actor that was entered last."""
    headers = {"X-Paylera-Acting-As": world.made[-1]}
    body = {"email": "a@example.com"}
    return lambda: world.call("POST", "/v1/customers", world.service, status=201, json=body, headers=headers)


def act_as_nobody(world: World) -> Callable[[], Any]:
    """A write for an actor that is none, with its hint."""
    headers = {"X-Paylera-Acting-As": "actor_nobody"}
    return lambda: world.call("POST", "/v1/customers", world.service, status=422, json={}, headers=headers)


def patch_endpoint(world: World) -> Callable[[], Any]:
    """A change of an endpoint."""
    path = f"/v1/admin/webhook-endpoints/{world.made[0]}"
    return lambda: world.call("PATCH", path, world.admin, status=200, json={"description": "x"})


def explain(world: World) -> Callable[[], Any]:
    """A request explained."""
    headers = {"Authorization": f"Bearer {world.service}"}
    return lambda: world.control("POST", "explain", method="GET", path="/v1/customers", headers=headers)


_CUSTOMER: Final = {"email": "{n}@example.com"}
_LINE: Final = {"description": "seats", "quantity": "1", "unit_amount": "10.00"}
_PLAN: Final = {"product_code": "pro", "code": "n-{n}", "currency": "USD", "interval": "month"}
_TOKEN: Final = {"audience": "service", "scopes": ["customers:read"]}
_ENDPOINTS: Final = 3_000
_NAMESPACES: Final = 10_000

CASES: Final = (
    Case("a wallet for the newest customer", customers, write("/v1/wallets", customer_id="{new}", currency="USD")),
    Case("an invoice for the newest customer", customers,
         write("/v1/invoices", customer_id="{new}", currency="USD", lines=[_LINE])),
    Case("a customer token's list of customers", customers, list_as_customer("/v1/customers")),
    Case("a customer token's list of invoices", invoices, list_as_customer("/v1/invoices")),
    Case("a customer token's list of payments", payments, list_as_customer("/v1/payments")),
    Case("the first page of customers", customers, read("/v1/customers")),
    Case("the last page of customers", customers, read_last_page("/v1/customers", Resource.CUSTOMER)),
    Case("delete the oldest customer", customers, delete_oldest("/v1/customers/{id}")),
    Case("reset with customers", customers, control("POST", "reset", 204), anew=True),
    Case("the first page of tokens", tokens, read("/v1/admin/api-tokens")),
    Case("the last page of tokens", tokens, read_last_page("/v1/admin/api-tokens", Resource.API_TOKEN)),
    Case("create a token", tokens, write("/v1/admin/api-tokens", "admin", **_TOKEN)),
    Case("rotate the oldest token", tokens, rotate_oldest),
    Case("a refusal with its hint", tokens, refused),
    Case("explain a request, among tokens", tokens, explain),
    Case("explain a request, among records", records, explain),
    Case("reset with tokens", tokens, control("POST", "reset", 204), anew=True),
    Case("delete a namespace with tokens", tokens, delete_namespace, anew=True),
    Case("the newest plan by its code", plans, read("/v1/plans/{new}")),
    Case("create a plan", plans, write("/v1/plans", **_PLAN)),
    Case("subscribe to the newest plan", plans,
         lambda world: write("/v1/subscriptions", customer_id=world.made[0], plan_code="{new}")(world)),
    Case("the newest invoice", invoices, read("/v1/invoices/{new}")),
    Case("pay by a new method, after many payments", payments, pay({"payment_method_id": "pm_new"})),
    Case("pay from the newest wallet", wallets, pay({"source": "wallet"})),
    Case("the last page of the audit log", audit_records,
         read_last_page("/v1/admin/audit-log", Resource.AUDIT_RECORD)),
    Case("the last page of actors", actors, read_last_page("/v1/admin/actors", Resource.ACTOR)),
    Case("a write for the newest actor", actors, act_as_newest),
    Case("a write for no actor, with its hint", actors, act_as_nobody),
    Case("strike out the oldest actor", actors, delete_oldest("/v1/admin/actors/{id}")),
    Case("a POST among records", records, write("/v1/customers", **_CUSTOMER)),
    Case("a POST when all records are too old", records, post_after_a_day, anew=True),
    Case("a customer with webhook endpoints", endpoints, write("/v1/customers", **_CUSTOMER), _ENDPOINTS),
    Case("change one of many webhook endpoints", endpoints, patch_endpoint, _ENDPOINTS),
    Case("delete one of many webhook endpoints", endpoints,
         delete_oldest("/v1/admin/webhook-endpoints/{id}"), _ENDPOINTS),
    Case("a page of the findings of all namespaces", namespaces, read_all_findings, _NAMESPACES),
    Case("make and delete a namespace", namespaces, create_and_delete_namespace, _NAMESPACES),
    Case("health among namespaces", namespaces, control("GET", "health"), _NAMESPACES),
)  # fmt: skip


# Measuring


def seconds(act: Callable[[], Any]) -> float:
    """What one call takes, in processor time of this thread: others may be busy, as one that delivers webhooks."""
    began = time.thread_time()
    act()
    return time.thread_time() - began


def measure(case: Case, sizes: Sequence[int], rounds: int, patience: float) -> list[float]:
    """The median beside each number of what is kept, in seconds. They take turns, so that a busy moment meets all."""
    apps = [create_app() for _ in sizes]
    taken: list[list[float]] = [[] for _ in sizes]
    worlds = [_filled(case, app, size) for app, size in zip(apps, sizes, strict=True)] if not case.anew else []
    gc.collect()
    gc.freeze()
    began = time.monotonic()
    for number in range(3 if case.anew else rounds):
        for place, (app, size) in enumerate(zip(apps, sizes, strict=True)):
            act = _filled(case, app, size) if case.anew else worlds[place]
            spent = seconds(act)
            if number or case.anew:  # at the first call caches fill
                taken[place].append(spent)
        if time.monotonic() - began > patience and taken[-1]:
            break
    gc.unfreeze()
    return [statistics.median(each) for each in taken]


def _filled(case: Case, app: Flask, many: int) -> Callable[[], Any]:
    world = World(app)
    case.fill(world, many)
    return case.act(world)


def rows(cases: Sequence[Case], options: argparse.Namespace) -> Iterator[tuple[str, float, float]]:
    """Each case with its two medians, as they are measured."""
    for case in cases:
        sizes = (FEW, min(case.most or options.many, options.many))
        few, many = measure(case, sizes, options.rounds, options.patience)
        yield case.name, few, many


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure what calls cost beside much that is kept.")
    parser.add_argument("--many", type=int, default=100_000, help="how many are kept (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=41, help="calls of each kind (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=20.0, help="seconds for one case (default: %(default)s)")
    parser.add_argument("--case", nargs="*", default=[], help="only cases that have one of these in their name")
    options = parser.parse_args()
    chosen = [case for case in CASES if not options.case or any(text in case.name for text in options.case)]
    print(f"{'call':45} {'few, ms':>9} {'many, ms':>10} {'ratio':>8}   (aim: {AIM:g} or less)")
    over = 0
    for name, few, many in rows(chosen, options):
        over += many / few > AIM
        print(f"{name:45} {few * 1000:9.3f} {many * 1000:10.3f} {many / few:8.2f}", flush=True)
    print(f"{over} of {len(chosen)} are over the aim")
