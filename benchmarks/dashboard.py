"""Measures what an open dashboard costs the requests of a client: their rate with one, and without.

`python benchmarks dashboard [--dashboards N]`. A dashboard is a client that follows the stream of live requests as a
browser does: it asks for the next event when the one before has come and the time that it named is over. Rounds with
it and without take turns, so that a busy moment of the machine meets both; further rounds without stand beside them,
whose ratio says how far the machine can be trusted. The processor time of the fake hardly depends on what else runs.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import re
import statistics
import threading
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from scenarios import LIST
from servers import Server, serving_fake
from wrk import Round

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


def drive(server: Server, options: argparse.Namespace) -> Round:
    """One round."""
    return server.drive(LIST, connections=options.connections, seconds=options.seconds)


def main() -> None:
    """Measure, and print both rates and their ratio."""
    parser = argparse.ArgumentParser(description="Measure requests with a dashboard open, and without.")
    parser.add_argument("--dashboards", type=int, default=1, help="how many are open (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="kept connections (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=2, help="of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each kind (default: %(default)s)")
    options = parser.parse_args()
    rounds: list[tuple[Round, Round, Round]] = []
    events = 0
    with serving_fake() as fake:
        drive(fake, options)  # not counted: caches fill, threads start
        for _ in range(options.rounds):
            without = drive(fake, options)
            with open_dashboards(fake.url, options.dashboards) as dashboards:
                beside = drive(fake, options)
            events += sum(dashboard.events for dashboard in dashboards)
            rounds.append((without, beside, drive(fake, options)))
    print(f"{f'GET /v1/customers, {options.connections} connections':<36}requests/s   ratio    CPU ms   ratio")
    for name, column in (("no dashboard", 0), (f"{options.dashboards} open, {events} events", 1), ("no dashboard", 2)):
        print(row(name, rounds, column))


def row(name: str, rounds: list[tuple[Round, Round, Round]], column: int) -> str:
    """The medians of one kind of round, and those of its ratios to the round before it without a dashboard."""
    rate = statistics.median(each[column].rate for each in rounds)
    busy_ms = statistics.median(each[column].cpu_us for each in rounds) / 1000
    faster = statistics.median(each[column].rate / each[0].rate for each in rounds)
    busier = statistics.median(each[column].cpu_us / each[0].cpu_us for each in rounds)
    return f"  {name:<34}{rate:>10.0f}{faster:>8.2f}{busy_ms:>10.2f}{busier:>8.2f}"
