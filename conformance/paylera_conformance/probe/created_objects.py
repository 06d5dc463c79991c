"""What a case has created on the target, so that it can be removed again."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.probe.answers import find_id
from paylera_fixtures.api.operations import OPERATIONS, Operation, Resource

_DELETES: Final = {operation.resource: operation for operation in OPERATIONS if operation.method == "DELETE"}


def is_removable(kind: Resource) -> bool:
    """Whether the API has an operation that removes objects of a kind."""
    return kind in _DELETES


@dataclass(frozen=True)
class CreatedObject:
    """One object, and the request that created it."""

    kind: Resource
    identifier: str
    by: Request

    @property
    def deletes(self) -> Operation | None:
        """The operation that removes such objects; `None` where the API has none."""
        return _DELETES.get(self.kind)

    @property
    def removal(self) -> Request:
        """The request that removes it, by whoever made it. Raises `KeyError` where the API has no operation for it."""
        path = _DELETES[self.kind].concrete(quote(self.identifier, safe=""))
        return Request("DELETE", path, self.by.token, live=self.by.live)

    def __str__(self) -> str:
        return f"{self.kind} {self.identifier}"


class CreatedObjects:
    """What one case has created and not yet removed. Thread-safe: some cases send several requests at once."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._created: dict[str, CreatedObject] = {}
        self._lock = threading.Lock()

    def note(self, exchange: Exchange) -> None:
        """Note what an exchange created or removed, if anything."""
        if not exchange.response.ok or exchange.request.method not in {"POST", "DELETE"}:
            return
        operation = exchange.request.operation
        if operation is None:
            return
        with self._lock:
            if operation.method == "DELETE":
                self._forget(unquote(exchange.request.path.rpartition("/")[2]))
            elif operation.id == f"create_{operation.resource}":
                self._remember(operation.resource, exchange)

    def _remember(self, kind: Resource, exchange: Exchange) -> None:
        identifier = find_id(exchange.response.json, kind)
        if identifier is not None and identifier not in self._created:  # a replay shows what was created before
            self._created[identifier] = CreatedObject(kind, identifier, exchange.request)
            if is_removable(kind):
                self._limits.reserve()

    def _forget(self, identifier: str) -> None:
        created = self._created.pop(identifier, None)
        if created is not None and is_removable(created.kind):
            self._limits.release()

    def pop_all(self, *, but: Resource | None = None) -> Iterable[CreatedObject]:
        """Everything but one kind, the newest first: what was made later may refer to what was made before."""
        for identifier, created in reversed(list(self._created.items())):
            if created.kind is not but:
                self._forget(identifier)
                yield created
