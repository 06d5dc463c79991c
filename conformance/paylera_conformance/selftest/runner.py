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

    Raises `ConfigError` where a process ended before it had run its share.
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
    missing = [mutant.id for mutant in mutants if mutant.id not in gathered]
    if missing:
        raise ConfigError(f"the selftest ended before it had run {', '.join(missing)}")
    return gathered


def _run_some(waiting: deque[Mutant], breadth: Breadth) -> Iterator[MutantResult]:
    """Run one that waits after the other in a process of its own, and give each result as it comes."""
    command = [sys.executable, "-m", "paylera_conformance.selftest.worker", breadth]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
        with process.stdin as given, suppress(IndexError, BrokenPipeError):
            while True:
                given.write(msgspec.json.encode(waiting.popleft()) + b"\n")
                given.flush()
                line = next((line for line in process.stdout if line.startswith(b"{")), b"")
                if not line:
                    return
                yield msgspec.json.decode(line, type=MutantResult)
