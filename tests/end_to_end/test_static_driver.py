"""The fake certified from outside: a file of tokens minted beforehand, and no control API that the suite knows of."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from helpers.http_client import http_client
from helpers.suite import Program, Run
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.tokens import WELL_KNOWN
from paylera_fixtures.vocabulary import GRACE_SECONDS, GUIDE_SCOPES, WILDCARD, Profile
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

SCOPES = [scope for scope in GUIDE_SCOPES if scope != WILDCARD]
SPARE = 40
"""Tokens of a kind that tests may rotate and revoke, and payments that they may cancel; each is used once."""

DISPOSABLE: dict[str, dict[str, Any]] = {
    "reader": {"audience": "service", "scopes": ["customers:read"]},
    "service": {"audience": "service", "scopes": ["*"]},
    "admin": {"audience": "admin", "scopes": ["*"], "aal": 2},
}

# What is minted: by role, the body of the call, and what the file says of the token beyond that.
MINTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "everything": ({"audience": "service", "scopes": ["*"]}, {"may_cross": True}),
    "operator": ({"audience": "admin", "scopes": ["*"]}, {}),
    "limited_operator": ({"audience": "admin", "scopes": ["customers:read"]}, {}),
    "operator_aal2": ({"audience": "admin", "scopes": ["*"], "aal": 2}, {}),
    "service_aal2": ({"audience": "service", "scopes": ["*"], "aal": 2}, {}),
    "ada": ({"audience": "customer", "scopes": ["*"], "customer_id": "cus_ada"}, {}),
    "noscope": ({"audience": "service", "scopes": []}, {}),
    "live": ({"audience": "service", "scopes": ["*"], "environment": "live"}, {"may_cross": True}),
    **{f"only_{scope}": ({"audience": "service", "scopes": [scope]}, {}) for scope in SCOPES},
    **{f"admin_only_{scope}": ({"audience": "admin", "scopes": [scope], "aal": 2}, {}) for scope in SCOPES},
    **{
        f"all_but_{scope}": ({"audience": "service", "scopes": [one for one in SCOPES if one != scope]}, {})
        for scope in SCOPES
    },
    **{
        f"admin_all_but_{scope}": (
            {"audience": "admin", "scopes": [one for one in SCOPES if one != scope], "aal": 2},
            {},
        )
        for scope in SCOPES
    },
    **{f"{kind}{n}": (body, {"disposable": True}) for kind, body in DISPOSABLE.items() for n in range(SPARE)},
}

# What cannot be minted, since it has a past: tokens that the fake has from the start.
KNOWN = {"expired": "expired", "revoked": "revoked", "othertenant": "active"}

STATIC_CANNOT = {
    # Time cannot be moved.
    "idempotency.lifetime",
    "rotation.new-works",
    "rotation.grace-holds",
    "rotation.grace-ends",  # at its very end
    "rotation.again",
    "rotation.needs-admin",
    # No version can be released.
    "version.survives-release",
    "version.rotation-keeps",
    # Its tokens are such as no issuer need grant; the file lists none.
    "scope.exact",
}
"""Clauses of which some case needs what this file does not give."""

UNENFORCED = {"rate-limit.refusal"}
"""Nobody asked this fake to enforce its rate limits."""


def mint(control_url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """The secret of each role, and what the file says of it, from the control API of the fake."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    with http_client() as client:
        operator = {"audience": "admin", "scopes": ["*"], "aal": 2}
        old = client.post(f"{control_url}/tokens", json=operator).json()
        client.post(
            f"{control_url.removesuffix('_mock')}v1/admin/api-tokens/{old['id']}/rotate", json={}, headers=headers(old)
        )
        client.post(f"{control_url}/clock/advance", json={"seconds": GRACE_SECONDS + 1})
        found["operator_expired"] = (old["secret"], {"audience": "admin", "aal": 2, "state": "expired"})
        tenant = client.post(f"{control_url}/tenants", json={}).json()["id"]
        foreign = client.post(f"{control_url}/tokens", json={**operator, "tenant_id": tenant}).json()
        found["operator_of_another"] = (foreign["secret"], {"audience": "admin", "aal": 2, "tenant": "other"})
        for status in ("requires_action", "succeeded"):
            for _ in range(SPARE):
                client.post(f"{control_url}/objects", json={"kind": "payment", "status": status})
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


def headers(token: dict[str, Any]) -> dict[str, str]:
    """The headers by which a token rotates itself."""
    return {"Authorization": f"Bearer {token['secret']}", "Idempotency-Key": token["id"]}


def written(url: str, tokens: dict[str, tuple[str, dict[str, Any]]], *, known: str, foreign: str) -> str:
    """The configuration file; JSON's strings, lists and numbers are TOML's."""
    lines = [
        f'[target]\nurl = "{url}"\nlive_url = "{url}/live"\nmode = "full"',
        f'[actors]\nknown = "{known}"\nforeign = "{foreign}"',
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
    with http_client(base_url=url) as client:
        known = client.post("/_mock/actors", json={}).json()["id"]
        foreign = client.post("/_mock/actors", json={"tenant_id": "ten_other"}).json()["id"]
    program = make_program()
    program.configure(written(url, tokens, known=known, foreign=foreign))
    program.now = datetime.now(UTC)
    program.env = {variable(role): secret for role, (secret, _) in tokens.items()}
    return program.run()


def test_run_is_not_fully_verified(run: Run) -> None:
    """What the file cannot prove bars the verdict, and nothing else does."""
    assert (run.code, run.report["verdict"], run.report["driver"]) == (10, "NOT FULLY VERIFIED", "static")


def test_nothing_fails(run: Run) -> None:
    """The fake keeps the contract, however it is looked at."""
    assert run.having("fail", "error", "warn") == UNENFORCED


def test_what_static_tokens_can_prove_is_proven(run: Run) -> None:
    """Most of the contract needs no more than tokens."""
    every = {clause.id for clause in clauses_of(Profile.GUIDE)}
    assert every - run.having("pass", "unobservable") == STATIC_CANNOT | UNENFORCED


def test_what_they_cannot_prove_is_blocked(run: Run) -> None:
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
