"""Makes accepted requests: for each operation one that the target is expected to accept, with all that it needs.

Objects are made by the provisioner where it can, else through the target's own API, else looked for in its lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Inapplicable
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.amount_trial import takes_whole_amounts
from paylera_conformance.probe.amounts import fit_amounts, in_minor_units
from paylera_conformance.probe.answers import (
    find_entries,
    find_id,
    find_next_query,
    find_object,
    find_secrets,
    read_id,
    require_id,
    require_token_id,
    shows_text,
)
from paylera_conformance.probe.sender import Sender
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import ACTED_ON, OWN, Need
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.examples import EXAMPLES, example
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation, Resource, parse_operation
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import PAGE_MAX, Audience, scopes_of

SMALL_PAGES: Final = 4
"""Pages of one entry that are read, where it is not their entries that are looked for."""

PAGES: Final = 100
"""Pages of a list that are read, at the most, in search of one value."""

_STATUSES: Final = {
    "cancel_subscription": "active",
    "pause_subscription": "active",
    "finalize_invoice": "draft",
    "void_invoice": "open",
    "pay_invoice": "open",
    "cancel_payment": "requires_action",
    "refund_payment": "succeeded",
}
"""The status that an operation's object must have; the others take any."""

_NEXT_BEST: Final = {"succeeded": "partially_refunded"}
"""What will do where no object with a status is left: more can be given back of what is not given back whole."""

_USUAL: Final = {Resource.INVOICE: "open", Resource.PAYMENT: "succeeded", Resource.SUBSCRIPTION: "active"}
"""The status that an object is made with where none is asked for."""

_LISTS: Final = {operation.resource: operation for operation in OPERATIONS if operation.is_list}


LEAST_AMOUNT: Final = "0.01"
_PARAMETER: Final = re.compile(r"\{[^}]*\}")


def _similar_operation(method: str, path: str) -> Operation | None:
    """The operation of the contract that a path means, its last segment in the singular or the plural."""
    plural = path.partition("?")[0].rstrip("/") + "s"
    candidates = (path, plural, plural.removesuffix("ss"))
    return next((found for each in candidates if (found := parse_operation(f"{method} {each}"))), None)


class RequestFactory:
    """Accepted requests for one test, and the objects they act on. Raises `Blocked` where one is not to be had."""

    def __init__(self, sender: Sender, document: Callable[[], Document]) -> None:
        self._sender = sender
        self._document = document
        self._provisioner = sender.provisioner
        self._settings = sender.settings
        self._asks_for_size = True
        self._token_for: Callable[[Operation], Credential] = sender.tokens.for_operation
        self._is_own_tenant = True
        self._given: set[str] = set()

    def unique_name(self) -> str:
        """A name that nothing else on the target has."""
        return self._sender.draw(self._sender.variation.name)

    def unique_key(self, length: int | None = None) -> str:
        """An idempotency key that nothing else has, of a length or of the usual one."""
        return self._sender.draw(lambda: self._sender.variation.key(length))

    def for_customer(self, customer_id: str) -> RequestFactory:
        """The same factory, making what belongs to one customer."""
        other = copy(self)
        vars(other)["customer"] = customer_id
        return other

    def for_tenant(self, token_for: Callable[[Operation], Credential]) -> RequestFactory:
        """A factory for another tenant: all is made through the API, by the tokens that it gives for operations."""
        other = RequestFactory(self._sender, self._document)
        other._token_for = token_for
        other._is_own_tenant = False
        return other

    # Requests

    def request_for(self, operation: Operation, token: Credential | None = None) -> Request:
        """A request for an operation that is expected to be accepted once, by `token` or one that may."""
        token = token or self._token_for(operation)
        path = operation.path
        if operation.has_parameter:
            path = operation.concrete(quote(self.object_id(operation.resource, _STATUSES.get(operation.id)), safe=""))
        return self._request_at(path, operation, token)

    def _request_at(self, path: str, operation: Operation, token: Credential | None) -> Request:
        request = Request(operation.method, path, token, consumes=operation.method in {"POST", "DELETE"})
        if operation.method == "POST":
            request = request.with_key(FRESH_KEY)
        return request.with_json(self.body_for(operation)) if operation.id in EXAMPLES else request

    def named_request(self, name: str, operation: Operation, token: Credential | None = None) -> Request:
        """A request for the operation that `[operations]` gives a name, or for `operation` where it gives none."""
        if name not in self._settings.operations:
            return self.request_for(operation, token)
        method, _, path = self._settings.operations[name][0].partition(" ")
        known = parse_operation(f"{method} {path}")
        if "{" not in path:
            request = self.request_named(method, path, token)
        elif known is not None:
            request = self.request_for(known, token)
        else:
            request = self.request_named(method, self._with_object(method, path), token)
        return request if request.method == "GET" else replace(request, consumes=True)

    def request_named(self, method: str, path: str, token: Credential | None = None) -> Request:
        """A request for an operation that the configuration names; its body is that of the contract's most similar one.

        Amounts are the least there are, since all requests may go to one object.
        """
        request = Request(method, path, token, consumes=method in {"POST", "DELETE"})
        if method == "POST":
            request = request.with_key(FRESH_KEY)
        similar = _similar_operation(method, path)
        if similar is None or similar.id not in EXAMPLES:
            return request.with_json({}) if method == "POST" else request
        body = self.body_for(similar)
        least = {"amount": LEAST_AMOUNT} if "amount" in body else {}
        return request.with_json(self.fit_body(similar, body | least))

    def _with_object(self, method: str, path: str) -> str:
        """A path with an object of the kind in the place of its parameter. Raises `Blocked` where there is none."""
        parent = path.partition("/{")[0]
        kind = next((kind for kind, operation in _LISTS.items() if operation.path == parent), None)
        if kind is None:
            raise Blocked(
                f"{method} {path}: what its parameter stands for is not known; name an object in [operations]"
            )
        similar = _similar_operation(method, path)
        status = _STATUSES.get(similar.id) if similar else None
        return _PARAMETER.sub(lambda _: quote(self.object_id(kind, status), safe=""), path, count=1)

    def read_request(self, kind: Resource, identifier: str, token: Credential | None = None) -> Request:
        """A request that reads one object, by a service or an admin token unless another is given."""
        operation = BY_ID[f"get_{kind}"]
        path = operation.concrete(quote(identifier, safe=""))
        return Request("GET", path, token or self._sender.tokens.for_operation(operation))

    def body_for(self, operation: Operation, suffix: str | None = None) -> dict[str, Any]:
        """An accepted body, everything in it that must be unique made so."""
        references: dict[str, Callable[[], str]] = {
            "customer_id": lambda: self.customer,
            "product_code": lambda: self.product_code,
            "plan_code": lambda: self.plan_code,
        }
        wanted = str(EXAMPLES[operation.id])
        given = {name: make() for name, make in references.items() if "{" + name + "}" in wanted}
        return self.fit_body(operation, example(operation.id, suffix=f"-{suffix or self.unique_name()}", **given))

    def fit_body(self, operation: Operation, body: dict[str, Any]) -> dict[str, Any]:
        """A body whose amounts are what the target's own document says that the operation takes."""
        document = self._document()
        schema = document.request_schema(operation) if document.published else None
        fitted: dict[str, Any] = fit_amounts(body, schema, document, unsaid=self._fit_unsaid)
        return fitted

    def _fit_unsaid(self, text: str) -> str | int:
        """An amount of which no document says what it is: it is tried, once for each process."""
        document = self._document()
        if self._sender.recording is not None:  # what a later session does again is what each case sends by itself
            return text
        if document.has_whole_amounts is None:
            document.has_whole_amounts = takes_whole_amounts(self._sender)
        return in_minor_units(text) if document.has_whole_amounts else text

    # Objects

    @cached_property
    def customer(self) -> str:
        """The id of a customer of this test, to whom objects made later belong."""
        return self.object_id(Resource.CUSTOMER)

    @cached_property
    def product_code(self) -> str:
        """The code of a product of this test."""
        return self._code_from("create_product")

    @cached_property
    def plan_code(self) -> str:
        """The code of a plan of this test."""
        return self._code_from("create_plan")

    def _code_from(self, operation_id: str) -> str:
        if self._settings.mode is Mode.OBSERVE:
            return self._find(BY_ID[operation_id].resource, member="code")
        request = self.request_for(BY_ID[operation_id])
        self._sender.require_accepted(request)
        return str(request.json["code"])

    def object_id(self, kind: Resource, status: str | None = None) -> str:
        """The id of an object that a request may act on and use up; a plan's is its code."""
        if self._settings.mode is Mode.OBSERVE:
            return self._find(kind, status, member="code" if kind is Resource.PLAN else "id")
        if kind is Resource.CUSTOMER:
            return (self._is_own_tenant and self._provisioner.customer()) or self.create(kind)
        if kind is Resource.PLAN:
            return self._code_from("create_plan")
        if kind is Resource.ACTOR:
            # One that is listed is not to be used up.
            return self._provisioner.known_actor() if self._provisioner.vanishes else self.create(kind)
        if kind is Resource.API_TOKEN:
            token = self.disposable_token(Need(ACTED_ON, scopes=("customers:read",), disposable=True))
            return require_token_id(token)
        # Drafts and endpoints are only to be had through the API.
        if status != "draft" and kind is not Resource.WEBHOOK_ENDPOINT and self._is_own_tenant:
            staged = self._provisioner.object(kind, status or _USUAL.get(kind), vars(self).get("customer"))
            if staged is not None:
                return staged
        if kind is Resource.PAYMENT:
            return self._payment(status)
        identifier = self.create(kind)
        if kind is Resource.INVOICE and status == "open":
            finalize = BY_ID["finalize_invoice"]
            path = finalize.concrete(quote(identifier, safe=""))
            request = Request("POST", path, self._token_for(finalize), key=FRESH_KEY)
            self._sender.require_accepted(request.with_json({}))
        return identifier

    def _payment(self, status: str | None) -> str:
        """A payment of a list; in another tenant, which has none, of an invoice that is paid here."""
        if not self._is_own_tenant:
            self._sender.require_accepted(self.request_for(BY_ID["pay_invoice"]))
        return self._find(Resource.PAYMENT, status)

    def create(self, kind: Resource) -> str:
        """Create an object through the target's API and give its id."""
        return require_id(self._sender.require_accepted(self.request_for(BY_ID[f"create_{kind}"])), kind)

    def _find(self, kind: Resource, status: str | None = None, *, member: str = "id") -> str:
        """The first object of a list with the wanted status, or the next best: its id, or the member asked for.

        One with a status is used up by the request that it is for: the next one of the case gets another.
        """
        entries = list(self.list_entries(_LISTS[kind]))
        if status is not None:
            wanted = [status, *([_NEXT_BEST[status]] if status in _NEXT_BEST else [])]
            entries = [entry for best in wanted for entry in entries if entry.get("status") == best]
        found = [value for entry in entries if (value := read_id(entry.get(member) or entry.get(f"{kind}_{member}")))]
        unused = [value for value in found if status is None or value not in self._given]
        for value in unused or found:
            self._given.add(value)
            return value
        what = f"{kind} that is {status}" if status else str(kind)
        raise Blocked(f"the target lists no {what.replace('_', ' ')}: create one, or use a control API with `objects`")

    # Tokens that a request may end

    def disposable_token(self, need: Need) -> Credential:
        """A token that may be used up: one that is provided, else one made through the target's own API."""
        try:
            return self._provisioner.token(need)
        except Blocked:
            if self._settings.mode is not Mode.FULL or need.tenant != OWN or self._settings.driver == "control":
                raise
            token = self.create_token(need)
            if token is None:
                raise
            return token

    def create_token(self, need: Need) -> Credential | None:
        """A token made through `POST /v1/admin/api-tokens`, `None` where the target does not offer that."""
        customer = (need.customer_id or self.customer) if need.audience is Audience.CUSTOMER else None
        scopes = [scope for scope in need.scopes if scope in scopes_of(self._settings.profile)]
        body: dict[str, Any] = {"audience": need.audience.value, "scopes": scopes, "name": self.unique_name()}
        body |= {"customer_id": customer} if customer else {}
        body |= {"aal": need.aal} if need.aal > 1 else {}
        request = Request("POST", BY_ID["create_api_token"].path, self._sender.tokens.admin, key=FRESH_KEY)
        try:
            exchange = self._sender.require_accepted(request.with_json(body))
        except (Blocked, Inapplicable):
            return None
        made, issued = find_object(exchange.response.json, Resource.API_TOKEN), find_secrets(exchange)
        identifier = find_id(made, Resource.API_TOKEN)
        if identifier is None or len(issued) != 1 or made.get("aal", need.aal) != need.aal:
            return None
        return Credential(
            Secret(issued[0], need.role),
            need.audience,
            need.scopes,
            aal=need.aal,
            environment=self._settings.environment,
            id=identifier,
            customer_id=customer,
            disposable=True,
        )

    # Lists

    def list_request(self, operation: Operation, token: Credential | None = None) -> Request:
        """The request for a list, in the environment of its token."""
        token = token or self._token_for(operation)
        return Request("GET", operation.path, token, live=token.environment is not self._settings.environment)

    def list_entries(self, operation: Operation, token: Credential | None = None) -> Iterator[dict[str, Any]]:
        """The entries of a list, page after page. Raises what `list_pages` does."""
        for page in self.list_pages(operation, token):
            yield from find_entries(page.response.json, operation.resource) or ()

    def list_pages(self, operation: Operation, token: Credential | None = None) -> Iterator[Exchange]:
        """The pages of a list, as far as `PAGES` go. Raises `Blocked` where one is refused, or is none.

        The guide names no query of a list: a size is asked for where a second page shows that there are such, and not
        again where that is refused.
        """
        request = self.list_request(operation, token)
        page = self._sender.require_accepted(request)
        for _ in range(PAGES):
            if find_entries(page.response.json, operation.resource) is None:
                raise Blocked(f"{operation} answers no list: its body neither is an array nor holds one", exchange=page)
            yield page
            query = find_next_query(page)
            if query is None:
                return
            page = self._read_following(request, query)

    def _read_following(self, request: Request, query: str) -> Exchange:
        if self._asks_for_size and query.startswith("cursor="):
            page = self._sender.send(request.at(f"{request.path}?limit={PAGE_MAX}&{query}"))
            if page.response.ok:
                return page
            self._asks_for_size = False
        return self._sender.require_accepted(request.at(f"{request.path}?{query}"))

    def pages_of_one(self, operation: Operation) -> Iterator[str]:
        """The queries of a list's small pages, as far as `SMALL_PAGES` go; none where no size can be asked for."""
        request = Request("GET", operation.path, self._sender.tokens.for_operation(operation))
        query: str | None = "limit=1"
        for _ in range(SMALL_PAGES):
            page = self._sender.send(request.at(f"{request.path}?{query}"))
            if not page.response.ok:
                return
            yield query or ""
            query = find_next_query(page)
            if query is None:
                return
            query = query if "limit=" in query else f"limit=1&{query}"

    def lists(self, operation: Operation, text: str, token: Credential | None = None) -> bool:
        """Whether a text stands anywhere in a list, in its entries or beside them. Raises what `list_pages` does."""
        return any(
            shows_text(page.response.json, operation.resource, text) for page in self.list_pages(operation, token)
        )
