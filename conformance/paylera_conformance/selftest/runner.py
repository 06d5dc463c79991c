"""Divides the mutants among processes, and collects their results."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.settings import ConfigError


def run_mutants(
    mutants: Sequence[Mutant], *, workers: int, breadth: Breadth, on_result: Callable[[MutantResult], None]
) -> dict[str, MutantResult]:
    """Run the suite against each mutant, in several processes, and give the results by the mutants' ids.

    - `on_result`: called with each result as it comes in, one at a time.

    Raises `ConfigError` where a process could run none.
    """
    gathered: dict[str, MutantResult] = {}
    lock = threading.Lock()
    # The whole suite runs against a dialect: these come first, so that no process is left with one at the end.
    waiting = deque(sorted(mutants, key=lambda mutant: not mutant.is_dialect))

    def run() -> None:
        for result in _run_some(waiting, breadth):
            with lock:
                gathered[result.id] = result
                on_result(result)

    processes = min(workers, len(mutants))
    if not processes:
        return {}
    with ThreadPoolExecutor(processes) as pool:
        for running in [pool.submit(run) for _ in range(processes)]:
            running.result()
    return gathered


def _run_some(waiting: deque[Mutant], breadth: Breadth) -> Iterator[MutantResult]:
    """Run one that waits after the other in a process of its own, and give each result as it comes.

    One by which the process ends, as where its server answers nothing any more, has never run; another process goes on.
    Raises `ConfigError` where the first one has no result.
    """
    command = worker_command(breadth)
    mutant, has_run = _take(waiting), False
    while mutant:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:  # noqa: S603 - our own program
            while mutant and (result := _ask(process, mutant)):
                yield result
                mutant, has_run = _take(waiting), True
        if mutant:
            if not has_run:
                waiting.clear()  # the other processes need not go on
                raise ConfigError(f"the selftest ended with status {process.returncode} before it had run {mutant.id}")
            yield MutantResult(id=mutant.id, violated=(), errors=(), blocked=(), ran=0, requests=0, seconds=0)
            mutant = _take(waiting)


def worker_command(breadth: Breadth) -> list[str]:
    """The command of a process that runs mutants (`selftest/worker.py`)."""
    return [sys.executable, "-m", "paylera_conformance.selftest.worker", breadth]


def _take(waiting: deque[Mutant]) -> Mutant | None:
    with suppress(IndexError):
        return waiting.popleft()
    return None


def _ask(process: subprocess.Popen[bytes], mutant: Mutant) -> MutantResult | None:
    """The result of a mutant; `None` where the process ended first."""
    assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
    with suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(mutant) + b"\n")
    line = next((line for line in process.stdout if line.startswith(b"{")), b"")
    return msgspec.json.decode(line, type=MutantResult) if line else None
