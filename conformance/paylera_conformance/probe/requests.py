"""Makes accepted requests: for each operation one that the target is expected to accept, with all that it needs.

Objects are made by the provisioner where it can, else through the target's own API, else looked for in its lists.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Inapplicable
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.issued_secrets import issued_secrets
from paylera_conformance.probe.recording import Recording
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import OWN, Need, Provisioner
from paylera_conformance.target.settings import Mode, Settings
from paylera_fixtures.api.examples import EXAMPLES, example
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation, Resource, parse_operation
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import PAGE_MAX, WILDCARD, Audience, Profile, scopes_of

_Kept = TypeVar("_Kept")

PAGES: Final = 50
"""Pages of a list that are read, at the most, in search of one value."""

_STATES: Final[dict[str, str]] = {
    "cancel_subscription": "active",
    "pause_subscription": "active",
    "finalize_invoice": "draft",
    "void_invoice": "open",
    "pay_invoice": "open",
    "cancel_payment": "requires_action",
    "refund_payment": "succeeded",
}
"""The state in which an operation's object must be; the others take any."""

_LISTS: Final = {operation.resource: operation for operation in OPERATIONS if operation.is_list}
_CREATES: Final = {
    operation.resource: operation for operation in OPERATIONS if operation.id == f"create_{operation.resource.value}"
}


class Sender(Protocol):
    """What the workshop needs of the probe: an accepted request, or `Blocked`."""

    def control(self, request: Request) -> Exchange:
        """Send a request that must be accepted."""


class RequestFactory:
    """Requests and objects for one test, in the world that the test's provisioner stands for."""

    def __init__(
        self, sender: Sender, provisioner: Provisioner, settings: Settings, *, run_id: str,
        document: Callable[[], Document], tape: Recording | None = None,
    ) -> None:  # fmt: skip
        self._sender = sender
        self._tape = tape
        self._document = document
        self._provisioner = provisioner
        self._settings = settings
        self._run_id = run_id
        self._kept: dict[str, Any] = {}

    def mark(self) -> str:
        """A word that nothing else in the world has, and that names this run."""
        return self._tape.word(self._made_up) if self._tape else self._made_up()

    def _made_up(self) -> str:
        return f"{self._run_id}-{secrets.token_hex(5)}"

    def for_customer(self, customer_id: str) -> RequestFactory:
        """The same workshop, making what belongs to one customer."""
        other = copy(self)
        vars(other)["_kept"] = {**self._kept, "customer": customer_id}
        return other

    # Credentials

    @property
    def service(self) -> Credential:
        """A service token that may do all that a service token may."""
        return self._keep("service", lambda: self._provisioner.token(self._everything(Audience.SERVICE, aal=1)))

    @property
    def admin(self) -> Credential:
        """An admin token that may do everything, with second factor where there is one."""
        return self._keep("admin", self._admin)

    @property
    def admin_aal2(self) -> Credential:
        """An admin token with second factor."""
        return self._keep("admin_aal2", lambda: self._provisioner.token(self._everything(Audience.ADMIN, aal=2)))

    def _admin(self) -> Credential:
        try:
            return self.admin_aal2
        except Blocked:
            return self._provisioner.token(self._everything(Audience.ADMIN, aal=1))

    def _everything(self, audience: Audience, *, aal: int) -> Need:
        return Need(role=f"{audience} aal{aal}", audience=audience, scopes=(WILDCARD,), aal=aal, at_least=True)

    def token_for(self, operation: Operation) -> Credential:
        """A token that the operation is expected to accept."""
        if self.needs_aal2(operation):
            return self.admin_aal2
        return self.admin if operation.is_admin else self.service

    def needs_aal2(self, operation: Operation) -> bool:
        """Whether an operation needs AAL2, as the file, the target's own document or the reference profile says."""
        named = self._settings.operations.get("aal2", ())
        if any(parse_operation(text) is operation for text in named):
            return True
        if self._settings.profile is Profile.REFERENCE and operation.aal2:
            return True
        return self._document().declares_aal2(operation)

    # Requests

    def request_for(self, operation: Operation, token: Credential | None = None) -> Request:
        """A request for an operation that is expected to be accepted once, by `token` or one that may."""
        token = token or self.token_for(operation)
        path = self.path_for(operation)
        if operation.is_list:
            path += "?limit=1"
        body = self.body_for(operation) if operation.id in EXAMPLES else None
        request = Request(operation.method, path, token, consumes=operation.method in {"POST", "DELETE"})
        if operation.method == "POST":
            request = request.keyed(FRESH_KEY)
        return request if body is None else request.with_json(body)

    def named_request(self, name: str, operation: Operation, token: Credential | None = None) -> Request:
        """A request for the operation that `[operations]` gives a name, or for `operation` where it gives none."""
        named = self._settings.operations.get(name)
        if named is None:
            return self.request_for(operation, token)
        text = named[0]
        method, _, path = text.partition(" ")
        known = parse_operation(text)
        if known is None:
            request = Request(method, path, token, consumes=method != "GET")
            return request.keyed(FRESH_KEY).with_json({}) if method == "POST" else request
        request = self.request_for(known, token)
        return request if "{" in path else request.at(path)

    def path_for(self, operation: Operation) -> str:
        """The operation's path, its parameter filled with an object made or found for it."""
        if not operation.has_parameter:
            return operation.path
        return operation.concrete(quote(self.object(operation.resource, _STATES.get(operation.id)), safe=""))

    def body_for(self, operation: Operation, suffix: str | None = None) -> dict[str, Any]:
        """An accepted body, everything in it that must be unique made so."""
        references: dict[str, Callable[[], str]] = {
            "customer_id": lambda: self.customer,
            "product_code": lambda: self.product_code,
            "plan_code": lambda: self.plan_code,
        }
        wanted = str(EXAMPLES[operation.id])
        given = {name: make() for name, make in references.items() if "{" + name + "}" in wanted}
        return example(operation.id, suffix=f"-{suffix or self.mark()}", **given)

    # Objects that many requests refer to

    @property
    def customer(self) -> str:
        """A customer of this test."""
        return self._keep("customer", lambda: self.object(Resource.CUSTOMER))

    @property
    def product_code(self) -> str:
        """The code of a product of this test."""
        return self._keep("product_code", lambda: self._made_code("create_product"))

    @property
    def plan_code(self) -> str:
        """The code of a plan of this test."""
        return self._keep("plan_code", lambda: self._made_code("create_plan"))

    def _made_code(self, operation_id: str) -> str:
        if self._settings.mode is Mode.OBSERVE:
            return self._found(BY_ID[operation_id].resource, None, member="code")
        request = self.request_for(BY_ID[operation_id])
        self._sender.control(request)
        return str(request.json["code"])

    def object(self, kind: Resource, status: str | None = None) -> str:
        """The id of an object that a request may act on and use up; a plan's is its code.

        Raises `Blocked` where there is none to be had.
        """
        if self._settings.mode is Mode.OBSERVE:
            return self._found(kind, status)
        special = {
            Resource.CUSTOMER: lambda: self._provisioner.customer() or self.create(Resource.CUSTOMER),
            Resource.PLAN: lambda: self._made_code("create_plan"),
            Resource.API_TOKEN: self._token_id,
            Resource.ACTOR: self._provisioner.known_actor,
        }
        if kind in special:
            return special[kind]()
        return self._staged(kind, status) or self._built(kind, status)

    def _staged(self, kind: Resource, status: str | None) -> str | None:
        """What the provisioner makes; drafts and endpoints are only to be had through the API."""
        if status == "draft" or kind is Resource.WEBHOOK_ENDPOINT:
            return None
        defaults = {Resource.INVOICE: "open", Resource.PAYMENT: "succeeded", Resource.SUBSCRIPTION: "active"}
        return self._provisioner.object(kind, status or defaults.get(kind), self._kept.get("customer"))

    def _built(self, kind: Resource, status: str | None) -> str:
        if kind is Resource.PAYMENT:
            return self._found(kind, status)
        made = self.create(kind)
        if kind is Resource.INVOICE and status == "open":
            finalize = Request("POST", f"/v1/invoices/{quote(made, safe='')}/finalize", self.service, key=FRESH_KEY)
            self._sender.control(finalize.with_json({}))
        return made

    def create(self, kind: Resource) -> str:
        """Create an object through the target's API and give its id."""
        exchange = self._sender.control(self.request_for(_CREATES[kind]))
        return object_id(exchange, kind)

    def disposable(self, need: Need) -> Credential:
        """A token that may be used up: one that is provided, else one made through the target's own API.

        Raises `Blocked` where there is neither.
        """
        try:
            return self._provisioner.token(need)
        except Blocked:
            if self._settings.mode is not Mode.FULL or need.tenant != OWN or self._settings.driver == "control":
                raise
            made = self._made_token(need)
            if made is None:
                raise
            return made

    def _made_token(self, need: Need) -> Credential | None:
        """A token made through `POST /v1/admin/api-tokens`, `None` where the target does not offer that."""
        bound = self.customer if need.audience is Audience.CUSTOMER else None
        scopes = [scope for scope in need.scopes if scope in scopes_of(self._settings.profile)]
        body: dict[str, Any] = {"audience": need.audience.value, "scopes": scopes, "name": self.mark()}
        body |= {"customer_id": bound} if bound else {}
        body |= {"aal": need.aal} if need.aal > 1 else {}
        request = Request("POST", _CREATES[Resource.API_TOKEN].path, self.admin, key=FRESH_KEY)
        try:
            exchange = self._sender.control(request.with_json(body))
            identifier = object_id(exchange, Resource.API_TOKEN)
        except (Blocked, Inapplicable):
            return None
        found = issued_secrets(exchange)
        if len(found) != 1 or exchange.response.object.get("aal", need.aal) != need.aal:
            return None
        return Credential(
            Secret(found[0], need.role), need.audience, need.scopes, aal=need.aal,
            environment=self._settings.environment, id=identifier, customer_id=bound, disposable=True,
        )  # fmt: skip

    def _token_id(self) -> str:
        identifier = self.disposable(Need("to be acted on", scopes=("customers:read",), disposable=True)).id
        if identifier is None:
            raise Blocked("the token's id is not known: set id in its table")
        return identifier

    def _found(self, kind: Resource, status: str | None, member: str = "id") -> str:
        """The first object of a list in the wanted state."""
        member = "code" if kind is Resource.PLAN else member
        for entry in self.entries(_LISTS[kind], self.token_for(_LISTS[kind])):
            value = entry.get(member) or entry.get(f"{kind.value}_{member}")
            if isinstance(value, str) and (status is None or entry.get("status") == status):
                return value
        wanted = f"{kind.value} that is {status}" if status else kind.value
        raise Blocked(
            f"the target lists no {wanted.replace('_', ' ')}: create one, or use a control API with `objects`"
        )

    # Lists

    def entries(self, operation: Operation, token: Credential) -> Iterator[dict[str, Any]]:
        """The entries of a list, page after page, as far as `PAGES` go."""
        cursor = ""
        for _ in range(PAGES):
            page = self._sender.control(Request("GET", f"{operation.path}?limit={PAGE_MAX}{cursor}", token))
            data = page.response.object.get("data")
            if not isinstance(data, list):
                raise Blocked(f"{operation} answers no list: its body has no array `data`", exchange=page)
            yield from (entry for entry in data if isinstance(entry, dict))
            following = page.response.object.get("next_cursor")
            if not page.response.object.get("has_more") or not isinstance(following, str):
                return
            cursor = f"&cursor={quote(following, safe='')}"

    def lists(self, operation: Operation, value: str, token: Credential | None = None) -> bool:
        """Whether a value stands anywhere in the entries of a list."""
        return any(holds(entry, value) for entry in self.entries(operation, token or self.token_for(operation)))

    def _keep(self, name: str, make: Callable[[], _Kept]) -> _Kept:
        if name not in self._kept:
            self._kept[name] = make()
        kept: _Kept = self._kept[name]
        return kept


def object_id(exchange: Exchange, kind: Resource) -> str:
    """The id of a created object: `id`, or `<kind>_id`. Raises `Blocked` where the answer has neither."""
    answer = exchange.response.object
    value = answer.get("id") or answer.get(f"{kind.value}_id")
    if not isinstance(value, str):
        raise Blocked(f"{exchange.request} answered no `id` and no `{kind.value}_id`", exchange=exchange)
    return value


def holds(value: object, wanted: str) -> bool:
    """Whether a string stands anywhere in a JSON value, whole or within another string."""
    if isinstance(value, str):
        return wanted in value
    if isinstance(value, list):
        return any(holds(item, wanted) for item in value)
    if isinstance(value, dict):
        return any(holds(item, wanted) for item in value.values())
    return False
