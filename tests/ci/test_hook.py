"""The hook for pre-commit, and the job for GitLab: what they refuse, and which version they install."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from helpers.paths import DOCS, ROOT
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.version import version

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


def test_the_page_names_the_hook_and_the_job() -> None:
    """By their names."""
    page = (DOCS / "how-to" / "ci.md").read_text("utf-8")
    assert f"- id: {HOOK['id']}\n" in page
    assert "extends: .paylera-conformance\n" in page


def test_the_job_installs_the_version_that_it_belongs_to(gitlab: dict[str, Any]) -> None:
    """A tag of the template is a version of the suite."""
    assert gitlab["variables"]["PAYLERA_TESTKIT"] == f"paylera-testkit[suite]=={version()}"
