"""Wrong servers that only a look beyond the plain call shows: each fails its clause, and the operation is named."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs

import pytest

from helpers.other_servers import deploy_pipeline
from helpers.suite import Program, Run
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import ALPHABET, digest, prefix
from paylera_fixtures.vocabulary import Audience, Environment
from paylera_mock.app import create_app
from paylera_mock.contract import CONTRACT
from paylera_mock.core import problems
from paylera_mock.core.credential import credential_of
from paylera_mock.core.messages import Decision, Outcome, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import FieldError
from paylera_mock.mutants.builders import Mutation, change_rule, decide_late, serve_anyone, without_rule
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Pipeline, Rule

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

AT_ONCE: Final = 10
DAY: Final = 24 * 3600
YEAR: Final = 366 * DAY

Serve: TypeAlias = Callable[["WSGIApplication"], str]
Decide: TypeAlias = Callable[..., Any]


def mutate(mutation: Mutation, pipeline: Pipeline = CONTRACT) -> Pipeline:
    """The contract with a defect."""
    return mutation(Behaviour(Policy.for_profile(), pipeline), lambda: None).pipeline


def calls(context: Context, operation: str) -> bool:
    """Whether a request asks for an operation."""
    return context.request.operation is not None and context.called_operation.id == operation


def refuse_pinned_changes(pipeline: Pipeline) -> Pipeline:
    """A version is refused on one operation, whichever it is."""

    def check(context: Context) -> Decision | None:
        is_pinned = context.request.version is not None
        refused = problems.version_unsupported(context.policy, ())
        return refused if is_pinned and calls(context, "update_customer") else None

    return pipeline.with_rule_before(rules.VERSION_SUPPORTED, Rule("no-pins", "version.pinned", check))


def open_where_it_is_live(pipeline: Pipeline) -> Pipeline:
    """In the other environment nobody needs a token."""

    def change(decided: Decision, context: Context) -> Decision | None:
        is_open = context.request.environment is Environment.LIVE
        return (serve_anyone(context) if is_open else None) or decided

    return mutate(change_rule(rules.CREDENTIAL_PRESENT, change), pipeline)


def spare_tokens_of_the_api(pipeline: Pipeline) -> Pipeline:
    """A token that was made by `POST /v1/admin/api-tokens` is good for ever."""
    made: set[str] = set()
    effect = pipeline.effects["create_api_token"]

    def create(context: Context) -> Outcome:
        outcome = effect(context)
        made.update([outcome.object_id] if isinstance(outcome, Reply) and outcome.object_id else [])
        return outcome

    spared = without_rule(rules.TOKEN_NOT_REVOKED, lambda context: context.caller.id in made)
    return mutate(spared, pipeline.with_effect("create_api_token", create))


def revokes_nothing_for_an_operator() -> Pipeline:
    """A revocation on somebody's behalf is answered, and not done."""
    effect = CONTRACT.effects["revoke_api_token"]

    def revoke(context: Context) -> Outcome:
        is_on_behalf = context.request.acting_as is not None
        return Reply(204, object_id=context.identifier) if is_on_behalf else effect(context)

    return CONTRACT.with_effect("revoke_api_token", revoke)


def test_revocation_for_an_operator_is_seen(program: Program, serve: Serve) -> None:
    """Whatever else the request carries, it is to end the token."""
    run = run_on(program, serve(deploy_pipeline(revokes_nothing_for_an_operator())), "every_operation and revoked")
    assert "token.revoked" in run.having("fail"), run.output


def run_on(program: Program, url: str, selected: str) -> Run:
    """A run of some cases, always of one seed: a defect may hide behind what is drawn otherwise."""
    return program.run(url, "--control-url", f"{url}/_mock", "-k", f"({selected}) or challenge", "--seed", "5")


def takes_queries(original: Decide) -> Decide:
    """A token in the query of one list is a credential."""

    def read(context: Context) -> Any:
        given = parse_qs(context.request.query).get("access_token")
        return credential_of(given[0]) if given and calls(context, "list_products") else original(context)

    return read


def takes_parts_of_tokens(original: Decide) -> Decide:
    """Neither the prefix of a token nor its last character is looked at, for plans."""

    def find(context: Context, looked_for: str) -> Any:
        found = original(context, looked_for)
        if found is None and context.request.path.startswith("/v1/plans"):
            sent = (context.request.authorization or ("",))[0].rpartition(" ")[2]
            spellings = [prefix(Environment.SANDBOX) + sent, *(sent + character for character in ALPHABET)]
            whole = (original(context, digest(spelling)) for spelling in spellings)
            return next((token for token in whole if token is not None), None)
        return found

    return find


def shows_more(original: Decide) -> Decide:
    """An end-user's pinned list of subscriptions is everybody's, and so is each invoice that is paid or void."""

    def is_visible(context: Context, value: Any) -> bool:
        is_pinned = context.request.version is not None and calls(context, "list_subscriptions")
        is_over = calls(context, "get_invoice") and value["status"] in {"paid", "void"}
        return original(context, value) or is_pinned or is_over

    return is_visible


def takes_another_header(context: Context) -> None:
    """A key in `X-Idempotency-Key` does, for products."""
    other = context.request.header("X-Idempotency-Key")
    if other and context.request.idempotency_key is None and calls(context, "create_product"):
        context.request = context.request._replace(idempotency_key=other)


def is_own_wallet(context: Context) -> bool:
    """Whether an end-user credits a wallet of their own."""
    wallet = context.objects.get(Resource.WALLET, context.identifier) if calls(context, "credit_wallet") else None
    return wallet is not None and wallet["customer_id"] == context.customer_id


def is_keyed_change(context: Context) -> bool:
    """Whether a PATCH has a key."""
    return calls(context, "update_webhook_endpoint") and bool(context.request.idempotency_key)


def is_two_days_old(context: Context) -> bool:
    """Whether a token was made two days ago, or more."""
    return context.now - context.caller.created_at >= 2 * DAY


def with_many_defects() -> Pipeline:
    """Each of its defects shows on one operation, in one shape of a request, in one environment or at one time."""
    pipeline = spare_tokens_of_the_api(open_where_it_is_live(refuse_pinned_changes(CONTRACT)))
    for decision, make in (
        (decisions.read_credential, takes_queries),
        (decisions.find_token, takes_parts_of_tokens),
        (decisions.is_visible, shows_more),
    ):
        pipeline = pipeline.with_decision(decision, make(getattr(pipeline.decisions, decision.__name__)))
    pipeline = pipeline.with_rule_before(
        rules.KEY_PRESENT, Rule("another-header", "idempotency.required", takes_another_header)
    )
    for mutation in (
        without_rule(rules.CUSTOMER_READS_ONLY, is_own_wallet),
        decide_late(
            rules.SCOPE_GRANTED, when=lambda context: is_keyed_change(context) or calls(context, "delete_customer")
        ),
        decide_late(rules.KEY_PRESENT, when=lambda context: calls(context, "create_wallet")),
        without_rule(rules.ACTOR_KNOWN, is_two_days_old),
    ):
        pipeline = mutate(mutation, pipeline)
    return pipeline


MANY: Final = {
    "credential.missing": "",
    "credential.only-in-header": "GET /v1/products",
    "credential.exact-match": "/v1/plans",
    "token.revoked": "",
    "version.pinned": "PATCH /v1/customers/{id}",
    "audience.customer-sees-only-own": "GET /v1/invoices/{id}",
    "audience.customer-cannot-write": "POST /v1/wallets/{id}/credits",
    "idempotency.required": "POST /v1/products",
    "credential.refusal-has-no-effect": "PATCH /v1/admin/webhook-endpoints/{id}",
    "acting-as.unknown-actor": "",
}
"""The clauses that such a server breaks, and on which operation, where it is one."""

LOOKED_AT: Final = (
    *("products", "create_product", "list_plans", "list_subscriptions", "get_invoice", "update_customer"),
    *("delete_customer", "create_wallet", "credit_wallet", "update_webhook_endpoint", "api_token"),
)
"""The operations that the defects are on, by parts of their ids, and some beside them."""

DONE: Final = {
    "idempotency.required": "POST /v1/wallets",
    "credential.refusal-has-no-effect": "DELETE /v1/customers/{id}",
}
"""What is refused and done all the same."""


@pytest.fixture(scope="module")
def of_many(make_program: Callable[[], Program], serve: Serve) -> Run:
    """A run on a server with many defects: of the operations that they are on, and of some others."""
    url = serve(deploy_pipeline(with_many_defects()))
    return run_on(make_program(), url, f"(every_operation and ({' or '.join(LOOKED_AT)})) or later or stays_dead")


@pytest.mark.parametrize(("clause", "operation"), [*MANY.items(), *DONE.items()])
def test_each_of_many_defects_is_seen(of_many: Run, clause: str, operation: str) -> None:
    """None hides another, and the operation is named."""
    assert clause in of_many.having("fail"), of_many.output
    assert operation in " ".join([*failing_operations(of_many, clause), of_many.messages()[clause]])


def failing_operations(run: Run, clause: str) -> list[str]:
    """The operations whose cells failed."""
    wanted = (clause, "fail")
    return [cell["operation"] for cell in run.report["matrix"] if (cell["clause"], cell["outcome"]) == wanted]


def says_expired_of_old_secrets() -> Pipeline:
    """An old secret of a token that was revoked is said to be over, which it is."""
    check = CONTRACT.check_of(rules.TOKEN_NOT_REVOKED)

    def refuse(context: Context) -> Decision | None:
        refused = check(context)
        is_old = context.secret is not None and context.secret.expires_at is not None
        return problems.expired_token() if refused is not None and is_old else refused

    return CONTRACT.with_rule(rules.TOKEN_NOT_REVOKED, refuse)


class Limited:
    """A right server that answers 503 to whoever has more than ten requests under way, and whose clock has an end."""

    def __init__(self) -> None:
        self._app = deploy_pipeline(says_expired_of_old_secrets())
        self._under_way = 0
        self._gone: Counter[str] = Counter()
        self._counting = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.endswith("/clock/advance"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            environ["wsgi.input"] = BytesIO(body)
            self._gone[path] += json.loads(body)["seconds"]
            if self._gone[path] > YEAR:
                return _refuse(start_response, "422 Unprocessable Entity")
        with self._counting:
            self._under_way += 1
            is_too_much = self._under_way > AT_ONCE
        try:
            if is_too_much and "/_mock" not in path:
                return _refuse(start_response, "503 Service Unavailable")
            return [b"".join(self._app(environ, start_response))]
        finally:
            with self._counting:
                self._under_way -= 1


def _refuse(start_response: StartResponse, status: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"no"]


def refuses_what_it_does_not_know() -> Pipeline:
    """A right server that refuses headers it does not know, a key where none is needed, and an operator's own actor."""
    unknown = ("X-Idempotency-Key", "X-Request-Id", "X-Api-Key", "X-Real-IP", "X-Requested-With")

    def check(context: Context) -> Decision | None:
        request, operation = context.request, context.called_operation
        sent = [name for name in unknown if request.header(name)]
        sent += ["Idempotency-Key"] * bool(request.idempotency_key and request.method == "DELETE")
        is_service = context.caller.grant.audience is Audience.SERVICE
        sent += ["X-Paylera-Acting-As"] * bool(request.acting_as and not is_service and not operation.is_admin)
        return problems.validation_failed(FieldError(sent[0], "unknown", "Not taken.")) if sent else None

    return CONTRACT.with_rule_before(rules.SCOPE_GRANTED, Rule("strict", "credential.accepted", check))


def test_right_server_that_refuses_more_fails_nothing(program: Program, serve: Serve) -> None:
    """What it refuses besides the contract is no promise of the guide's."""
    operations = "create_product or void_invoice or list_wallets or get_payment or delete_customer"
    run = run_on(
        program, serve(deploy_pipeline(refuses_what_it_does_not_know())), f"every_operation and ({operations})"
    )
    assert run.having("fail", "error", "blocked") == set(), run.output


def test_right_server_of_few_means_fails_nothing(program: Program, serve: Serve) -> None:
    """Neither for how many it serves at once, nor for how far its clock goes, nor for which of two reasons it names."""
    run = run_on(program, serve(Limited()), "stays_dead or every_worker or (every_operation and list_customers)")
    assert run.having("fail", "error", "blocked") == set(), run.output
    assert {"pass"} == {case["outcome"] for case in cases_of(run, "stays_dead")}


def cases_of(run: Run, name: str) -> list[dict[str, str]]:
    """The cases of a name, over all clauses."""
    return [case for clause in run.report["clauses"] for case in clause.get("cases", ()) if name in case["case"]]


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
