"""What comes in and what goes out, apart from sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request: the path is as it was sent, header names are in lower case and each has all its values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, tuple[str, ...]]
    body: bytes = b""

    def at(self, path: str) -> Request:
        """The same request, seen from below a base URL."""
        return replace(self, path=path)

    def header(self, name: str) -> str | None:
        """The value of a header, several of them as one list."""
        values = self.headers.get(name)
        return None if values is None else ", ".join(values)


@dataclass(frozen=True)
class Answer:
    """One answer; `chunked` ones go out in pieces."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False

    def under(self, headers: Mapping[str, str]) -> Answer:
        """The same with further headers, its own winning."""
        return replace(self, headers={**headers, **self.headers})


def as_json(status: int, value: JSON, *, chunked: bool = False, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is a JSON object."""
    own = {"content-type": "application/json;charset=UTF-8", **(headers or {})}
    return Answer(status, json.dumps(value, indent=1).encode(), own, chunked=chunked)
