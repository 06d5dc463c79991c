"""What docs/explanation/performance.md shows is what was measured last."""

from __future__ import annotations

import importlib.util
import json
import re
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from growth import CONTRACT, FURTHER, KEPT
from helpers.paths import DOCS
from scenarios import SCENARIOS
from speed import NAMES, Plan

FIGURES = json.loads((DOCS / "performance.json").read_text("utf-8"))
PAGE = (DOCS / "explanation" / "performance.md").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"
AGAIN = "otherwise: python docs/tables.py && python docs/pictures.py"


def script(name: str) -> ModuleType:
    """A script of docs/."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_those_of_the_figures() -> None:
    """Figures that nobody can recompute are an advertisement; here and in the README."""
    tables = script("tables")
    stale = [path.name for path in tables.PAGES if tables.written(path.read_text("utf-8")) != path.read_text("utf-8")]
    assert stale == [], AGAIN


def test_pictures_are_those_of_the_figures() -> None:
    """As the tables are."""
    drawn = script("pictures").PICTURES
    stale = [path.name for path, draw in drawn.items() if path.read_text("utf-8") != draw(FIGURES)]
    assert stale == [], AGAIN


@pytest.mark.parametrize("name", re.findall(r"\]\((\w+\.svg)\)", PAGE))
def test_picture_says_in_words_what_it_shows(name: str) -> None:
    """For who does not see it, and in the colours that a reader prefers."""
    text = (DOCS / "explanation" / name).read_text("utf-8")
    picture = ET.fromstring(text)  # noqa: S314 - a file of ours
    named = [f"{SVG}{part}" for part in ("title", "desc")]
    assert picture.get("role") == "img"
    assert [part.tag for part in picture if part.get("id") in (picture.get("aria-labelledby") or "").split()] == named
    assert "prefers-color-scheme: dark" in text


def test_every_scenario_was_measured_in_every_way() -> None:
    """A table with a hole would hide what is slow."""
    found = {(row["over"], row["scenario"]) for row in FIGURES["speed"]["rows"] if row["server"] == "fake"}
    ways = ["in process", *(f"{number} connection{'s' * (number > 1)}" for number in Plan.connections)]
    assert found == {(way, scenario.name) for way in ways for scenario in SCENARIOS}
    assert FIGURES["speed"]["servers"] == {row["server"]: NAMES[row["server"]] for row in FIGURES["speed"]["rows"]}


def test_every_line_of_growth_was_measured() -> None:
    """Of the suite and of the fake."""
    lines = FIGURES["growth"]["lines"]
    assert {line["name"] for line in lines if line["of"] == "the fake"} == set(KEPT)
    assert {tuple(line["sizes"]) for line in lines if line["of"] == "the suite"} == {CONTRACT, FURTHER}
