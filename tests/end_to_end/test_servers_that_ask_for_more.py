"""Right servers that ask for other things than the contract does: nothing fails, and what is unproven says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from helpers.http_client import http_client
from helpers.other_servers import (
    deploy_pipeline,
    documents_no_amounts,
    documents_nothing,
    documents_whole_amounts,
    fragile_lists,
    refunds_once,
    requires_member,
    unique_addresses,
    whole_amounts,
    without_namespaces,
)
from helpers.suite import Program, Run
from paylera_fixtures.vocabulary import GRACE_SECONDS, GUIDE_SCOPES, WILDCARD
from paylera_mock.app import create_app

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import WSGIApplication

pytestmark = [pytest.mark.slow, pytest.mark.extended]

Serve: TypeAlias = Callable[["WSGIApplication"], str]

REFUND = "payments:refund"
REFUSED = {"fail", "error"}


def run_on(program: Program, url: str, *options: str) -> Run:
    """A run with the control API of a fake."""
    return program.run(url, "--control-url", f"{url}/_mock", *options)


def unproven_without(run: Run, words: str) -> dict[str, str]:
    """The clauses that are blocked, and whose message does not have certain words."""
    return {clause: run.messages()[clause] for clause in run.having("blocked") if words not in run.messages()[clause]}


def test_a_member_that_is_asked_for_is_named(program: Program, serve: Serve) -> None:
    """Where no customer can be made, nothing that needs one is judged."""
    run = run_on(program, serve(deploy_pipeline(requires_member("country"))))
    assert (run.having("fail", "error", "warn"), unproven_without(run, "naming country")) == (set(), {}), run.output


def test_amounts_are_sent_as_the_document_has_them(program: Program, serve: Serve) -> None:
    """Money as integers is proven like any other."""
    run = run_on(program, serve(documents_whole_amounts(deploy_pipeline(whole_amounts()))))
    assert run.report["verdict"] == "CONFORMANT", run.output


@pytest.mark.parametrize("describe", [documents_nothing, documents_no_amounts])
def test_amounts_of_which_no_document_speaks_are_tried(
    describe: Callable[[WSGIApplication], WSGIApplication], program: Program, serve: Serve
) -> None:
    """What an object is made with is what all others are made with."""
    program.configure('[operations]\naal2 = "POST /v1/payments/{id}/cancel"')
    url = serve(describe(deploy_pipeline(whole_amounts())))
    run = run_on(program, url, "-k", "create_plan or create_invoice or credit_wallet or refund or test_scope")
    assert (run.having("fail", "error", "warn", "blocked"), run.having("pass") > {"scope.granted"}) == (set(), True), (
        run.output
    )


def test_an_amount_that_is_refused_is_named(program: Program, serve: Serve) -> None:
    """Where the document says something else than the server does, the answer says it."""
    run = run_on(program, serve(deploy_pipeline(whole_amounts())))
    assert (run.having("fail", "error", "warn"), unproven_without(run, "amount")) == (set(), {}), run.output


def test_an_address_may_be_one_customers_only(program: Program, serve: Serve) -> None:
    """What is sent twice, and meant as two requests, has two addresses, also where all cases share one place."""
    run = run_on(program, serve(without_namespaces(deploy_pipeline(unique_addresses()))))
    assert run.having("fail", "error", "warn", "blocked") == set(), run.output


@pytest.mark.parametrize("deploy", [lambda app: app, without_namespaces], ids=["namespaces", "one-place"])
def test_what_breaks_a_careless_server_hides_nothing_else(
    deploy: Callable[[WSGIApplication], WSGIApplication], program: Program, serve: Serve
) -> None:
    """It takes what it cannot give back: that is one finding, with its cause, and all else was judged before."""
    run = run_on(program, serve(deploy(deploy_pipeline(fragile_lists()))))
    message = run.messages()["robustness.no-server-error"]
    others = run.having("fail", "error", "blocked") - {"robustness.errors-are-problems"}  # it sends such data too
    assert (others, run.having("warn"), "the list of what was made" in message) == (
        set(),
        {"robustness.no-server-error"},
        True,
    ), run.output


@pytest.mark.parametrize("named", ["one-payment", "any-payment"])
def test_a_payment_may_be_refunded_once(named: str, program: Program, serve: Serve) -> None:
    """With one payment, what is left over says how to prove it; with any, all is proven."""
    url = serve(refunds_once(create_app().wsgi_app))
    others = [scope for scope in GUIDE_SCOPES if scope not in {REFUND, WILDCARD}]
    grants = {"all": [WILDCARD], "one": [REFUND], "others": others}
    with http_client(base_url=f"{url}/_mock") as client:
        secrets = {
            name: client.post("/tokens", json={"audience": "service", "scopes": scopes}).json()["secret"]
            for name, scopes in grants.items()
        }
        payments = [
            client.post("/objects", json={"kind": "payment", "status": "succeeded"}).json()["id"] for _ in range(6)
        ]
    program.env = {f"T_{name.upper()}": secret for name, secret in secrets.items()}
    tables = [
        f'[tokens.{name}]\ntoken = "${{T_{name.upper()}}}"\nscopes = {json.dumps(scopes)}'
        for name, scopes in grants.items()
    ]
    path = f"/v1/payments/{payments[0] if named == 'one-payment' else '{id}'}/refund"
    program.configure("\n".join([f'[operations]\n"{REFUND}" = "POST {path}"', *tables]))
    run = program.run(url, "-k", REFUND)
    scope = {clause for clause in run.having("blocked") if clause in {"scope.granted", "scope.wildcard"}}
    silent = [clause for clause in scope if "Write {id} in its place" not in run.messages()[clause]]
    assert (run.having("fail", "error"), silent, len(scope) > 0) == (set(), [], named == "one-payment"), run.output


@pytest.mark.parametrize("ended", ["rotated", "revoked"])
def test_a_token_of_an_earlier_run_is_named_before_anything_is_judged(
    ended: str, program: Program, serve: Serve
) -> None:
    """What an earlier run used up is no fault of the target's."""
    url = serve(create_app().wsgi_app)
    with http_client(base_url=url) as client:
        minted = {
            name: client.post("/_mock/tokens", json={"audience": "admin", "scopes": [WILDCARD], "aal": 2}).json()
            for name in ("operator", "spare")
        }
        path = f"/v1/admin/api-tokens/{minted['spare']['id']}"
        method, path = ("POST", f"{path}/rotate") if ended == "rotated" else ("DELETE", path)
        sent = {"Authorization": f"Bearer {minted['operator']['secret']}", "Idempotency-Key": "end"}
        client.request(method, f"{url}{path}", headers=sent)
        client.post("/_mock/clock/advance", json={"seconds": GRACE_SECONDS + 1})
    program.env = {f"T_{name.upper()}": token["secret"] for name, token in minted.items()}
    tables = [
        f'[tokens.{name}]\ntoken = "${{T_{name.upper()}}}"\naudience = "admin"\naal = 2\nid = "{token["id"]}"'
        for name, token in minted.items()
    ]
    program.configure("\n".join([*tables, "disposable = true"]))
    run = program.run(url, "--mode", "full")
    assert (run.code, run.report["verdict"], run.output.count("refused as unknown, revoked or expired: ‹spare")) == (
        13,
        "NO VERDICT",
        1,
    ), run.output
