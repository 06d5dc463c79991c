"""What the guides to the fake say is so: their commands, their Python and their files."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.lean_pytest import LEAN
from helpers.paths import DOCS

HOW_TO = DOCS / "how-to"
CONTROL = "C=http://127.0.0.1:4242/_mock "
"""What a page says before its first command that needs it."""

OTHERS = {"containers", "webhooks", "certification", "suite", "ci", "certificate", "shell-completion"}
"""Pages with tests of their own."""

TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(HOW_TO.glob("*.md")) if path.stem not in OTHERS}


def blocks(language: str, text: str) -> list[str]:
    """What a page has in a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


CONSOLES = {name: "".join(blocks("console", text)).replace("\\\n", " ") for name, text in TEXTS.items()}
CURLS = {
    name: found
    for name, console in CONSOLES.items()
    if (found := re.findall(r"^(curl (?!--cacert).*?)  # (\d{3})$", console, re.MULTILINE))
}
"""Each curl command of each page but those over TLS, with the status that stands behind it."""


ASK = """
import os, sys, urllib.request
path, secret = sys.argv[1:]
url = os.environ["PAYLERA_BASE_URL"] + path
print(urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})).status)
"""


@contextmanager
def serve(*options: str) -> Iterator[dict[str, Any]]:
    """The ready line of a fake on a free port, which ends with the block."""
    command = [sys.executable, "-m", "paylera_mock", "serve", "--port", "0", "--quiet", "--max-seconds", "600"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def fake() -> Iterator[dict[str, Any]]:
    """The ready line of a fake on a free port."""
    with serve() as ready:
        yield ready


def run_curl(command: str) -> str:
    """What a curl command prints, and the status in a line of its own."""
    words = [*shlex.split(command.replace("-i ", "")), "-s", "-w", "\n%{http_code}"]
    return subprocess.run(words, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("name", CURLS)
def test_the_curl_lines_do_what_a_page_says(name: str, fake: dict[str, Any]) -> None:
    """A newcomer copies them one after the other, and need not have read another page."""
    wrong = []
    for line, status in CURLS[name]:
        said = run_curl(line.replace("http://127.0.0.1:4242", fake["url"]).replace("$C", fake["control_url"]))
        if said.rpartition("\n")[2] != status:
            wrong.append((line, said))
    assert wrong == []


@pytest.mark.slow
def test_the_curl_line_over_tls_does_what_its_page_says(tmp_path: Path) -> None:
    """With the authority of the user in the place of this test's."""
    ((line, status),) = re.findall(r"^(curl --cacert .*?)  # (\d{3})$", CONSOLES["https"], re.MULTILINE)
    with serve("--tls", f"--tls-dir={tmp_path}") as ready:
        command = line.replace("$(paylera-mock ca-path)", ready["ca_file"])
        said = run_curl(command.replace("https://localhost:4242", ready["url"]))
    assert said.rpartition("\n")[2] == status, said


@pytest.mark.parametrize("name", TEXTS)
def test_every_curl_line_says_its_status(name: str) -> None:
    """So that no command of a page is left untried; that over TLS has a test of its own."""
    assert len(CURLS.get(name, ())) == len(re.findall(r"^curl (?!--cacert)", CONSOLES[name], re.MULTILINE))


@pytest.mark.parametrize("name", [name for name, console in CONSOLES.items() if "$C" in console])
def test_a_page_says_what_the_control_url_is(name: str) -> None:
    """Before the first command that has it."""
    assert CONTROL in CONSOLES[name].partition("$C")[0]


@pytest.mark.parametrize("command", re.findall(r"^paylera-mock explain .*$", CONSOLES["refusals"], re.MULTILINE))
def test_a_request_is_explained(command: str) -> None:
    """The example is one of a refusal."""
    words = shlex.split(command)[1:]
    ended = subprocess.run([sys.executable, "-m", "paylera_mock", *words], capture_output=True, text=True, check=False)
    assert (ended.returncode, "REFUSED 401 auth.scope_required" in ended.stdout) == (1, True), ended.stdout


@pytest.mark.slow
def test_the_python_examples_run(tmp_path: Path) -> None:
    """The in-process route is what a suite in Python begins with."""
    for number, block in enumerate(blocks("python", TEXTS["python"])):
        (tmp_path / f"test_example_{number}.py").write_text(block, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", *LEAN, "--rootdir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
def test_the_seed_file_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    """And its token works."""
    file = tmp_path / "seed.json"
    file.write_text(blocks("json", TEXTS["seed"])[0], "utf-8")
    ask = [sys.executable, "-c", ASK, "/v1/invoices/inv_1", "sk_sandbox_" + "ci".ljust(32, "0")]
    command = ["exec", "--load", str(file), "--", *ask]
    ended = subprocess.run(
        [sys.executable, "-m", "paylera_mock", *command], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "200\n"), ended.stderr


def test_the_ready_line_of_the_page_has_the_members_of_a_real_one(fake: dict[str, Any]) -> None:
    """What launchers read is what the page shows."""
    shown = json.loads(blocks("json", TEXTS["start"])[0])
    assert list(shown) == list(fake)


@pytest.mark.slow
def test_every_option_that_is_named_exists() -> None:
    """A page that names an option that is gone costs its reader the ten minutes."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "".join(TEXTS.values())))
    helps = [
        subprocess.run([sys.executable, "-m", "paylera_mock", command, "--help"], capture_output=True, check=True)
        for command in ("serve", "exec", "explain", "healthcheck", "ca-path", "tokens", "snapshot")
    ]
    known = "".join(said.stdout.decode() for said in helps)
    of_others = {"--cacert", "--fixtures"}  # of curl and of pytest, whose commands the pages show
    assert [option for option in sorted(named - of_others) if option not in known] == []
