"""Divides the mutants among processes, and collects their results."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, Share
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

    def run(share: Share) -> None:
        for result in _run_share(share):
            with lock:
                gathered[result.id] = result
                on_result(result)

    if not mutants:
        return {}
    shares = [Share(breadth, mutants[number::workers]) for number in range(min(workers, len(mutants)))]
    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(run, shares))
    missing = [mutant.id for mutant in mutants if mutant.id not in gathered]
    if missing:
        raise ConfigError(f"the selftest ended before it had run {', '.join(missing)}")
    return gathered


def _run_share(share: Share) -> Iterator[MutantResult]:
    """Run a share in a process of its own, and give each result as it comes."""
    command = [sys.executable, "-m", "paylera_conformance.selftest.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own program
        assert process.stdin and process.stdout  # noqa: S101, PT018 - both are pipes
        with process.stdin as given:
            given.write(msgspec.json.encode(share))
        for line in process.stdout:
            if line.startswith(b"{"):
                yield msgspec.json.decode(line, type=MutantResult)
