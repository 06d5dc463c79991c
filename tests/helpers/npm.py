"""Programs of npm, in a folder of the test's own; their versions are pinned where the sources are."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from helpers.paths import ROOT

SOURCES: Final = ROOT / "tests" / "end_to_end" / "generated_clients"
"""The programs that use the generated clients, and what npm is to install for them."""

_NPM: Final = shutil.which("npm")
_QUIETLY: Final = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


class Npm:
    """A folder with the sources and with what npm has installed for them."""

    def __init__(self, folder: Path, sources: Path = SOURCES) -> None:
        self.folder = folder
        if _NPM is None:
            _do_without("there is no npm on the PATH")
        shutil.copytree(sources, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
        self._install("ci")

    def add(self, package: str) -> None:
        """Install one more package, as `name@version`."""
        self._install("install", "--no-save", package)

    def _install(self, *command: str) -> None:
        installing = self.run("npm", *command, *_QUIETLY)
        if installing.returncode:
            _do_without(f"npm could not install what is needed: {installing.stderr[-500:]}")

    def program(self, name: str) -> str:
        """The path of an installed program."""
        return str(self.folder / "node_modules" / ".bin" / name)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the folder: what has become of it."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _do_without(reason: str) -> None:
    """Skip the test, unless it must not be skipped."""
    if os.environ.get("PAYLERA_TESTS_NEED_NPM"):
        pytest.fail(f"{reason}, and PAYLERA_TESTS_NEED_NPM is set")
    pytest.skip(reason)
