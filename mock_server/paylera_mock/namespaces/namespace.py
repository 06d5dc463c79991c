"""A namespace: a whole fake Paylera of its own. And the registry of all namespaces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Final, TypeAlias

from paylera_mock.contract import CONTRACT
from paylera_mock.core.clock import SEEDED_START, Clock
from paylera_mock.core.credential import Authorization, BearerCredential
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Randomness
from paylera_mock.faults.model import FaultRegistry
from paylera_mock.findings.collector import FindingCollector
from paylera_mock.findings.table import FindingHistory
from paylera_mock.journal.recorder import Journal
from paylera_mock.journal.retries import AttemptIndex
from paylera_mock.namespaces.mutant_counter import MutantCounter
from paylera_mock.namespaces.scheduled_effects import apply_due_effects
from paylera_mock.pipeline.context import Behaviour, Pipeline
from paylera_mock.state.discarded import Discarded
from paylera_mock.state.idempotency import IdempotencyStore
from paylera_mock.state.namespace_state import State
from paylera_mock.state.ordered import OrderedItems
from paylera_mock.state.rate_limits import RateLimiter
from paylera_mock.state.schedule import Schedule
from paylera_mock.state.token_index import TokenIndex
from paylera_mock.state.tokens import TokenStore
from paylera_mock.state.versions import Versions
from paylera_mock.state.webhooks import Webhooks

_ID_LENGTH: Final = 10

AddMutants: TypeAlias = Callable[[Behaviour, Sequence[str], MutantCounter], Behaviour]
"""Puts mutants, by their ids, into a behaviour. Raises `KeyError` for an id that no mutant has."""


def without_mutants(behaviour: Behaviour, ids: Sequence[str], _counter: MutantCounter) -> Behaviour:
    """The behaviour as it is, where nobody handed mutants in. Raises `KeyError` for any id."""
    if ids:
        raise KeyError(ids[0])
    return behaviour


class Namespace:
    """A state, a clock, and the behaviour by which requests are judged. `id` is `None` for the default namespace.

    - `number`: in the order in which namespaces were made, from 1 on, 0 for the default one;
    - `unmutated`: the behaviour without `mutants`; `mutant_counter`: how often each of these showed;
    - `seed`: fills a new state, and gives its main tenant;
    - `randomness`: what is random in the state, from the start of the stream again after a reset;
    - `discarded`: what takes over what is kept when the state ends;
    - `lock`: to be held by whoever changes the state; who only reads takes it as it is.
    """

    def __init__(  # noqa: PLR0913 - the parts of a namespace, most of them named by the caller
        self,
        namespace_id: str | None,
        behaviour: Behaviour,
        index: TokenIndex[Namespace],
        discarded: Discarded,
        *,
        clock: Clock,
        randomness: Randomness,
        seed: Callable[[State], str],
        number: int = 0,
        mutants: Sequence[str] = (),
        mutant_counter: MutantCounter | None = None,
        add_mutants: AddMutants = without_mutants,
    ) -> None:
        self.id = namespace_id
        self.number = number
        self.unmutated = behaviour
        self.mutants = tuple(dict.fromkeys(mutants))
        self.mutant_counter = mutant_counter or MutantCounter()
        self.add_mutants = add_mutants
        self._behaviour = add_mutants(self.unmutated, self.mutants, self.mutant_counter)
        self.clock = clock
        self.randomness = randomness
        self.lock = threading.RLock()
        self.journal = Journal(self._behaviour.policy.journal_size)
        self.attempts = AttemptIndex(self.journal)
        self.collector = FindingCollector(namespace_id, self.journal.size)
        self.journal.watch = self.collector.note_exchange
        self.faults = FaultRegistry()
        self.discarded = discarded
        self._index = index
        self._seed = seed
        self.state = self._new_state(seed)

    @property
    def policy(self) -> Policy:
        """The numbers and the readings by which it decides."""
        return self._behaviour.policy

    @property
    def pipeline(self) -> Pipeline:
        """The rules by which it judges."""
        return self._behaviour.pipeline

    @property
    def may_block(self) -> bool:
        """Whether judging may wait."""
        return self._behaviour.may_block

    def switch_to(self, mutants: Sequence[str]) -> None:
        """Have these mutants, and no others, from now on. Raises `KeyError` for an id that no mutant has."""
        wanted = tuple(dict.fromkeys(mutants))
        self._behaviour = self.add_mutants(self.unmutated, wanted, self.mutant_counter)
        self.mutants = wanted
        self.state.adopt(self.policy)

    def catch_up(self) -> None:
        """Apply the effects that are due by the clock. Where none is, this is a look at one number."""
        state = self.state
        if state.schedule.next_at < inf and state.schedule.next_at <= state.clock.epoch():
            with self.lock:
                apply_due_effects(state)

    def reset(self) -> None:
        """Put everything back to what it was at the start: tokens, objects, versions, rates, clock, faults, journal."""
        self.faults.clear()
        self.collector.begin_anew()
        self.journal.clear()
        self.clock.reset()
        self.refill(self._seed)

    def begin_with(self, seed: Callable[[State], str]) -> None:
        """Reset to a state that is filled by another `seed`, now and after each reset. Raises what `seed` does."""
        self._seed = seed
        self.reset()

    def refill(self, seed: Callable[[State], str]) -> None:
        """Replace the state by a new one, filled by `seed`. A reset goes back to the start all the same."""
        state = self._new_state(seed)
        self.end()
        self.state = state

    def end(self) -> None:
        """End the tokens and the webhooks of the state, and have what it keeps freed bit by bit."""
        self.state.end()
        self.discarded.add(self.state)

    def _new_state(self, seed: Callable[[State], str]) -> State:
        """A new state, whose secrets go into the index that all namespaces share."""
        policy, randomness, schedule = self.policy, self.randomness.from_start(), Schedule()
        # Ids of events are drawn apart, so that those of objects do not depend on who listens.
        events = randomness.branch("webhooks")
        state = State(
            policy=policy,
            clock=self.clock,
            randomness=randomness,
            tokens=TokenStore(self, self._index, randomness),
            idempotency=IdempotencyStore(policy),
            versions=Versions(policy),
            limiter=RateLimiter(policy),
            schedule=schedule,
            webhooks=Webhooks(policy.webhooks, events, clock=self.clock, schedule=schedule, catch_up=self.catch_up),
            # Where the clock stands still a window never refills, so only the default namespace is strict at first.
            rates_enforced=policy.rates_enforced and self.id is None,
        )
        state.main_tenant = seed(state)
        return state


class Namespaces:
    """Every namespace of a running fake, and the index by which a secret finds its own.

    With a seeded `randomness`, namespaces made in the same order are alike, and time stands still in all of them.
    """

    def __init__(
        self,
        policy: Policy,
        seed: Callable[[State], str],
        *,
        pipeline: Pipeline | None = None,
        mutants: Sequence[str] = (),
        randomness: Randomness | None = None,
        add_mutants: AddMutants = without_mutants,
    ) -> None:
        behaviour = Behaviour(policy, pipeline or CONTRACT)
        self.randomness = randomness or Randomness()
        self.history = FindingHistory()
        self._made = 0
        self._began = time.monotonic()
        # Whether faults may reach the connection: only some servers let them.
        self.socket_faults = False
        self._lock = threading.Lock()
        self._index = TokenIndex[Namespace]()
        self._discarded = Discarded()
        self._named: dict[str, Namespace] = {}
        self._in_order = OrderedItems[Namespace]()
        self.default = Namespace(
            None,
            behaviour,
            self._index,
            self._discarded,
            clock=self._clock(running=not self.randomness.is_seeded),
            randomness=self.randomness.branch("default"),
            seed=seed,
            mutants=mutants,
            add_mutants=add_mutants,
        )
        self.default.collector.history = self.history

    def __iter__(self) -> Iterator[Namespace]:
        """The namespaces that have an id, as they are at this moment."""
        return iter(list(self._named.values()))

    def newest_first(self, *, before: int | None = None) -> Iterator[Namespace]:
        """The namespaces that have an id, the newest first; with `before` only those of lower numbers."""
        return self._in_order.newest_first(before=before)

    def __len__(self) -> int:
        """How many there are, the default one included."""
        return 1 + len(self._named)

    def uptime(self) -> float:
        """Seconds since this fake began, by the time outside."""
        return time.monotonic() - self._began

    def find(self, namespace_id: str) -> Namespace | None:
        """The namespace with an id."""
        return self._named.get(namespace_id)

    def of_credential(self, credential: Authorization) -> Namespace:
        """The namespace that a token sent to `/` was minted in; the default one where none knows it."""
        if not isinstance(credential, BearerCredential):
            return self.default
        return self._index.owner(credential.digest) or self.default

    def create(
        self, behaviour: Behaviour | None = None, *, mutants: Sequence[str] = (), parent: Namespace | None = None
    ) -> Namespace:
        """Make an empty namespace, whose clock stands still until advanced.

        What is not given is `parent`'s, or the default one's where there is none; so are its first mutants.
        """
        parent = parent or self.default
        with self._lock:
            self._made += 1
            randomness = self.randomness.branch(str(self._made))
            namespace = Namespace(
                randomness.branch("id").word(_ID_LENGTH),
                behaviour or parent.unmutated,
                self._index,
                self._discarded,
                clock=self._clock(running=False),
                randomness=randomness,
                seed=State.add_tenant,
                number=self._made,
                mutants=(*parent.mutants, *mutants),
                mutant_counter=MutantCounter(parent.mutant_counter),
                add_mutants=parent.add_mutants,
            )
            namespace.collector.history = self.history
            self._named[str(namespace.id)] = namespace
            self._in_order.put(namespace.number, namespace)
            return namespace

    def _clock(self, *, running: bool) -> Clock:
        return Clock(running=running, at=SEEDED_START if self.randomness.is_seeded else None)

    def delete(self, namespace_id: str) -> bool:
        """Drop a namespace with its tokens; whether there was one."""
        with self._lock:
            namespace = self._named.pop(namespace_id, None)
            if namespace is None:
                return False
            self._in_order.take_out(namespace.number)
        namespace.collector.begin_anew()
        with namespace.lock:
            namespace.end()
        return True
