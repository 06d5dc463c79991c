"""What `pip install paylera-testkit` brings by itself: the whole fake, and what is looked up of the contract."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME: Final = "paylera-testkit"

BARE: Final = """
import runpy, sys
package, absent, *sys.argv[1:] = sys.argv[1:]
for name in absent.split(","):
    sys.modules[name] = None  # as where it is not installed
runpy.run_module(package, run_name="__main__", alter_sys=True)
"""


def is_bare(needed: Requirement) -> bool:
    """Whether it is needed without any extra."""
    return needed.marker is None or needed.marker.evaluate({"extra": ""})


def bare_distributions() -> set[str]:
    """What a bare installation brings, with what that needs in turn."""
    found: set[str] = set()
    waiting = [canonicalize_name(NAME)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needed = [each for each in map(Requirement, requires(name) or ()) if is_bare(each)]
        waiting += [canonicalize_name(each.name) for each in needed]
    return found


@pytest.fixture(scope="module")
def absent() -> str:
    """The installed packages that a bare installation lacks, joined by commas."""
    bare = bare_distributions()
    needed = packages_distributions().items()
    return ",".join(name for name, brought_by in needed if bare.isdisjoint(map(canonicalize_name, brought_by)))


def run_bare(absent: str, package: str, arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end where only the bare installation is."""
    command = [sys.executable, "-c", BARE, package, absent, *arguments.split()]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("paylera_conformance", "list"),
        ("paylera_conformance", "list --json"),
        ("paylera_conformance", "explain token.format"),
        ("paylera_conformance", "explain auth.expired_token --json"),
        ("paylera_mock", "serve --port 0 --max-seconds 0.1"),
        ("paylera_mock", "explain -t serviceall /v1/customers"),
        ("paylera_mock", "mutants"),
        ("paylera_mock", "tokens"),
    ],
)
def test_command_works_without_extras(absent: str, package: str, arguments: str) -> None:
    """So the README says of the fake, and whoever has it may look up what a clause says."""
    ended = run_bare(absent, package, arguments)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["run", "doctor", "init", "selftest", "schema", "verify file", "diff one two"])
def test_command_that_needs_an_extra_names_it(absent: str, arguments: str) -> None:
    """And no traceback stands before it."""
    ended = run_bare(absent, "paylera_conformance", arguments)
    assert (ended.returncode, "pip install 'paylera-testkit[suite]'" in ended.stderr) == (4, True), ended.stderr
    assert "Traceback" not in ended.stderr
