"""The hook for pre-commit: what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys

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


@pytest.mark.parametrize("line", LINES)
def test_a_line_with_a_token_is_refused(line: str) -> None:
    """Of either environment, wherever in the line."""
    assert bool(re.search(HOOK["entry"], line)) is LINES[line]


def test_the_well_known_tokens_may_stay() -> None:
    """They are in every test that uses the fake."""
    assert [token.secret for token in WELL_KNOWN if re.search(HOOK["entry"], token.secret)] == []


@pytest.mark.slow
def test_the_manifest_is_one() -> None:
    """By pre-commit's own word."""
    checking = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(checking, check=False).returncode == 0


def test_the_page_names_the_hook() -> None:
    """By its name."""
    page = (DOCS / "how-to" / "ci.md").read_text("utf-8")
    assert f"- id: {HOOK['id']}\n" in page
