"""Under which names the fake answers: its own alone, so that no web page reaches it by rebinding a name of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final, Self

from paylera_fixtures.hosts import hostname, is_loopback
from paylera_fixtures.vocabulary import PRODUCTION_HOSTS
from paylera_mock.http.handler import ELSEWHERE_HOST

_REMEMBERED: Final = 100


@dataclass(frozen=True)
class OwnHosts:
    """The names in `Host` that are the fake's own, besides those of loopback and of production.

    - `names`: in lower case;
    - `any_address`: every address is, for a fake that listens on all of a machine's: no page can rebind an address.
    """

    names: frozenset[str] = frozenset()
    any_address: bool = False
    _known: set[str] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def listening_on(cls, host: str, allowed: tuple[str, ...]) -> Self:
        """Those of a fake that listens on a host's address, and answers under the names that are allowed."""
        names = frozenset(name.lower().removesuffix(".") for name in (host, *allowed))
        return cls(names, any_address=_is_unspecified(host))

    def has(self, header: str) -> bool:
        """Whether the value of a `Host` header names the fake. It is asked for each request, and remembers a few."""
        if header in self._known:
            return True
        name = hostname(header).removesuffix(".")
        own = (
            is_loopback(name)
            or name in self.names
            or name in PRODUCTION_HOSTS
            or name == ELSEWHERE_HOST
            or (self.any_address and _is_address(name))
        )
        if own and len(self._known) < _REMEMBERED:
            self._known.add(header)
        return own


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified
