"""Runs a command against a fake of its own: starts the fake, tells the command where it is, gives back how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Final

from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready

NOT_FOUND_STATUS: Final = 127
NOT_EXECUTABLE_STATUS: Final = 126
SIGNALLED_STATUS: Final = 128
"""The statuses that a shell gives for a command: the number of the signal that killed it is added to the last."""

_FORWARDED: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_FROM_TERMINAL: Final = ("SIGINT", "SIGQUIT")


def execute(
    command: Sequence[str],
    arguments: Sequence[str],
    *,
    complain: Callable[[str], None],
    reckon: Callable[[Ready], int] = lambda _ready: 0,
) -> int:
    """Run a command while a fake is served, and return the command's exit status.

    `arguments` are options of `paylera-mock serve`; `complain` is given one line where the command cannot be run.
    `reckon` is asked once the command has ended: the status where the command itself had nothing to complain of.
    Raises `CannotStartError` where the fake does not get ready.
    """
    with running_fake(arguments) as ready:
        try:
            child = subprocess.Popen(list(command), env={**os.environ, **environment(ready)})  # noqa: S603 - as asked
        except FileNotFoundError:
            complain(f"{command[0]}: no such command; check its spelling, or give its path")
            return NOT_FOUND_STATUS
        except OSError as error:
            complain(f"{command[0]}: cannot be run: {error.strerror}")
            return NOT_EXECUTABLE_STATUS
        with _signals_forwarded_to(child):
            status = child.wait()
        reckoned = reckon(ready)
    return (status or reckoned) if status >= 0 else SIGNALLED_STATUS - status


def environment(ready: Ready) -> dict[str, str]:
    """The variables by which a command finds the fake; no control URL where there is no control API.

    With TLS, also those by which it trusts the fake. `SSL_CERT_FILE` is none of them: it would take the place of what
    the command trusts else, so that it could reach no other host.
    """
    variables = {
        "PAYLERA_BASE_URL": ready.url,
        "PAYLERA_LIVE_BASE_URL": ready.live_url,
        "PAYLERA_KEY": ready.tokens["serviceall"],
        "PAYLERA_ADMIN_KEY": ready.tokens["adminaal2"],
    }
    if ready.control_url is not None:
        variables["PAYLERA_CONTROL_URL"] = ready.control_url
    if ready.ca_file is not None:
        variables |= {"PAYLERA_CA_FILE": ready.ca_file, "NODE_EXTRA_CA_CERTS": ready.ca_file}
    return variables


@contextlib.contextmanager
def _signals_forwarded_to(child: subprocess.Popen[bytes]) -> Iterator[None]:
    def forward(number: int, _frame: FrameType | None) -> None:
        # What is typed at a terminal reaches the command without us, and twice would be once too often.
        if not (signal.Signals(number).name in _FROM_TERMINAL and _in_foreground()):
            child.send_signal(number)

    numbers = [getattr(signal, name) for name in _FORWARDED if hasattr(signal, name)]
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    if sys.platform == "win32":
        return True
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - a device, not a file
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
