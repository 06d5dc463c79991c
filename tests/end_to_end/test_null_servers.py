"""Servers that keep nothing and look as if they did: no clause passes, and the first lines say why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.suite import Program, Run
from paylera_fixtures.tokens import TOKEN_FORM

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = [pytest.mark.slow, pytest.mark.extended]

Serve: TypeAlias = Callable[["WSGIApplication"], str]

PROBLEM = {
    "type": "https://errors.paylera.io/auth/missing-token",
    "title": "Authorization header required",
    "status": 401,
    "detail": "Send Authorization: Bearer <token>.",
    "instance": "/v1/customers",
    "problem": "auth.missing_token",
    "trace_id": "01JZ0000000000000000000000",
}
CUSTOMER = {"id": "cus_1", "object": "customer", "email": "ada@example.com", "status": "active", "code": "c"}

# Status line, media type, body; exit code, verdict, and what the output must say within its last lines.
SERVERS = {
    "always-401": (
        "401 Unauthorized",
        "application/problem+json",
        PROBLEM,
        13,
        "NO VERDICT",
        "listed as active, and was answered 401 auth.missing_token",
    ),
    "always-200": ("200 OK", "application/json", {}, 1, "NON-CONFORMANT", "wanted 401 auth.missing_token"),
    "always-a-list": (
        "200 OK",
        "application/json",
        {"data": [CUSTOMER], "has_more": False, "next_cursor": None},
        1,
        "NON-CONFORMANT",
        "wanted 401 auth.missing_token",
    ),
}

# A file that lists every kind of token, so that nothing is blocked for want of one.
ROLES = {
    "service": "",
    "admin": 'audience = "admin"\naal = 2',
    "operator": 'audience = "admin"',
    "customer": 'audience = "customer"\ncustomer_id = "cus_1"',
    "reader": 'scopes = ["customers:read"]',
    "noscope": "scopes = []",
    "other": 'tenant = "other"',
    "revoked": 'state = "revoked"',
    "expired": 'state = "expired"',
    "grace": 'state = "grace"',
    "live": 'environment = "live"\nmay_cross = true',
    **{f"disposable{number}": f'disposable = true\nid = "tok_{number}"' for number in range(40)},
}


def configure(program: Program) -> None:
    """Give the program all these tokens."""
    tables = [
        '[actors]\nknown = "actor_1"\nforeign = "actor_2"',
        '[operations]\naal2 = "POST /v1/payments/{id}/cancel"',
    ]
    for number, (role, members) in enumerate(ROLES.items()):
        tables.append(f'[tokens.{role}]\ntoken = "${{TOKEN_{role.upper()}}}"\n{members}')
        environment = "live" if role == "live" else "sandbox"
        program.env[f"TOKEN_{role.upper()}"] = f"sk_{environment}_" + str(number).zfill(32)
    program.configure("\n".join(tables))


@pytest.fixture(scope="module", params=SERVERS.values(), ids=list(SERVERS))
def run(
    request: pytest.FixtureRequest,
    serve: Serve,
    answering: Callable[..., WSGIApplication],
    make_program: Callable[[], Program],
) -> tuple[Run, int, str, str]:
    """A full run against such a server, and what must come of it."""
    status, media_type, body, code, verdict, says = request.param
    program = make_program()
    configure(program)
    url = serve(answering(status, media_type, json.dumps(body).encode()))
    return program.run(url, "--mode", "full"), code, verdict, says


def test_no_clause_passes(run: tuple[Run, int, str, str]) -> None:
    """Nothing is proven by a server that answers everything alike."""
    assert run[0].having("pass") == set()


def test_exit_says_so(run: tuple[Run, int, str, str]) -> None:
    """A server that lets everybody in violates a must; of one that lets nobody in nothing can be said."""
    ended, code, verdict, _ = run
    assert (ended.code, ended.report["verdict"]) == (code, verdict)


def test_last_lines_say_why(run: tuple[Run, int, str, str]) -> None:
    """A screenful, beside the verdict, is enough to see what is wrong with the server."""
    ended, _, _, says = run
    assert says in " ".join(" ".join(ended.output.splitlines()[-45:]).split())


def test_no_token_is_told(run: tuple[Run, int, str, str]) -> None:
    """The evidence of all these failures names tokens by their roles."""
    assert TOKEN_FORM.search(run[0].output + json.dumps(run[0].report)) is None
