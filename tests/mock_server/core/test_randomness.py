"""Where random numbers come from."""

from __future__ import annotations

import os

import pytest

from paylera_mock.core.randomness import Randomness

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
