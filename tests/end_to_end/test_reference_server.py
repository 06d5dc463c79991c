"""The suite certifies a right server that is not the fake, and that shares no line with it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import ROOT

SERVER = ROOT / "tests" / "reference_server"
MODULES = sorted(SERVER.rglob("*.py"))
CONFORMANT = 0
LONGEST_RUN = 300

# As an implementer might offer it: namespaces whose clocks stand still, or one deployment whose clock runs.
OFFERS = {"guide": [], "reference": ["--one-world"]}


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


def certify(
    server: dict[str, str], profile: str, report: Path
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the suite as a program against a server; give the run and its `results.json`."""
    command = [
        sys.executable, "-m", "paylera_conformance", "run", server["url"], "--control-url", server["control_url"],
        "--profile", profile, "--report", str(report),
    ]  # fmt: skip
    # Cut off from the settings of whoever runs the tests.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PAYLERA_", "PYTEST_"))}
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=report.parent, env=env, timeout=LONGEST_RUN
    )
    return run, json.loads((report / "results.json").read_text())


@pytest.mark.parametrize(("profile", "offer"), OFFERS.items(), ids=OFFERS)
def test_the_second_server_is_conformant_without_any_finding(profile: str, offer: list[str], tmp_path: Path) -> None:
    """Every clause passes on a server that is right in other ways than the fake is."""
    with reference_server("--profile", profile, *offer) as server:
        run, results = certify(server, profile, tmp_path / "report")
    others = {c["id"]: (c["outcome"], c["message"]) for c in results["clauses"] if c["outcome"] != "pass"}
    assert (others, results["verdict"], run.returncode) == ({}, "CONFORMANT", CONFORMANT), run.stdout


@pytest.mark.parametrize("module", MODULES, ids=[path.stem for path in MODULES])
def test_the_second_server_stands_on_the_standard_library_alone(module: Path) -> None:
    """What it shared with the packages under test, both could have wrong."""
    tree = ast.parse(module.read_text())
    absolute = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0]
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    roots = {name.partition(".")[0] for name in (*absolute, *plain)}
    assert roots <= sys.stdlib_module_names | {"refserver"}
