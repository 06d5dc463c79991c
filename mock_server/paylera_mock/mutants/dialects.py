"""Dialects: a fake that keeps the contract in another way, of which nothing may be complained."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from uuid import UUID

from paylera_fixtures.api.operations import ID_PREFIXES, OPERATIONS, Resource
from paylera_fixtures.tokens import ALPHABET
from paylera_fixtures.vocabulary import PAGE_MAX, Problems, ProblemType
from paylera_mock.core import problems
from paylera_mock.core.credential import Credential
from paylera_mock.core.messages import Answer, Decision, Object, Outcome, RecordKey, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.core.randomness import Randomness
from paylera_mock.mutants.ended import is_revoked, refused_otherwise
from paylera_mock.mutants.keys import refused_pending, second_of_race
from paylera_mock.mutants.mechanism import (
    Mutation,
    Note,
    decided_otherwise,
    decision,
    effect,
    noted,
    outcome,
    policy,
    refusal,
    rule,
    rule_before,
    several,
    step,
)
from paylera_mock.mutants.rewriting import (
    as_it_is,
    as_status,
    backwards,
    bare,
    but_for_the_printed,
    challenged,
    chunked,
    delayed,
    gzipped,
    in_german,
    in_one_header,
    in_several_headers,
    indented,
    media_type_with,
    more_headers,
    named_after_kind,
    packed,
    problems_rewritten,
    rewritten,
    titled_in_german,
    typed_elsewhere,
    with_more,
)
from paylera_mock.operations.api_tokens import create_api_token
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Rule
from paylera_mock.state.tokens import StoredToken

_CAPITALS: Final = string.ascii_uppercase + string.digits
_ROTATE: Final = "rotate_api_token"
_REVOKE: Final = "revoke_api_token"


# How it is written


def uuid(_resource: Resource, randomness: Randomness) -> str:
    """An id that does not say of what."""
    return str(UUID(int=randomness.bits(128), version=4))


def id_in_capitals(resource: Resource, randomness: Randomness) -> str:
    """An id of no fixed length."""
    return f"{ID_PREFIXES[resource]}_{randomness.word(16 + randomness.below(16), _CAPITALS)}"


WRITTEN: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "members-in-other-order": rewritten(backwards),
        "extra-members": rewritten(with_more),
        "detail-in-german": problems_rewritten(in_german),
        "titles-in-german": problems_rewritten(but_for_the_printed(titled_in_german)),
        "types-elsewhere": problems_rewritten(but_for_the_printed(typed_elsewhere)),
        "pretty-printed": rewritten(as_it_is, indented),
        "charset-parameter": media_type_with(lambda value: f"{value}; charset=utf-8"),
        "media-types-in-capitals": media_type_with(str.upper),
        "chunked-bodies": packed(chunked),
        "gzipped-bodies": packed(gzipped),
        "jitter": packed(delayed),
        "ids-are-uuids": policy(new_id=uuid),
        "ids-in-capitals": policy(new_id=id_in_capitals),
        "secrets-with-punctuation": policy(token_alphabet=ALPHABET + "-._~+/"),
        "ids-named-after-kind": rewritten(named_after_kind),
        "extra-headers": step("rate-headers", more_headers),
        "challenge-bare": challenged(bare),
        "challenges-in-one-header": challenged(in_one_header),
        "challenges-in-several-headers": challenged(in_several_headers),
    }
)


# How it is refused


_WRONG_AUDIENCE: Final = ProblemType("auth.forbidden_audience", "Wrong kind of token", documented=False)
_NOT_OWNER: Final = ProblemType("auth.not_owner", "Not yours", documented=False)
_LIMIT: Final = re.compile(r"\blimit=([0-9]{3,6})\b")
_GETS: Final = tuple(each.id for each in OPERATIONS if each.method == "GET" and each.customer_may and not each.is_list)


def foreign_is_forbidden(context: Context, decided: Outcome) -> Outcome:
    """What another customer has is told to be there."""
    foreign = context.customer_id is not None and context.objects.get(context.called.resource, context.identifier)
    if isinstance(decided, Problem) and foreign:
        return replace(decided, type=_NOT_OWNER, status=HTTPStatus.FORBIDDEN)
    return decided


def environment_of_known_tokens(context: Context) -> Decision | None:
    """The environment is looked up with the token, and the prefix is not looked at."""
    credential = context.credential
    known = isinstance(credential, Credential) and context.state.tokens.by_digest(credential.digest) is not None
    return rules.right_environment(context) if known else None


def page_clamped(context: Context) -> None:
    """More than the maximum is taken for the maximum."""
    query = _LIMIT.sub(lambda found: f"limit={min(int(found[1]), PAGE_MAX)}", context.request.query)
    context.request = context.request._replace(query=query)


def _in_other_order(behaviour: Behaviour, note: Note) -> Behaviour:
    """The form of a request is looked at before it is known whether its sender may."""
    late = ("scope-granted", "second-factor", "key-with-same-body", "replayed", "effect")
    table = behaviour.pipeline.rules
    last = [each for name in late for each in table if each.name == name]
    last[0] = replace(last[0], check=noted(last[0].check, note))
    ordered = (*(each for each in table if each.name not in late), *last)
    return behaviour.but(pipeline=replace(behaviour.pipeline, rules=ordered))


def remembered_if_allowed(context: Context, decided: Decision) -> bool:
    """What was refused for its sender is nothing to be remembered, though its key was seen."""
    refused = isinstance(decided, Problem) and decided.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return not refused and decisions.remembered(context, decided)


REFUSED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "audience-refused-401": several(
            refusal("admin-api-by-admin", lambda said: replace(said, type=_WRONG_AUDIENCE, status=401)),
            refusal("customer-reads-only", lambda said: replace(said, type=_WRONG_AUDIENCE, status=401)),
        ),
        "actor-refused-404": policy(unknown_actor_refusal=HTTPStatus.NOT_FOUND),
        "version-refused-422": policy(unknown_version_refusal=HTTPStatus.UNPROCESSABLE_ENTITY),
        "long-key-refused-422": policy(key_invalid_refusal=HTTPStatus.UNPROCESSABLE_ENTITY),
        "illegal-state-409": policy(illegal_state_refusal=HTTPStatus.CONFLICT),
        "validation-refused-400": refusal("body-fits-schema", as_status(HTTPStatus.BAD_REQUEST)),
        "foreign-object-403": outcome(*_GETS, change=foreign_is_forbidden),
        "malformed-header-is-missing": refusal("credential-well-formed", lambda _said: problems.missing_token()),
        "unknown-token-before-environment": rule("right-environment", environment_of_known_tokens),
        "unknown-method-404": refusal("method-allowed", lambda _said: problems.route_not_found()),
        "long-page-clamped": rule_before("effect", Rule("page-clamped", "pagination.envelope", page_clamped)),
        "checks-in-other-order": several(_in_other_order, decision("remembered", remembered_if_allowed)),
    }
)


# What becomes of a token


def answers_token(context: Context, decided: Outcome) -> Outcome:
    """Who revokes is shown what is left."""
    token = context.state.tokens.get(context.identifier)
    if not isinstance(decided, Reply) or token is None:
        return decided
    return Reply(HTTPStatus.OK, context.decisions.token_view(context, token), token.id)


def secret_apart(_context: Context, decided: Outcome) -> Outcome:
    """The secret has an object of its own, under another name."""
    if not isinstance(decided, Reply) or decided.body is None:
        return decided
    shown = {name: value for name, value in decided.body.items() if name != "secret"}
    body = {"id": decided.object_id, "api_token": shown, "credential": {"value": decided.body["secret"]}}
    return replace(decided, status=HTTPStatus.CREATED, body=body)


def with_hint(context: Context, token: StoredToken) -> Object:
    """So much of the secret as lets one recognise it."""
    environment, last4 = token.grant.environment, token.secrets[0].last4
    return decisions.token_view(context, token) | {"secret": f"sk_{environment}_…{last4}"}


def record_of_members_that_are(context: Context, reply: Reply) -> Object:
    """What is null is left out."""
    return {name: value for name, value in decisions.audit_record(context, reply).items() if value is not None}


OPERATED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "revoking-twice-204": outcome(
            _REVOKE, change=refused_otherwise(lambda _context, _said: Reply(HTTPStatus.NO_CONTENT), is_revoked)
        ),
        "revoking-twice-410": outcome(
            _REVOKE, change=refused_otherwise(lambda _context, said: as_status(HTTPStatus.GONE)(said), is_revoked)
        ),
        "revocation-answers-200": outcome(_REVOKE, change=answers_token),
        "rotation-answers-201": several(outcome(_ROTATE, change=secret_apart), decision("masked", lambda reply: reply)),
        "rotation-of-revoked-409": outcome(
            _ROTATE, change=refused_otherwise(lambda _context, said: as_status(HTTPStatus.CONFLICT)(said), is_revoked)
        ),
        "token-shows-hint": decision("token_view", with_hint),
        "record-without-actor-member": decision("audit_record", record_of_members_that_are),
        "overlap-of-two-years": policy(overlap_months=24),
    }
)


# What is offered

_BEYOND_THE_GUIDE: Final = frozenset({Resource.API_TOKEN, Resource.ACTOR, Resource.AUDIT_RECORD})


def not_offered(context: Context) -> Decision | None:
    """Of the Admin API there is no more for tokens, actors and the log than the guide names."""
    operation = context.called
    offered = operation.resource not in _BEYOND_THE_GUIDE or operation.id in {_ROTATE, _REVOKE}
    return None if offered else problems.route_not_found()


def catalog_is_open(context: Context, decided: Decision) -> Decision | None:
    """What one may buy is no secret of those who sell it."""
    catalog = context.request.path.startswith(("/v1/products", "/v1/plans"))
    return None if catalog and context.request.method == "GET" else decided


def visible_to_all(context: Context, value: Object) -> bool:
    """What belongs to no customer belongs to all."""
    return "customer_id" not in value or decisions.visible(context, value)


def actor_known_to_writes(context: Context) -> Decision | None:
    """A read is nobody's change."""
    return None if context.request.method == "GET" else rules.actor_known(context)


def oldest_without_token(context: Context) -> str:
    """Who is not known may be of any age."""
    return decisions.settle_version(context) if context.token else context.state.versions.supported[0]


def made_with_less(context: Context) -> Outcome:
    """What the maker does not have is left out of what it makes."""
    maker, asked = context.caller, context.payload
    scopes = [scope for scope in asked["scopes"] if decisions.has_scope(maker, scope)]
    context.payload = {**asked, "scopes": scopes, "aal": min(asked.get("aal", 1), maker.grant.aal)}
    return create_api_token(context)


OFFERED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "guides-operations-only": rule_before(
            "scope-granted", Rule("not-offered", "problem.unknown-route", not_offered)
        ),
        "customers-read-the-catalog": several(
            decided_otherwise("customer-reads-only", catalog_is_open), decision("visible", visible_to_all)
        ),
        "actors-on-writes-only": rule("actor-known", actor_known_to_writes),
        "oldest-version-without-token": decision("settle_version", oldest_without_token),
        "creation-grants-less": effect("create_api_token", made_with_less),
        "creation-refused-422": policy(grant_refusal=HTTPStatus.UNPROCESSABLE_ENTITY),
    }
)


# What is repeated


def says_so(_context: Context, decided: Decision) -> Decision:
    """One header more on a replay."""
    if isinstance(decided, Answer):
        return decided._replace(headers=(*decided.headers, ("Idempotent-Replayed", "true")))
    return decided


def digest_of_json(body: bytes) -> bytes:
    """Bodies are compared by what they say."""
    try:
        return json.dumps(json.loads(body), sort_keys=True).encode()
    except (ValueError, RecursionError):
        return decisions.body_digest(body)


def key_by_template(context: Context) -> RecordKey:
    """The route is the template of the path."""
    *place, _path, key = decisions.record_key(context)
    return (*place, context.called.path, key)


def refused_409(context: Context) -> Decision:
    """Who comes second is told to come again, and the key stays the first one's."""
    context.record_key = None
    return refused_pending(HTTPStatus.CONFLICT)


def remembered_if_valid(context: Context, decided: Decision) -> bool:
    """A key is used up by what can be executed."""
    invalid = isinstance(decided, Problem) and decided.type is Problems.VALIDATION_FAILED
    return not invalid and decisions.remembered(context, decided)


REPEATED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "replay-shows-secret": decision("masked", lambda reply: reply),
        "replay-says-so": decided_otherwise("replayed", says_so),
        "bodies-compared-as-json": decision("body_digest", digest_of_json),
        "key-by-template": decision("record_key", key_by_template),
        "duplicates-refused-409": second_of_race(refused_409),
        "validation-not-remembered": decision("remembered", remembered_if_valid),
    }
)

READ: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "scope-refused-403": policy(scope_refusal=HTTPStatus.FORBIDDEN),
        "aal2-refused-403": policy(aal2_refusal=HTTPStatus.FORBIDDEN),
        "key-on-every-post": policy(key_required_on="every-post"),
        "scope-refused-401": policy(scope_refusal=HTTPStatus.UNAUTHORIZED),
        "aal2-refused-401": policy(aal2_refusal=HTTPStatus.UNAUTHORIZED),
        "key-on-creating-posts": policy(key_required_on="creating"),
    }
)

DIALECTS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {**WRITTEN, **REFUSED, **OPERATED, **OFFERED, **REPEATED, **READ}
)
