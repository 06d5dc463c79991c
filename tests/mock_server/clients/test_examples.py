"""The examples for users do, in each language, what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import EXAMPLES
from helpers.waiting import RUN_SECONDS

FOLDER = EXAMPLES / "fake"

# What this environment has installed comes first.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

COMMANDS = {
    "bash lost_answer.sh": '"status":"succeeded"',
    "pytest test_lost_answer_httpx.py": "1 passed",
    "pytest test_expired_requests.py": "1 passed",
    "python webhook_receiver.py": "webhook_endpoint.created we_",
    "node --test retry-after.test.mjs": "pass 1",
    "java FirstCall.java": "200\n401 credential-present; clause=credential.missing\n",
}
"""Each command, and what it prints among other things."""


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, where no settings of this project are found."""
    return shutil.copytree(FOLDER, tmp_path / "fake", ignore=shutil.ignore_patterns("__pycache__"))


def where_it_can_be_run(command: str) -> Any:
    """The command as a case, which is skipped where its program is not installed."""
    program = command.split(maxsplit=1)[0]
    absent = shutil.which(program, path=PATH) is None
    return pytest.param(command, marks=pytest.mark.skipif(absent, reason=f"{program} is not on this machine"))


@pytest.mark.parametrize("command", [where_it_can_be_run(command) for command in COMMANDS])
def test_an_example_does_what_it_says(examples: Path, command: str) -> None:
    """Against a fake of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "paylera_mock", "exec", "--", *command.split()],
        cwd=examples,
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert COMMANDS[command] in ended.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_names_its_command(command: str) -> None:
    """Whoever opens one knows how to run it."""
    assert f"paylera-mock exec -- {command}" in (FOLDER / command.rsplit(maxsplit=1)[-1]).read_text("utf-8")


def test_every_example_is_run() -> None:
    """None is there that no test knows."""
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {c.split()[-1] for c in COMMANDS}
