"""The log goes to a stream that may be a pipe, which somebody reads, or nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from paylera_mock.server.log_stream import LogStream


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: the end that is read, and the end that is written."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_line_is_written_with_its_end(pipe: tuple[int, int]) -> None:
    """In UTF-8."""
    LogStream(pipe[1]).write("‹a›")
    assert os.read(pipe[0], 100).decode() == "‹a›\n"


def test_another_encoding_has_other_signs(pipe: tuple[int, int]) -> None:
    """A terminal of Latin-1 shows what it can."""
    LogStream(pipe[1], "latin-1").write("‹é›")
    assert os.read(pipe[0], 100) == b"?\xe9?\n"


def test_nobody_waits_for_who_reads_nothing(pipe: tuple[int, int]) -> None:
    """Programs that start the fake may leave its stderr unread; what is left out is counted."""
    stream = LogStream(pipe[1])
    for number in range(1000):
        stream.write(f"{number} {'x' * 1000}")
    first = os.read(pipe[0], 1_000_000).decode().splitlines()
    stream.write("the next")
    left_out, last = os.read(pipe[0], 1_000_000).decode().splitlines()
    assert first == [f"{number} {'x' * 1000}" for number in range(len(first))]
    assert left_out == f"paylera-mock: {1000 - len(first)} lines are left out here: nobody read what came before"
    assert last == "the next"


def test_lines_of_many_threads_are_whole(pipe: tuple[int, int]) -> None:
    """None is written into another."""
    stream, line = LogStream(pipe[1]), "y" * 500
    threads = [threading.Thread(target=stream.write, args=(line,)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.read(pipe[0], 1_000_000).decode().splitlines() == [line] * 32


def test_who_has_closed_the_stream_ends_no_request() -> None:
    """The fake serves on."""
    reader, writer = os.pipe()
    os.close(reader)
    LogStream(writer).write("for nobody")
    os.close(writer)


def test_a_line_is_cut_where_a_pipe_would_not_take_it_at_once(pipe: tuple[int, int]) -> None:
    """4,096 bytes with the end of the line."""
    LogStream(pipe[1]).write("z" * 10_000)
    assert os.read(pipe[0], 100_000) == b"z" * 4095 + b"\n"
