"""Measures requests: the fake beside bare Flask, bare WSGI and WireMock, over HTTP by wrk and without a socket.

`python benchmarks speed [--quick]`. The servers take turns within each round, so that a busy moment of the machine
meets all of them, and a ratio is the median over the rounds. There is none where the generator took more of the
processor than a server did: it would say how fast the generator is.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from in_process import in_process
from scenarios import LIST, POST, REFUSAL, SCENARIOS, Scenario
from servers import (
    WIREMOCK_VERSION,
    Server,
    answers_of,
    serving_bare,
    serving_fake,
    serving_other_fake,
    serving_wiremock,
)
from wrk import Round

IN_PROCESS: Final = "in process"
BARE: Final = "flask"
NAMES: Final = {
    "fake": "paylera-mock",
    BARE: "bare Flask",
    "wsgi": "bare WSGI",
    "wiremock": "WireMock",
    "other": "other fake",
}


@dataclass(frozen=True)
class Plan:
    """What is measured.

    - `calls`: of a round in process; `others`: whether more than the fake and bare Flask is measured;
    - `beside`: the Python of another environment, whose fake takes its turns too.
    """

    scenarios: Sequence[Scenario] = SCENARIOS
    connections: Sequence[int] = (16, 1)
    seconds: int = 2
    rounds: int = 5
    calls: int = 1000
    others: bool = True
    beside: str | None = None


QUICK: Final = Plan((LIST, POST, REFUSAL), connections=(16,), seconds=1, rounds=2, calls=200, others=False)


class Place(NamedTuple):
    """Where a round belongs. `over`: what the requests go over, as in `16 connections`."""

    over: str
    scenario: str
    server: str


@dataclass(frozen=True)
class Row:
    """The medians of the rounds of one server in one scenario.

    - `ratio`: of its rate to that of bare Flask in the same round; `None` where the generator was busier than either;
    - `cpu_ratio`: of the processor time that bare Flask takes for a request to that of this server.
    """

    over: str
    scenario: str
    server: str
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    ratio: float | None
    cpu_ratio: float


@dataclass(frozen=True)
class Result:
    """What was measured, and what could not be."""

    rows: Sequence[Row]
    notes: list[str]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the fake and bare Flask alone, in a quarter of a minute")
    parser.add_argument("--seconds", type=int, default=Plan.seconds, help="of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=Plan.rounds, help="rounds of each kind (default: %(default)s)")
    parser.add_argument("--beside", metavar="PYTHON", help="measure the fake of another environment too, by its Python")
    options = parser.parse_args()
    plan = QUICK if options.quick else Plan(seconds=options.seconds, rounds=options.rounds)
    print(table(measure(replace(plan, beside=options.beside))))


def measure(plan: Plan) -> Result:
    """Everything, round after round."""
    notes: list[str] = []
    rounds: dict[Place, list[Round]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        drivers = list(_drivers(plan, Path(folder), notes, stack))
        for _ in range(plan.rounds):
            for place, drive in drivers:
                rounds.setdefault(place, []).append(drive())
    return Result(list(rows_of(rounds)), notes)


def _drivers(
    plan: Plan, folder: Path, notes: list[str], stack: ExitStack
) -> Iterator[tuple[Place, Callable[[], Round]]]:
    """What makes one round of each kind, in the order in which they take turns."""
    fake = stack.enter_context(serving_fake())
    answers = answers_of(fake)
    servers: list[Server | None] = [fake, stack.enter_context(serving_bare(BARE, answers, folder))]
    if plan.others:
        servers.append(stack.enter_context(serving_bare("wsgi", answers, folder)))
        servers.append(stack.enter_context(serving_wiremock(answers, folder, notes)))
    if plan.beside:
        servers.append(stack.enter_context(serving_other_fake(plan.beside)))
    callers = stack.enter_context(in_process(answers, fake.secret))
    for scenario in plan.scenarios:
        for connections in plan.connections:
            over = f"{connections} connection{'s' if connections != 1 else ''}"
            for server in filter(None, servers):
                drive = partial(server.drive, scenario, connections=connections, seconds=plan.seconds)
                yield Place(over, scenario.name, server.name), drive
        for caller in callers:
            yield Place(IN_PROCESS, scenario.name, caller.name), partial(caller.drive, scenario, calls=plan.calls)


def rows_of(rounds: Mapping[Place, Sequence[Round]]) -> Iterator[Row]:
    """The medians, and what they are beside those of bare Flask."""
    for place, taken in rounds.items():
        bare = rounds[place._replace(server=BARE)]
        cpu_us = statistics.median(each.cpu_us for each in taken)
        pairs = list(zip(taken, bare, strict=True))
        is_shown = not any(generator_was_busier(each) for each in (taken, bare))
        yield Row(
            *place,
            rate=round(statistics.median(each.rate for each in taken)),
            p50_ms=round(statistics.median(each.p50_ms for each in taken), 3),
            p99_ms=round(statistics.median(each.p99_ms for each in taken), 3),
            cpu_us=round(cpu_us, 1),
            ratio=round(statistics.median(one.rate / other.rate for one, other in pairs), 3) if is_shown else None,
            cpu_ratio=round(statistics.median(other.cpu_us / one.cpu_us for one, other in pairs), 3),
        )


def generator_was_busier(rounds: Sequence[Round]) -> bool:
    """Whether the generator took as much of the processor as the server did, so that their rate is its own."""
    return sum(each.generator_cpu for each in rounds) >= sum(each.server_cpu for each in rounds)


def describe_machine() -> Mapping[str, Any]:
    """What a figure depends on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("flask", "granian", "httpx")},
        "wiremock": WIREMOCK_VERSION,
    }


def table(result: Result) -> str:
    """The result for people."""
    lines = []
    for row in result.rows:
        ratio = "generator was busier" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(
            f"{row.over:<15} {row.scenario:<28} {NAMES[row.server]:<13}{row.rate:>8} a second"
            f"{row.p50_ms:>8.2f}{row.p99_ms:>8.2f} ms{row.cpu_us:>8.0f} us CPU   ratio {ratio}, CPU {row.cpu_ratio:.2f}"
        )
    return "\n".join([*lines, *result.notes])
