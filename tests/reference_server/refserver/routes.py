"""Every operation: its path, its scope, who may call it, what it takes and does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from . import actions, shapes
from .actions import Action
from .problems import NO_METHOD, NO_ROUTE, RefusalError


@dataclass(frozen=True)
class Operation:
    """One method on one path, in which `*` stands for the name of an object.

    - `scope`: what the reference pages ask for;
    - `keyed`: creates something or moves money, so that it needs an Idempotency-Key under every reading;
    - `customers`: whether a customer's token may call it.
    """

    method: str
    path: str
    scope: str
    action: Action
    shape: shapes.Shape = shapes.NOTHING
    keyed: bool = False
    aal2: bool = False
    customers: bool = False

    @property
    def admin(self) -> bool:
        """Whether it belongs to the Admin API."""
        return self.path.startswith("/v1/admin/")


def _reads(path: str, kind: str, scope: str, *, customers: bool = True) -> tuple[Operation, Operation]:
    return (
        Operation("GET", path, scope, actions.listing(kind), customers=customers),
        Operation("GET", f"{path}/*", scope, actions.reading(kind), customers=customers),
    )


_INVOICE: Final = "/v1/invoices/*"
_SUBSCRIPTION: Final = "/v1/subscriptions/*"
_ENDPOINTS: Final = "/v1/admin/webhook-endpoints"
_TOKENS: Final = "/v1/admin/api-tokens"
_ACTORS: Final = "/v1/admin/actors"

OPERATIONS: Final[tuple[Operation, ...]] = (
    # The catalog is nobody's own, so that customers may see it.
    *_reads("/v1/products", "product", "catalog:read"),
    *_reads("/v1/plans", "plan", "catalog:read"),
    Operation("POST", "/v1/products", "catalog:write", actions.create_product, shapes.PRODUCT, keyed=True),
    Operation("POST", "/v1/plans", "catalog:write", actions.create_plan, shapes.PLAN, keyed=True),
    *_reads("/v1/customers", "customer", "customers:read"),
    Operation("POST", "/v1/customers", "customers:write", actions.creating("customer"), shapes.CUSTOMER, keyed=True),
    Operation("PATCH", "/v1/customers/*", "customers:write", actions.changing("customer"), shapes.CUSTOMER_CHANGE),
    Operation("DELETE", "/v1/customers/*", "customers:write", actions.deleting("customer")),
    *_reads("/v1/subscriptions", "subscription", "subscriptions:read"),
    Operation(
        "POST",
        "/v1/subscriptions",
        "subscriptions:write",
        actions.create_subscription,
        shapes.SUBSCRIPTION,
        keyed=True,
    ),
    Operation(
        "POST",
        f"{_SUBSCRIPTION}/cancel",
        "subscriptions:write",
        actions.moving("subscription", "canceled", out_of=("active", "paused"), status=202),
    ),
    Operation(
        "POST",
        f"{_SUBSCRIPTION}/pause",
        "subscriptions:write",
        actions.moving("subscription", "paused", out_of=("active",)),
    ),
    *_reads("/v1/invoices", "invoice", "invoices:read"),
    Operation("POST", "/v1/invoices", "invoices:write", actions.create_invoice, shapes.INVOICE, keyed=True),
    Operation("POST", f"{_INVOICE}/finalize", "invoices:write", actions.moving("invoice", "open", out_of=("draft",))),
    Operation(
        "POST", f"{_INVOICE}/void", "invoices:write", actions.moving("invoice", "void", out_of=("open",)), aal2=True
    ),
    Operation("POST", f"{_INVOICE}/pay", "payments:write", actions.pay_invoice, shapes.PAY, keyed=True),
    *_reads("/v1/payments", "payment", "payments:read"),
    Operation(
        "POST",
        "/v1/payments/*/cancel",
        "payments:write",
        actions.moving("payment", "canceled", out_of=("pending", "requires_action"), status=202),
        aal2=True,
    ),
    Operation("POST", "/v1/payments/*/refunds", "payments:refund", actions.refund_payment, shapes.REFUND, keyed=True),
    *_reads("/v1/wallets", "wallet", "wallets:read"),
    Operation("POST", "/v1/wallets", "wallets:write", actions.create_wallet, shapes.WALLET, keyed=True),
    Operation("POST", "/v1/wallets/*/credits", "wallets:write", actions.credit_wallet, shapes.CREDIT, keyed=True),
    *_reads(_ENDPOINTS, "webhook_endpoint", "webhooks:read", customers=False),
    Operation("POST", _ENDPOINTS, "webhooks:write", actions.create_endpoint, shapes.ENDPOINT, keyed=True),
    Operation(
        "PATCH", f"{_ENDPOINTS}/*", "webhooks:write", actions.changing("webhook_endpoint"), shapes.ENDPOINT_CHANGE
    ),
    Operation("DELETE", f"{_ENDPOINTS}/*", "webhooks:write", actions.deleting("webhook_endpoint")),
    Operation("POST", f"{_ENDPOINTS}/*/rotate-secret", "webhooks:write", actions.rotate_endpoint),
    Operation("GET", _TOKENS, "admin:read", actions.list_tokens),
    Operation("GET", f"{_TOKENS}/*", "admin:read", actions.read_token),
    Operation("POST", _TOKENS, "admin:write", actions.create_token, shapes.API_TOKEN, keyed=True),
    Operation("POST", f"{_TOKENS}/*/rotate", "admin:write", actions.rotate_token, aal2=True),
    Operation("DELETE", f"{_TOKENS}/*", "admin:write", actions.revoke_token, aal2=True),
    Operation("GET", _ACTORS, "admin:read", actions.list_actors),
    Operation("POST", _ACTORS, "admin:write", actions.create_actor, shapes.ACTOR, keyed=True),
    Operation("DELETE", f"{_ACTORS}/*", "admin:write", actions.delete_actor),
    Operation("GET", "/v1/admin/audit-log", "admin:read", actions.listing("audit_record")),
)


def find(method: str, path: str) -> tuple[Operation, str]:
    """The operation of a request, and the name in its path. Raises `RefusalError`: no such path, or not this method."""
    segments = path.split("/")
    here = [operation for operation in OPERATIONS if _fits(operation.path.split("/"), segments)]
    if not here:
        raise RefusalError(NO_ROUTE, "No operation has this path.")
    for operation in here:
        if operation.method == method:
            return operation, _name_in(operation, segments)
    allowed = ", ".join(sorted({operation.method for operation in here}))
    raise RefusalError(NO_METHOD, f"This path knows {allowed}.", headers={"allow": allowed})


def _fits(template: list[str], segments: list[str]) -> bool:
    if len(template) != len(segments):
        return False
    return all(given == want or (want == "*" and given) for want, given in zip(template, segments, strict=True))


def _name_in(operation: Operation, segments: list[str]) -> str:
    template = operation.path.split("/")
    return unquote(segments[template.index("*")]) if "*" in template else ""
