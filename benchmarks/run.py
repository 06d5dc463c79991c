"""Measures the fake and the suite, each beside what it is to be compared with.

`python benchmarks/run.py [--json FILE]`. The rounds against the fake and against the bare view take turns, so that a
busy moment of the machine meets both, and their ratio is the median over the pairs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.http_client import send_request

HERE: Final = Path(__file__).parent
CONFORMANCE: Final = [sys.executable, "-m", "paylera_conformance", "run"]
SUITE_SECONDS: Final = 300.0
AIMS: Final = {"ratio": 0.75, "ready": 0.4, "suite": 10.0}


@dataclass(frozen=True)
class Load:
    """Requests a second and the two percentiles, of one round or in the median of several."""

    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Result:
    """What was measured; `None` where it could not be, with the reason among `notes`."""

    connections: int
    fake: Load
    bare: Load
    ratio: float
    ready_seconds: float
    rss_kib: dict[str, int]
    suite_seconds: dict[str, float | None]
    notes: list[str]


@contextlib.contextmanager
def running_bare(body: Path) -> Iterator[str]:
    """The base URL of `bare.py`, which is stopped at the end."""
    command = [sys.executable, str(HERE / "bare.py"), str(body)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        try:
            yield process.stdout.readline().strip() if process.stdout else ""
        finally:
            process.terminate()


def main() -> None:
    """Measure, print the table, and write the JSON where asked."""
    parser = argparse.ArgumentParser(description="Measure the fake and the suite on this machine.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON too")
    parser.add_argument("--connections", type=int, default=16, help="kept connections (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=4000, help="requests a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each kind (default: %(default)s)")
    parser.add_argument("--no-suite", action="store_true", help="leave the suite out")
    options = parser.parse_args()
    result = measure(options)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")


def measure(options: argparse.Namespace) -> Result:
    """Everything, one thing after another."""
    notes: list[str] = []
    pairs, rss = measure_load(options.connections, options.requests, options.rounds)
    suite = {} if options.no_suite else {str(workers): measure_suite(workers, notes) for workers in (1, 2)}
    return Result(
        connections=options.connections,
        fake=median_of([fake for fake, _ in pairs]),
        bare=median_of([bare for _, bare in pairs]),
        ratio=statistics.median(fake.rate / bare.rate for fake, bare in pairs),
        ready_seconds=statistics.median(seconds_to_ready() for _ in range(max(3, options.rounds))),
        rss_kib=rss,
        suite_seconds=suite,
        notes=notes,
    )


def measure_load(connections: int, requests: int, rounds: int) -> tuple[list[tuple[Load, Load]], dict[str, int]]:
    """Pairs of rounds, against the fake and against the bare view, and the fake's memory after them."""
    with tempfile.TemporaryDirectory() as folder, running_fake() as ready:
        secret = ready.tokens["serviceall"]
        body = Path(folder, "body.json")
        body.write_bytes(send_request("GET", f"{ready.url}/v1/customers", secret=secret)[1])
        with running_bare(body) as bare_url:
            urls = [f"{url}/v1/customers" for url in (ready.url, bare_url)]
            for url in urls:
                load(url, secret, connections, requests)  # not counted: caches fill, threads start
            pairs = [
                (load(urls[0], secret, connections, requests), load(urls[1], secret, connections, requests))
                for _ in range(rounds)
            ]
        return pairs, memory_of(ready.pid)


def load(url: str, secret: str, connections: int, requests: int) -> Load:
    """One round, sent by a process of its own."""
    command = [sys.executable, str(HERE / "load.py"), url, secret, str(connections), str(requests)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own program
    return Load(**json.loads(printed))


def median_of(rounds: list[Load]) -> Load:
    """The median of each figure."""
    return Load(
        *(statistics.median(column) for column in zip(*(asdict(each).values() for each in rounds), strict=True))
    )


def seconds_to_ready() -> float:
    """From the start of the program to its ready line."""
    began = time.perf_counter()
    with running_fake():
        return time.perf_counter() - began


def memory_of(pid: int) -> dict[str, int]:
    """Resident KiB of the main process and of its worker; empty where the system has no `/proc`."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return {}
    workers = [int(child) for child in children.read_text(encoding="ascii").split()]
    return {name: resident(each) for name, each in zip(("main", "worker"), [pid, *workers], strict=False)}


def resident(pid: int) -> int:
    """Resident KiB of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def measure_suite(workers: int, notes: list[str]) -> float | None:
    """Seconds that the whole suite takes against a fake of its own; `None`, and a note, where it is not conformant."""
    began = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYLERA_")}
    with tempfile.TemporaryDirectory() as folder:
        command = [*CONFORMANCE, "-n", str(workers)]
        try:
            ended = subprocess.run(  # noqa: S603 - our own program
                command, cwd=folder, env=environment, capture_output=True, timeout=SUITE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            notes.append(f"suite at {workers}: not measured, it took more than {SUITE_SECONDS:.0f} s")
            return None
    if ended.returncode != 0:
        last = (ended.stdout + ended.stderr).decode(errors="replace").strip().splitlines()[-1:]
        notes.append(f"suite at {workers}: not measured, it ended with status {ended.returncode}: {''.join(last)}")
        return None
    return time.perf_counter() - began


def table(result: Result) -> str:
    """The result for people, with the aim beside each figure that has one."""
    rows = [
        f"GET /v1/customers, {result.connections} connections   requests/s   p50 ms   p99 ms",
        *(
            f"  {name:<36}{each.rate:>10.0f}{each.p50_ms:>9.2f}{each.p99_ms:>9.2f}"
            for name, each in (("the fake", result.fake), ("a bare Flask view, same server", result.bare))
        ),
        f"  ratio, median of the pairs{result.ratio:>20.2f}   aim: {AIMS['ratio']} or more",
        f"spawn to ready line{result.ready_seconds:>27.2f} s aim: {AIMS['ready']} or less",
        *(f"resident memory, {name:<18}{kib / 1024:>11.1f} MiB" for name, kib in result.rss_kib.items()),
        *(suite_row(workers, seconds) for workers, seconds in result.suite_seconds.items()),
        *(f"note: {note}" for note in result.notes),
    ]
    return "\n".join(rows)


def suite_row(workers: str, seconds: float | None) -> str:
    """One line about the suite."""
    label = f"full suite, {workers} worker{'s' if workers != '1' else ''}"
    taken = "not measured" if seconds is None else f"{seconds:.2f} s"
    return f"{label:<27}{taken:>21}" + (f" aim: {AIMS['suite']:.0f} or less" if workers == "2" else "")


if __name__ == "__main__":
    main()
