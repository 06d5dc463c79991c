"""What docs/how-to/mock.md says is so: its commands, its Python and its links."""

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

from helpers.paths import DOCS

PAGE = DOCS / "how-to" / "mock.md"
TEXT = PAGE.read_text("utf-8")
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)).replace("\\\n", " ")
CURLS = re.findall(r"^(curl .*?)  # (\d{3})$", CONSOLE, re.MULTILINE)
"""Each curl command, with the status that stands behind it."""

EXPLAINS = re.findall(r"^paylera-mock explain .*$", CONSOLE, re.MULTILINE)
JSON = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


ASK = """
import os, sys, urllib.request
path, secret = sys.argv[1:]
url = os.environ["PAYLERA_BASE_URL"] + path
print(urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})).status)
"""


@pytest.fixture(scope="module")
def fake() -> Iterator[dict[str, Any]]:
    """The ready line of a fake on a free port."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--quiet", "--max-seconds", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


def test_the_curl_lines_do_what_the_page_says(fake: dict[str, Any]) -> None:
    """A newcomer copies them one after the other."""
    wrong = []
    for line, status in CURLS:
        command = line.replace("http://127.0.0.1:4242", fake["url"]).replace("$C", fake["control_url"])
        said = subprocess.run(
            [*shlex.split(command.replace("-i ", "")), "-s", "-w", "\n%{http_code}"], capture_output=True, check=True
        ).stdout.decode()
        if said.rpartition("\n")[2] != status:
            wrong.append((line, said))
    assert wrong == []


def test_every_curl_line_says_its_status() -> None:
    """So that no command of the page is left untried; those over TLS are tried where TLS is tested."""
    assert len(CURLS) == len(re.findall(r"^curl (?!--cacert)", CONSOLE, re.MULTILINE))


@pytest.mark.parametrize("command", EXPLAINS)
def test_a_request_is_explained(command: str) -> None:
    """The example is one of a refusal."""
    words = shlex.split(command)[1:]
    ended = subprocess.run([sys.executable, "-m", "paylera_mock", *words], capture_output=True, text=True, check=False)
    assert (ended.returncode, "REFUSED 401 auth.scope_required" in ended.stdout) == (1, True), ended.stdout


@pytest.mark.slow
def test_the_python_examples_run(tmp_path: Path) -> None:
    """The in-process route is what a suite in Python begins with."""
    for number, block in enumerate(PYTHON):
        (tmp_path / f"test_example_{number}.py").write_text(block, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
def test_the_seed_file_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    """And its token works."""
    file = tmp_path / "seed.json"
    file.write_text(next(block for block in JSON if '"kind": "seed"' in block), "utf-8")
    ask = [sys.executable, "-c", ASK, "/v1/invoices/inv_1", "sk_sandbox_" + "ci".ljust(32, "0")]
    command = ["exec", "--load", str(file), "--", *ask]
    ended = subprocess.run(
        [sys.executable, "-m", "paylera_mock", *command], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "200\n"), ended.stderr


def test_the_ready_line_of_the_page_has_the_members_of_a_real_one(fake: dict[str, Any]) -> None:
    """What launchers read is what the page shows."""
    shown = next(json.loads(line) for line in TEXT.splitlines() if line.startswith('{"event"'))
    assert list(shown) == list(fake)


@pytest.mark.slow
def test_every_option_of_the_page_exists() -> None:
    """A page that names an option that is gone costs its reader the ten minutes."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))
    helps = [
        subprocess.run([sys.executable, "-m", "paylera_mock", command, "--help"], capture_output=True, check=True)
        for command in ("serve", "exec", "explain", "healthcheck", "ca-path", "tokens", "snapshot")
    ]
    known = "".join(said.stdout.decode() for said in helps)
    # Those of other programs, whose commands the page shows.
    assert [option for option in sorted(named) if option not in known and option != "--cacert"] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", TEXT))))
def test_every_link_leads_somewhere(target: str) -> None:
    """To a file of the project, or to a heading of the page."""
    headings = {
        "#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert target in headings or (PAGE.parent / target).exists()
