"""Tables by path, where `{id}` in a path stands for any one segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


def find_by_path(table: Mapping[str, T], path: str) -> tuple[T, str] | None:
    """What a table has for a path, and what stands in the place of `{id}`, empty where nothing does."""
    if path in table and "{id}" not in path:
        return table[path], ""
    segments = path.split("/")
    for place, segment in enumerate(segments):
        template = "/".join([*segments[:place], "{id}", *segments[place + 1 :]])
        if segment and template in table:
            return table[template], segment
    return None
