"""The objects of a namespace, by tenant and environment, and how lists of them are cut into pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.messages import Object


@dataclass(frozen=True, slots=True)
class Entry:
    """An object with its place in the order of creation."""

    sequence: int
    value: Object


@dataclass
class ObjectTable:
    """The objects of one tenant in one environment. A tenant spans both environments, its objects do not."""

    kinds: dict[Resource, dict[str, Entry]] = field(default_factory=dict)
    sequence: int = 0

    def add(self, kind: Resource, value: Object) -> Object:
        """Keep a new object, under its `id`."""
        self.sequence += 1
        self.kinds.setdefault(kind, {})[value["id"]] = Entry(self.sequence, value)
        return value

    def get(self, kind: Resource, identifier: str | None) -> Object | None:
        """The object of a kind with an id."""
        entry = self.kinds.get(kind, {}).get(identifier or "")
        return entry.value if entry else None

    def find(self, kind: Resource, **members: object) -> Object | None:
        """The oldest object of a kind with these members."""
        entries = self.kinds.get(kind, {}).values()
        matching = (e.value for e in entries if all(e.value.get(k) == v for k, v in members.items()))
        return next(matching, None)

    def remove(self, kind: Resource, identifier: str) -> None:
        """Drop an object; lists skip it from then on."""
        del self.kinds[kind][identifier]

    def newest_first(self, kind: Resource) -> Iterator[Entry]:
        """The objects of a kind, the one created last first."""
        return reversed(list(self.kinds.get(kind, {}).values()))


class ObjectStore:
    """Every object table of one namespace."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, Environment], ObjectTable] = {}

    def __iter__(self) -> Iterator[ObjectTable]:
        """The tables of every tenant, in both environments."""
        return iter(list(self._tables.values()))

    def items(self) -> list[tuple[tuple[str, Environment], ObjectTable]]:
        """The tables by their tenant and environment."""
        return list(self._tables.items())

    def objects(self, tenant_id: str, environment: Environment) -> ObjectTable:
        """The objects of a tenant in an environment, empty where nothing was put there yet."""
        key = (tenant_id, environment)
        # In one step, since reads come here without a lock.
        return self._tables.get(key) or self._tables.setdefault(key, ObjectTable())
