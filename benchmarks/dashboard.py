"""Measures what an open dashboard costs the requests of a client: their rate with one, and without.

`python benchmarks/dashboard.py [--dashboards N]`. A dashboard is a client that follows the stream of live requests as a
browser does: it asks for the next event when the one before has come and the time that it named is over. Rounds with
it and without take turns, so that a busy moment of the machine meets both; further rounds without stand beside them,
whose ratio says how far the machine can be trusted. The processor time of the fake, where the system tells it, hardly
depends on what else runs.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready

HERE: Final = Path(__file__).parent
STREAM: Final = "/_mock/ui/requests/stream?after=0.0"
EVENT: Final = re.compile(r"retry: (?P<retry_ms>\d+)\nid: (?P<id>\S+)")
PATIENCE_SECONDS: Final = 30.0


class Dashboard:
    """Follows the live requests of a fake, in a thread. `events`: how many came."""

    def __init__(self, url: str) -> None:
        self.events = 0
        self._parts = urlsplit(url)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def open(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Follow no more, once the event that is waited for has come."""
        self._closed.set()
        self._thread.join()

    def _follow(self) -> None:
        connection = http.client.HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=PATIENCE_SECONDS)
        headers = {"Accept": "text/event-stream"}
        wait_seconds = 0.0
        while not self._closed.wait(wait_seconds):
            connection.request("GET", STREAM, headers=headers)
            text = connection.getresponse().read().decode()
            found = EVENT.search(text)
            if found is None:
                raise RuntimeError(f"the fake should have sent an event: {text[:200]!r}")
            headers["Last-Event-ID"] = found["id"]
            wait_seconds = int(found["retry_ms"]) / 1000
            self.events += "\ndata:" in text
        connection.close()


@contextlib.contextmanager
def open_dashboards(url: str, count: int) -> Iterator[list[Dashboard]]:
    """So many dashboards, which are closed at the end."""
    dashboards = [Dashboard(url) for _ in range(count)]
    for dashboard in dashboards:
        dashboard.open()
    try:
        yield dashboards
    finally:
        for dashboard in dashboards:
            dashboard.close()


class Load(NamedTuple):
    """One round: requests a second, and the processor's milliseconds for each in the fake; 0 where nothing tells."""

    rate: float
    busy_ms: float


def measure(ready: Ready, options: argparse.Namespace) -> Load:
    """One round, which a process of its own sends."""
    sizes = [str(options.connections), str(options.requests)]
    url, before = f"{ready.url}/v1/customers", busy_seconds(ready.pid)
    command = [sys.executable, str(HERE / "load.py"), url, ready.tokens["serviceall"], *sizes]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own program
    busy_ms = (busy_seconds(ready.pid) - before) / options.requests * 1000
    return Load(json.loads(printed)["rate"], busy_ms)


def busy_seconds(pid: int) -> float:
    """What the processor has spent on a process and its children; 0 where the system has no `/proc`."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        return 0.0
    ids = [pid, *map(int, children.read_text(encoding="ascii").split())]
    stats = [Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split() for each in ids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print both rates and their ratio."""
    parser = argparse.ArgumentParser(description="Measure requests with a dashboard open, and without.")
    parser.add_argument("--dashboards", type=int, default=1, help="how many are open (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="kept connections (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=4000, help="requests a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each kind (default: %(default)s)")
    options = parser.parse_args()
    rounds: list[tuple[Load, Load, Load]] = []
    events = 0
    with running_fake() as ready:
        measure(ready, options)  # not counted: caches fill, threads start
        for _ in range(options.rounds):
            without = measure(ready, options)
            with open_dashboards(ready.url, options.dashboards) as dashboards:
                beside = measure(ready, options)
            events += sum(dashboard.events for dashboard in dashboards)
            rounds.append((without, beside, measure(ready, options)))
    print(f"{f'GET /v1/customers, {options.connections} connections':<36}requests/s   ratio    CPU ms   ratio")
    for name, column in (("no dashboard", 0), (f"{options.dashboards} open, {events} events", 1), ("no dashboard", 2)):
        print(row(name, rounds, column))


def row(name: str, rounds: list[tuple[Load, Load, Load]], column: int) -> str:
    """The medians of one kind of round, and those of its ratios to the round before it without a dashboard."""
    rate, busy_ms = (statistics.median(figures) for figures in zip(*(each[column] for each in rounds), strict=True))
    faster = statistics.median(each[column].rate / each[0].rate for each in rounds)
    busier = statistics.median(each[column].busy_ms / (each[0].busy_ms or 1) for each in rounds)
    return f"  {name:<34}{rate:>10.0f}{faster:>8.2f}{busy_ms:>10.2f}{busier:>8.2f}"


if __name__ == "__main__":
    main()
