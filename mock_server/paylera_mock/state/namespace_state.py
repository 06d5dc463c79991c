"""The state of a namespace: all that requests read and change. A reset replaces it whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.clock import Clock
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Randomness
from paylera_mock.state.actors import ActorRegistry
from paylera_mock.state.discarded import Part
from paylera_mock.state.idempotency import IdempotencyStore
from paylera_mock.state.objects import ObjectStore
from paylera_mock.state.rate_limits import RateLimiter
from paylera_mock.state.schedule import Schedule
from paylera_mock.state.tokens import TokenStore
from paylera_mock.state.versions import Versions
from paylera_mock.state.webhooks import Webhooks

_ID_LENGTH: Final = 10


@dataclass(slots=True, weakref_slot=True)
class State:
    """Tenants, tokens, actors, objects, idempotency records, versions and rates, and the clock that they go by.

    What is random in it is drawn from its `randomness`. `wanted_ids` is what the next object of a kind is to be called,
    where a seed file has said so.

    Reads take no lock: whatever they look at is put in place by one step that cannot be seen half done (an entry of a
    dict, a whole list). Writes hold the namespace's lock.
    """

    policy: Policy
    clock: Clock
    randomness: Randomness
    tokens: TokenStore
    idempotency: IdempotencyStore
    versions: Versions
    limiter: RateLimiter
    schedule: Schedule
    webhooks: Webhooks
    store: ObjectStore = field(default_factory=ObjectStore)
    actors: ActorRegistry = field(default_factory=ActorRegistry)
    tenants: set[str] = field(default_factory=set)
    main_tenant: str = ""
    rates_enforced: bool = False
    wanted_ids: dict[Resource, str] = field(default_factory=dict)

    def adopt(self, policy: Policy) -> None:
        """Go by another policy from now on. What is there stays, but for what was counted against the rate limits."""
        self.policy = policy
        self.idempotency.adopt(policy)
        self.versions.adopt(policy)
        self.webhooks.adopt(policy.webhooks)
        self.limiter = RateLimiter(policy)

    def new_id(self, kind: Resource) -> str:
        """An id for a new object of a kind."""
        return self.wanted_ids.pop(kind, None) or self.policy.new_id(kind, self.randomness)

    def end(self) -> None:
        """End the tokens and the webhooks."""
        self.tokens.end()
        self.webhooks.close()

    def take_out(self) -> Iterator[None]:
        """Have the secrets of an ended state forgotten, some at each step."""
        return self.tokens.take_out()

    def parts(self) -> list[Part]:
        """What it consists of, as far as that may be much."""
        objects = [part for table in self.store for part in table.parts()]
        return [*self.tokens.parts(), *objects, *self.actors.parts(), *self.idempotency.parts()]

    def add_tenant(self, tenant_id: str | None = None) -> str:
        """Open a tenant, under a new id where none is given."""
        name = tenant_id or f"ten_{self.randomness.word(_ID_LENGTH)}"
        self.tenants.add(name)
        return name
