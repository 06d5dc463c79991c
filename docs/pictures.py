"""Draws the pictures of docs/explanation/performance.md from docs/performance.json: `python docs/pictures.py`.

A test sees to it that they are those of the figures.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

DOCS: Final = Path(__file__).parent
FIGURES: Final = DOCS / "performance.json"
OVER: Final = "16 connections"
WIDTH: Final = 760

STYLE: Final = """
  .paper { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, sans-serif } .small { font-size: 12px }
  .strong { font-weight: 600 } .other { fill: #8c959f } .fake, .point { fill: #0969da }
  .line { stroke: #0969da; stroke-width: 2; fill: none } .band { fill: #d8dee4 } .flat { stroke: #59636e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #f0f6fc } .other { fill: #656c76 } .fake, .point { fill: #4493f8 }
    .line { stroke: #4493f8 } .band { fill: #2a313c } .flat { stroke: #9198a1 }
  }
"""


def draw(title: str, description: str, height: int, parts: Iterator[str]) -> str:
    """A picture that says in words what it shows, and goes by the colours that its reader prefers."""
    root = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        (
            f'<svg {root} role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>\n",
        )
    )


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """Words that begin, end or have their middle at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


# Requests


def draw_speed(figures: Mapping[str, Any]) -> str:
    """A bar for each server in each scenario."""
    names = figures["speed"]["servers"]
    rows = [row | {"name": names[row["server"]]} for row in figures["speed"]["rows"] if row["over"] == OVER]
    said = "; ".join(f"{row['scenario']}, {row['name']}: {row['rate']:,}" for row in rows)
    scenarios = {row["scenario"] for row in rows}
    return draw(f"Requests a second over {OVER}", f"{said}.", 40 + len(rows) * 18 + len(scenarios) * 32, _bars(rows))


def _bars(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield text(16, 26, f"Requests a second over {OVER}", "strong")
    y, left, widest = 36, 140, WIDTH - 140 - 90
    most = max(row["rate"] for row in rows)
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        y += 24
        yield text(16, y, scenario, "small strong")
        y += 8
        for row in (row for row in rows if row["scenario"] == scenario):
            width = widest * row["rate"] / most
            kind = "fake" if row["server"] == "fake" else "other"
            yield text(left - 8, y + 11, row["name"], "small", "end")
            yield f'<rect class="{kind}" x="{left}" y="{y}" width="{width:.1f}" height="14"/>'
            yield text(left + width + 6, y + 11, f"{row['rate']:,}", "small")
            y += 18


# Growth

_ROW: Final = 44
_LEFT, _RIGHT = 390, 630
_SCALE: Final = 3.0
"""What multiple of the first cost is at the top of a line's own plot, at the least."""


def draw_growth(figures: Mapping[str, Any]) -> str:
    """A small plot for each line: the cost of one as a multiple of the first one's, over the number."""
    lines = figures["growth"]["lines"]
    said = "; ".join(
        f"{line['name']}, from {line['sizes'][0]:,} to {line['sizes'][-1]:,}: times {line['factor']:.2f},"
        f" {line['growth']}"
        for line in lines
    )
    return draw("What one costs, the more there are", f"{said}.", 64 + len(lines) * _ROW, _plots(lines))


def _plots(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield text(16, 26, "What one costs, the more there are, as a multiple of the first", "strong")
    yield text(16, 46, "In the grey band the whole grows by no more than n log n; its lower edge is flat.", "small")
    for number, line in enumerate(lines):
        yield from _plot(line, bottom=64 + (number + 1) * _ROW - 10)


def _plot(line: Mapping[str, Any], *, bottom: float) -> Iterator[str]:
    sizes, costs = line["sizes"], line["costs"]
    multiples = [cost / costs[0] for cost in costs]
    logs = [math.log(size) / math.log(sizes[0]) for size in sizes]
    scale = (_ROW - 12) / max(_SCALE, *multiples)
    xs = [_LEFT + (_RIGHT - _LEFT) * (log - 1) / (logs[-1] - 1) for log in logs]
    band = [*zip(xs, logs, strict=True), (_RIGHT, 1.0)]
    yield text(16, bottom - 14, line["name"], "small")
    yield text(16, bottom, f"{sizes[0]:,} to {sizes[-1]:,}", "small")
    yield f'<polygon class="band" points="{_points(band, bottom, scale)}"/>'
    yield f'<path class="flat" d="M{_LEFT} {bottom - scale:.1f}H{_RIGHT}"/>'
    places = list(zip(xs, multiples, strict=True))
    yield f'<polyline class="line" points="{_points(places, bottom, scale)}"/>'
    yield from (f'<circle class="point" cx="{x:.1f}" cy="{bottom - each * scale:.1f}" r="3"/>' for x, each in places)
    yield text(_RIGHT + 14, bottom - 6, f"× {line['factor']:.2f}, {line['growth']}", "small")


def _points(places: Sequence[tuple[float, float]], bottom: float, scale: float) -> str:
    return " ".join(f"{x:.1f},{bottom - multiple * scale:.1f}" for x, multiple in places)


PICTURES: Final[Mapping[Path, Callable[[Mapping[str, Any]], str]]] = MappingProxyType(
    {DOCS / "explanation" / "speed.svg": draw_speed, DOCS / "explanation" / "growth.svg": draw_growth}
)


if __name__ == "__main__":
    measured = json.loads(FIGURES.read_text("utf-8"))
    for path, drawn in PICTURES.items():
        path.write_text(drawn(measured), "utf-8")
