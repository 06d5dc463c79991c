"""Measures how costs grow: of a run against the target's operations, and of the fake's calls against what it keeps.

`python benchmarks growth`, some minutes. Each line is the cost of one: what a run spends on one operation, or what one
call costs beside so much that is kept. Flat means that the whole grows with the number alone; a line that rises as
the logarithm does makes it n log n.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from costs import CASES, measure
from paylera_fixtures.api.operations import OPERATIONS
from paylera_mock.cli.subprocess_server import running_fake
from paylera_mock.server.ready import Ready
from servers import started
from suite import Cost, cost_of_run

SUITE, FAKE = "the suite", "the fake"

CONTRACT: Final = (5, 15, 45)
"""Numbers of the contract's operations that a run looks at."""

FURTHER: Final = (20, 50, 200)
"""Numbers of operations that only the target names."""

_SEED: Final = ("--seed", "1")
_SIZES: Final = (100, 1_000, 10_000, 100_000)
KEPT: Final[Mapping[str, tuple[str, Sequence[int]]]] = {
    "objects: the last page of customers": ("the last page of customers", _SIZES),
    "objects: an invoice for the newest customer": ("an invoice for the newest customer", _SIZES),
    "tokens: create a token": ("create a token", _SIZES),
    "tokens: a refusal with its hint": ("a refusal with its hint", _SIZES),
    "idempotency records: a POST": ("a POST among records", _SIZES),
    "audit records: the last page of the log": ("the last page of the audit log", _SIZES),
    "webhook endpoints: delete one": ("delete one of many webhook endpoints", (100, 300, 1_000, 3_000)),
    "webhook endpoints: a customer, of whom all are told": (
        "a customer with webhook endpoints", (100, 300, 1_000, 3_000),
    ),
    "namespaces: make and delete one": ("make and delete a namespace", (100, 1_000, 10_000)),
    "namespaces: a page of the findings of all": ("a page of the findings of all namespaces", (100, 1_000, 10_000)),
}  # fmt: skip
"""Lines of the fake: the case of `costs.py` that is called, and beside how much."""

FLAT: Final = 1.5
"""A cost that grows by no more than this is flat: as much as two measurements of the same may differ."""


@dataclass(frozen=True)
class Line:
    """The cost of one beside each number. `of`: of what, the suite or the fake."""

    of: str
    name: str
    unit: str
    sizes: Sequence[int]
    costs: Sequence[float]

    @property
    def factor(self) -> float:
        """What the cost is beside the largest number, as a multiple of that beside the smallest."""
        return self.costs[-1] / self.costs[0]

    @property
    def growth(self) -> str:
        """How it grows: it falls or is flat, grows as the logarithm does (the whole is then n log n), or more."""
        logarithmic = math.log(self.sizes[-1]) / math.log(self.sizes[0])
        if self.factor < 1 / FLAT:
            return "falls"
        if self.factor <= FLAT:
            return "flat"
        return "n log n" if self.factor <= logarithmic * FLAT else "more"


def main() -> None:
    """Measure, and print each line as it is there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--of", choices=(SUITE, FAKE), help="one of the two alone")
    options = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} before")
    for line in measure_lines(options.of):
        costs = "   ".join(f"{size}: {cost:.3g}" for size, cost in zip(line.sizes, line.costs, strict=True))
        print(f"{line.name}, {line.unit}: {costs}   times {line.factor:.2f}: {line.growth}", flush=True)


def measure_lines(of: str | None = None) -> Iterator[Line]:
    """Every line, one after another."""
    if of != FAKE:
        with running_fake() as fake:
            costs = [cost_of_run(fake, *_SEED, "-k", _only(number)) for number in CONTRACT]
        yield from _lines_of("the contract's operations", CONTRACT, costs, without=0)
        without, *costs = [_cost_with_further(number) for number in (0, *FURTHER)]
        yield from _lines_of("further operations", FURTHER, costs, without=without.requests)
    if of != SUITE:
        cases = {case.name: case for case in CASES}
        for name, (case, sizes) in KEPT.items():
            milliseconds = [seconds * 1000 for seconds in measure(cases[case], sizes, rounds=41, patience=20)]
            yield Line(FAKE, name, "ms", sizes, [round(each, 4) for each in milliseconds])


def _only(number: int) -> str:
    """The words by which pytest chooses the cells of so many operations, of all kinds."""
    chosen = OPERATIONS[:: len(OPERATIONS) // number][:number]
    # An id may be the beginning of another one's, and then stands for that one too.
    return f"test_it_is_so_on_every_operation and ({' or '.join(operation.id for operation in chosen)})"


def _cost_with_further(number: int) -> Cost:
    with started([sys.executable, str(Path(__file__).with_name("grown_fake.py")), str(number)]) as (_, line):
        return cost_of_run(Ready.from_line(line), *_SEED)


def _lines_of(name: str, sizes: Sequence[int], costs: Sequence[Cost], *, without: int) -> Iterator[Line]:
    """What a run sends for each operation, beyond what it sends `without` them, and what each request costs it.

    Seconds of two runs are never subtracted: they differ by what else the machine does.
    """
    requests = [round((cost.requests - without) / size, 1) for size, cost in zip(sizes, costs, strict=True)]
    cpu = [round(cost.cpu_seconds / cost.requests * 1000, 3) for cost in costs]
    yield Line(SUITE, f"{name}: requests for each", "requests", sizes, requests)
    yield Line(SUITE, f"{name}: processor time for each request", "ms", sizes, cpu)
