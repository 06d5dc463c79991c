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
        return subprocess.run(
            self.command(*arguments),
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
