"""The processes that a command has started, and their end: a signal to the command alone would leave them behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_GRACE_SECONDS: Final = 5.0
_BETWEEN_LOOKS_SECONDS: Final = 0.02


def descendants(pid: int) -> list[int]:
    """The processes below one, by their numbers; none where the system does not tell."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    below = list(children.get(pid, ()))
    while below:
        found += below
        below = [child for each in below for child in children.get(each, ())]
    return found


def _parents() -> Iterable[tuple[int, int]]:
    """Every process with its parent: from /proc where there is one, which images without `ps` have too."""
    if Path("/proc/self/stat").exists():
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                with contextlib.suppress(OSError):
                    # The name in brackets may hold anything.
                    rest = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                    if rest[0] != "Z":
                        yield int(folder.name), int(rest[1])
        return
    with contextlib.suppress(OSError):
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False)  # noqa: S607
        for line in listed.stdout.splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)


def send_signal(pids: Iterable[int], number: int) -> None:
    """Send a signal to processes, of which some may be gone."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def end(pids: Iterable[int]) -> None:
    """Wait until processes that were told to end have done so, and kill what has not after some seconds."""
    deadline = time.monotonic() + _GRACE_SECONDS
    left = set(pids)
    while left and time.monotonic() < deadline:
        running = {pid for pid, _ in _parents()}
        left &= running
        if left:
            time.sleep(_BETWEEN_LOOKS_SECONDS)
    if left:
        below = {child for pid in left for child in descendants(pid)}
        send_signal(left | below, getattr(signal, "SIGKILL", signal.SIGTERM))
