"""Measures what people wait for beside requests: the start, a command's help, a run of the suite; and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from servers import serving_bare, serving_fake

SUITE_SECONDS: Final = 300.0
_ROUNDS: Final = 5
_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Wait:
    """What is waited for. `figure`: `None` where it could not be measured; `beside`: of a bare Flask view."""

    name: str
    unit: str
    figure: float | None
    beside: float | None = None


def measure(answers: Mapping[str, Any], folder: Path, notes: list[str]) -> Iterator[Wait]:
    """All of them, one after another. `answers`: of the bare views; `folder`: an empty one."""
    bare = partial(serving_bare, "flask", answers, folder)
    pairs = [(seconds_until_served(serving_fake), seconds_until_served(bare)) for _ in range(_ROUNDS)]
    yield Wait("from the start to the ready line", "s", *map(statistics.median, zip(*pairs, strict=True)))
    for module in ("paylera_mock", "paylera_conformance"):
        command = [sys.executable, "-m", module, "--help"]
        seconds = statistics.median(seconds_for(command, folder) or 0 for _ in range(_ROUNDS))
        yield Wait(f"`{module.replace('_', '-')} --help`", "s", seconds)
    with serving_fake() as fake, bare() as flask:
        yield Wait("memory, after one request", "MiB", memory_of(fake.pid), memory_of(flask.pid))
    for workers in (1, 2):
        command = [sys.executable, "-m", "paylera_conformance", "run", "-n", str(workers)]
        seconds_taken = seconds_for(command, folder)
        if seconds_taken is None:
            notes.append(f"the suite with {workers} processes was not conformant, or took more than five minutes")
        yield Wait(f"the suite against the fake, `-n {workers}`", "s", seconds_taken)


def seconds_until_served(serving: Callable[[], AbstractContextManager[object]]) -> float:
    """From the start of a program to the line by which it says that it answers."""
    began = time.perf_counter()
    with serving():
        return time.perf_counter() - began


def seconds_for(command: Sequence[str], folder: Path) -> float | None:
    """How long a program takes; `None` where it does not end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYLERA_")}
    began = time.perf_counter()
    try:
        subprocess.run(  # noqa: S603 - our own program
            command, cwd=folder, env=environment, capture_output=True, timeout=SUITE_SECONDS, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return time.perf_counter() - began


def memory_of(pid: int) -> float:
    """Resident MiB of a process and of those that it started, what they share counted for each."""
    process = psutil.Process(pid)
    everyone = (process, *process.children(recursive=True))
    return sum(each.memory_info().rss for each in everyone) / _MIB
