"""A namespace: a whole fake Paylera of its own. And the registry of all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from math import inf
from typing import Final

from paylera_mock.contract import CONTRACT
from paylera_mock.core.clock import SEEDED_START, Clock
from paylera_mock.core.credential import Authorization, Credential
from paylera_mock.core.policy import Policy
from paylera_mock.core.randomness import Entropy
from paylera_mock.faults.model import Faults
from paylera_mock.findings.collector import Conduct, History
from paylera_mock.journal.recorder import Journal
from paylera_mock.mutants import Tally, mutated
from paylera_mock.namespaces.scheduled_effects import happen
from paylera_mock.pipeline.context import Manner, Pipeline
from paylera_mock.state.token_index import SecretIndex
from paylera_mock.state.world import World

_ID_LENGTH: Final = 10


class Namespace:
    """A world with a clock and a manner of judging. `id` is `None` for the default one.

    `unmutated` is the manner without the deliberate defects that `mutants` names; `tally` knows how often they showed.

    What is random in its world is drawn from `entropy`, from the start of the stream again after a reset.

    Who changes its world holds `lock`; who only reads takes the world as it is.
    """

    def __init__(
        self,
        namespace_id: str | None,
        manner: Manner,
        index: SecretIndex,
        *,
        clock: Clock,
        entropy: Entropy,
        seed: Callable[[World], str],
        mutants: Sequence[str] = (),
        tally: Tally | None = None,
    ) -> None:
        self.id = namespace_id
        self.unmutated = manner
        self.mutants = tuple(dict.fromkeys(mutants))
        self.tally = tally or Tally()
        self._manner = mutated(self.unmutated, self.mutants, self.tally)
        self.clock = clock
        self.entropy = entropy
        self.lock: AbstractContextManager[object] = threading.RLock()
        self.journal = Journal(self._manner.policy.journal_size)
        self.conduct = Conduct(namespace_id, self.journal.size)
        self.journal.watch = self.conduct.note
        self.faults = Faults()
        self._index = index
        self._seed = seed
        self.world = self._filled(seed)

    @property
    def policy(self) -> Policy:
        """The numbers and the readings by which it decides."""
        return self._manner.policy

    @property
    def pipeline(self) -> Pipeline:
        """The rules by which it judges."""
        return self._manner.pipeline

    def switch_to(self, mutants: Sequence[str]) -> None:
        """Have these deliberate defects, and no others, from now on. Raises `KeyError` for an id that no mutant has."""
        wanted = tuple(dict.fromkeys(mutants))
        self._manner = mutated(self.unmutated, wanted, self.tally)
        self.mutants = wanted
        self.world.adopt(self.policy)

    def move_clock(self, epoch: float) -> None:
        """Go forward to an instant. Raises `ValueError` for one that is past or beyond the year 9000."""
        self.clock.to(epoch)

    def catch_up(self) -> None:
        """Let happen what is due by the clock. Where nothing is, this is a look at one number."""
        world = self.world
        if world.agenda.next_at < inf and world.agenda.next_at <= world.clock.epoch():
            with self.lock:
                happen(world)

    def reset(self) -> None:
        """Put everything back to what it was at the start: tokens, objects, versions, rates, clock, faults, journal."""
        self.faults.clear()
        self.conduct.fold()
        self.journal.clear()
        self.clock.reset()
        self.world.tokens.forget()
        self.world.webhooks.close()
        self.world = self._filled(self._seed)

    def begin_with(self, seed: Callable[[World], str]) -> None:
        """Begin again with another filling, now and after each reset. Raises what `seed` does."""
        self._seed = seed
        self.reset()

    def refill(self, seed: Callable[[World], str]) -> None:
        """Put another world in the place of this one. A reset goes back to the start all the same."""
        self.world.tokens.forget()
        self.world.webhooks.close()
        self.world = self._filled(seed)

    def _filled(self, seed: Callable[[World], str]) -> World:
        """A new world, filled by what gives its main tenant."""
        world = World.empty(self, self._index)
        world.main_tenant = seed(world)
        return world


class Namespaces:
    """Every namespace of a running fake, and the index by which a secret finds its own.

    With a seeded `entropy`, namespaces that are made in the same order are alike, and time stands still in all of them.
    """

    def __init__(
        self,
        policy: Policy,
        seed: Callable[[World], str],
        pipeline: Pipeline | None = None,
        mutants: Sequence[str] = (),
        entropy: Entropy | None = None,
    ) -> None:
        manner = Manner(policy, pipeline or CONTRACT)
        self.entropy = entropy or Entropy()
        self.history = History()
        self._made = 0
        self._began = time.monotonic()
        # Whether faults may reach the connection: only some servers let them.
        self.socket_faults = False
        self._lock = threading.Lock()
        self._index = SecretIndex()
        self._named: dict[str, Namespace] = {}
        self.default = Namespace(
            None,
            manner,
            self._index,
            clock=self._clock(running=not self.entropy.is_seeded),
            entropy=self.entropy.branch("default"),
            seed=seed,
            mutants=mutants,
        )
        self.default.conduct.history = self.history

    def __iter__(self) -> Iterator[Namespace]:
        """The namespaces that have an id, as they are at this moment."""
        return iter(list(self._named.values()))

    def uptime(self) -> float:
        """Seconds since this fake began, by the time outside."""
        return time.monotonic() - self._began

    def named(self, namespace_id: str) -> Namespace | None:
        """The namespace with an id."""
        return self._named.get(namespace_id)

    def of_credential(self, credential: Authorization) -> Namespace:
        """The namespace that a token sent to `/` was minted in; the default one where none knows it."""
        if not isinstance(credential, Credential):
            return self.default
        return self._index.get(credential.digest, self.default)

    def create(
        self, manner: Manner | None = None, *, mutants: Sequence[str] = (), parent: Namespace | None = None
    ) -> Namespace:
        """Make an empty one, whose clock stands still until advanced.

        What is not given is `parent`'s (the default one's where there is none); its mutants are there in any case.
        """
        parent = parent or self.default
        with self._lock:
            self._made += 1
            entropy = self.entropy.branch(str(self._made))
            namespace = Namespace(
                entropy.branch("id").word(_ID_LENGTH),
                manner or parent.unmutated,
                self._index,
                clock=self._clock(running=False),
                entropy=entropy,
                seed=World.add_tenant,
                mutants=(*parent.mutants, *mutants),
                tally=Tally(parent.tally),
            )
            namespace.conduct.history = self.history
            self._named[str(namespace.id)] = namespace
            return namespace

    def _clock(self, *, running: bool) -> Clock:
        return Clock(running=running, at=SEEDED_START if self.entropy.is_seeded else None)

    def delete(self, namespace_id: str) -> bool:
        """Drop one with its tokens: whether there was one."""
        with self._lock:
            namespace = self._named.pop(namespace_id, None)
        if namespace is None:
            return False
        namespace.conduct.fold()
        with namespace.lock:
            namespace.world.tokens.forget()
            namespace.world.webhooks.close()
        return True
