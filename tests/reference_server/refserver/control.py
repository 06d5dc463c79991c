"""The test-support protocol: makes what tests need, and moves time."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from .actions import grantable, invoice_members
from .messages import JSON, Answer, Request, as_json
from .problems import NO_ROUTE, UNFIT, UNREADABLE, RefusalError
from .world import ANYWHERE, Owner, Thing, World

Step: TypeAlias = Callable[[World, JSON], Answer]

_CAPABILITIES: Final = ("tokens", "clock", "versions", "actors", "tenants", "customers", "objects", "rate-limits")
_ENVIRONMENT: Final = "sandbox"


def answer(world: World, request: Request, base: str, *, namespaces: bool) -> Answer:
    """Answer one call of the protocol; `base` is the server's own URL. Making namespaces is the server's part."""
    try:
        if (request.method, request.path) == ("GET", ""):
            return as_json(200, describe(world, base, namespaces=namespaces))
        with world.lock:
            return _step(request)(world, _body(request))
    except RefusalError as refusal:
        return refusal.answer(instance=request.path, trace_id=uuid.uuid4().hex)


def _step(request: Request) -> Step:
    step = _STEPS.get((request.method, request.path))
    if step is None:
        raise RefusalError(NO_ROUTE, "The protocol has no such call.")
    return step


def describe(world: World, base: str, *, namespaces: bool) -> JSON:
    """What the protocol says of itself."""
    capabilities = ["namespaces", *_CAPABILITIES] if namespaces else list(_CAPABILITIES)
    return {"protocol": 1, "capabilities": capabilities, "environment": _ENVIRONMENT, **urls(world, base)}


def urls(world: World, base: str) -> dict[str, str]:
    """Where a world is to be found."""
    at = f"{base}/{world.name}"
    return {"url": f"{at}/sandbox", "live_url": f"{at}/live", "control_url": f"{at}/control"}


def _body(request: Request) -> JSON:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise RefusalError(UNREADABLE, "Send JSON.") from None
    if not isinstance(body, dict):
        raise RefusalError(UNREADABLE, "Send a JSON object.")
    return body


def _tenant(world: World, body: JSON) -> str:
    tenant = body.get("tenant_id", world.tenants[0])
    if tenant not in world.tenants:
        raise RefusalError(UNFIT, "There is no such tenant.")
    return str(tenant)


def _made(thing: Thing) -> Answer:
    return as_json(201, {"id": thing.ident})


def _issue(world: World, body: JSON) -> Answer:
    """A token; scopes that there are not, and AAL2 for what is no operator, are not granted."""
    audience, environment = body.get("audience"), body.get("environment", _ENVIRONMENT)
    if audience not in {"service", "customer", "admin"} or environment not in {"sandbox", "live"}:
        raise RefusalError(UNFIT, "Whom is the token for, and where?")
    owner = (_tenant(world, body), environment)
    token, secret = world.issue(
        tenant=owner[0],
        environment=environment,
        audience=audience,
        scopes=grantable(world, body.get("scopes", [])),
        aal=body.get("aal", 1) if audience == "admin" else 1,
        label=body.get("name", ""),
        customer=_customer_for(world, owner, body) if audience == "customer" else None,
    )
    return as_json(
        201,
        {
            "id": token.ident,
            "secret": secret,
            "tenant_id": token.tenant,
            "audience": token.audience,
            "scopes": list(token.scopes),
            "aal": token.aal,
            "environment": token.environment,
            "default_version": token.version,
            "customer_id": token.customer,
        },
    )


def _customer_for(world: World, owner: Owner, body: JSON) -> str:
    given = body.get("customer_id")
    return _new_customer(world, owner).ident if given is None else world.get("customer", owner, given).ident


def _new_customer(world: World, owner: Owner) -> Thing:
    return world.add("customer", owner, {"email": f"{uuid.uuid4().hex}@customers.test", "name": "Somebody"})


def _object(world: World, body: JSON) -> Answer:
    """An object ready to be acted on, in the first environment."""
    make = _OBJECTS.get(str(body.get("kind")))
    if make is None:
        raise RefusalError(UNFIT, "No such kind of object is made here.")
    owner = (_tenant(world, body), _ENVIRONMENT)
    customer = None if body.get("kind") in {"product", "plan"} else _customer_for(world, owner, body)
    members = make(body.get("status"))
    return _made(world.add(str(body["kind"]), owner, members, customer=customer, ident=members.get("plan", "")))


def _payment(status: Any) -> JSON:
    return {"amount": "2.50", "currency": "USD", "status": status or "succeeded"}


def _invoice(status: Any) -> JSON:
    line = {"description": "Hours", "quantity": "4", "unit_amount": str(Decimal("12.50"))}
    return invoice_members([line], currency="USD", status=status or "open")


def _coded(_status: Any) -> JSON:
    return {"code": f"code.{uuid.uuid4().hex[:12]}", "name": "Something"}


def _plan(_status: Any) -> JSON:
    code = f"plan.{uuid.uuid4().hex[:12]}"
    return {"plan": code, "code": code, "currency": "USD", "interval": "month"}


_OBJECTS: Final[dict[str, Callable[[Any], JSON]]] = {
    "payment": _payment,
    "invoice": _invoice,
    "wallet": lambda _: {"currency": "USD", "balance": "0.00"},
    "subscription": lambda status: {"plan_code": "staged", "status": status or "active"},
    "product": _coded,
    "plan": _plan,
}


def _new_tenant(world: World, _body: JSON) -> Answer:
    world.tenants.append(f"tenant-{uuid.uuid4()}")
    return as_json(201, {"id": world.tenants[-1]})


def _new_actor(world: World, body: JSON) -> Answer:
    return _made(world.add("actor", (_tenant(world, body), ANYWHERE), {"name": "Operator"}))


def _advance(world: World, body: JSON) -> Answer:
    seconds = body.get("seconds")
    if not isinstance(seconds, int | float) or not 0 <= seconds < 10**9:
        raise RefusalError(UNFIT, "By how many seconds?")
    world.advance(seconds)
    return _clock(world, body)


def _clock(world: World, _body: JSON) -> Answer:
    return as_json(200, {"now": world.now.isoformat().replace("+00:00", "Z")})


def _versions(world: World, status: int = 200) -> Answer:
    return as_json(status, {"current": world.version, "supported": world.versions})


def _release(world: World, body: JSON) -> Answer:
    version = str(body.get("version"))
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])", version) or version <= world.version:
        raise RefusalError(UNFIT, "A version is a day (one that every month has) after the latest version's.")
    world.versions.append(version)
    return _versions(world, 201)


def _limits(world: World, body: JSON) -> Answer:
    world.enforced = body.get("enforced") is True
    return Answer(204)


def _reset(world: World, _body: JSON) -> Answer:
    world.reset()
    return Answer(204)


_STEPS: Final[dict[tuple[str, str], Step]] = {
    ("POST", "/tokens"): _issue,
    ("POST", "/objects"): _object,
    ("POST", "/tenants"): _new_tenant,
    ("POST", "/actors"): _new_actor,
    ("POST", "/customers"): lambda world, body: _made(_new_customer(world, (_tenant(world, body), _ENVIRONMENT))),
    ("GET", "/clock"): _clock,
    ("POST", "/clock/advance"): _advance,
    ("GET", "/versions"): lambda world, _: _versions(world),
    ("POST", "/versions"): _release,
    ("POST", "/rate-limits"): _limits,
    ("POST", "/reset"): _reset,
}
