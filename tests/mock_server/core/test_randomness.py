"""Where random numbers come from."""

from __future__ import annotations

import os
import random
import string
from collections import Counter

import pytest

from paylera_mock.core.randomness import LOWER, Randomness

LENGTH = 16


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_copy_of_the_process_draws_other_words() -> None:
    """Two workers of one server would hand out the same tokens."""
    Randomness().word(LENGTH)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, Randomness().word(LENGTH).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, LENGTH).decode()
    os.close(reading)
    os.close(writing)
    assert (len(theirs), theirs != Randomness().word(LENGTH)) == (LENGTH, True)


def test_a_seed_gives_the_same_words_and_each_branch_others() -> None:
    """What is drawn of one does not change another."""
    one, same = Randomness("seed"), Randomness("seed")
    one.branch("a").word(LENGTH)
    assert [one.word(LENGTH) for _ in range(3)] == [same.word(LENGTH) for _ in range(3)]
    assert one.branch("a").word(LENGTH) != one.branch("b").word(LENGTH)


@pytest.mark.parametrize("alphabet", [LOWER, "01", "x", string.digits, "".join(map(chr, range(256)))], ids=len)
def test_each_character_is_as_likely_as_any_other(monkeypatch: pytest.MonkeyPatch, alphabet: str) -> None:
    """Of all bytes that there are, each has the same number."""
    each = 256 // len(alphabet)

    class Bytes(random.Random):
        def randbytes(self, n: int) -> bytes:
            del n
            return bytes(range(256))

    monkeypatch.setattr(random, "SystemRandom", Bytes)
    assert Counter(Randomness().word(each * len(alphabet), alphabet)) == dict.fromkeys(alphabet, each)


@pytest.mark.parametrize("alphabet", ["a" * 257, "a\u0100"], ids=["too-many", "beyond-latin-1"])
def test_alphabet_that_bytes_cannot_stand_for_is_refused(alphabet: str) -> None:
    """It would be drawn for ever, or come out as something else."""
    with pytest.raises(ValueError, match=r"alphabet|latin-1"):
        Randomness().word(LENGTH, alphabet)
