"""The suite as a program, begun by a process that has imported it: half of what a start takes is imports.

It is forked for each run, so that a run finds what a new interpreter would have, and leaves nothing behind.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from subprocess import TimeoutExpired
from tempfile import TemporaryDirectory
from typing import Final

from helpers.paths import ROOT
from helpers.waiting import RUN_SECONDS
from paylera_conformance.probe import recording

PROGRAM: Final = "paylera_conformance"
_READ_AT_START: Final = ("PYTHON", "LC_", "LANG", "LD_", "TMPDIR", "TZ")
_IMPORTED: Final = [f"{PROGRAM}.cli", f"{PROGRAM}.run.launch"]
"""Not its plugin, which pytest means to import itself."""


def can_be_warm(env: Mapping[str, str]) -> bool:
    """Whether variables are such as a program looks at while it runs, and the platform forks."""
    is_late = not any(name.startswith(_READ_AT_START) for name in env)
    return is_late and "forkserver" in multiprocessing.get_all_start_methods()


def run_warm(
    folder: Path, arguments: Sequence[str], environ: Mapping[str, str], now: datetime | None
) -> tuple[int, str]:
    """Run the program to its end: its exit code, and what it printed. Raises `TimeoutExpired` where it hangs.

    - `now`: where its clocks stand still; without it, they go.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    with TemporaryDirectory() as own:
        printed = Path(own, "printed")
        process = context.Process(target=_begin, args=(folder, arguments, environ, now, printed))
        process.start()
        process.join(RUN_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired([PROGRAM, *arguments], RUN_SECONDS)
        return process.exitcode, printed.read_text("utf-8")


def _begin(
    folder: Path, arguments: Sequence[str], environ: Mapping[str, str], now: datetime | None, printed: Path
) -> None:
    """What the new process does, as `python -m paylera_conformance` in a folder."""
    output = os.open(printed, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.argv[1:] = arguments
    _forget_tests()
    if now is not None:
        recording.wall_clock, recording.stopwatch = (lambda: now), (lambda: 0.0)
    runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)


def _forget_tests() -> None:
    """Have nothing of the tests be imported by a program that would do without when it is installed."""
    sys.path[:] = [each for each in sys.path if Path(each) not in {ROOT / "tests", ROOT / "benchmarks"}]
    for name in [name for name in sys.modules if name.partition(".")[0] == "helpers"]:
        del sys.modules[name]
