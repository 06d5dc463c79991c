"""Where everything random in the fake comes from: the system's entropy, or a seed by which runs are alike."""

from __future__ import annotations

import random
import string
from typing import Final

LOWER: Final = string.ascii_lowercase + string.digits
"""What ids are made of."""


class Randomness:
    """A stream of random numbers. With a `seed` it gives the same ones each time; without, the system's.

    Thread-safe, as far as the order of parallel draws does not matter.
    """

    def __init__(self, seed: str | None = None) -> None:
        self.seed = seed
        self._source = _source(seed)

    @property
    def is_seeded(self) -> bool:
        """Whether it gives the same numbers each time."""
        return self.seed is not None

    def afresh(self) -> Randomness:
        """The same stream, from its start."""
        return Randomness(self.seed)

    def branch(self, name: str) -> Randomness:
        """Another stream, which the seed and the name settle: what is drawn from either moves not the other."""
        return Randomness(None if self.seed is None else f"{self.seed}/{name}")

    def jump(self, name: str) -> None:
        """Go on as the branch of this name does."""
        self.seed = self.branch(name).seed
        self._source = _source(self.seed)

    def bits(self, count: int) -> int:
        """A number of so many bits."""
        return self._source.getrandbits(count)

    def below(self, bound: int) -> int:
        """A number from 0 to one below the bound."""
        return self._source.randrange(bound)

    def word(self, length: int, alphabet: str = LOWER) -> str:
        """So many characters of an alphabet, each as likely as the next."""
        base = len(alphabet)
        # One large number, and not one for each character: that is ten times as fast.
        number = self._source.randrange(base**length)
        characters = []
        for _ in range(length):
            number, digit = divmod(number, base)
            characters.append(alphabet[digit])
        return "".join(characters)


def _source(seed: str | None) -> random.Random:
    # A fake's secrets open nothing: from a seed they are to be foreseen.
    return random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311


def randomness_of(seed: int | None) -> Randomness:
    """The stream of a fake that was given this seed, or none."""
    return Randomness(None if seed is None else str(seed))
