"""What a list must not have: what belongs to another tenant, and for an end-user what belongs to another customer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Final
from urllib.parse import quote

from paylera_conformance.matrix.calls import Call, CallFactory
from paylera_conformance.matrix.cells import dropped
from paylera_conformance.matrix.features import PLAIN
from paylera_conformance.matrix.population import Kind, Population
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd, NotOffered, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import find_next_query, names_customer, shows_object
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.provisioner import OTHER, Need
from paylera_fixtures.api.operations import Operation, Resource
from paylera_fixtures.vocabulary import Audience

_PAGES: Final = 8
"""So many pages of a list are read in search of what must not be there."""

_UNLIKE_OBJECTS: Final = frozenset({Resource.API_TOKEN, Resource.AUDIT_RECORD})
"""What is listed of a tenant whose tokens were made and used."""


class ListedObjects:
    """The objects that tell whose a list is, each made when it is first looked for: of one operation that lists."""

    def __init__(self, probe: Probe, population: Population, calls: CallFactory, operation: Operation) -> None:
        self._probe = probe
        self._population = population
        self._calls = calls
        self._operation = operation
        self._has_looked = False
        self._has_followed = False
        self._strangers: list[str] = []

    def expect_one_tenant(self, call: Call, accepted: Exchange) -> None:
        """The clause is that a list has nothing of another tenant's.

        Raises `Violation`; `NotOffered` where the other tenant's own list does not show what it has.
        """
        foreign = self._foreign
        for page in (*self._pages(call, accepted), *self._page_of_foreign(call)):
            if self._shows(page, foreign):
                raise Violation(
                    "nothing of another tenant's in the list",
                    f"{foreign}, which is",
                    hint="whatever a request for a list carries, it is answered from its token's tenant",
                    exchange=page,
                )

    def _pages(self, call: Call, page: Exchange) -> Iterator[Exchange]:
        """A list and the pages after it, each asked for in the same way, as far as a few go."""
        for _ in range(_PAGES):
            yield page
            query = find_next_query(page)
            if query is None or not page.response.ok:
                return
            page = self._probe.send(call.request.at(f"{call.operation.path}?{query}"))

    def _page_of_foreign(self, call: Call) -> Iterator[Exchange]:
        """What a call is answered for the next page of another tenant's list: once."""
        if self._has_followed:
            return
        self._has_followed = True
        token = self._foreign_token(self._operation)
        with suppress(CaseEnd):
            self._make_foreign()  # so that there are two
            shown = self._probe.send(Request("GET", f"{self._operation.path}?limit=1", token))
            following = find_next_query(shown)
            if following is not None:
                yield self._probe.send(call.request.at(f"{self._operation.path}?{following}"))

    def expect_one_customer(self, call: Call, accepted: Exchange) -> None:
        """The clause is that the list of an end-user has nothing of another customer's, whatever the query asks for.

        Raises `Violation`; `NotOffered` where there is no such object.
        """
        _, stranger, *_ = self._customers_objects
        self._strangers = [stranger]
        for exchange in (*self._pages(call, accepted), *self._looks_elsewhere(call)):
            found = next((each for each in self._strangers if self._shows(exchange, each)), None)
            if found:
                raise Violation(
                    "the end-user's own objects and no others",
                    f"{found}, which is another customer's",
                    change="the list is read by a customer token",
                    hint="a list that a customer token reads is filtered by that customer, whatever else is asked for",
                    exchange=exchange,
                )

    def _looks_elsewhere(self, call: Call) -> Iterator[Exchange]:
        """The list by other queries and its small pages, and what somebody else was just answered: once."""
        if self._has_looked or call.request.token is None:
            return
        self._has_looked = True
        for query in (f"customer_id={quote(self._other_customer, safe='')}", "status=open", "status=paid", "limit=1"):
            yield from self._pages(call, self._probe.send(call.request.at(f"{call.operation.path}?{query}")))
        for path in (call.operation.path, f"{call.operation.path}?limit=1"):
            everything = Request("GET", path, self._probe.tokens.service)
            shown = self._probe.send(everything)
            yield self._probe.send(everything.by(call.request.token))
            following = find_next_query(shown)
            if following is not None:
                yield self._probe.send(Request("GET", f"{call.operation.path}?{following}", call.request.token))
        following = self._next_of_other_customer()
        if following is not None:
            yield self._probe.send(Request("GET", f"{call.operation.path}?{following}", call.request.token))

    def _next_of_other_customer(self) -> str | None:
        """The query of a page that another customer's own token is told of; `None` where it is told of none."""
        kind = self._operation.resource
        if kind is Resource.CUSTOMER or self._operation.is_admin:
            return None  # there is one of these for each customer
        try:
            factory = self._probe.factory.for_customer(self._other_customer)
            self._strangers.append(factory.object_id(kind))
            need = Need("another customer's", Audience.CUSTOMER, customer_id=self._other_customer, at_least=True)
            token = self._probe.register_secret(self._probe.provisioner.token(need))
            shown = self._probe.send(Request("GET", f"{self._operation.path}?limit=1", token))
        except CaseEnd:
            return None
        return find_next_query(shown)

    def find_missing(self, call: Call, accepted: Exchange) -> Violation | None:
        """What is wrong with the list of an end-user that lacks the end-user's own object; `None` where it has it."""
        own, *_ = self._customers_objects
        if self._shows(accepted, own) or self._probe.factory.lists(self._operation, own, call.request.token):
            return None
        return Violation(
            f"the end-user's own object {own} in the list", "a list without it", hint=call.company, exchange=accepted
        )

    @cached_property
    def _other_customer(self) -> str:
        return self._probe.factory.create(Resource.CUSTOMER)

    @cached_property
    def _customers_objects(self) -> tuple[str, ...]:
        """An object of the end-user's, one of another customer's, and often another of its own.

        Raises `NotOffered` where there is none.
        """
        own, kind = str(self._population.customer), self._operation.resource
        try:
            if kind is Resource.CUSTOMER:
                return own, self._other_customer
            # The stranger's stands between two of its own, so that a second page would show it, whatever the order.
            owners = (own, self._other_customer, own)
            return tuple(
                self._require_owned(self._probe.factory.for_customer(one).object_id(kind), one) for one in owners
            )
        except CaseEnd as end:
            raise dropped(end) from None

    def _require_owned(self, identifier: str, customer: str) -> str:
        """The id of an object that is seen to be a customer's: what a list has may be another's. Raises `Blocked`."""
        kind = self._operation.resource
        shown = self._probe.require_accepted(self._probe.factory.read_request(kind, identifier))
        if not names_customer(shown.response.json, customer):
            raise Blocked(f"no {kind} of {customer} is to be had", exchange=shown)
        return identifier

    @cached_property
    def _foreign(self) -> str:
        """The id of an object that another tenant's list shows. Raises `NotOffered` where there is none."""
        try:
            identifier = self._make_foreign()
            token = self._foreign_token(self._operation)
            shown = self._probe.factory.lists(self._operation, identifier, token)
        except CaseEnd as end:
            raise dropped(end) from None
        if not shown:
            raise NotOffered(f"the other tenant's {self._operation} does not show {identifier}")
        return identifier

    def _make_foreign(self) -> str:
        kind = self._operation.resource
        if kind is Resource.ACTOR:
            return self._population.actors.foreign
        if kind in _UNLIKE_OBJECTS:
            token = self._population.get(Kind(tenant=OTHER))
            if token.id is None:
                raise Blocked("the id of the other tenant's token is not known")
            self._probe.send(Request("GET", self._operation.path, token))
            return token.id
        factory = self._probe.factory.for_tenant(self._foreign_token)
        return factory.product_code if kind is Resource.PRODUCT else factory.object_id(kind)

    def _foreign_token(self, operation: Operation) -> Credential:
        return self._population.get(replace(self._calls.kind_of(operation, PLAIN), tenant=OTHER))

    def _shows(self, answer: Exchange, identifier: str) -> bool:
        return answer.response.ok and shows_object(answer.response.json, self._operation.resource, identifier)
