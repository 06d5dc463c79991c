"""Wrong servers that only a look beyond the plain call shows: each fails its clause, and the operation is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from helpers.other_servers import deploy_pipeline
from helpers.suite import Program, Run
from paylera_fixtures.vocabulary import Environment
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.mutants.builders import Mutation, change_rule, decide_late, serve_anyone, without_rule
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Behaviour, Context, Pipeline, Rule

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]


def mutate(mutation: Mutation, pipeline: Pipeline = CONTRACT) -> Pipeline:
    """The contract with a defect."""
    return mutation(Behaviour(Policy.for_profile(), pipeline), lambda: None).pipeline


def calls(context: Context, operation: str) -> bool:
    """Whether a request asks for an operation."""
    return context.request.operation is not None and context.called_operation.id == operation


def refuses_pinned_changes() -> Pipeline:
    """A version is refused on one operation, whichever it is."""

    def check(context: Context) -> Decision | None:
        is_pinned = context.request.version is not None
        refused = problems.version_unsupported(context.policy, ())
        return refused if is_pinned and calls(context, "update_customer") else None

    return CONTRACT.with_rule_before(rules.VERSION_SUPPORTED, Rule("no-pins", "version.pinned", check))


def open_where_it_is_live() -> Pipeline:
    """In the other environment nobody needs a token."""

    def change(decided: Decision, context: Context) -> Decision | None:
        is_open = context.request.environment is Environment.LIVE
        return (serve_anyone(context) if is_open else None) or decided

    return mutate(change_rule(rules.CREDENTIAL_PRESENT, change))


def spares_tokens_of_the_api() -> Pipeline:
    """A token that was made by `POST /v1/admin/api-tokens` is good for ever."""
    made: set[str] = set()
    effect = CONTRACT.effects["create_api_token"]

    def create(context: Context) -> Outcome:
        outcome = effect(context)
        made.update([outcome.object_id] if isinstance(outcome, Reply) and outcome.object_id else [])
        return outcome

    spared = without_rule(rules.TOKEN_NOT_REVOKED, lambda context: context.caller.id in made)
    return mutate(spared, CONTRACT.with_effect("create_api_token", create))


def revokes_nothing_for_an_operator() -> Pipeline:
    """A revocation on somebody's behalf is answered, and not done."""
    effect = CONTRACT.effects["revoke_api_token"]

    def revoke(context: Context) -> Outcome:
        is_on_behalf = context.request.acting_as is not None
        return Reply(204, object_id=context.identifier) if is_on_behalf else effect(context)

    return CONTRACT.with_effect("revoke_api_token", revoke)


def makes_what_it_refuses() -> Pipeline:
    """A wallet without key is refused, and made."""
    return mutate(decide_late(rules.KEY_PRESENT, when=lambda context: calls(context, "create_wallet")))


WRONG: Final = {
    "refused-feature": (refuses_pinned_changes, "version.pinned", "PATCH /v1/customers/{id}", "update_customer"),
    "other-environment": (open_where_it_is_live, "credential.missing", "", "customer or wallet"),
    "api-made": (spares_tokens_of_the_api, "token.revoked", "", "every_operation and revoked"),
    "on-behalf": (revokes_nothing_for_an_operator, "token.revoked", "", "every_operation and revoked"),
    "done-all-the-same": (makes_what_it_refuses, "idempotency.required", "POST /v1/wallets", "create_wallet"),
}
"""A server, the clause that it breaks, the operation, where it is one, and the cases that look."""


@pytest.mark.parametrize("name", WRONG)
def test_wrong_server_fails_its_clause(name: str, program: Program, serve: Serve) -> None:
    """On the operation that is wrong, as the evidence tells."""
    make, clause, operation, selected = WRONG[name]
    run = run_on(program, serve(deploy_pipeline(make())), selected)
    assert clause in run.having("fail"), run.output
    assert operation in json.dumps(run.clause(clause)["cases"]) + run.messages()[clause]


def run_on(program: Program, url: str, selected: str) -> Run:
    """A run of some cases, always of one seed: a defect may hide behind what is drawn otherwise."""
    return program.run(url, "--control-url", f"{url}/_mock", "-k", f"({selected}) or challenge", "--seed", "5")


class OpenByIds:
    """A server that keeps the contract in namespaces alone: elsewhere an object is looked for before a token."""

    def __init__(self) -> None:
        self._app = create_app().wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.startswith("/v1/") and path.count("/") > 2 and "admin" not in path:
            body = b'{"type": "about:blank", "status": 404, "problem": "not_found"}'
            length = ("Content-Length", str(len(body)))
            start_response("404 Not Found", [("Content-Type", "application/problem+json"), length])
            return [body]
        return self._app(environ, start_response)


def test_named_url_is_compared_with_a_namespace(program: Program, serve: Serve) -> None:
    """What is refused there is refused here, or the URL that was named is another server than the one that was seen."""
    run = run_on(program, serve(OpenByIds()), "named_url")
    assert run.having("fail") == {"credential.missing", "credential.malformed", "token.unknown"}, run.output
