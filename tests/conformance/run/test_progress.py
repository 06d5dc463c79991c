"""A run shows how far it is: on a terminal in a live line, elsewhere in plain lines on stderr, never on stdout."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from helpers.suite import URL
from helpers.terminal import on_terminal, without_codes
from paylera_conformance.run.progress import RunProgress
from paylera_conformance.run.session import RUN
from paylera_conformance.target.settings import Settings

RUN_OF_9: Final = (sys.executable, "-m", "paylera_conformance", "run", "-k", "missing")
"""A run of the embedded fake by nine cases, which proves too little: exit 10."""

WATCHED: Final = """
import builtins, sys
from paylera_conformance.cli import main
load = builtins.__import__
importing = set()
def watch(name, names=None, *rest, **more):
    importing.add((name.partition(".")[0], (names or {}).get("__name__", "").partition(".")[0]))
    return load(name, names, *rest, **more)
builtins.__import__ = watch
try:
    main(["run", "-k", "missing", "-n", "1"])
finally:
    print("rich is imported by", sorted(by for name, by in importing if name == "rich" and by.startswith("paylera")))
"""


def test_what_is_left_after_the_cases_is_said(pytestconfig: pytest.Config) -> None:
    """A report of thousands of exchanges takes a while on a busy machine."""
    progress = RunProgress()
    config = SimpleNamespace(
        stash={RUN: SimpleNamespace(settings=Settings(URL), requests=3)},
        get_verbosity=lambda: 0,
        option=pytestconfig.option,
    )
    progress.pytest_configure(config)  # type: ignore[arg-type] # all of it that is looked at
    finishing = progress.pytest_sessionfinish()
    next(finishing)
    assert "3 requests at 10 a second · making the report" in str(progress.work)
    assert list(finishing) == []


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of the eight cases into pipes."""
    return subprocess.run([*RUN_OF_9, *arguments], check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("url", "note"), [("http://127.0.0.1:1", "1,204 requests"), (URL, "1,204 requests at 2.5 a second")]
)
def test_pace_is_told_of_a_remote_target(pytestconfig: pytest.Config, url: str, note: str) -> None:
    """One on this machine is asked as fast as it answers."""
    progress = RunProgress()
    config = SimpleNamespace(
        stash={RUN: SimpleNamespace(settings=Settings(url, rps=2.5), requests=1204)},
        get_verbosity=lambda: 0,
        option=pytestconfig.option,
    )
    progress.pytest_configure(config)  # type: ignore[arg-type] # all of it that is looked at
    assert f"collecting the cases · {note} · " in str(progress.work)


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_terminal_shows_how_far_a_run_is_and_keeps_nothing_of_it(workers: str, columns: int) -> None:
    """Cases of all, requests; then the summary, as if there had been no line."""
    with on_terminal([*RUN_OF_9, "-n", workers], columns=columns) as program:
        written = program.read_to_end()
        assert program.process.returncode == 10
    assert re.search(r"of 9 cases · [\d,]+", written)
    kept = without_codes(written[written.rindex("\x1b[?25h") :])
    assert ("of 9 cases" in kept, "bringing up nodes" in written, "NOT FULLY VERIFIED" in kept) == (False, False, True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_pipe_gets_it_on_stderr_alone(workers: str) -> None:
    """From the beginning, in plain lines; a single blank one parts it from the summary."""
    run = ended("-n", workers)
    assert re.match(r"\n\S", run.stdout)
    assert "\n\n\n" not in run.stdout
    assert run.stderr.startswith("collecting the cases · 0 s\n")
    assert ("\x1b" in run.stderr + run.stdout, " cases · " in run.stdout, run.returncode) == (False, False, 10)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("-q",), ("-v",), ("--", "--collect-only")], ids=" ".join)
def test_who_asks_pytest_for_more_or_less_gets_none_of_it(arguments: Sequence[str]) -> None:
    """With `-v` pytest shows each case, with `-q` nobody does."""
    assert ended(*arguments).stderr == ""


@pytest.mark.slow
def test_piped_run_imports_no_rich() -> None:
    """None of this project's modules does: it would take as long as all else that a command needs."""
    run = subprocess.run([sys.executable, "-c", WATCHED], check=False, capture_output=True, text=True)
    assert run.stdout.endswith("rich is imported by []\n"), run.stderr


@pytest.mark.slow
def test_interrupted_rehearsal_writes_nothing(tmp_path: Path) -> None:
    """Half a rehearsal asks for half of the tokens."""
    file = tmp_path / "paylera-conformance.toml"
    with on_terminal([*RUN_OF_9[:3], "init", str(file)], columns=100) as program:
        program.read_until("cases rehearsed against the fake")
        program.process.send_signal(signal.SIGINT)
        written = program.read_to_end()
    assert (program.process.returncode, file.exists()) == (2, False)
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 80])
def test_rehearsal_is_one_piece_of_work_on_a_terminal(columns: int) -> None:
    """The width is the terminal's, though pytest captures what a terminal is asked by."""
    command = [*RUN_OF_9[:4], "http://127.0.0.1:9", "--dry-run", "-k", "missing"]
    with on_terminal(command, columns=columns) as program:
        written = program.read_to_end()
    drawn = without_codes(written[: written.index("Dry run")])
    assert "of 9 cases rehearsed against" in drawn
    assert max(map(len, re.split(r"[\r\n]", drawn))) <= columns
