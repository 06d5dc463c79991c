"""A violation is reproduced from the report alone: by its own script, with nothing but the target."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from helpers.suite import Program, Run

pytestmark = [pytest.mark.slow, pytest.mark.extended]

Serve: TypeAlias = Callable[["WSGIApplication"], str]

FAILURES = {
    # By clause, the mutant that breaks it, and the files of the suite in which that is seen.
    "credential.only-in-header": ("token-in-query", "test_credential.py"),
    "credential.scheme-case": ("scheme-with-case", "test_credential.py"),
    "token.wrong-environment": ("wrong-environment-is-unknown", "test_token.py"),
    "scope.exact": ("scope-by-substring", "test_scope.py"),
    "audience.customer-sees-only-own": ("customers-see-all", "test_audience.py"),
    "idempotency.replay": ("replay-as-200", "test_idempotency"),
    "idempotency.body-mismatch": ("mismatch-replayed", "test_idempotency"),
    "rotation.grace-ends": ("grace-one-minute-long", "test_rotation.py"),
    "rotation.keeps-grants": ("rotation-drops-scopes", "test_rotation.py"),
    "revocation.immediate": ("revocation-without-effect", "test_revocation.py"),
    "acting-as.empty": ("empty-actor-taken-for-none", "test_acting_as.py"),
    "version.echo": ("echo-missing", "test_version.py"),
    "problem.members": ("auth-without-title", "test_problem"),
    # About an effect: the answer that decides differs only in what it shows of it.
    "credential.refusal-has-no-effect": ("no-token-refused-late", "refused_write"),
    "idempotency.replay-has-no-effect": ("replay-acts-again", "a_replay_makes or a_replay_moves"),
    "aal2.required": ("aal2-refused-late", "second_factor_changes_nothing"),
    "version.unknown": ("unknown-version-but-done", "is_not_done"),
    "acting-as.unknown-actor": ("unknown-actor-but-done", "an_unknown_actor_asks_for"),
    # About requests at the same moment, which a script sends so too.
    "idempotency.concurrent": ("duplicates-both-act", "parallel"),
    # Of the matrix, whose cells share tokens and objects.
    "token.unknown": ("unknown-is-403", "every_operation and (create_customer or get_payment)"),
    "revocation.covers-grace": ("revocation-spares-grace", "every_operation and create_customer"),
}


def run_script(script: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as a person does who has Python and the target."""
    command = [sys.executable, "-I", str(script)]
    return subprocess.run(command, env=dict(env), text=True, capture_output=True, check=False, timeout=PATIENCE_SECONDS)


def script_of(run: Run, folder: Path, clause: str) -> Path:
    """The script of the first case of a clause that has one."""
    names: list[str] = [case["repeat"] for case in run.clause(clause)["cases"] if case.get("repeat")]
    return folder / "out" / names[0]


@pytest.mark.parametrize("clause", FAILURES)
def test_script_reproduces_what_the_run_saw(clause: str, serve: Serve, program: Program) -> None:
    """It exits 1 at the target of the run, and 0 at one that keeps the clause."""
    mutant, files = FAILURES[clause]
    url = serve(create_app(mutants=[mutant]))
    run = program.run(url, "--control-url", f"{url}/_mock", "-k", files)
    script = script_of(run, program.folder, clause)
    again = run_script(script, {})
    assert (again.returncode, again.stdout.splitlines()[-1][:10]) == (1, "REPRODUCED"), again.stdout + again.stderr
    right = serve(create_app())
    elsewhere = {"PAYLERA_CONFORMANCE_URL": right, "PAYLERA_CONFORMANCE_CONTROL_URL": f"{right}/_mock"}
    other = run_script(script, elsewhere)
    assert (other.returncode, "NOT REPRODUCED" in other.stdout) == (0, True), other.stdout + other.stderr
