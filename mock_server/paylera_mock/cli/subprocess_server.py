"""Starts `paylera-mock serve` as a program of its own and waits for its ready line."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Final

import click

from paylera_mock.cli.options import EXEC_FAILED_STATUS
from paylera_mock.server.ready import Ready

_COMMAND: Final = ("-m", "paylera_mock", "serve", "--port=0", "--exit-with-parent", "--quiet")
_STOP_SECONDS: Final = 60.0
"""It only ends what hangs: requests that still run hold up no stop."""


class CannotStartError(click.ClickException):
    """The fake ended before it was ready; why is on stderr already. It ends `exec` with a status of its own."""

    exit_code = EXEC_FAILED_STATUS


@contextlib.contextmanager
def running_fake(arguments: Sequence[str] = ()) -> Iterator[Ready]:
    """A fake on a free port, in a process that is stopped at the end, and that stops by itself if this one is killed.

    `arguments` are options of `paylera-mock serve`. Raises `CannotStartError` where the fake does not get ready.
    """
    # A session of its own: Ctrl-C is for the program that uses the fake, which may need the fake to end well.
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *_COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=os.name == "posix",
    ) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        try:
            # No time limit is needed here: a server that does not get ready ends by itself, and so does this line.
            line = server.stdout.readline()
            if not line:
                raise CannotStartError(f"the fake ended with status {server.wait()} before it was ready")
            yield Ready.from_line(line)
        finally:
            server.terminate()
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
