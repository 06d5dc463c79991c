"""The registry of actors: operators for whom a service may act. It belongs to the tenant, in both environments."""

from __future__ import annotations

from collections.abc import Iterable

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.messages import Object
from paylera_mock.state.objects import Entry


class ActorRegistry:
    """The actors of every tenant of a namespace."""

    def __init__(self) -> None:
        self._tenants: dict[str, dict[str, Entry]] = {}
        self._sequence = 0

    def of(self, tenant_id: str) -> dict[str, Entry]:
        """The actors of a tenant by id, the oldest first."""
        return self._tenants.get(tenant_id, {})

    def add(self, tenant_id: str, actor: Object) -> Object:
        """Enter an actor."""
        self._sequence += 1
        self._tenants.setdefault(tenant_id, {})[actor["id"]] = Entry(self._sequence, actor)
        return actor

    def restore(self, tenant_id: str, entries: Iterable[Entry]) -> None:
        """Enter actors in the places that they had."""
        for entry in entries:
            self._sequence = max(self._sequence, entry.sequence)
            self._tenants.setdefault(tenant_id, {})[entry.value["id"]] = entry

    def remove(self, tenant_id: str, actor_id: str) -> bool:
        """Strike an actor out: whether there was one."""
        return self._tenants.get(tenant_id, {}).pop(actor_id, None) is not None


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
