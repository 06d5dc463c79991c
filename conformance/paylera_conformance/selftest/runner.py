"""Divides the mutants among processes, and collects their results."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import msgspec

from paylera_conformance.selftest.batches import Batch, make_batches
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.settings import ConfigError


def run_mutants(
    mutants: Sequence[Mutant],
    *,
    workers: int,
    breadth: Breadth,
    stop: threading.Event,
    on_result: Callable[[MutantResult], None],
) -> dict[str, MutantResult]:
    """Run the suite against each mutant, in several processes, and give the results by the mutants' ids.

    - `stop`: is set where something ends this, as Ctrl-C does, before what runs is waited for;
    - `on_result`: called with each result as it comes in, one at a time.

    Raises `ConfigError` where a process could run none.
    """
    gathered: dict[str, MutantResult] = {}
    lock = threading.Lock()
    waiting = deque(make_batches(mutants, breadth))

    def run() -> None:
        for result in _run_some(waiting, breadth):
            with lock:
                gathered[result.id] = result
                on_result(result)

    processes = min(workers, len(waiting))
    if not processes:
        return {}
    with ThreadPoolExecutor(processes) as pool:
        try:
            for running in [pool.submit(run) for _ in range(processes)]:
                running.result()
        except BaseException:
            stop.set()
            waiting.clear()
            raise
    return gathered


def _run_some(waiting: deque[Batch], breadth: Breadth) -> Iterator[MutantResult]:
    """Run what waits, one after the other, in a process of its own, and give each result as it comes.

    One by which the process ends, as where its server answers nothing any more, has never run; another process goes on.
    Raises `ConfigError` where the first one has no result.
    """
    command = worker_command(breadth)
    batch, has_run = _take(waiting), False
    while batch:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:  # noqa: S603 - our own program
            while batch:
                for result in _ask(process, batch):
                    yield result
                    batch, has_run = batch[1:], True
                if batch:
                    break
                batch = _take(waiting)
        if batch and not has_run:
            waiting.clear()  # the other processes need not go on
            raise ConfigError(f"the selftest ended with status {process.returncode} before it had run {batch[0].id}")
        if len(batch) > 1:  # which of them it was is seen one by one
            waiting.extendleft((mutant,) for mutant in batch)
        elif batch:
            yield MutantResult(id=batch[0].id, violated=(), errors=(), blocked=(), ran=0, requests=0, seconds=0)
        batch = _take(waiting)


def worker_command(breadth: Breadth) -> list[str]:
    """The command of a process that runs mutants (`selftest/worker.py`)."""
    return [sys.executable, "-m", "paylera_conformance.selftest.worker", breadth]


def _take(waiting: deque[Batch]) -> Batch:
    with suppress(IndexError):
        return waiting.popleft()
    return ()


def _ask(process: subprocess.Popen[bytes], batch: Batch) -> Iterator[MutantResult]:
    """The results of what is in one server, in its order; fewer where the process ended first."""
    assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
    with suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(batch) + b"\n")
    lines = (line for line in process.stdout if line.startswith(b"{"))
    for line in islice(lines, len(batch)):
        yield msgspec.json.decode(line, type=MutantResult)
