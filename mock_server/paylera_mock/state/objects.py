"""The objects of a namespace, by tenant and environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.messages import Object
from paylera_mock.state.discarded import Part
from paylera_mock.state.ordered import ALL, OrderedItems

OWNER: Final = "customer_id"

_FOUND_BY: Final[Mapping[Resource, tuple[tuple[str, ...], ...]]] = {
    Resource.PRODUCT: (("code",),),
    Resource.PLAN: (("code",),),
    Resource.WALLET: ((OWNER, "currency"), (OWNER,)),
    Resource.PAYMENT: ((OWNER, "payment_method_id"), (OWNER,)),
    Resource.SUBSCRIPTION: ((OWNER,),),
    Resource.INVOICE: ((OWNER,),),
}
"""The members by which objects of a kind are found without a look at all of them. None of them ever changes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An object with its place in the order of creation."""

    sequence: int
    value: Object


@dataclass
class KindTable:
    """The objects of one kind: by their ids, and in order with the groups of those that are alike in some members."""

    kind: Resource
    by_id: dict[str, Entry] = field(default_factory=dict)
    in_order: OrderedItems[Entry] = field(default_factory=OrderedItems)

    def add(self, entry: Entry) -> None:
        """Keep an object under its `id`, in the place of one that had it."""
        identifier = entry.value["id"]
        if identifier in self.by_id:
            self.remove(identifier)
        self.in_order.put(entry.sequence, entry, self._groups(entry.value))
        self.by_id[identifier] = entry

    def remove(self, identifier: str) -> None:
        """Drop an object. Raises `KeyError` where there is none."""
        entry = self.by_id.pop(identifier)
        self.in_order.take_out(entry.sequence, self._groups(entry.value))

    def find(self, members: Mapping[str, object]) -> Object | None:
        """The oldest object with these members."""
        names = next((names for names in _FOUND_BY.get(self.kind, ()) if members.keys() >= set(names)), None)
        group = (names, tuple(members[name] for name in names)) if names else ALL
        if len(names or ()) == len(members):
            entry = self.in_order.oldest(group)
            return entry.value if entry else None
        entries = self.in_order.oldest_first(group)
        return next((e.value for e in entries if all(e.value.get(k) == v for k, v in members.items())), None)

    def newest_first(self, before: int | None, owner: str | None) -> Iterator[Entry]:
        """The objects, the one created last first; of one customer, where an owner is given."""
        if owner is None:
            return self.in_order.newest_first(before=before)
        if (OWNER,) in _FOUND_BY.get(self.kind, ()):
            return self.in_order.newest_first(((OWNER,), (owner,)), before=before)
        # A customer is its own owner; what has none is no customer's.
        own = self.by_id.get(owner) if self.kind is Resource.CUSTOMER else None
        return iter(() if own is None or (before is not None and own.sequence >= before) else (own,))

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [self.by_id, *self.in_order.parts()]

    def _groups(self, value: Object) -> Iterator[tuple[tuple[str, ...], tuple[object, ...]]]:
        for names in _FOUND_BY.get(self.kind, ()):
            yield names, tuple(value.get(name) for name in names)


@dataclass
class ObjectTable:
    """The objects of one tenant in one environment. A tenant spans both environments, its objects do not."""

    sequence: int = 0
    _kinds: dict[Resource, KindTable] = field(default_factory=dict)

    def add(self, kind: Resource, value: Object) -> Object:
        """Keep a new object, under its `id`."""
        self.sequence += 1
        self._table(kind).add(Entry(self.sequence, value))
        return value

    def restore(self, kind: Resource, entry: Entry) -> None:
        """Keep an object in the place that it had."""
        self.sequence = max(self.sequence, entry.sequence)
        self._table(kind).add(entry)

    def get(self, kind: Resource, identifier: str | None) -> Object | None:
        """The object of a kind with an id."""
        table = self._kinds.get(kind)
        entry = table.by_id.get(identifier or "") if table else None
        return entry.value if entry else None

    def count(self, kind: Resource) -> int:
        """How many objects of a kind there are."""
        table = self._kinds.get(kind)
        return len(table.by_id) if table else 0

    def find(self, kind: Resource, **members: object) -> Object | None:
        """The oldest object of a kind with these members."""
        table = self._kinds.get(kind)
        return table.find(members) if table else None

    def remove(self, kind: Resource, identifier: str) -> None:
        """Drop an object; lists skip it from then on."""
        self._kinds[kind].remove(identifier)

    def newest_first(self, kind: Resource, *, before: int | None = None, owner: str | None = None) -> Iterator[Entry]:
        """The objects of a kind, the one created last first; with `before` only those in lower places.

        `owner`: the customer whose objects alone are meant.
        """
        table = self._kinds.get(kind)
        return table.newest_first(before, owner) if table else iter(())

    def oldest_first(self, kind: Resource) -> Iterator[Entry]:
        """The objects of a kind as they are at this moment, the one created first first."""
        table = self._kinds.get(kind)
        return table.in_order.oldest_first() if table else iter(())

    def kinds(self) -> list[Resource]:
        """The kinds that there are or were objects of."""
        return list(self._kinds)

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [part for table in self._kinds.values() for part in table.parts()]

    def _table(self, kind: Resource) -> KindTable:
        # In one step, since reads come here without a lock.
        return self._kinds.get(kind) or self._kinds.setdefault(kind, KindTable(kind))


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
