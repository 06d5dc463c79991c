"""The registry of actors: operators for whom a service may act. It belongs to the tenant, in both environments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.state.discarded import Part
from paylera_mock.state.objects import Entry, KindTable


class ActorRegistry:
    """The actors of every tenant of a namespace."""

    def __init__(self) -> None:
        self._tenants: dict[str, KindTable] = {}
        self._sequence = 0

    def has(self, tenant_id: str, actor_id: str) -> bool:
        """Whether a tenant has an actor."""
        return self.get(tenant_id, actor_id) is not None

    def get(self, tenant_id: str, actor_id: str) -> Object | None:
        """The actor of a tenant with an id."""
        table = self._tenants.get(tenant_id)
        entry = table.by_id.get(actor_id) if table else None
        return entry.value if entry else None

    def count(self, tenant_id: str) -> int:
        """How many actors a tenant has."""
        return len(self._tenants[tenant_id].by_id) if tenant_id in self._tenants else 0

    def newest_first(self, tenant_id: str, *, before: int | None = None) -> Iterator[Entry]:
        """The actors of a tenant, the newest first; with `before` only those in lower places."""
        return self._table(tenant_id).newest_first(before, None)

    def oldest_first(self, tenant_id: str) -> Iterator[Entry]:
        """The actors of a tenant as they are at this moment, the oldest first."""
        return self._table(tenant_id).in_order.oldest_first()

    def add(self, tenant_id: str, actor: Object) -> Object:
        """Enter an actor."""
        self._sequence += 1
        self._table(tenant_id).add(Entry(self._sequence, actor))
        return actor

    def restore(self, tenant_id: str, entries: Iterable[Entry]) -> None:
        """Enter actors in the places that they had."""
        for entry in entries:
            self._sequence = max(self._sequence, entry.sequence)
            self._table(tenant_id).add(entry)

    def remove(self, tenant_id: str, actor_id: str) -> bool:
        """Strike an actor out: whether there was one."""
        if not self.has(tenant_id, actor_id):
            return False
        self._tenants[tenant_id].remove(actor_id)
        return True

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [part for table in self._tenants.values() for part in table.parts()]

    def _table(self, tenant_id: str) -> KindTable:
        # In one step, since reads come here without a lock.
        return self._tenants.get(tenant_id) or self._tenants.setdefault(tenant_id, KindTable(Resource.ACTOR))


def actor_object(actor_id: str, created_at: str, *, name: str = "", email: str | None = None, role: str = "") -> Object:
    """An actor as the Admin API shows it."""
    return {
        "id": actor_id,
        "object": Resource.ACTOR.value,
        "name": name,
        "email": email,
        "role": role,
        "created_at": created_at,
    }
