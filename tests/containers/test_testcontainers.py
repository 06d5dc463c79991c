"""The snippets for Testcontainers: each is checked as far as its tools are there, and no engine is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.npm import Npm
from helpers.paths import EXAMPLES, ROOT

pytestmark = pytest.mark.slow

FOLDER = EXAMPLES / "testcontainers"


def run(*command: str, cwd: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    """What a tool says."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def tool(name: str) -> str:
    """The path of a tool; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} on the PATH")
    return found


def test_the_one_for_python_has_the_right_types() -> None:
    """Every method of testcontainers that it calls is there, with these arguments."""
    pytest.importorskip("testcontainers", reason="testcontainers comes with the extra dev")
    checked = run(sys.executable, "-m", "mypy", "--strict", "--config-file=", "test_paylera.py")
    assert checked.returncode == 0, checked.stdout


def test_the_one_for_node_has_the_right_types(tmp_path: Path) -> None:
    """With testcontainers of npm, and this package."""
    npm = Npm(tmp_path / "npm", ROOT / "npm")
    npm.add("testcontainers@10.28.0")
    shutil.copytree(ROOT / "npm", npm.folder / "node_modules" / "paylera-mock", ignore=shutil.ignore_patterns("node_*"))
    shutil.copy(FOLDER / "paylera.test.mts", npm.folder)
    options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022")
    checked = npm.run(npm.program("tsc"), *options, "paylera.test.mts")
    assert checked.returncode == 0, checked.stdout


def test_the_one_for_java_can_be_parsed(tmp_path: Path) -> None:
    """What its libraries would bring is all that the compiler misses."""
    compiled = run(tool("javac"), "-proc:none", "-d", str(tmp_path), "PayleraContainerTest.java")
    errors = re.findall(r"error: (.*)", compiled.stderr)
    missing = r"package org\.(junit|testcontainers)\S* does not exist|cannot find symbol|static import only from .*"
    assert [error for error in errors if not re.fullmatch(missing, error)] == []
    assert errors, "the libraries are there: let it be compiled"


def test_the_one_for_go_is_formatted() -> None:
    """Which it is only where it can be parsed."""
    formatted = run(tool("gofmt"), "-l", "-e", "paylera_test.go")
    assert (formatted.returncode, formatted.stdout) == (0, ""), formatted.stderr


def test_each_of_them_waits_for_the_document_and_gives_a_token() -> None:
    """In four languages the same."""
    texts = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir() if path.is_file()}
    assert sorted(texts) == ["PayleraContainerTest.java", "paylera.test.mts", "paylera_test.go", "test_paylera.py"]
    for name, text in texts.items():
        for word in ("PAYLERA_CONTROL_TOKEN", "/openapi/v1.json", "4242", "docker build . --tag paylera-mock"):
            assert word in text, f"{name} lacks {word}"
