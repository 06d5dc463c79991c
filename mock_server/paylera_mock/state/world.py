"""The world of a namespace: all that requests read and change in it. A reset puts a new one in its place, whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.clock import Clock
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Entropy
from paylera_mock.state.actors import ActorRegistry
from paylera_mock.state.idempotency import Ledger
from paylera_mock.state.objects import Store
from paylera_mock.state.rate_limits import RateLimiter
from paylera_mock.state.schedule import Agenda
from paylera_mock.state.token_index import SecretIndex
from paylera_mock.state.tokens import TokenVault
from paylera_mock.state.versions import Versions
from paylera_mock.state.webhooks import Webhooks

if TYPE_CHECKING:
    from paylera_mock.namespaces.namespace import Namespace

_ID_LENGTH: Final = 10


@dataclass(slots=True)
class World:
    """Tenants, tokens, actors, objects, idempotency records, versions and rates, and the clock that they go by.

    What is random in it is drawn from its `entropy`. `wanted_ids` is what the next object of a kind is to be called,
    where a seed file has said so.

    Reads take no lock: whatever they look at is put in place by one step that cannot be seen half done (an entry of a
    dict, a whole list). Writes hold the namespace's lock.
    """

    policy: Policy
    clock: Clock
    entropy: Entropy
    tokens: TokenVault
    ledger: Ledger
    versions: Versions
    limiter: RateLimiter
    agenda: Agenda
    webhooks: Webhooks
    store: Store = field(default_factory=Store)
    actors: ActorRegistry = field(default_factory=ActorRegistry)
    tenants: set[str] = field(default_factory=set)
    main_tenant: str = ""
    rates_enforced: bool = False
    wanted_ids: dict[Resource, str] = field(default_factory=dict)

    @classmethod
    def empty(cls, owner: Namespace, index: SecretIndex) -> World:
        """A world in which nothing is yet, for a namespace whose secrets go into an index."""
        policy, entropy = owner.policy, owner.entropy.afresh()
        agenda = Agenda()
        # Ids of events are drawn apart, so that those of objects do not depend on who listens.
        events = entropy.branch("webhooks")
        return cls(
            policy=policy,
            clock=owner.clock,
            entropy=entropy,
            tokens=TokenVault(owner, index, entropy),
            ledger=Ledger(policy),
            versions=Versions(policy),
            limiter=RateLimiter(policy),
            agenda=agenda,
            webhooks=Webhooks(policy.webhooks, events, clock=owner.clock, agenda=agenda, catch_up=owner.catch_up),
            # Where the clock stands still a window never refills, so only the default namespace is strict at first.
            rates_enforced=policy.rates_enforced and owner.id is None,
        )

    def adopt(self, policy: Policy) -> None:
        """Go by another policy from now on. What is there stays, but for what was counted against the rate limits."""
        self.policy = policy
        self.ledger.adopt(policy)
        self.versions.adopt(policy)
        self.limiter = RateLimiter(policy)

    def new_id(self, kind: Resource) -> str:
        """An id for a new object of a kind."""
        return self.wanted_ids.pop(kind, None) or self.policy.new_id(kind, self.entropy)

    def add_tenant(self, tenant_id: str | None = None) -> str:
        """Open a tenant, under a new id where none is given."""
        name = tenant_id or f"ten_{self.entropy.word(_ID_LENGTH)}"
        self.tenants.add(name)
        return name
