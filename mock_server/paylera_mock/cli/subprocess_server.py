"""Starts `paylera-mock serve` as a program of its own and waits for its ready line."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from paylera_mock.server.ready import Ready

_STOP_SECONDS: Final = 30.0


class CannotStartError(Exception):
    """The fake ended before it was ready; it has said why on stderr."""


@contextlib.contextmanager
def running_fake(arguments: Sequence[str] = ()) -> Iterator[Ready]:
    """A fake on a free port, in a process that is stopped at the end, and that stops by itself if this one is killed.

    `arguments` are options of `paylera-mock serve`. Raises `CannotStartError` where the fake does not get ready.
    """
    command = [
        sys.executable,
        "-m",
        "paylera_mock",
        "serve",
        "--port=0",
        "--exit-with-parent",
        "--no-banner",
        *arguments,
    ]
    # A session of its own: Ctrl-C is for the program that uses the fake, which may need the fake to end well.
    server = subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=os.name == "posix"
    )
    with server:
        try:
            yield _await_ready(server)
        finally:
            _stop(server)


def _await_ready(server: subprocess.Popen[str]) -> Ready:
    assert server.stdout is not None  # noqa: S101 - it was asked for
    # No time limit is needed here: a server that does not get ready ends by itself, and so does this line.
    line = server.stdout.readline()
    if not line:
        raise CannotStartError(f"the fake ended with status {server.wait()} before it was ready")
    return Ready.from_line(line)


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
