"""A namespace: a whole fake Paylera of its own. And the registry of all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from paylera_mock.clock import Clock
from paylera_mock.credential import Authorization, Credential
from paylera_mock.ids import random_word
from paylera_mock.pipeline import Pipeline
from paylera_mock.policy import Policy
from paylera_mock.world import World

_ID_LENGTH: Final = 10


class Namespace:
    """A world with a clock and a way of judging. `id` is `None` for the default one.

    Who changes its world holds `lock`; who only reads takes the world as it is.
    """

    def __init__(
        self,
        namespace_id: str | None,
        policy: Policy,
        index: dict[str, Namespace],
        *,
        clock: Clock,
        seed: Callable[[World], str],
        pipeline: Pipeline | None = None,
    ) -> None:
        self.id = namespace_id
        self.policy = policy
        self.pipeline = pipeline or Pipeline()
        self.clock = clock
        self.lock: AbstractContextManager[object] = threading.RLock()
        self._index = index
        self._seed = seed
        self.world = self._new_world()

    def reset(self) -> None:
        """Put everything back to what it was at the start: tokens, objects, versions, rates, clock."""
        self.clock.reset()
        self.world.tokens.forget()
        self.world = self._new_world()

    def _new_world(self) -> World:
        world = World.empty(self, self._index)
        world.main_tenant = self._seed(world)
        return world


class Namespaces:
    """Every namespace of a running fake, and the index by which a secret finds its own."""

    def __init__(self, policy: Policy, seed: Callable[[World], str], pipeline: Pipeline | None = None) -> None:
        self._policy = policy
        self._lock = threading.Lock()
        self._index: dict[str, Namespace] = {}
        self._named: dict[str, Namespace] = {}
        self.default = Namespace(None, policy, self._index, clock=Clock(running=True), seed=seed, pipeline=pipeline)

    def __iter__(self) -> Iterator[Namespace]:
        """The namespaces that have an id, as they are at this moment."""
        return iter(list(self._named.values()))

    def named(self, namespace_id: str) -> Namespace | None:
        """The namespace with an id."""
        return self._named.get(namespace_id)

    def of_credential(self, credential: Authorization) -> Namespace:
        """The namespace that a token sent to `/` was minted in; the default one where none knows it."""
        if not isinstance(credential, Credential):
            return self.default
        return self._index.get(credential.digest, self.default)

    def create(self, policy: Policy | None = None, pipeline: Pipeline | None = None) -> Namespace:
        """Make an empty one, whose clock stands still until advanced."""
        with self._lock:
            namespace = Namespace(
                random_word(_ID_LENGTH),
                policy or self._policy,
                self._index,
                clock=Clock(running=False),
                seed=World.add_tenant,
                pipeline=pipeline or self.default.pipeline,
            )
            self._named[str(namespace.id)] = namespace
            return namespace

    def delete(self, namespace_id: str) -> bool:
        """Drop one with its tokens: whether there was one."""
        with self._lock:
            namespace = self._named.pop(namespace_id, None)
        if namespace is None:
            return False
        with namespace.lock:
            namespace.world.tokens.forget()
        return True
