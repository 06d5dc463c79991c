"""Measures everything and writes it down: docs/performance.json, and the tables and pictures that are made from it.

`python benchmarks publish [speed] [growth]`, without a name both, takes about twenty minutes, on a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import growth
import speed
import waits
from servers import answers_of, serving_fake

DOCS: Final = Path(__file__).parents[1] / "docs"
FIGURES: Final = DOCS / "performance.json"


def main() -> None:
    """Measure, keep the figures, and write the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"what to measure: {', '.join(PARTS)} (default: all)")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(PARTS)}")
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {"schema": 1}
    for part in parts:
        before = os.getloadavg()[0]
        measured = PARTS[part]()
        load = {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)}
        when = datetime.now(UTC).date().isoformat()
        figures[part] = {"measured": when, "load_average": load, "machine": speed.describe_machine(), **measured}
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for script in ("tables.py", "pictures.py"):
        subprocess.run([sys.executable, str(DOCS / script)], check=True)  # noqa: S603 - our own program


def measure_speed() -> Mapping[str, Any]:
    """Requests, and what else is waited for."""
    plan = speed.Plan()
    result = speed.measure(plan)
    with tempfile.TemporaryDirectory() as folder, serving_fake() as fake:
        everything = list(waits.measure(answers_of(fake), Path(folder), result.notes))
    return {
        "plan": {"seconds": plan.seconds, "rounds": plan.rounds, "calls": plan.calls},
        "servers": {row.server: speed.NAMES[row.server] for row in result.rows},
        "rows": [asdict(row) for row in result.rows],
        "waits": [asdict(wait) for wait in everything],
        "notes": result.notes,
    }


def measure_growth() -> Mapping[str, Any]:
    """Every line."""
    return {
        "lines": [
            asdict(line) | {"factor": round(line.factor, 2), "growth": line.growth} for line in growth.measure_lines()
        ]
    }


PARTS: Final = {"speed": measure_speed, "growth": measure_growth}
