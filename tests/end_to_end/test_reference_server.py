"""The suite certifies a right server that is not the fake, and that shares no line with it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.suite import run_suite

SERVER = ROOT / "tests" / "reference_server"
MODULES = sorted(SERVER.rglob("*.py"))
CONFORMANT = 0

# As an implementer might offer it: namespaces whose clocks stand still, or one deployment whose clock runs.
OFFERS = [
    pytest.param("guide", [], id="guide"),
    pytest.param("reference", ["--one-world"], id="reference", marks=pytest.mark.extended),
]


@contextmanager
def reference_server(*options: str) -> Iterator[dict[str, str]]:
    """The second server as a program, and what its ready line says."""
    command = [sys.executable, str(SERVER), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.mark.slow
@pytest.mark.parametrize(("profile", "offer"), OFFERS)
def test_the_second_server_is_conformant_without_any_finding(profile: str, offer: list[str], tmp_path: Path) -> None:
    """Every clause passes on a server that is right in other ways than the fake is."""
    with reference_server("--profile", profile, *offer) as server:
        options = ("--control-url", server["control_url"], "--profile", profile, "--report", "out")
        run = run_suite(tmp_path, "run", server["url"], *options)
    others = {c["id"]: (c["outcome"], c["message"]) for c in run.report["clauses"] if c["outcome"] != "pass"}
    assert (others, run.report["verdict"], run.code) == ({}, "CONFORMANT", CONFORMANT), run.output


@pytest.mark.parametrize("module", MODULES, ids=[path.stem for path in MODULES])
def test_the_second_server_stands_on_the_standard_library_alone(module: Path) -> None:
    """What it shared with the packages under test, both could have wrong."""
    tree = ast.parse(module.read_text())
    absolute = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0]
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    roots = {name.partition(".")[0] for name in (*absolute, *plain)}
    assert roots <= sys.stdlib_module_names | {"refserver"}
