"""Where everything random in the fake comes from: the system's entropy, or a seed by which runs are alike."""

from __future__ import annotations

import random
import string
from functools import cache
from typing import Final

LOWER: Final = string.ascii_lowercase + string.digits
"""What ids are made of."""

_SPARE: Final = 8
"""Bytes that are drawn beyond the length of a word, since some are rejected."""


class Randomness:
    """A stream of random numbers. With a `seed` it gives the same ones each time; without, the system's.

    Thread-safe, as far as the order of parallel draws does not matter.
    """

    def __init__(self, seed: str | None = None) -> None:
        self._begin(seed)

    def _begin(self, seed: str | None) -> None:
        self.seed = seed
        # A fake's secrets open nothing: those of a seed are meant to be the same in each run.
        self._source = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311

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
        """So many characters of an alphabet, each as likely as the next.

        Raises `ValueError` for an alphabet beyond Latin-1, or of more than 256 characters.
        """
        characters, left_out = _by_bytes(alphabet)
        word = b""
        while len(word) < length:
            word += self._source.randbytes(length + _SPARE).translate(characters, left_out)
        return word[:length].decode("latin-1")


@cache
def _by_bytes(alphabet: str) -> tuple[bytes, bytes]:
    """The character that each byte stands for, and the bytes that are left out, or some would be likelier."""
    each = 256 // len(alphabet)
    if not each:
        raise ValueError("an alphabet has at most 256 characters")
    return (alphabet.encode("latin-1") * 256)[:256], bytes(range(len(alphabet) * each, 256))
