"""The launcher of the npm package, which tests run with programs of their own on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from helpers.paths import ROOT
from helpers.waiting import PATIENCE_SECONDS

NODE = shutil.which("node")
LAUNCHER = ROOT / "npm" / "bin" / "paylera-mock.js"


class Launcher:
    """`paylera-mock` of npm, where nothing is on the PATH but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.folder = folder
        self.environment = {
            "PATH": str(self.programs),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "HOME": str(folder),
            **{name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ},
        }

    def add_program(self, name: str, text: str) -> Path:
        """Put a shell script on the PATH."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        path.chmod(0o755)
        return path

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs it."""
        return [str(NODE), str(LAUNCHER), *arguments]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return self._run(self.command(*arguments), environment)

    def run_script(self, expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run an expression of JavaScript, as `startFake()`, in which all is known that the package exports."""
        return self._run([str(NODE), "-e", f"with (require({str(ROOT / 'npm')!r})) {{ {expression} }}"], environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
