"""One call on its way: what has been found out about it so far, and what an action may ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .messages import JSON, Request
from .problems import NOT_YOURS, UNFIT, RefusalError
from .world import Owner, Thing, Token, World


@dataclass
class Call:
    """A request to one environment of a world.

    - `instance`: the request's path as the client sees it;
    - `version`: what it is processed against, as far as that is settled;
    - `ident`: what the path names; `body` the members that its operation knows;
    - `actor`: on whose behalf it is made.
    """

    world: World
    environment: str
    request: Request
    instance: str
    version: str
    bearer: Token | None = None
    actor: str | None = None
    ident: str = ""
    body: JSON = field(default_factory=dict)

    @property
    def token(self) -> Token:
        """The token, once it is known."""
        if self.bearer is None:
            raise LookupError("asked for the token before it was looked at")
        return self.bearer

    @property
    def owner(self) -> Owner:
        """Whose objects the call sees."""
        return self.token.owner

    def add(self, kind: str, members: dict[str, Any], *, customer: str | None = None, ident: str = "") -> Thing:
        """Put a new object of the caller's into the world."""
        return self.world.add(kind, self.owner, members, customer=customer, ident=ident)

    def get(self, kind: str) -> Thing:
        """The object that the path names. Raises `RefusalError`."""
        thing = self.world.get(kind, self.owner, self.ident)
        if not self._sees(thing):
            raise RefusalError(NOT_YOURS, "A customer's token shows that customer's data.")
        return thing

    def all(self, kind: str) -> Iterator[Thing]:
        """The objects that the caller sees, newest first."""
        return (thing for thing in self.world.all(kind, self.owner) if self._sees(thing))

    def _sees(self, thing: Thing) -> bool:
        """A customer sees what is its own, and the catalog, which is nobody's."""
        return self.token.audience != "customer" or thing.customer in {None, self.token.customer}

    def refers(self, kind: str, member: str, name: str = "") -> Thing:
        """The object that a member of the body refers to, by its id or another member. Raises `RefusalError`."""
        wanted = self.body[member]
        for thing in self.world.all(kind, self.owner):
            if wanted == (thing.members.get(name) if name else thing.ident):
                return thing
        raise RefusalError(
            UNFIT, f"{member} names no {kind}.", errors=[{"code": "reference.dangling", "pointer": f"/{member}"}]
        )
