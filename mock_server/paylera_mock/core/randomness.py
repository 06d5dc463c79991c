"""Where everything random in the fake comes from: the system's entropy, or a seed by which runs are alike."""

from __future__ import annotations

import os
import random
import string
from collections import deque
from functools import cache
from typing import Final

LOWER: Final = string.ascii_lowercase + string.digits
"""What ids are made of."""


class _Entropy(random.SystemRandom):
    """The system's entropy, taken in blocks: asking for it takes longer than most of what a request is asked for."""

    _BLOCK: Final = 16
    _BLOCKS: Final = 256

    def __init__(self) -> None:
        super().__init__()
        self._left: deque[bytes] = deque()

    def getrandbits(self, k: int, /) -> int:
        """A number of so many bits."""
        if k > self._BLOCK * 8:
            return super().getrandbits(k)
        try:
            block = self._left.popleft()
        except IndexError:
            more = os.urandom(self._BLOCK * self._BLOCKS)
            blocks = [more[place : place + self._BLOCK] for place in range(0, len(more), self._BLOCK)]
            block = blocks.pop()
            self._left.extend(blocks)
        return int.from_bytes(block) >> (self._BLOCK * 8 - k)

    def forget(self) -> None:
        """Drop what is left of the blocks."""
        self._left.clear()


# One for all, since a block is dear, and nothing of it follows from what else was drawn.
_ENTROPY: Final = _Entropy()
if hasattr(os, "register_at_fork"):  # a copy of the process must not draw the same
    os.register_at_fork(after_in_child=_ENTROPY.forget)


class Randomness:
    """A stream of random numbers. With a `seed` it gives the same ones each time; without, the system's.

    Thread-safe, as far as the order of parallel draws does not matter.
    """

    def __init__(self, seed: str | None = None) -> None:
        self._begin(seed)

    def _begin(self, seed: str | None) -> None:
        self.seed = seed
        # A fake's secrets open nothing: those of a seed are meant to be the same in each run.
        self._source = _ENTROPY if seed is None else random.Random(seed)  # noqa: S311

    @property
    def is_seeded(self) -> bool:
        """Whether it gives the same numbers each time."""
        return self.seed is not None

    def from_start(self) -> Randomness:
        """The same stream, from its start."""
        return Randomness(self.seed)

    def branch(self, name: str) -> Randomness:
        """Another stream, which follows from the seed and the name: a draw from either does not change the other."""
        return Randomness(None if self.seed is None else f"{self.seed}/{name}")

    def jump(self, name: str) -> None:
        """Continue as the branch of this name does."""
        self._begin(self.branch(name).seed)

    def bits(self, count: int) -> int:
        """A number of so many bits."""
        return self._source.getrandbits(count)

    def below(self, bound: int) -> int:
        """A number from 0 to one below the bound."""
        return self._source.randrange(bound)

    def word(self, length: int, alphabet: str = LOWER) -> str:
        """So many characters of an alphabet, each as likely as the next."""
        base = len(alphabet)
        # One large number, taken apart by two characters at a time: that is ten times as fast as one draw for each.
        number = self._source.randrange(base**length)
        pairs, pieces = _pairs(alphabet), []
        for _ in range(length // 2):
            number, place = divmod(number, base * base)
            pieces.append(pairs[place])
        return "".join(pieces) + (alphabet[number] if length % 2 else "")


@cache
def _pairs(alphabet: str) -> tuple[str, ...]:
    return tuple(first + second for second in alphabet for first in alphabet)
