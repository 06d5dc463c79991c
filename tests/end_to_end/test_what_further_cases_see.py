"""Wrong servers that break a clause in the other environment, by another name, or once something was done before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from helpers.other_servers import deploy_pipeline, unique_addresses
from helpers.suite import Program, Run
from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import GRACE_SECONDS, Environment, Profile
from paylera_mock.contract import CONTRACT
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Object, Outcome, RecordKey, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.core.problems import FieldError, Problem
from paylera_mock.mutants.builders import (
    Mutation,
    add_effect,
    change_decision,
    change_outcome,
    change_rule,
    change_writer,
    combine,
    insert_rule,
    is_refund,
    replace_effect,
    serve_anyone,
    show_to_customers,
    without_rule,
)
from paylera_mock.pipeline import decisions, responses, rules
from paylera_mock.pipeline.context import Behaviour, Context, Pipeline, Rule
from paylera_mock.state.tokens import StoredToken

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

REVOKE: Final = "revoke_api_token"
EFFECTS: Final = CONTRACT.effects
LARGE: Final = 8192
ASLEEP: Final = 20


def mutate(*mutations: Mutation) -> Pipeline:
    """The contract with some defects."""
    return combine(*mutations)(Behaviour(Policy.for_profile(), CONTRACT), lambda: None).pipeline


def is_live(context: Context) -> bool:
    """Whether a request goes to the other environment."""
    return context.request.environment is Environment.LIVE


# Actors


def takes_addresses() -> Pipeline:
    """An actor may be named by the address."""

    def change(right: bool, context: Context, actor: str) -> bool:  # noqa: FBT001 - a decision
        registry = context.state.actors.oldest_first(context.tenant_id)
        return right or any(actor == entry.value["email"] for entry in registry)

    return mutate(change_decision(decisions.actor_known, change))


def takes_any_case() -> Pipeline:
    """An actor's id has no case."""

    def change(right: bool, context: Context, actor: str) -> bool:  # noqa: FBT001 - a decision
        registry = context.state.actors.oldest_first(context.tenant_id)
        return right or any(actor.lower() == entry.value["id"].lower() for entry in registry)

    return mutate(change_decision(decisions.actor_known, change))


def without_case(app: WSGIApplication) -> WSGIApplication:
    """The application, where customers are found by an id in the other case as well."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        parent, _, identifier = environ["PATH_INFO"].rpartition("/")
        found = identifier.swapcase() if identifier.startswith("CUS_") else identifier
        return app({**environ, "PATH_INFO": f"{parent}/{found}"}, start_response)

    return wrapped  # type: ignore[return-value]


# Tokens


def extends_grace() -> Pipeline:
    """Each use of an old secret gives it another day."""
    ends: dict[str, float] = {}

    def change(right: bool, context: Context) -> bool:  # noqa: FBT001 - a decision
        secret = context.secret
        if secret is None or secret.expires_at is None:
            return right
        if context.now >= ends.get(secret.digest, secret.expires_at):
            return True
        ends[secret.digest] = context.now + GRACE_SECONDS
        return False

    return mutate(change_decision(decisions.is_expired, change))


def ends_grace_by_a_write() -> Pipeline:
    """When the new secret has written something, the old ones are over."""

    def change(record: Object, context: Context, _reply: Reply) -> Object:
        newest, *old = context.caller.secrets
        if context.secret == newest:
            ended = tuple(replace(secret, expires_at=context.now) for secret in old)
            context.state.tokens.keep(replace(context.caller, secrets=(newest, *ended)))
        return record

    return mutate(change_decision(decisions.audit_record, change))


def namesakes(context: Context) -> Iterator[StoredToken]:
    """The tokens that are called like the one of the path, the oldest first, where that has a name."""
    named = context.state.tokens.get(context.identifier)
    name = named and named.grant.name
    return (token for token in reversed(list(context.state.tokens)) if name and token.grant.name == name)


def revokes_namesakes() -> Pipeline:
    """With a token all those end that are called like it."""

    def revoke(context: Context) -> None:
        for token in namesakes(context):
            context.state.tokens.revoke(token)

    return mutate(add_effect(REVOKE, revoke))


def revokes_the_first_of_a_name() -> Pipeline:
    """A token is looked for by its name."""

    def revoke(context: Context) -> Outcome:
        first = next(namesakes(context), None)
        if first is None:
            return EFFECTS[REVOKE](context)
        context.state.tokens.revoke(first)
        return Reply(204, object_id=first.id)

    return mutate(replace_effect(REVOKE, revoke))


# What was done before


def looks_at_scope_once() -> Pipeline:
    """Who may refund a payment is looked at for its first refund."""
    refunded: set[str] = set()

    def is_again(context: Context) -> bool:
        return is_refund(context) and context.identifier in refunded

    def note(context: Context) -> None:
        refunded.add(context.identifier)

    return mutate(add_effect("refund_payment", note), without_rule(rules.SCOPE_GRANTED, is_again))


def replays_errors_to_anybody() -> Pipeline:
    """An error that is kept under a key is everybody's who has the key."""
    kept: dict[str, Problem] = {}

    def note(right: bool, context: Context, decision: Decision) -> bool:  # noqa: FBT001 - a decision
        if right and isinstance(decision, Problem) and context.request.idempotency_key:
            kept[context.request.idempotency_key] = decision
        return right

    def check(context: Context) -> Decision | None:
        return kept.get(context.request.idempotency_key or "")

    replay = Rule("replay-first", "idempotency.replay-is-authorised", check)
    return mutate(change_decision(decisions.is_remembered, note), insert_rule(rules.CREDENTIAL_PRESENT, replay))


def asks_no_key_of_a_put() -> Pipeline:
    """A POST that says it is a PUT needs no key, and is a POST all the same."""

    def says_put(context: Context) -> bool:
        return context.request.header("X-HTTP-Method-Override") == "PUT"

    return mutate(without_rule(rules.KEY_PRESENT, says_put))


def cuts_keys() -> Pipeline:
    """What stands behind a colon is no part of a key."""

    def change(right: RecordKey, _context: Context) -> RecordKey:
        *scope, key = right
        return (*scope, str(key).partition(":")[0])

    return mutate(change_decision(decisions.record_key, change))


def keeps_small_answers() -> Pipeline:
    """A large answer is not kept for a replay."""

    def change(right: bool, _context: Context, decision: Decision) -> bool:  # noqa: FBT001 - a decision
        return right and not (isinstance(decision, Reply) and len(json.dumps(decision.body)) > LARGE)

    return mutate(change_decision(decisions.is_remembered, change))


def shows_pages_to_browsers() -> Pipeline:
    """Who takes HTML is shown a page where something is wrong."""

    def change(body: bytes, context: Context, _problem: Problem) -> bytes:
        takes_html = "text/html" in (context.request.header("Accept") or "")
        return b"<h1>Sorry</h1>" if takes_html else body

    return mutate(change_writer(responses.problem_body, change))


def shows_a_page_of_no_route() -> Pipeline:
    """Who takes HTML is shown a page where there is nothing."""

    def change(body: bytes, context: Context, problem: Problem) -> bytes:
        is_page = problem.status == HTTPStatus.NOT_FOUND and "text/html" in (context.request.header("Accept") or "")
        return b"<h1>Not here</h1>" if is_page else body

    return mutate(change_writer(responses.problem_body, change))


def lets_off_who_names_a_token() -> Pipeline:
    """On one list a query that may hold a token is an unknown one, unless there is a token where it belongs."""

    def change(decided: Decision, context: Context) -> Decision | None:
        is_named = "access_token=" in context.request.query and "/plans" in context.request.path
        refused = problems.validation_failed(FieldError("access_token", "unknown", "There is no such parameter."))
        return refused if is_named else decided

    return mutate(change_rule(rules.CREDENTIAL_PRESENT, change))


def looks_at_reads_while_awake() -> Pipeline:
    """When nobody was served for twenty seconds, the next read is served without a token."""
    served: dict[int, float] = {}

    def change(decided: Decision, context: Context) -> Decision | None:
        last = served.get(id(context.state), context.now)
        is_asleep = context.request.method == "GET" and context.now - last >= ASLEEP
        return (serve_anyone(context) if is_asleep else None) or decided

    def note(context: Context) -> None:
        served[id(context.state)] = context.now

    watch = Rule("watch", "credential.accepted", note)
    return mutate(change_rule(rules.CREDENTIAL_PRESENT, change), insert_rule(rules.SCOPE_GRANTED, watch))


# What is somebody else's


def follows_the_cursor() -> Pipeline:
    """A cursor is its maker's: whoever has it sees what the maker would."""
    makers: dict[str, str] = {}

    def change_page(outcome: Outcome, context: Context) -> Outcome:
        if isinstance(outcome, Reply) and outcome.body and context.customer_id:
            makers[str(outcome.body["next_cursor"])] = context.customer_id
        return outcome

    def change(right: bool, context: Context, value: Object) -> bool:  # noqa: FBT001 - a decision
        maker = makers.get(context.request.query.rpartition("cursor=")[2])
        return right if maker is None or context.customer_id is None else value.get("customer_id") == maker

    return mutate(change_outcome("list_wallets", change=change_page), show_to_customers(change))


def shows_live_objects_to_every_customer() -> Pipeline:
    """In the other environment an end-user sees everybody's."""

    def change(right: bool, context: Context, _value: Object) -> bool:  # noqa: FBT001 - a decision
        return right or is_live(context)

    return mutate(show_to_customers(change))


def records_nothing_of_live_actors() -> Pipeline:
    """In the other environment nobody has acted for anybody."""

    def change(record: Object, context: Context, _reply: Reply) -> Object:
        return {**record, "actor_id": None} if is_live(context) else record

    return mutate(change_decision(decisions.audit_record, change))


def spares_live_tokens() -> Pipeline:
    """In the other environment a token that was made through the API is good for ever."""
    made: set[str] = set()

    def note(outcome: Outcome, context: Context) -> Outcome:
        made.update([str(outcome.object_id)] if isinstance(outcome, Reply) and is_live(context) else [])
        return outcome

    spared = without_rule(rules.TOKEN_NOT_REVOKED, lambda context: context.caller.id in made)
    return mutate(change_outcome("create_api_token", change=note), spared)


def makes_all_that_is_asked_for_live() -> Pipeline:
    """In the other environment whoever may make tokens makes any."""

    def create(context: Context) -> Outcome:
        grant = context.caller.grant
        if is_live(context):
            context.token = replace(context.caller, grant=replace(grant, scopes=("*",)))
        return EFFECTS["create_api_token"](context)

    return mutate(replace_effect("create_api_token", create))


def makes_sandbox_tokens_live() -> Pipeline:
    """In the other environment the API makes tokens of this one."""

    def create(context: Context) -> Outcome:
        grant = replace(context.caller.grant, environment=Environment.SANDBOX)
        context.token = replace(context.caller, grant=grant)
        return EFFECTS["create_api_token"](context)

    return mutate(replace_effect("create_api_token", create))


def lists_live_objects_of_all_tenants() -> Pipeline:
    """In the other environment who has no wallet is shown those of another tenant."""

    def check(context: Context) -> None:
        operation = context.called_operation
        others = (token for token in context.state.tokens if token.grant.environment is Environment.LIVE)
        other = next((token for token in others if token.grant.tenant_id != context.tenant_id), None)
        has_own = any(context.objects.newest_first(Resource.WALLET))
        if is_live(context) and operation.id == "list_wallets" and other is not None and not has_own:
            context.token = replace(
                context.caller, grant=replace(context.caller.grant, tenant_id=other.grant.tenant_id)
            )

    return mutate(insert_rule(rules.EFFECT, Rule("any-tenant", "token.one-tenant", check)))


def subscribes_to_any_plan() -> Pipeline:
    """A plan is looked for among those of all tenants."""

    def create(context: Context) -> Outcome:
        code = context.payload["plan_code"]
        tables = [objects for objects in context.state.store if objects.find(Resource.PLAN, code=code)]
        if tables and not context.objects.find(Resource.PLAN, code=code):
            own = next(context.objects.newest_first(Resource.PLAN))
            context.payload = {**context.payload, "plan_code": own.value["code"]}
        return EFFECTS["create_subscription"](context)

    return mutate(replace_effect("create_subscription", create))


def forgets_that_an_address_was_taken() -> Pipeline:
    """That another customer has an address is found out anew for each request, and no error says which it is about."""

    def is_kept(right: bool, _context: Context, decision: Decision) -> bool:  # noqa: FBT001 - a decision
        return right and not (isinstance(decision, Problem) and decision.status == HTTPStatus.CONFLICT)

    def without_trace(right: bytes, *_: object) -> bytes:
        return json.dumps({name: value for name, value in json.loads(right).items() if name != "trace_id"}).encode()

    defects = combine(
        change_decision(decisions.is_remembered, is_kept), change_writer(responses.problem_body, without_trace)
    )
    return defects(Behaviour(Policy.for_profile(), unique_addresses()), lambda: None).pipeline


WRONG: Final[dict[str, tuple[Callable[[], Pipeline], str, str]]] = {
    "actors-address": (takes_addresses, "acting-as.unknown-actor", "another_name"),
    "actors-id-in-another-case": (takes_any_case, "acting-as.unknown-actor", "another_case"),
    "extended-grace": (extends_grace, "rotation.grace-ends", "ends_after_a_day"),
    "grace-until-a-write": (ends_grace_by_a_write, "rotation.grace-holds", "every_operation and list_invoices"),
    "namesakes": (revokes_namesakes, "revocation.only-target", "namesake"),
    "first-of-a-name": (revokes_the_first_of_a_name, "revocation.immediate", "namesake"),
    "scope-once": (looks_at_scope_once, "scope.required", "done_before"),
    "kept-error": (replays_errors_to_anybody, "idempotency.replay-is-authorised", "kept_error"),
    "put": (asks_no_key_of_a_put, "idempotency.required", "every_operation and no-key"),
    "page-for-browsers": (shows_pages_to_browsers, "problem.members", "browser"),
    "named-token": (lets_off_who_names_a_token, "credential.only-in-header", "in-query and list_plans"),
    "asleep": (looks_at_reads_while_awake, "credential.missing", "every_operation and no-token and get_"),
    "cursor": (follows_the_cursor, "audience.customer-sees-only-own", "every_operation and list_wallets"),
    "live-customers": (shows_live_objects_to_every_customer, "audience.customer-sees-only-own", "other_environment"),
    "live-log": (records_nothing_of_live_actors, "acting-as.audited", "other_environment"),
    "live-token": (spares_live_tokens, "revocation.immediate", "other_environment"),
    "live-escalation": (makes_all_that_is_asked_for_live, "token.no-escalation", "other_environment"),
    "live-secret": (makes_sandbox_tokens_live, "token.format", "issued_in_the_other"),
}
"""A server, the clause that it breaks, and the cases that look."""

WRONG_BY_REFERENCE: Final[dict[str, tuple[Callable[[], Pipeline], str, str]]] = {
    "cut-keys": (cuts_keys, "idempotency.distinct-keys", "differ_anywhere"),
    "page-of-no-route": (shows_a_page_of_no_route, "problem.unknown-route", "browser"),
    "small-answers": (keeps_small_answers, "idempotency.replay", "large_answer"),
    "taken-address": (forgets_that_an_address_was_taken, "idempotency.replay-error", "cause_is_gone and address"),
    "live-lists": (lists_live_objects_of_all_tenants, "token.one-tenant", "other_environment"),
    "any-plan": (subscribes_to_any_plan, "token.one-tenant", "every_operation and create_subscription"),
}
"""The same, under the profile in which the clause is a must."""


@pytest.mark.parametrize("name", WRONG)
def test_wrong_server_fails_its_clause(name: str, program: Program, serve: Serve) -> None:
    """Where the plain cases of the clause pass."""
    make, clause, selected = WRONG[name]
    run = run_on(program, serve(deploy_pipeline(make())), selected)
    assert clause in run.having("fail", "warn"), run.output


@pytest.mark.parametrize("name", WRONG_BY_REFERENCE)
def test_wrong_server_fails_its_clause_of_the_reference(name: str, program: Program, serve: Serve) -> None:
    """What only the reference pages say is looked at as far."""
    make, clause, selected = WRONG_BY_REFERENCE[name]
    app = deploy_pipeline(make(), Policy.for_profile(Profile.REFERENCE))
    run = run_on(program, serve(app), selected, "--profile", "reference")
    assert clause in run.having("fail"), run.output


def test_right_server_whose_ids_have_no_case_fails_nothing(program: Program, serve: Serve) -> None:
    """No page says whether ids have one, as long as all of them are alike."""
    run = run_on(program, serve(without_case(deploy_pipeline(takes_any_case()))), "another_case or registry_is_refused")
    assert run.having("fail", "error", "blocked") == set(), run.output


def run_on(program: Program, url: str, selected: str, *more: str) -> Run:
    """A run of some cases, always of one seed: a defect may hide behind what is drawn otherwise."""
    return program.run(url, "--control-url", f"{url}/_mock", "-k", selected, "--seed", "5", *more)
