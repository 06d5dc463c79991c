"""Programs that run on a pseudo terminal, and what they show there."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

_OWN = frozenset({"CI", "COLUMNS", "FORCE_COLOR", "NO_COLOR"})
"""Variables of whoever runs the tests, by which a terminal would look otherwise."""

NONE: Mapping[str, str] = MappingProxyType({})


@dataclass
class TerminalProgram:
    """A program on a terminal: its process, and all that it wrote so far."""

    process: subprocess.Popen[bytes]
    master: int
    written: str = ""

    def read(self) -> bool:
        """Take what was written since; false once the last writer is gone."""
        try:
            chunk = os.read(self.master, 65536)
        except OSError:  # so Linux says that it was the last
            return False
        self.written += chunk.decode()
        return bool(chunk)

    def read_until(self, text: str) -> None:
        """Wait until the program has written something."""
        while text not in self.written:
            assert self.read(), f"it ended without {text!r}: {self.written!r}"

    def read_to_end(self) -> str:
        """Wait for the end of the program: all that it wrote."""
        while self.read():
            pass
        self.process.wait()
        return self.written.replace("\r\n", "\n")


@contextmanager
def on_terminal(
    command: Sequence[str], *, columns: int = 60, variables: Mapping[str, str] = NONE
) -> Iterator[TerminalProgram]:
    """A program on a terminal of some columns, with some variables set."""
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, columns))
    env = {name: value for name, value in os.environ.items() if name not in _OWN}
    env |= {"TERM": "xterm-256color", **variables}
    with subprocess.Popen(command, stdout=terminal, stdin=terminal, stderr=terminal, env=env) as process:
        os.close(terminal)
        try:
            yield TerminalProgram(process, master)
        finally:
            process.kill()
            os.close(master)


def show_on_terminal(command: Sequence[str], *, columns: int = 60, variables: Mapping[str, str] = NONE) -> str:
    """All that a program writes to a terminal, where it succeeds."""
    with on_terminal(command, columns=columns, variables=variables) as program:
        written = program.read_to_end()
        assert program.process.returncode == 0, written
    return written


def without_codes(text: str) -> str:
    """A text without the codes that steer a terminal."""
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", text)
