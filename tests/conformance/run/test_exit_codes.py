"""The exit codes that take more than a wrong URL: a list that is out of date, a suite that is broken.

Those of the other endings are in test_endings.py, of a run that waits (11) in test_paused_cases.py, of known failures
alone (0) in test_whole_report.py, and of a conformant target (0) in test_reference_server.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

import paylera_conformance
from helpers.suite import Program, known_failure
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

PASSING = "credential.scheme-case"
SELECTED = ("-k", "scheme_is_found")


@pytest.fixture(scope="module")
def fake(serve: Serve) -> Sequence[str]:
    """Arguments that certify a fake which keeps the contract."""
    url = serve(create_app())
    return (url, "--control-url", f"{url}/_mock")


STALE = {
    "passes": (known_failure(PASSING), "the clause passes: remove the entry"),
    "misspelt": (known_failure("credential.scheme-cases"), "did you mean credential.scheme-case?"),
    "expired": (known_failure(PASSING, "2020-01-31"), "the clause passes"),
}


@pytest.mark.parametrize(("text", "told"), STALE.values(), ids=STALE)
def test_stale_known_failure_is_exit_12(fake: Sequence[str], program: Program, text: str, told: str) -> None:
    """The entry is named, with its issue and what to do."""
    (program.folder / "known.toml").write_text(text, "utf-8")
    run = program.run(*fake, *SELECTED, "--known-failures", "known.toml")
    said = " ".join(run.output.split())
    assert (run.code, "ISSUE-7" in said, told in said) == (12, True, True)


def test_blocked_clause_satisfies_no_known_failure(program: Program, serve: Serve) -> None:
    """Exit 10: without tokens nothing is shown, whatever is listed."""
    (program.folder / "known.toml").write_text(known_failure("token.unknown"), "utf-8")
    run = program.run(serve(create_app()), "--known-failures", "known.toml", "-k", "dead and unknown")
    assert (run.code, run.outcomes()["token.unknown"]) == (10, "blocked")
    assert [item["standing"] for item in run.report["known_failures"]] == ["unproven"]


def test_empty_list_changes_nothing(fake: Sequence[str], program: Program) -> None:
    """Exit 10, as without it: of what was selected, all passes."""
    (program.folder / "known.toml").write_text("", "utf-8")
    run = program.run(*fake, *SELECTED, "--known-failures", "known.toml")
    assert (run.code, run.having("fail"), run.report["known_failures"]) == (10, set(), [])


def test_list_that_is_not_there_is_exit_4(fake: Sequence[str], program: Program) -> None:
    """In one line, before anything is sent."""
    run = program.run(*fake, "--known-failures", "nowhere.toml")
    assert (run.code, "nowhere.toml cannot be read" in run.output, "Traceback" in run.output) == (4, True, False)


def test_broken_suite_is_exit_3(fake: Sequence[str], program: Program) -> None:
    """A file of the suite that cannot be read is an internal error, and no finding about the target."""
    copy = program.folder / "copy" / "paylera_conformance"
    shutil.copytree(Path(paylera_conformance.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "clauses" / "test_token.py").write_text("raise RuntimeError('broken')\n", "utf-8")
    program.env["PYTHONPATH"] = str(copy.parent)
    run = program.run(*fake, *SELECTED)
    assert (run.code, run.report["verdict"], run.having("fail")) == (3, "NO VERDICT", set())
    assert "the suite itself is broken" in run.output
