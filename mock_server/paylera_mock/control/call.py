"""A row of the table of control calls: what answers it, and what its handler says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, get_type_hints


@dataclass(frozen=True)
class Call:
    """One call: what answers it, and the status of its success; without a result it is 204.

    The annotations of the handler say what the call takes and gives: the types of the `body` and the `query`, if it
    looks at them, and of the result. It raises `InvalidInputError` or `RefusedError` for what it cannot do.
    `locked`: the handler holds the namespace's lock, as it reads or changes the state.
    `conflicts`: what it asks for may be impossible here, which is 409.
    `write`: writes the result in pieces, once the lock is free, where it may be long.
    `quick`: it waits for nothing, and with a short body takes no longer than a request to the API, however much the
    namespace holds.
    """

    handler: Callable[..., Any]
    status: HTTPStatus = HTTPStatus.OK
    locked: bool = True
    conflicts: bool = False
    write: Callable[[Any], Iterable[str]] | None = None
    quick: bool = False

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The types of what the handler takes, by their names, and of its result, as `return`."""
        return _annotations(self.handler)

    @property
    def name(self) -> str:
        """How the call is written, as `POST C/tokens/{id}/rotate`: what its handler's docstring begins with."""
        return self._said[0].strip("`")

    @property
    def description(self) -> str:
        """What the call does: what follows its name, without what its handler raises."""
        what = self._said[2].partition(" Raises `")[0]
        return f"{what[:1].upper()}{what[1:]}"

    @property
    def _said(self) -> tuple[str, str, str]:
        return " ".join((self.handler.__doc__ or "").split("\n\n")[0].split()).partition(": ")


@cache
def _annotations(handler: Callable[..., Any]) -> Mapping[str, Any]:
    return get_type_hints(handler, include_extras=True)
