"""What accepted calls do. Each action gets a call whose checks are done, and gives the answer."""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from .call import Call
from .messages import JSON, Answer, as_json
from .policy import PAGE_DEFAULT, PAGE_MOST
from .problems import AAL2, FUNDS, GONE, SCOPE, STATE, TAKEN, UNFIT, RefusalError
from .world import ANYWHERE, Thing, World

Action: TypeAlias = Callable[[Call], "Result"]


@dataclass(frozen=True)
class Result:
    """An answer to be.

    - `once`: the member that is shown once and never again;
    - `number`: the request's own, in every answer, so that no object reads the same twice.
    """

    status: int
    body: JSON
    once: str = ""
    chunked: bool = False
    number: str = field(default_factory=lambda: uuid.uuid4().hex)

    def answer(self) -> Answer:
        """The answer to the first request."""
        headers = {"cache-control": "private, no-store"} if self.once else {}
        return as_json(self.status, {**self.body, "request_id": self.number}, chunked=self.chunked, headers=headers)

    def again(self) -> Answer:
        """The answer to a replay: the secret has been told."""
        if not self.once:
            return self.answer()
        return replace(self, body={**self.body, self.once: "(shown before)"}).answer()


def money(value: Decimal) -> str:
    """An amount as it is read."""
    return f"{value:.2f}"


# What every kind of object has


def listing(kind: str) -> Action:
    """One page of the objects of a kind."""
    return lambda call: _page(call, [(thing.number, thing.view()) for thing in call.all(kind)])


def _page(call: Call, entries: list[tuple[int, JSON]]) -> Result:
    """The entries after the cursor, which holds the number of the last one before it."""
    query = call.request.query
    rest = [(number, view) for number, view in entries if number < _before(query.get("cursor"))]
    page = rest[: _limit(query.get("limit"))]
    more = len(rest) > len(page)
    following = _cursor(page[-1][0]) if more else None
    data = [view for _, view in page]
    return Result(200, {"has_more": more, "next_cursor": following, "data": data, "object": "page"}, chunked=True)


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise RefusalError(UNFIT, "limit is a number from 1 on.", errors=[{"code": "limit.unfit", "pointer": "limit"}])
    return min(int(text), PAGE_MOST)


def _cursor(number: int) -> str:
    return base64.b64encode(f"?>{number}".encode()).decode()


def _before(cursor: str | None) -> int:
    if cursor is None:
        return 1 << 62
    try:
        text = base64.b64decode(cursor, validate=True).decode("ascii").removeprefix("?>")
        return int(text) if text.isdigit() and len(text) < 19 else _bad_cursor()
    except (binascii.Error, ValueError):
        return _bad_cursor()


def _bad_cursor() -> int:
    raise RefusalError(UNFIT, "This cursor was never given.", errors=[{"code": "cursor.unfit", "pointer": "cursor"}])


def reading(kind: str) -> Action:
    """One object."""
    return lambda call: Result(200, call.get(kind).view())


def creating(kind: str) -> Action:
    """A new object of the body's members."""
    return lambda call: Result(201, call.add(kind, call.body).view())


def changing(kind: str) -> Action:
    """The body's members put into the object."""

    def act(call: Call) -> Result:
        thing = call.get(kind)
        thing.members |= call.body
        return Result(200, thing.view())

    return act


def deleting(kind: str) -> Action:
    """The object is gone for good, and the answer tells so."""

    def act(call: Call) -> Result:
        thing = call.get(kind)
        thing.gone = True
        return Result(200, {"deleted": True, **thing.view()})

    return act


def moving(kind: str, to: str, *, out_of: tuple[str, ...], status: int = 200) -> Action:
    """The object put into another state."""

    def act(call: Call) -> Result:
        thing = call.get(kind)
        _expect_state(thing, out_of)
        thing.members["status"] = to
        return Result(status, thing.view())

    return act


def _expect_state(thing: Thing, allowed: tuple[str, ...]) -> None:
    if thing.members["status"] not in allowed:
        raise RefusalError(STATE, f"It is {thing.members['status']}; it would have to be {' or '.join(allowed)}.")


# The catalog, customers' subscriptions


def create_product(call: Call) -> Result:
    """A product, its code not taken."""
    _expect_free(call, "product")
    return Result(201, call.add("product", call.body).view())


def create_plan(call: Call) -> Result:
    """A plan of a product; its code is its id."""
    call.refers("product", "product_code", "code")
    _expect_free(call, "plan")
    return Result(201, call.add("plan", call.body, ident=call.body["code"]).view())


def _expect_free(call: Call, kind: str) -> None:
    if any(thing.members["code"] == call.body["code"] for thing in call.all(kind)):
        raise RefusalError(TAKEN, f"There is a {kind} with this code.")


def create_subscription(call: Call) -> Result:
    """A subscription of a customer to a plan, active at once."""
    customer = call.refers("customer", "customer_id")
    call.refers("plan", "plan_code", "code")
    return Result(201, call.add("subscription", {**call.body, "status": "active"}, customer=customer.ident).view())


# Money


def invoice_members(lines: list[JSON], **members: Any) -> JSON:
    """The members of an invoice over some lines."""
    total = sum((Decimal(line["quantity"]) * Decimal(line["unit_amount"]) for line in lines), Decimal())
    return {"total": money(total), "lines": lines, "payments": [], **members}


def create_invoice(call: Call) -> Result:
    """A draft."""
    customer = call.refers("customer", "customer_id")
    members = invoice_members(call.body.pop("lines", []), status="draft", **call.body)
    return Result(201, call.add("invoice", members, customer=customer.ident).view())


def pay_invoice(call: Call) -> Result:
    """A payment of the whole invoice, from a wallet where the body says so."""
    invoice = call.get("invoice")
    _expect_state(invoice, ("open",))
    if "source" in call.body:
        _draw_from_wallet(call, invoice)
    members = {"amount": invoice.members["total"], "currency": invoice.members["currency"], "status": "succeeded"}
    payment = call.add("payment", {**members, "invoice_id": invoice.ident}, customer=invoice.customer)
    invoice.members |= {"status": "paid", "payments": [payment.ident]}
    return Result(200, {"payment_id": payment.ident, **members})


def _draw_from_wallet(call: Call, invoice: Thing) -> None:
    total = Decimal(invoice.members["total"])
    for wallet in call.all("wallet"):
        same = (wallet.customer, wallet.members["currency"]) == (invoice.customer, invoice.members["currency"])
        if same and Decimal(wallet.members["balance"]) >= total:
            wallet.members["balance"] = money(Decimal(wallet.members["balance"]) - total)
            return
    raise RefusalError(FUNDS, "No wallet of the customer holds that much.")


def refund_payment(call: Call) -> Result:
    """Money given back: seen as a change of the payment, which keeps no list of refunds."""
    payment = call.get("payment")
    _expect_state(payment, ("succeeded", "partially_refunded"))
    back = Decimal(payment.members.get("amount_refunded", "0"))
    rest = Decimal(payment.members["amount"]) - back
    amount = Decimal(call.body.get("amount", rest))
    if not 0 < amount <= rest:
        raise RefusalError(STATE, f"Only {money(rest)} are left to be given back.")
    state = "refunded" if amount == rest else "partially_refunded"
    payment.members |= {"amount_refunded": money(back + amount), "status": state}
    members = {"amount": money(amount), "payment_id": payment.ident, "reason": call.body.get("reason")}
    return Result(201, call.add("refund", members, customer=payment.customer).view())


def create_wallet(call: Call) -> Result:
    """An empty wallet."""
    customer = call.refers("customer", "customer_id")
    return Result(201, call.add("wallet", {**call.body, "balance": "0.00"}, customer=customer.ident).view())


def credit_wallet(call: Call) -> Result:
    """Money put into a wallet; the answer tells of the credit, not of the wallet."""
    wallet = call.get("wallet")
    wallet.members["balance"] = money(Decimal(wallet.members["balance"]) + Decimal(call.body["amount"]))
    return Result(201, call.add("wallet_credit", {**call.body, "wallet_id": wallet.ident}).view())


# The Admin API


def create_endpoint(call: Call) -> Result:
    """A webhook endpoint, and the secret that signs for it."""
    endpoint = call.add("webhook_endpoint", {**call.body, "status": "enabled", "api_version": call.version})
    return Result(201, {**endpoint.view(), "signing_key": _signing_key()}, once="signing_key")


def rotate_endpoint(call: Call) -> Result:
    """Another signing secret."""
    return Result(200, {**call.get("webhook_endpoint").view(), "signing_key": _signing_key()}, once="signing_key")


def _signing_key() -> str:
    return f"whsec_{secrets.token_hex(24)}"


def list_actors(call: Call) -> Result:
    """The tenant's registry."""
    actors = call.world.all("actor", (call.token.tenant, ANYWHERE))
    return _page(call, [(actor.number, actor.view()) for actor in actors])


def create_actor(call: Call) -> Result:
    """An actor of the tenant, in both environments."""
    return Result(201, call.world.add("actor", (call.token.tenant, ANYWHERE), call.body).view())


def delete_actor(call: Call) -> Result:
    """The actor is gone."""
    actor = call.world.get("actor", (call.token.tenant, ANYWHERE), call.ident)
    actor.gone = True
    return Result(200, {"deleted": True, "actor_id": actor.ident})


def list_tokens(call: Call) -> Result:
    """The tokens of the tenant in this environment, revoked ones too."""
    tokens = [token for token in call.world.tokens.values() if token.owner == call.owner]
    return _page(call, [(token.number, token.view()) for token in reversed(tokens)])


def read_token(call: Call) -> Result:
    """One token, without its secret."""
    return Result(200, call.world.token(call.ident, call.owner).view())


def create_token(call: Call) -> Result:
    """A token that is granted what was asked for as far as its maker has it."""
    maker, body = call.token, call.body
    scopes = grantable(call.world, body["scopes"])
    if not maker.grants("*"):
        scopes = maker.scopes if "*" in scopes else tuple(scope for scope in scopes if scope in maker.scopes)
    token, secret = call.world.issue(
        tenant=maker.tenant,
        environment=maker.environment,
        audience=body["audience"],
        scopes=scopes,
        aal=min(maker.aal, body.get("aal", 1)) if body["audience"] == "admin" else 1,
        label=body.get("name", ""),
        customer=_customer_of_new(call),
    )
    return Result(201, {"api_token_id": token.ident, "token": token.view(), "key": secret}, once="key")


def _customer_of_new(call: Call) -> str | None:
    if call.body["audience"] != "customer":
        return None
    if "customer_id" not in call.body:
        raise RefusalError(
            UNFIT, "A customer's token needs one.", errors=[{"code": "absent", "pointer": "/customer_id"}]
        )
    return call.refers("customer", "customer_id").ident


def grantable(world: World, scopes: list[str]) -> tuple[str, ...]:
    """Those scopes that there are; others are dropped, and the answer tells so."""
    return tuple(scope for scope in dict.fromkeys(scopes) if scope in world.policy.scopes)


def rotate_token(call: Call) -> Result:
    """Another secret for a token that is not revoked."""
    token = call.world.token(call.ident, call.owner)
    if token.revoked:
        raise RefusalError(STATE, "A revoked token stays so.")
    if not all(call.token.grants(scope) for scope in token.scopes):
        raise RefusalError(SCOPE, "Who rotates a token must have its scopes.")
    if token.aal > call.token.aal:
        raise RefusalError(AAL2, "Who rotates a token must have its assurance.")
    secret = call.world.rotate(token)
    call.world.rename(token)
    return Result(201, {"api_token_id": token.ident, "token": token.view(), "key": secret}, once="key")


def revoke_token(call: Call) -> Result:
    """The token is gone, every secret of it."""
    token = call.world.token(call.ident, call.owner)
    if token.revoked:
        raise RefusalError(GONE, "It was revoked before.")
    token.revoked = True
    return Result(200, {"token": token.view()})
