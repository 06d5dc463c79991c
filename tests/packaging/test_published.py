"""What is published: metadata that an index shows as it should, and a source archive that stands alone."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tarfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from helpers.paths import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, as they would be released."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, where nothing of the checkout is."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.iterdir())


def run_tool(module: str, *arguments: str | Path) -> str:
    """What a tool of the extra `dev` says; its failure is the test's."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: it comes with the extra dev")
    ran = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_twine_finds_nothing(built: Path) -> None:
    """The README can be drawn, and all that an index asks for is there."""
    run_tool("twine", "check", "--strict", *built.iterdir())


def test_check_wheel_contents_finds_nothing(built: Path) -> None:
    """But for what `pyproject.toml` says is meant."""
    run_tool("check_wheel_contents", "--config", ROOT / "pyproject.toml", next(built.glob("*.whl")))


NOT_KNOWN = {
    # The project has no address of its own yet, and none is invented.
    "Your package does not have author-email data.",
    (
        "Your package should have a 'url' field with a link to the project home page, or a 'project_urls' field, "
        "with a dictionary of links, or both."
    ),
}


def test_pyroma_misses_nothing_but_an_address(built: Path) -> None:
    """Neither of people, nor of a site."""
    said = run_tool("pyroma", "--min=8", next(built.glob("*.tar.gz")))
    assert set(re.findall(r"^Your package .*$", said, re.MULTILINE)) == NOT_KNOWN


def metadata_of(unpacked: Path) -> Message:
    """The metadata, with the README as its body."""
    return Parser().parsestr((unpacked / "PKG-INFO").read_text("utf-8"))


def test_no_link_of_the_readme_leads_nowhere(unpacked: Path) -> None:
    """An index page has no files beside it."""
    shown = str(metadata_of(unpacked).get_payload())
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert links, "there are links to be changed"
    assert [link for link in re.findall(r"\]\(([^)]+)\)", shown) if not link.startswith("https://")] == []
    assert "`docs/how-to/python.md`" in shown


def test_the_source_archive_has_every_file_of_the_repository(unpacked: Path) -> None:
    """What a test reads is there for whoever packages the testkit."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("this is no git repository")
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    assert names - {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")} == set()


def test_its_tests_are_collected_and_some_are_run(unpacked: Path) -> None:
    """None reads what is not there: neither when it is imported, nor those about documentation, examples and CI."""
    if importlib.util.find_spec("xdist") is None:
        pytest.skip("the tests need the extra dev")
    read = [path.stem for folder in ("docs", "ci") for path in (unpacked / "tests" / folder).glob("test_*.py")]
    some = " or ".join([*read, "test_declared", "test_package"])
    running = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-k", some, "-p", "no:cacheprovider", "tests"]
    ran = subprocess.run(running, cwd=unpacked, capture_output=True, text=True, check=False, env=os.environ)
    assert ran.returncode == 0, ran.stdout[-2000:]
