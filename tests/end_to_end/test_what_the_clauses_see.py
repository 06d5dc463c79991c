"""Wrong servers that only a further case of their clause shows, each at what the plain cases do not look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from helpers.other_servers import deploy_pipeline
from helpers.suite import Program, Run
from paylera_fixtures.vocabulary import Audience, Profile
from paylera_mock.contract import CONTRACT
from paylera_mock.core.messages import Decision, Object, Outcome, RecordKey, Reply
from paylera_mock.core.policy import Policy
from paylera_mock.mutants.builders import (
    Mutation,
    change_decision,
    change_rule,
    combine,
    replace_effect,
    serve_anyone,
    without_rule,
)
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Pipeline

if TYPE_CHECKING:  # the stubs of the type checker alone have it
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

pytestmark = pytest.mark.slow

Serve: TypeAlias = Callable[["WSGIApplication"], str]

CREATE: Final = "create_api_token"
ROTATE: Final = "rotate_api_token"
REVOKE: Final = "revoke_api_token"
EFFECTS: Final = CONTRACT.effects


def mutate(*mutations: Mutation) -> Pipeline:
    """The contract with some defects."""
    return combine(*mutations)(Behaviour(Policy.for_profile(), CONTRACT), lambda: None).pipeline


def names_caller(context: Context) -> bool:
    """Whether a token rotates or revokes itself."""
    return context.request.operation is not None and context.identifier == context.caller.id


def revokes_but_the_oldest() -> Pipeline:
    """Of four secrets of a revoked token the oldest goes on working."""

    def is_oldest(context: Context) -> bool:
        secrets = context.caller.secrets
        return len(secrets) > 3 and context.secret == secrets[-1]

    return mutate(without_rule(rules.TOKEN_NOT_REVOKED, is_oldest))


def keeps_three_old_secrets() -> Pipeline:
    """The fourth rotation ends the grace of the first secret."""

    def change(right: bool, context: Context) -> bool:  # noqa: FBT001 - a decision
        return right or context.secret in context.caller.secrets[4:]

    return mutate(change_decision(decisions.is_expired, change))


def revokes_what_it_made() -> Pipeline:
    """With an operator's token those end that the operator has made by it."""
    makers: dict[str, str] = {}

    def create(context: Context) -> Outcome:
        outcome = EFFECTS[CREATE](context)
        makers.update({str(outcome.object_id): context.caller.id} if isinstance(outcome, Reply) else {})
        return outcome

    def revoke(context: Context) -> Outcome:
        tokens = context.state.tokens
        for token in list(tokens):
            if makers.get(token.id) == context.identifier:
                tokens.revoke(token)
        return EFFECTS[REVOKE](context)

    return mutate(replace_effect(CREATE, create), replace_effect(REVOKE, revoke))


def revived_by(operation_id: str) -> Pipeline:
    """What is refused for a revoked token, as it should be, makes it good again."""

    def act(context: Context) -> Outcome:
        outcome, token = EFFECTS[operation_id](context), context.state.tokens.get(context.identifier)
        if token is not None and not isinstance(outcome, Reply):
            context.state.tokens.keep(replace(token, revoked=False))
        return outcome

    return mutate(replace_effect(operation_id, act))


def may_end_itself(who: Callable[[Context], bool]) -> Pipeline:
    """Some tokens may rotate and revoke themselves."""

    def is_let(context: Context) -> bool:
        return who(context) and names_caller(context)

    return mutate(without_rule(rules.ADMIN_API_BY_ADMIN, is_let), without_rule(rules.CUSTOMER_READS_ONLY, is_let))


def is_customer(context: Context) -> bool:
    """Whether a request is an end-user's."""
    return context.caller.grant.audience is Audience.CUSTOMER


def is_by_old_secret(context: Context) -> bool:
    """Whether a request is by a secret in its grace."""
    return context.secret is not None and context.secret.expires_at is not None


def writes_secrets_down() -> Pipeline:
    """The audit log holds what was answered."""

    def change(record: Object, _context: Context, reply: Reply) -> Object:
        return {**record, "answer": reply.body}

    return mutate(change_decision(decisions.audit_record, change))


def remembers_actors() -> Pipeline:
    """An actor who was acted for once is known for ever."""
    seen: set[str] = set()

    def change(right: bool, _context: Context, actor: str) -> bool:  # noqa: FBT001 - a decision
        seen.update([actor] if right else [])
        return actor in seen

    return mutate(change_decision(decisions.actor_known, change))


def knows_no_new_actor() -> Pipeline:
    """An actor who was entered through the API is none."""
    entered: set[str] = set()

    def create(context: Context) -> Outcome:
        outcome = EFFECTS["create_actor"](context)
        entered.update([str(outcome.object_id)] if isinstance(outcome, Reply) else [])
        return outcome

    def change(right: bool, _context: Context, actor: str) -> bool:  # noqa: FBT001 - a decision
        return right and actor not in entered

    return mutate(replace_effect("create_actor", create), change_decision(decisions.actor_known, change))


def lays_it_to_the_last_actor() -> Pipeline:
    """On any write but that of customers, who named nobody acts for whom the token has named last."""
    last: dict[str, str] = {}

    def change(record: Object, context: Context, _reply: Reply) -> Object:
        actor = context.request.acting_as
        if actor is not None:
            last[context.caller.id] = actor
        is_right = actor is not None or context.called_operation.id == "create_customer"
        return record if is_right else {**record, "actor_id": last.get(context.caller.id)}

    return mutate(change_decision(decisions.audit_record, change))


def with_side_door(app: WSGIApplication, opens: Callable[[WSGIEnvironment], bool], method: str = "") -> WSGIApplication:
    """The application, where some requests come as others: by a method, and without a slash at the end."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not opens(environ) or "HTTP_AUTHORIZATION" in environ:
            return app(environ, start_response)
        path, method_served = environ["PATH_INFO"].rstrip("/"), method or environ["REQUEST_METHOD"]
        changed = {"PATH_INFO": path, "REQUEST_METHOD": method_served, "HTTP_X_SIDE_DOOR": "1"}
        return app({**environ, **changed}, start_response)

    return wrapped


def open_pipeline() -> Pipeline:
    """Whoever comes by the side door needs no token."""

    def change(decided: Decision, context: Context) -> Decision | None:
        return (serve_anyone(context) if context.request.header("X-Side-Door") else None) or decided

    return mutate(change_rule(rules.CREDENTIAL_PRESENT, change))


def open_with_a_slash() -> WSGIApplication:
    """The list of invoices needs no token where a slash is at its end."""
    return with_side_door(deploy_pipeline(open_pipeline()), lambda environ: environ["PATH_INFO"].endswith("/invoices/"))


def open_by_override() -> WSGIApplication:
    """A header that says DELETE makes a read one of a webhook endpoint, and needs no token."""

    def opens(environ: WSGIEnvironment) -> bool:
        overrides = [value for name, value in environ.items() if name.startswith("HTTP_X_") and "METHOD" in name]
        is_deletion = "DELETE" in overrides or environ["QUERY_STRING"].endswith("=DELETE")
        return "/webhook-endpoints/" in environ["PATH_INFO"] and is_deletion

    return with_side_door(deploy_pipeline(open_pipeline()), opens, "DELETE")


def takes_aal2_of_services() -> Pipeline:
    """On one operation a service has a second factor where its token says so."""

    def says_so(context: Context) -> bool:
        is_void = context.called_operation.id == "void_invoice"
        return is_void and context.caller.grant.aal > 1

    return mutate(without_rule(rules.SECOND_FACTOR, says_so))


def shares_keys_of_tenants() -> Pipeline:
    """On any operation but that of customers a key is everybody's."""

    def change(right: RecordKey, context: Context) -> RecordKey:
        is_shared = context.called_operation.id != "create_customer"
        return ("everybody", *right[1:]) if is_shared else right

    return mutate(change_decision(decisions.record_key, change))


WRONG: Final[dict[str, tuple[Callable[[], Pipeline], str, str]]] = {
    "oldest-secret": (revokes_but_the_oldest, "revocation.covers-grace", "every_secret_in_its_grace"),
    "fourth-rotation": (keeps_three_old_secrets, "rotation.again", "newest_secret"),
    "cascade": (revokes_what_it_made, "revocation.only-target", "has_made"),
    "second-delete": (lambda: revived_by(REVOKE), "revocation.immediate", "brings_a_revoked"),
    "refused-rotation": (lambda: revived_by(ROTATE), "revocation.immediate", "brings_a_revoked"),
    "end-user-itself": (lambda: may_end_itself(is_customer), "revocation.needs-admin", "admin_revokes"),
    "old-secret-itself": (lambda: may_end_itself(is_by_old_secret), "rotation.needs-admin", "admin_rotates"),
    "logged-secret": (writes_secrets_down, "rotation.secret-once", "never_shows"),
    "removed-actor": (remembers_actors, "acting-as.unknown-actor", "was_removed"),
    "new-actor": (knows_no_new_actor, "acting-as.known-actor", "just_entered"),
    "last-actor": (lays_it_to_the_last_actor, "acting-as.absent", "one_before"),
}
"""A server, the clause that it breaks, and the cases that look."""

WRONG_BY_REFERENCE: Final = {
    "service-with-aal2": (takes_aal2_of_services, "aal2.service-never", "service_token_never"),
    "keys-of-tenants": (shares_keys_of_tenants, "idempotency.per-tenant", "another_tenant"),
}
"""The same, under the profile in which the clause is a must."""

WITH_SIDE_DOOR: Final = {
    "slash": (open_with_a_slash, "robustness.no-side-door", "any_list"),
    "override": (open_by_override, "robustness.no-side-door", "other_method"),
}
"""The same, of servers before which something else stands."""


@pytest.mark.parametrize("name", WRONG)
def test_wrong_server_fails_its_clause(name: str, program: Program, serve: Serve) -> None:
    """Where the plain cases of the clause pass."""
    make, clause, selected = WRONG[name]
    run = run_on(program, serve(deploy_pipeline(make())), selected)
    assert clause in run.having("fail"), run.output


@pytest.mark.parametrize("name", WRONG_BY_REFERENCE)
def test_wrong_server_fails_its_clause_of_the_reference(name: str, program: Program, serve: Serve) -> None:
    """What only the reference pages say is looked at on more than one operation too."""
    make, clause, selected = WRONG_BY_REFERENCE[name]
    app = deploy_pipeline(make(), Policy.for_profile(Profile.REFERENCE))
    run = run_on(program, serve(app), selected, "--profile", "reference")
    assert clause in run.having("fail"), run.output


@pytest.mark.parametrize("name", WITH_SIDE_DOOR)
def test_side_door_is_found(name: str, program: Program, serve: Serve) -> None:
    """On other resources than those on which every spelling is tried."""
    make, clause, selected = WITH_SIDE_DOOR[name]
    run = run_on(program, serve(make()), selected)
    assert clause in run.having("fail"), run.output


def test_what_leaks_of_a_new_token_is_seen_as_well(program: Program, serve: Serve) -> None:
    """No case asks for it: the answers of a run are gone over for what no right server answers."""
    run = run_on(program, serve(deploy_pipeline(writes_secrets_down())), "never_shows")
    assert "credential.not-disclosed" in run.having("warn"), run.output


def run_on(program: Program, url: str, selected: str, *more: str) -> Run:
    """A run of some cases, always of one seed: a defect may hide behind what is drawn otherwise."""
    return program.run(url, "--control-url", f"{url}/_mock", "-k", selected, "--seed", "5", *more)
