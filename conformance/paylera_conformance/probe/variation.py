"""What means nothing in a request and tells no target that it is looked at: it varies, and follows from the seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from paylera_conformance.http.habits import HABITS
from paylera_fixtures.tokens import new_secret
from paylera_fixtures.vocabulary import Environment

USER_AGENTS: Final = tuple(HABITS)
"""As the clients send it that talk to such an API."""

_BASELINES: Final = (1, 1, 1, 1, 2, 3)
"""How often a baseline is sent before the changed request: mostly once, since each is one more request."""


class Variation:
    """The draws of one case.

    - `seed`: the same one gives the same draws in the same order;
    - `user_agent`: the one to be sent in every request, `None` for any of `USER_AGENTS`;
    - `apart`: what keys and names are drawn by besides the seed: two cases that share a tenant must not have the same,
      nor two runs, since a key that is used twice is another request's.
    """

    def __init__(self, seed: str, user_agent: str | None = None, *, apart: str = "") -> None:
        self._seed, self._apart = seed, apart
        self._forms = random.Random(seed)  # noqa: S311 - a seed is printed, so nothing here is a secret
        self._random = random.Random(f"{seed} {apart}")  # noqa: S311 - the same
        self._fixed = user_agent

    def restart(self, part: str) -> None:
        """Draw for a part of the case from here on, the same whichever parts came before; each has its own name."""
        self._forms.seed(f"{self._seed} {part}")
        self._random.seed(f"{self._seed} {self._apart} {part}")

    def user_agent(self) -> str:
        """The `User-Agent` of the next requests that are compared."""
        return self._fixed or self._forms.choice(USER_AGENTS)

    def baselines(self) -> int:
        """How often a baseline is sent before the changed request."""
        return self._forms.choice(_BASELINES)

    def name(self) -> str:
        """A word that nothing else on the target has."""
        return f"{self._random.getrandbits(48):012x}"

    def key(self, length: int | None = None) -> str:
        """An idempotency key as clients make them, a UUID of version 4, or of another length in the same characters."""
        uuid = str(UUID(int=self._random.getrandbits(128), version=4))
        return uuid if length is None else uuid[:length] + self._digits(length - len(uuid))

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices("0123456789abcdef", k=max(0, count)))

    def secret(self, environment: Environment) -> str:
        """A secret of the form of an environment's that nobody issued."""
        return new_secret(environment, choice=self.choice)

    def choice(self, characters: Sequence[str]) -> str:
        """One of some characters; however many there are, what is drawn afterwards is the same."""
        return characters[int(self._random.random() * len(characters))]
