"""What the wheel holds: the three packages and nothing else, so that no folder of it shadows a user's."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from helpers.paths import ROOT

pytestmark = pytest.mark.slow

PACKAGES = {"paylera_conformance", "paylera_fixtures", "paylera_mock"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as it would be released, built from the working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def modules_below(folder: Path) -> set[str]:
    """Every Python file of the working tree's packages, named as a wheel names it."""
    return {file.relative_to(folder).as_posix() for file in folder.glob("paylera_*/**/*.py")}


def test_top_level_is_the_three_packages(wheel: zipfile.ZipFile) -> None:
    """A package called `tests` or `fixtures` would break users who never call it."""
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES


def test_there_is_one_dist_info(wheel: zipfile.ZipFile) -> None:
    """The wheel is of this distribution alone."""
    infos = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert [name.split("-")[0] for name in infos] == ["paylera_testkit"]


def test_every_module_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """A module that is left behind is missed by users only."""
    wanted = {name for folder in ("fixtures", "mock_server", "conformance") for name in modules_below(ROOT / folder)}
    assert {name for name in wheel.namelist() if name.endswith(".py")} == wanted


def test_everything_that_pages_are_made_of_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """Templates, styles, scripts, and the licences of what is not ours: without them no report and no page is drawn."""
    wanted = {
        path.relative_to(ROOT / folder).as_posix()
        for folder in ("fixtures", "mock_server", "conformance")
        for package in PACKAGES
        for path in (ROOT / folder / package).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert wanted >= {"paylera_fixtures/base.css", "paylera_mock/dashboard/assets/vendor/htmx.org.LICENSE.txt"}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith(".py")} == wanted


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_package_is_typed(wheel: zipfile.ZipFile, package: str) -> None:
    """Without the marker a type checker takes everything for Any (PEP 561)."""
    assert f"{package}/py.typed" in wheel.namelist()


def test_nothing_compiled_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """Caches of the builder's machine belong to nobody."""
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_licence_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """MIT asks for it to go with every copy."""
    assert [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]
    vendored = {path.name for path in (ROOT / "mock_server").rglob("vendor/*.txt")}
    assert vendored == {name.rpartition("/")[2] for name in wheel.namelist() if "licenses/mock_server/" in name}


def test_programs_and_plugins_are_declared(wheel: zipfile.ZipFile) -> None:
    """The two programs, and the pytest plugin of each package."""
    declared = ConfigParser()
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    declared.read_string(wheel.read(name).decode())
    assert {section: sorted(declared[section]) for section in declared.sections()} == {
        "console_scripts": ["paylera-conformance", "paylera-mock"],
        "pytest11": ["paylera_conformance", "paylera_mock"],
    }
