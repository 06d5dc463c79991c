"""The image: linted; what it copies and starts is tried without an engine; built and run where an engine is named."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from helpers.mock_program import Programs
from helpers.paths import ROOT
from helpers.waiting import PATIENCE_SECONDS, RUN_SECONDS, await_that

pytestmark = pytest.mark.slow

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
TOKEN = "of-the-test"  # noqa: S105 - it opens nothing
ENGINE = os.environ.get("PAYLERA_TESTS_CONTAINER_ENGINE", "")


def words_of(instruction: str) -> list[str]:
    """The words of an instruction in its exec form."""
    (text,) = re.findall(rf"^{instruction}.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(text)
    return words


# On loopback and on a free port, as every test's.
COMMAND = [word.replace("0.0.0.0", "127.0.0.1") for word in words_of("CMD")]  # noqa: S104 - it is taken out


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Starts programs, and ends those that are left."""
    started = Programs(tmp_path)
    yield started
    started.end()


def test_hadolint_finds_nothing() -> None:
    """Neither in the instructions nor in their shell."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: it comes with the extra dev")
    found = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_is_not_root() -> None:
    """By a number, as an engine can check it without the image's list of users."""
    (user,) = re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch("[1-9][0-9]*:[1-9][0-9]*", user)


def test_its_command_serves_and_its_health_check_says_so(programs: Programs) -> None:
    """The control API wants the token that the environment holds."""
    assert words_of("ENTRYPOINT") == ["paylera-mock"]
    served = programs.start(*COMMAND, "--port=0", "--max-seconds=600", PAYLERA_CONTROL_TOKEN=TOKEN)
    url = served.ready()["url"]
    health = [sys.executable, "-m", "paylera_mock", *words_of("HEALTHCHECK")[1:], "--url", url]
    assert words_of("HEALTHCHECK")[0] == "paylera-mock"
    assert subprocess.run(health, check=False, timeout=PATIENCE_SECONDS).returncode == 0
    assert served.stop() == 0


def test_without_a_token_it_says_which_variable_is_missing(programs: Programs) -> None:
    """It does not begin with an open control API."""
    program = programs.start(*COMMAND, "--port=0")
    assert (program.status(), "PAYLERA_CONTROL_TOKEN" in program.errors.read_text()) == (2, True)


def test_what_it_copies_is_all_that_the_wheel_is_made_of(tmp_path: Path) -> None:
    """A folder that is forgotten would be missed by users of the image only."""
    source, first, second = (tmp_path / name for name in ("source", "first", "second"))
    source.mkdir()
    for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE):
        *names, _target = line.split()
        for name in names:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
    for folder, target in ((source, first), (ROOT, second)):
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
        subprocess.run(build, cwd=folder, check=True, capture_output=True)
    built, whole = (set(zipfile.ZipFile(next(each.glob("*.whl"))).namelist()) for each in (first, second))
    assert built == whole


def test_what_it_copies_reaches_the_engine() -> None:
    """All else stays out of the context."""
    copied = {word for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert lines.index("*") < min(index for index, line in enumerate(lines) if line.startswith("!"))


def test_the_name_in_compose_is_one_that_it_answers_under() -> None:
    """Other services call it by that."""
    (name,) = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    assert COMMAND[COMMAND.index("--allow-host") + 1] == name


@pytest.mark.extended
@pytest.mark.skipif(
    not ENGINE, reason="no container engine is named in PAYLERA_TESTS_CONTAINER_ENGINE (docker, podman)"
)
def test_it_is_built_and_is_healthy() -> None:
    """With a file system that it cannot write to, and without any capability."""
    subprocess.run([ENGINE, "build", "--tag", "paylera-mock:test", "."], cwd=ROOT, check=True, timeout=RUN_SECONDS)
    options = ("--detach", "--rm", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--env=PAYLERA_CONTROL_TOKEN=t")
    container = _engine("run", *options, "paylera-mock:test")
    try:
        assert await_that(lambda: _is_healthy(container))
        assert _engine("exec", container, "id", "--user") != "0"
    finally:
        _engine("stop", container)


def _is_healthy(container: str) -> bool:
    asked = subprocess.run([ENGINE, "exec", container, "paylera-mock", "healthcheck"], check=False, capture_output=True)
    return asked.returncode == 0


def _engine(*arguments: str) -> str:
    done = subprocess.run([ENGINE, *arguments], check=True, capture_output=True, text=True, timeout=RUN_SECONDS)
    return done.stdout.strip()
