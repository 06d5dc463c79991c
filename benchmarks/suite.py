"""Measures what a request costs the suite: a whole run beside a bare loop of as many requests through httpx.

`python benchmarks suite [--rounds N]`. Both go to one fake, in turns, so that a busy moment of the machine
meets both; the ratios are the median over the rounds. The run has one process; its calls to the control API are
requests too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from paylera_conformance.cli import main as run_program
from paylera_conformance.http.connections import Connections
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready

_NOT_FULLY_VERIFIED: Final = 10
"""How a run of some cases ends that all pass."""


@dataclass(frozen=True)
class Cost:
    """What a number of requests took the process that sent them."""

    requests: int
    wall_seconds: float
    cpu_seconds: float


def main() -> None:
    """Measure and print, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description="Measure what a request costs the suite.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind (default: %(default)s)")
    parser.add_argument("--count-in", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--loop", nargs=3, metavar=("URL", "SECRET", "N"), help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args()
    if options.count_in:
        count_requests(Path(options.count_in), rest)
    elif options.loop:
        url, secret, requests = options.loop
        loop(url, secret, int(requests))
    else:
        print(table([measure() for _ in range(options.rounds)]))


def count_requests(file: Path, arguments: list[str]) -> None:
    """Be the suite, and write to a file how many requests went out."""
    sent = 0
    exchange = Connections.exchange

    def count(*given: Any, **named: Any) -> Any:
        nonlocal sent
        sent += 1
        return exchange(*given, **named)

    Connections.exchange = count  # type: ignore[method-assign]
    try:
        run_program(args=arguments)
    finally:
        file.write_text(json.dumps(sent), encoding="utf-8")


def loop(url: str, secret: str, requests: int) -> None:
    """Be the bare loop."""
    with httpx.Client(headers={"Authorization": f"Bearer {secret}"}) as client:
        for _ in range(requests):
            client.get(f"{url}/v1/customers?limit=1").raise_for_status()


def measure() -> tuple[Cost, Cost]:
    """One run of the suite, and one loop of as many requests."""
    with running_fake() as fake, tempfile.TemporaryDirectory() as folder:
        run = cost_of_run(fake)
        wall, cpu = cost_of(["--loop", fake.url, fake.tokens["serviceall"], str(run.requests)], folder=folder)
        return run, Cost(run.requests, wall, cpu)


def cost_of_run(fake: Ready, *arguments: str) -> Cost:
    """One run of the suite against a fake, with further arguments of the program. Ends where anything was violated."""
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder, "count.json")
        where = [fake.url, "--live-url", fake.live_url, "--control-url", str(fake.control_url)]
        wall, cpu = cost_of(["--count-in", str(count), "run", *where, *arguments], folder=folder)
        return Cost(json.loads(count.read_text(encoding="utf-8")), wall, cpu)


def cost_of(arguments: list[str], *, folder: str) -> tuple[float, float]:
    """Seconds that this program takes with some arguments: by the clock, and of the processor. Ends where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYLERA_")}
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    began, before = time.perf_counter(), os.times()
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    after = os.times()
    if ended.returncode not in {0, _NOT_FULLY_VERIFIED}:
        sys.exit(f"it ended with status {ended.returncode}: {ended.stdout}{ended.stderr}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu


def table(rounds: list[tuple[Cost, Cost]]) -> str:
    """The result for people."""
    rows = ["                         requests    wall s     CPU s   CPU ms each"]
    for suite, bare in rounds:
        rows += [row("a whole run", suite), row("bare loop through httpx", bare)]
    wall = statistics.median(suite.wall_seconds / bare.wall_seconds for suite, bare in rounds)
    cpu = statistics.median(suite.cpu_seconds / bare.cpu_seconds for suite, bare in rounds)
    return "\n".join([*rows, f"ratio, median            wall {wall:.2f}   CPU {cpu:.2f}"])


def row(name: str, cost: Cost) -> str:
    """One line about one process."""
    each = 1000 * cost.cpu_seconds / cost.requests
    return f"{name:<25}{cost.requests:>8}{cost.wall_seconds:>10.2f}{cost.cpu_seconds:>10.2f}{each:>14.3f}"


if __name__ == "__main__":
    main()
