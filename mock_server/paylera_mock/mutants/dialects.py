"""Dialects of what a request comes to: a fake that keeps the contract in another way, which nothing may complain of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import OPERATIONS, Resource
from paylera_fixtures.vocabulary import PAGE_MAX, Problems, ProblemType, Profile
from paylera_mock.core import problems
from paylera_mock.core.credential import BearerCredential
from paylera_mock.core.messages import Answer, Decision, Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.api_tokens import REVOKE, ROTATE, is_revoked, named_token
from paylera_mock.mutants.builders import (
    Mutation,
    Note,
    answer_failure,
    change_decision,
    change_failure,
    change_outcome,
    change_refusal,
    change_rule,
    combine,
    insert_rule,
    is_read,
    replace_decision,
    replace_effect,
    replace_rule,
    set_policy,
    without_rule,
)
from paylera_mock.mutants.idempotency import compare_bodies_by
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.races import lose_race
from paylera_mock.operations.api_tokens import create_api_token
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Rule

_WRONG_AUDIENCE: Final = ProblemType("auth.forbidden_audience", "Wrong kind of token", documented=False)
_NOT_OWNER: Final = ProblemType("auth.not_owner", "Not yours", documented=False)
_LIMIT: Final = re.compile(r"\blimit=([0-9]{3,6})\b")
_GETS: Final = tuple(each.id for each in OPERATIONS if each.method == "GET" and each.customer_may and not each.is_list)
_BEYOND_THE_GUIDE: Final = frozenset({Resource.API_TOKEN, Resource.ACTOR, Resource.AUDIT_RECORD})
_LATE: Final = (rules.SCOPE_GRANTED, rules.SECOND_FACTOR, rules.KEY_WITH_SAME_BODY, rules.REPLAYED, rules.EFFECT)


def _is_another_customers(context: Context) -> bool:
    found = context.objects.get(context.called_operation.resource, context.identifier)
    return context.customer_id is not None and found is not None


def _compare_environment_of_known_tokens(context: Context) -> Decision | None:
    """The environment is looked up with the token, and the prefix is not looked at."""
    credential = context.credential
    is_known = (
        isinstance(credential, BearerCredential) and context.state.tokens.by_digest(credential.digest) is not None
    )
    return rules.RIGHT_ENVIRONMENT.check(context) if is_known else None


def _clamp_page(context: Context) -> None:
    query = _LIMIT.sub(lambda found: f"limit={min(int(found[1]), PAGE_MAX)}", context.request.query)
    context.request = context.request._replace(query=query)


def _check_in_other_order(behaviour: Behaviour, note: Note) -> Behaviour:
    """The form of a request is looked at before it is known whether its sender may."""

    def check_scope(context: Context) -> Decision | None:
        note()
        return scope_granted(context)

    scope_granted = behaviour.pipeline.check_of(rules.SCOPE_GRANTED)
    late = {rule.name: number for number, rule in enumerate(_LATE, 1)}
    table = behaviour.pipeline.with_rule(rules.SCOPE_GRANTED, check_scope).rules
    ordered = tuple(sorted(table, key=lambda rule: late.get(rule.name, 0)))
    return behaviour.but(pipeline=replace(behaviour.pipeline, rules=ordered))


def _remember_unless(which: Callable[[Problem], bool]) -> Mutation:
    return change_decision(
        decisions.is_remembered,
        lambda right, _, decision: right and not (isinstance(decision, Problem) and which(decision)),
    )


def _answer_token(outcome: Outcome, context: Context) -> Outcome:
    token = named_token(context)
    if not isinstance(outcome, Reply) or token is None:
        return outcome
    return Reply(HTTPStatus.OK, context.decisions.token_view(context, token), token.id)


def _answer_secret_apart(outcome: Outcome, _context: Context) -> Outcome:
    if not isinstance(outcome, Reply) or outcome.body is None:
        return outcome
    shown = {name: value for name, value in outcome.body.items() if name != "secret"}
    body = {"id": outcome.object_id, "api_token": shown, "credential": {"value": outcome.body["secret"]}}
    return replace(outcome, status=HTTPStatus.CREATED, body=body)


def _refuse_beyond_the_guide(context: Context) -> Decision | None:
    """Of the Admin API there is no more for tokens, actors and the log than the guide names."""
    operation = context.called_operation
    is_offered = operation.resource not in _BEYOND_THE_GUIDE or operation.id in {ROTATE, REVOKE}
    return None if is_offered else problems.route_not_found()


def _refuse_form(context: Context) -> Decision | None:
    is_form = (context.request.content_type or "").startswith("application/x-www-form-urlencoded")
    return problems.unsupported_media_type() if is_form else None


def _refuse_deletion(context: Context) -> Decision | None:
    operation = context.called_operation
    is_refused = operation.method == "DELETE" and operation.id != REVOKE
    return problems.method_not_allowed(("GET", "PATCH")) if is_refused else None


def _is_catalog_read(context: Context) -> bool:
    return context.request.path.startswith(("/v1/products", "/v1/plans")) and is_read(context)


def _show_unowned(context: Context, value: Object) -> bool:
    """An object that has no customer is shown to every customer, any other to its own only."""
    return "customer_id" not in value or decisions.is_visible(context, value)


def _make_with_less(context: Context) -> Outcome:
    maker, payload = context.caller, context.payload
    scopes = [scope for scope in payload["scopes"] if decisions.has_scope(maker, scope)]
    context.payload = {**payload, "scopes": scopes, "aal": min(payload.get("aal", 1), maker.grant.aal)}
    return create_api_token(context)


def _say_that_it_is_a_replay(decided: Decision, _context: Context) -> Decision:
    if isinstance(decided, Answer):
        return decided._replace(headers=(*decided.headers, ("Idempotent-Replayed", "true")))
    return decided


_KEEP_SECRET_OF_REPLAYS: Final = replace_decision(decisions.mask_secret, lambda reply: reply)


MUTANTS: Final[Mapping[str, Mutant]] = {
    "audience-refused-401": Mutant(
        "A wrong audience is refused with 401, and under another code.",
        combine(
            change_refusal(rules.ADMIN_API_BY_ADMIN, type=_WRONG_AUDIENCE, status=401),
            change_refusal(rules.CUSTOMER_READS_ONLY, type=_WRONG_AUDIENCE, status=401),
        ),
    ),
    "actor-refused-404": Mutant("An unknown actor is refused with 404.", set_policy(unknown_actor_refusal=404)),
    "version-refused-422": Mutant(
        "A version that is none is refused with 422.", set_policy(unknown_version_refusal=422)
    ),
    "long-key-refused-422": Mutant("A key that is too long is refused with 422.", set_policy(key_invalid_refusal=422)),
    "illegal-state-409": Mutant(
        "What the state of an object does not let is refused with 409.", set_policy(illegal_state_refusal=409)
    ),
    "validation-refused-400": Mutant(
        "A body that does not fit its schema is refused with 400.", change_refusal(rules.BODY_FITS_SCHEMA, status=400)
    ),
    "foreign-object-403": Mutant(
        "Another customer's object is there, and forbidden.",
        change_failure(*_GETS, when=_is_another_customers, type=_NOT_OWNER, status=403),
    ),
    "malformed-header-is-missing": Mutant(
        "A header that is no `Bearer <token>` counts as missing.",
        change_rule(rules.CREDENTIAL_WELL_FORMED, lambda *_: problems.missing_token()),
    ),
    "unknown-token-before-environment": Mutant(
        "Only a token that exists is told that it is of the wrong environment.",
        replace_rule(rules.RIGHT_ENVIRONMENT, _compare_environment_of_known_tokens),
    ),
    "form-refused-before-token": Mutant(
        "A body that is no JSON is refused for its media type before it is looked at who sends it.",
        insert_rule(rules.CREDENTIAL_PRESENT, Rule("json-first", "credential.missing", _refuse_form)),
    ),
    "unknown-method-404": Mutant(
        "A method that a path does not have is refused with 404.",
        change_rule(rules.METHOD_ALLOWED, lambda *_: problems.route_not_found()),
    ),
    "long-page-clamped": Mutant(
        "Who asks for more than 100 objects gets 100.",
        insert_rule(rules.EFFECT, Rule("page-clamped", "pagination.envelope", _clamp_page)),
    ),
    "checks-in-other-order": Mutant(
        "Actor, version, key and body are looked at before the scope.",
        combine(
            _check_in_other_order,
            _remember_unless(lambda problem: problem.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}),
        ),
    ),
    "revoking-twice-204": Mutant(
        "Revoking a revoked token is a 204.", answer_failure(REVOKE, when=is_revoked, answer=lambda *_: Reply(204))
    ),
    "revoking-twice-410": Mutant(
        "Revoking a revoked token is a 410.", change_failure(REVOKE, when=is_revoked, status=410)
    ),
    "revocation-answers-200": Mutant(
        "Revoking answers 200 and the token.", change_outcome(REVOKE, change=_answer_token)
    ),
    "rotation-answers-201": Mutant(
        "Rotating answers 201, with the secret in an object of its own.",
        combine(change_outcome(ROTATE, change=_answer_secret_apart), _KEEP_SECRET_OF_REPLAYS),
    ),
    "rotation-of-revoked-409": Mutant(
        "Rotating a revoked token is refused with 409.", change_failure(ROTATE, when=is_revoked, status=409)
    ),
    "token-shows-hint": Mutant(
        "A token is shown with a masked secret, as sk_sandbox_…9fQ2.",
        change_decision(
            decisions.token_view,
            lambda right, _, token: right | {"secret": f"sk_{token.grant.environment}_…{token.secrets[0].last4}"},
        ),
    ),
    "record-without-actor-member": Mutant(
        "A record of what nobody is named for has no member for the actor.",
        change_decision(
            decisions.audit_record,
            lambda record, *_: {name: value for name, value in record.items() if value is not None},
        ),
    ),
    "overlap-of-two-years": Mutant("An old version ends 24 months after the next one.", set_policy(overlap_months=24)),
    "guides-operations-only": Mutant(
        "The Admin API can do no more with tokens and actors than the guide names.",
        insert_rule(rules.SCOPE_GRANTED, Rule("not-offered", "problem.unknown-route", _refuse_beyond_the_guide)),
    ),
    "no-deletions": Mutant(
        "Nothing is deleted but tokens, as the guide has it.",
        insert_rule(rules.SCOPE_GRANTED, Rule("no-deletions", "problem.unknown-route", _refuse_deletion)),
    ),
    "admin-api-hidden": Mutant(
        "To other audiences the Admin API does not exist.",
        change_rule(rules.ADMIN_API_BY_ADMIN, lambda *_: problems.route_not_found()),
        may_break=("audience.admin-api-needs-admin",),
    ),
    "customers-read-the-catalog": Mutant(
        "A customer token reads the catalog too.",
        combine(
            without_rule(rules.CUSTOMER_READS_ONLY, _is_catalog_read),
            replace_decision(decisions.is_visible, _show_unowned),
            replace_decision(decisions.customer_listed, lambda _context: None),
        ),
    ),
    "actors-on-writes-only": Mutant(
        "Who is acted for is looked at where something is changed.", without_rule(rules.ACTOR_KNOWN, is_read)
    ),
    "oldest-version-without-token": Mutant(
        "What is answered to nobody is of the oldest version.",
        change_decision(
            decisions.settle_version,
            lambda right, context: right if context.token else context.state.versions.supported[0],
        ),
    ),
    "creation-grants-less": Mutant(
        "A token that is made with more than its maker has is made with less.",
        replace_effect("create_api_token", _make_with_less),
    ),
    "creation-refused-422": Mutant(
        "A token that is made with more than its maker has is refused with 422.", set_policy(grant_refusal=422)
    ),
    "replay-shows-secret": Mutant("The replay of a creation shows the secret again.", _KEEP_SECRET_OF_REPLAYS),
    "replay-says-so": Mutant(
        "A replay has a header that says that it is one.", change_rule(rules.REPLAYED, _say_that_it_is_a_replay)
    ),
    "bodies-compared-as-json": Mutant(
        "Bodies that are the same JSON are the same.", compare_bodies_by(lambda body: json.dumps(body, sort_keys=True))
    ),
    "key-by-template": Mutant(
        "A key is one of the route's template, not of the concrete path.",
        change_decision(
            decisions.record_key, lambda right, context: (*right[:-2], context.called_operation.path, right[-1])
        ),
    ),
    "duplicates-refused-409": Mutant("Of two requests with one key at once the second gets 409.", lose_race(409)),
    "validation-not-remembered": Mutant(
        "A key that came with a body of the wrong form can still be used.",
        _remember_unless(lambda problem: problem.type is Problems.VALIDATION_FAILED),
    ),
    "scope-refused-403": Mutant(
        "A lacking scope is a 403.", set_policy(scope_refusal=403), readings={"scope_refusal": "403"}
    ),
    "aal2-refused-403": Mutant(
        "A lacking second factor is a 403.", set_policy(aal2_refusal=403), readings={"aal2_refusal": "403"}
    ),
    "key-on-every-post": Mutant(
        "Every POST needs a key.", set_policy(key_required_on="every-post"), readings={"key_required_on": "every-post"}
    ),
    "scope-refused-401": Mutant(
        "A lacking scope is a 401, by the reference pages otherwise.",
        set_policy(scope_refusal=401),
        profile=Profile.REFERENCE,
        readings={"scope_refusal": "401"},
    ),
    "aal2-refused-401": Mutant(
        "A lacking second factor is a 401, by the reference pages otherwise.",
        set_policy(aal2_refusal=401),
        profile=Profile.REFERENCE,
        readings={"aal2_refusal": "401"},
    ),
    "key-on-creating-posts": Mutant(
        "Only what creates or moves money needs a key, by the reference pages otherwise.",
        set_policy(key_required_on="creating"),
        profile=Profile.REFERENCE,
        readings={"key_required_on": "creating"},
    ),
}
