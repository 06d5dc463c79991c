"""The hook for pre-commit: what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.paths import DOCS, ROOT
from paylera_fixtures.tokens import WELL_KNOWN

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
# Put together here: a whole one in a file trips secret scanners.
MIXED, LOWER = "aB3" * 10 + "xy", "q9" * 16
LINES = {
    f'key = "sk_live_{MIXED}"': True,
    f"https://api.example/?token=sk_sandbox_{LOWER}&x=1": True,
    "sk_sandbox_… is the form of a token": False,
    f"sk_live_{LOWER[1:]} is too short": False,
    f"sk_other_{LOWER} has no such environment": False,
}


def run_hook(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the hook says of files."""
    command = [sys.executable, "-m", "pre_commit.languages.pygrep", *HOOK["args"], HOOK["entry"], *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_with_a_token_is_refused_and_the_token_is_not_printed(tmp_path: Path) -> None:
    """Of either environment, wherever in the file: what a hook prints gets into the logs of CI."""
    files = {tmp_path / f"{number}.txt": line for number, line in enumerate(LINES)}
    for path, line in files.items():
        path.write_text(f"first\n{line}\nlast\n", "utf-8")
    ended = run_hook(*files)
    refused = [str(path) for path, line in files.items() if LINES[line]]
    assert (ended.returncode, ended.stdout.splitlines(), ended.stderr) == (1, refused, "")


def test_a_file_without_token_may_be_empty(tmp_path: Path) -> None:
    """As `__init__.py` often is."""
    (tmp_path / "empty.py").touch()
    assert run_hook(tmp_path / "empty.py").returncode == 0


def test_the_name_of_the_hook_says_what_to_do() -> None:
    """It is all that is shown beside the files."""
    assert 'write "${NAME}", keep the token in a secret store' in HOOK["name"]


def test_the_well_known_tokens_may_stay(tmp_path: Path) -> None:
    """They are in every test that uses the fake."""
    path = tmp_path / "well_known.txt"
    path.write_text("\n".join(token.secret for token in WELL_KNOWN), "utf-8")
    assert run_hook(path).returncode == 0


@pytest.mark.slow
def test_the_manifest_is_one() -> None:
    """By pre-commit's own word."""
    checking = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(checking, check=False).returncode == 0


def test_the_page_names_the_hook() -> None:
    """By its name."""
    page = (DOCS / "how-to" / "ci.md").read_text("utf-8")
    assert f"- id: {HOOK['id']}\n" in page
