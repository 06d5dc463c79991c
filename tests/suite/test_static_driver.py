"""The fake certified from outside: a file of tokens minted beforehand, and no control API that the suite knows of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest

from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import GUIDE_SCOPES, WILDCARD, Profile
from paylera_mock.app import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from tests.suite.conftest import Program, Run

Serve: TypeAlias = Callable[["WSGIApplication"], str]

SCOPES = [scope for scope in GUIDE_SCOPES if scope != WILDCARD]
DISPOSABLE = 60
"""Tokens that tests may rotate and revoke; each is used once."""

# What is minted: by role, the body of the call, and what the file says of the token beyond that.
MINTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "everything": ({"audience": "service", "scopes": ["*"]}, {}),
    "operator": ({"audience": "admin", "scopes": ["*"]}, {}),
    "operator_aal2": ({"audience": "admin", "scopes": ["*"], "aal": 2}, {}),
    "service_aal2": ({"audience": "service", "scopes": ["*"], "aal": 2}, {}),
    "ada": ({"audience": "customer", "scopes": ["*"], "customer_id": "cus_ada"}, {}),
    "noscope": ({"audience": "service", "scopes": []}, {}),
    "live": ({"audience": "service", "scopes": ["*"], "environment": "live"}, {"may_cross": True}),
    **{f"only_{scope}": ({"audience": "service", "scopes": [scope]}, {}) for scope in SCOPES},
    **{f"admin_only_{scope}": ({"audience": "admin", "scopes": [scope]}, {}) for scope in SCOPES},
    **{
        f"all_but_{scope}": ({"audience": "service", "scopes": [one for one in SCOPES if one != scope]}, {})
        for scope in SCOPES
    },
    **{
        f"admin_all_but_{scope}": ({"audience": "admin", "scopes": [one for one in SCOPES if one != scope]}, {})
        for scope in SCOPES
    },
    **{f"spare{n}": ({"audience": "service", "scopes": ["*"]}, {"disposable": True}) for n in range(DISPOSABLE)},
}

# What cannot be minted, since it has a past: tokens that the fake has from the start.
KNOWN = {"expired": "expired", "revoked": "revoked", "othertenant": "active"}

STATIC_PROVES = {
    "credential.accepted", "credential.malformed", "credential.only-in-header", "credential.exact-match",
    "credential.refusal-has-no-effect", "credential.scheme-case",
    "token.unknown", "token.revoked", "token.wrong-environment", "token.one-tenant",
    "audience.admin-api-needs-admin", "audience.admin-accepted", "audience.customer-cannot-write",
    "audience.admin-on-public-api",
    "scope.required", "scope.granted", "scope.wildcard",
    "aal2.required", "aal2.satisfied", "aal2.service-never",
    "idempotency.required-has-no-effect", "idempotency.replay", "idempotency.body-mismatch",
    "version.pinned", "version.unknown",
    "rotation.new-secret", "rotation.grace-holds", "rotation.needs-admin",
    "revocation.immediate", "revocation.only-target",
    "problem.media-type", "problem.unknown-route",
    "pagination.envelope",
}  # fmt: skip
"""Clauses of each group that need neither a moved clock nor a second world."""

STATIC_CANNOT = {"rotation.grace-ends", "version.survives-release", "idempotency.lifetime"}
"""Clauses about time and releases, which a file cannot move."""


def mint(control_url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The secret of each role, and what the file says of it, from the control API of the fake."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    with httpx.Client() as client:
        for role, (body, more) in MINTED.items():
            answer = client.post(f"{control_url}/tokens", json=body).json()
            shown = {
                name: answer[name] for name in ("audience", "scopes", "aal", "environment", "id", "default_version")
            }
            bound = {"customer_id": body["customer_id"]} if "customer_id" in body else {}
            found[role] = (answer["secret"], shown | bound | more)
    for token in WELL_KNOWN:
        if token.name in KNOWN:
            tenant = {"tenant": "other"} if token.name == "othertenant" else {}
            found[token.name] = (token.secret, {"state": KNOWN[token.name], **tenant})
    return found


def written(url: str, tokens: dict[str, tuple[str, dict[str, Any]]], actor: str) -> str:
    """The configuration file; JSON's strings, lists and numbers are TOML's."""
    lines = [
        f'[target]\nurl = "{url}"\nlive_url = "{url}/live"\nmode = "full"',
        f'[actors]\nknown = "{actor}"',
        '[versions]\nsupported = ["2025-10-01", "2026-04-01"]\ncurrent = "2026-04-01"',
    ]
    for role, (_, members) in tokens.items():
        lines.append(f'[tokens."{role}"]\ntoken = "${{{variable(role)}}}"')
        lines += [f"{name} = {json.dumps(value)}" for name, value in members.items()]
    return "\n".join(lines)


def variable(role: str) -> str:
    """The variable that holds a token."""
    return "TOKEN_" + role.replace(":", "_").upper()


@pytest.fixture(scope="module")
def run(serve: Serve, make_program: Callable[[], Program]) -> Run:
    """The run, and its report."""
    url = serve(create_app())
    tokens = mint(f"{url}/_mock")
    actor = httpx.post(f"{url}/_mock/actors", json={}).json()["id"]
    program = make_program()
    program.configure(written(url, tokens, actor))
    program.env = {variable(role): secret for role, (secret, _) in tokens.items()}
    return program.run()


def test_run_is_not_fully_verified(run: Run) -> None:
    """What the file cannot prove bars the verdict, and nothing else does."""
    assert (run.code, run.report["verdict"], run.report["driver"]) == (10, "NOT FULLY VERIFIED", "static")


def test_nothing_fails(run: Run) -> None:
    """The fake keeps the contract, however it is looked at."""
    assert run.having("fail", "error", "warn") == set()


def test_what_static_tokens_can_prove_is_proven(run: Run) -> None:
    """Most of the contract needs no more than tokens."""
    assert STATIC_PROVES - run.having("pass") == set()


def test_what_needs_a_moved_clock_is_blocked(run: Run) -> None:
    """And nothing is claimed of it."""
    assert STATIC_CANNOT - run.having("blocked") == set()


def test_unproven_clause_says_what_is_needed(run: Run) -> None:
    """Each in its own words, in the report and in the summary."""
    unproven = {clause.id for clause in clauses_of(Profile.GUIDE)} - run.having("pass")
    assert [clause for clause in unproven if not run.messages()[clause]] == []


@pytest.mark.parametrize("clause", sorted(STATIC_CANNOT))
def test_unproven_clause_is_named_in_the_summary(run: Run, clause: str) -> None:
    """Whoever reads no file but the terminal sees it."""
    _, _, unproven = run.output.partition("Unproven, and why")
    assert clause in unproven.split()
