"""Items in the order in which they were made, as a whole and in groups: any page of them costs the same.

Reads take no lock. Each looks at a list or a dict by one step that no other thread can come between, so that it sees
every item that is there from its beginning to its end, whatever comes and goes meanwhile.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from paylera_mock.state.discarded import Part

T = TypeVar("T")

ALL: Final = None
"""The group of all items."""

_STEP: Final = 128
"""Places that are looked at in one step: a little more than the longest page has."""


class OrderedItems(Generic[T]):
    """Items by their places, which are numbers that grow. Whoever changes them holds a lock; whoever reads needs none.

    A group is named by anything hashable; an item is in the same groups as long as it is here.
    """

    def __init__(self) -> None:
        self._items: dict[int, T] = {}
        self._places: dict[Hashable, list[int]] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, place: int, item: T, groups: Iterable[Hashable] = ()) -> None:
        """Add an item in its place and groups, or put a changed one in the place of what it was."""
        is_new = place not in self._items
        self._items[place] = item
        if is_new:
            for group in (ALL, *groups):
                # Mostly at the end, which costs nothing.
                insort(self._places.setdefault(group, []), place)

    def take_out(self, place: int, groups: Iterable[Hashable] = ()) -> None:
        """Remove the item in a place, which is in these groups."""
        del self._items[place]
        for group in (ALL, *groups):
            places = self._places[group]
            del places[bisect_left(places, place)]
            if not places:
                del self._places[group]

    def newest_first(self, group: Hashable = ALL, *, before: int | None = None) -> Iterator[T]:
        """The items of a group, the newest first; with `before` only those in lower places."""
        while True:
            places = self._places.get(group, ())
            end = len(places) if before is None else bisect_left(places, before)
            start = max(0, end - _STEP)
            # Where an earlier place was taken out just now, some of those that were seen come again.
            step = [place for place in places[start:end] if before is None or place < before]
            if step:
                yield from self._at(reversed(step))
                before = step[0]
            elif start == 0:
                return

    def oldest_first(self, group: Hashable = ALL) -> Iterator[T]:
        """The items of a group as they are at this moment, the oldest first."""
        return self._at(tuple(self._places.get(group, ())))

    def oldest(self, group: Hashable = ALL) -> T | None:
        """The oldest item of a group."""
        places: Sequence[int] = self._places.get(group, ())
        return next(self._at(places[:1]), None) or next(self.oldest_first(group), None)

    def parts(self) -> list[Part]:
        """What it consists of."""
        return [self._items, self._places, self._places.get(ALL, [])]

    def _at(self, places: Iterable[int]) -> Iterator[T]:
        """The items in places, but for those that were taken out meanwhile."""
        for place in places:
            item = self._items.get(place)
            if item is not None:
                yield item
