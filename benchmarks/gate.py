"""Holds the speed of requests, beside bare Flask in the same run, to floors well below those of a quiet machine.

`python benchmarks gate`, about 15 s; ends with status 1 where it is slower. Ratios of processor time hardly depend on
what else the machine does, and where they do bare Flask suffers more. Those of rates do, and have a lower floor: a
request that waits for something shows in them alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

from speed import BARE, IN_PROCESS, QUICK, Row, measure, table
from wrk import WITHOUT_WRK, WRK

CPU_FLOORS: Final = {"16 connections": 0.2, IN_PROCESS: 0.3}
"""What the ratio of processor times must be at the least. Raise them when the fake gets faster."""

RATE_FLOOR: Final = 0.05
"""Where many programs run, a server of one thread gets less of the processor than one of many."""


def main() -> None:
    """Measure in short, and compare."""
    if WRK is None:
        print(f"skipped: {WITHOUT_WRK}")
        return
    result = measure(QUICK)
    print(table(result))
    if slower := list(find_slower(result.rows)):
        sys.exit("\n".join(slower))


def find_slower(rows: Sequence[Row]) -> Iterator[str]:
    """A line about each ratio that is below its floor."""
    for row in rows:
        if row.server == BARE:
            continue
        ratios = (("processor time", row.cpu_ratio, CPU_FLOORS[row.over]), ("rate", row.ratio, RATE_FLOOR))
        for name, ratio, floor in ratios:
            if ratio is not None and ratio < floor:
                yield (
                    f"{row.scenario}, {row.over}: the ratio of {name} to bare Flask is {ratio:.2f}, and should be"
                    f" {floor:g} at the least: see what was added to each request"
                )
