"""An id that is listed for a token may be a wrong one, which is nothing that the target has done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import Program, Run
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core import problems
from paylera_mock.core.messages import Outcome
from paylera_mock.pipeline.context import Context

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

CASES = {
    "test_rotating_gives_a_new_secret": "rotation.new-secret",
    "test_the_next_request_of_a_revoked_token_is_refused and reads": "revocation.immediate",
    "test_issued_secrets_have_the_documented_form and rotate": "token.format",
    "test_the_old_secret_of_who_rotates_itself_still_works": "rotation.grace-holds",
}
"""Cases that end a token, each of which takes the one that is listed where it runs alone, and their clauses."""

CONFIGURATION = """
[target]
url = "{url}"
mode = "full"
[tokens]
service = {{ token = "${{SERVICE}}" }}
admin = {{ token = "${{ADMIN}}", audience = "admin", aal = 2 }}
spare = {{ token = "${{SPARE}}", id = "{id}", disposable = true }}
"""


def run_with_spare(program: Program, url: str, identifier: str, cases: str) -> Run:
    """A run of cases that end a token, of which one is listed under an id."""
    secrets = {token.name: token.secret for token in WELL_KNOWN}
    program.env |= {"SERVICE": secrets["serviceall"], "ADMIN": secrets["adminaal2"], "SPARE": secrets["rotatednew"]}
    program.configure(CONFIGURATION.format(url=url, id=identifier))
    return program.run("-k", cases)


@pytest.mark.parametrize(("case", "clause"), CASES.items(), ids=CASES.values())
def test_id_that_the_target_does_not_know_is_the_files_own_mistake(
    program: Program, serve: Serve, case: str, clause: str
) -> None:
    """Whichever case takes the token."""
    run = run_with_spare(program, serve(create_app()), "tok_nowhere", case)
    assert (run.code, run.having("fail"), run.outcomes()[clause]) == (10, set(), "blocked")
    assert "CONFIG: the target has no token tok_nowhere: is that the id of" in run.messages()[clause]


def test_target_that_denies_a_token_of_its_own_fails(program: Program, serve: Serve) -> None:
    """It shows the token, and says that there is none to rotate."""
    denying = CONTRACT.with_effect("rotate_api_token", lambda _context: problems.not_found("api_token"))
    run = run_with_spare(program, serve(create_app(pipeline=denying)), "tok_rotated", "test_rotating_gives")
    assert run.outcomes()["rotation.new-secret"] == "fail", run.output


def test_target_that_ends_a_token_and_says_that_there_was_none_fails(program: Program, serve: Serve) -> None:
    """It shows the token no more; but its secret has ended, so that the id was right."""
    ended: set[str] = set()

    def revoke(context: Context) -> Outcome:
        CONTRACT.effects["revoke_api_token"](context)
        ended.add(context.identifier)
        return problems.not_found("api_token")

    def show(context: Context) -> Outcome:
        if context.identifier in ended:
            return problems.not_found("api_token")
        return CONTRACT.effects["get_api_token"](context)

    hiding = CONTRACT.with_effect("revoke_api_token", revoke).with_effect("get_api_token", show)
    run = run_with_spare(
        program, serve(create_app(pipeline=hiding)), "tok_rotated", "revoked_token_is_refused and reads"
    )
    assert run.outcomes()["revocation.immediate"] == "fail", run.output


def test_wrong_id_is_no_fault_of_the_target_wherever_it_shows(program: Program, serve: Serve) -> None:
    """Also where a case only rests on what it rotates or revokes."""
    run = run_with_spare(program, serve(create_app()), "tok_nowhere", "rotate or revoke")
    assert run.having("fail") == set()
    assert [text for text in run.messages().values() if "TARGET" in text] == []
    assert sum("CONFIG: the target has no token tok_nowhere" in text for text in run.messages().values()) > len(CASES)
