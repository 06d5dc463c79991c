"""One call of the control API: the namespace that it goes to, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Literal, TypeAlias, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core import problems
from paylera_mock.core.messages import Object
from paylera_mock.core.problems import RefusedError
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.namespaces.namespace import Namespace, Namespaces
from paylera_mock.namespaces.object_factory import internal_context, make_customer
from paylera_mock.pipeline.context import Context
from paylera_mock.state.namespace_state import State
from paylera_mock.state.tokens import StoredToken

T = TypeVar("T")

Whole: TypeAlias = Annotated[float, Meta(multiple_of=1)]
"""A whole number, also where a client writes it as 2.0."""


Cursor: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)] | UnsetType
"""Where a page begins: the `next_cursor` of the page before, not set for the first."""


class PageQuery(Struct, forbid_unknown_fields=True):
    """Which page of a list is meant: so many, from a cursor on."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    cursor: Cursor = UNSET

    def take(
        self, newest_first: Callable[[int | None], Iterator[T]], place_of: Callable[[T], int]
    ) -> tuple[list[T], int | None]:
        """A page, and the cursor of the next, `None` where there is none.

        `newest_first` gives the items before a place, without a look at the others; `place_of` is that of an item.
        """
        found = list(islice(newest_first(position(self.cursor)), self.limit + 1))
        page = found[: self.limit]
        return page, place_of(page[-1]) if len(found) > len(page) else None


def position(cursor: Cursor) -> int | None:
    """The place before which a page begins; `None` for the first page."""
    return None if cursor is UNSET else cursor


class ScopeQuery(Struct, forbid_unknown_fields=True):
    """Whether only this namespace is meant, or every one there is or was."""

    scope: Literal["own", "all"] = "own"


class NoBody(Struct, forbid_unknown_fields=True):
    """What a call takes that looks at no body: none, or an object without members."""


class TenantBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of a call that is about a tenant: the namespace's main one where none is named."""

    tenant_id: str | UnsetType = UNSET


class OwnerBody(TenantBody, kw_only=True):
    """The body of a call that is about objects of a tenant in an environment."""

    environment: Environment = Environment.SANDBOX


class CreatedId(Struct):
    """The id of what was made."""

    id: str


@dataclass(frozen=True)
class ControlRequest:
    """One call: the namespace it goes to, the body, what the path and the query name.

    `urls` gives the base URLs of a namespace by its id.
    """

    namespaces: Namespaces
    namespace: Namespace
    body: Object
    urls: Callable[[str | None], dict[str, str]]
    identifier: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The state of the namespace, as it is now."""
        return self.namespace.state

    def means_all(self, query: ScopeQuery) -> bool:
        """Whether every namespace is meant. Raises `InvalidInputError` where any but the default one asks."""
        if query.scope == "all" and self.namespace.id is not None:
            raise InvalidInputError("scope", "ask the default namespace for all: /_mock, without /ns")
        return query.scope == "all"

    def find_token(self, token_id: str) -> StoredToken:
        """The token with an id. Raises `RefusedError` where there is no such token."""
        token = self.state.tokens.get(token_id)
        if token is None:
            raise RefusedError(problems.not_found(Resource.API_TOKEN.value))
        return token

    def find_tenant(self, body: TenantBody) -> str:
        """The id of the tenant that is meant. Raises `InvalidInputError` where there is no such tenant."""
        tenant_id = self.state.main_tenant if body.tenant_id is UNSET else body.tenant_id
        if tenant_id not in self.state.tenants:
            raise InvalidInputError(
                "tenant_id", "there is no such tenant in this namespace: make one with POST tenants"
            )
        return tenant_id

    def context_of(self, body: OwnerBody) -> Context:
        """A context in which objects of the tenant and environment are made. Raises as `find_tenant` does."""
        return internal_context(self.state, self.find_tenant(body), body.environment)


def customer_or_new(context: Context, customer_id: str | UnsetType) -> str:
    """The id of the customer that is meant: a new one where none is named."""
    return str(make_customer(context)["id"]) if customer_id is UNSET else customer_id
