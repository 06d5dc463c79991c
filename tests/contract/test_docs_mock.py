"""Every command of docs/mock.md, as it stands there, against a fake of the test's own."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOC = Path(__file__).parents[2] / "docs" / "mock.md"
TEXT = DOC.read_text("utf-8")
CURLS = re.findall(r"^curl .*$", TEXT, re.MULTILINE)
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
STATUSES = [200, 201, 201, 200, 401]
"""What each curl line is answered, in the order in which they stand in the page."""


@pytest.fixture(scope="module")
def fake() -> Iterator[dict[str, Any]]:
    """The ready line of a fake on a free port."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--no-banner", "--max-seconds", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def test_the_curl_lines_do_what_the_page_says(fake: dict[str, Any]) -> None:
    """A newcomer copies them one after the other."""
    statuses = []
    for line in CURLS:
        words = shlex.split(line.replace("http://127.0.0.1:4242", fake["url"]))
        said = subprocess.run([*words, "-s", "-o", "/dev/null", "-w", "%{http_code}"], capture_output=True, check=True)
        statuses.append(int(said.stdout))
    assert statuses == STATUSES


def test_the_python_example_runs(tmp_path: Path) -> None:
    """The in-process route is what a suite in Python begins with."""
    example = tmp_path / "test_example.py"
    example.write_text("".join(PYTHON), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(example)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout


def test_the_ready_line_of_the_page_has_the_members_of_a_real_one(fake: dict[str, Any]) -> None:
    """What launchers read is what the page shows."""
    shown = next(json.loads(line) for line in TEXT.splitlines() if line.startswith('{"event"'))
    assert list(shown) == list(fake)


def test_every_option_of_the_page_exists() -> None:
    """A page that names an option that is gone costs its reader the ten minutes."""
    named = set(re.findall(r"paylera-mock (?:serve|exec)?[^\n`]*?(--[a-z-]+)", TEXT)) | {"--no-explain", "--ready-file"}
    known = subprocess.run([sys.executable, "-m", "paylera_mock", "serve", "--help"], capture_output=True, check=True)
    assert [option for option in sorted(named) if option not in known.stdout.decode()] == []
