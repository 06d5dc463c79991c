"""Mutants of idempotency: what is replayed to whom, with which body, for how long, and to requests at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from paylera_fixtures.vocabulary import KEY_LIFETIME_SECONDS, Environment, Header, Problems, ProblemType
from paylera_mock.core.clock import DAY, MINUTE
from paylera_mock.core.messages import Answer, Decision, RecordKey, Reply, Request
from paylera_mock.mutants.builders import (
    WHO_ASKS,
    Mutation,
    When,
    change_decision,
    change_refusal,
    change_rule,
    combine,
    decide_late,
    insert_rule,
    is_refund,
    per_namespace,
    replace_decision,
    replace_rule,
    set_policy,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.races import lose_race
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Context, Headers, Rule
from paylera_mock.state.idempotency import IdempotencyRecord

_MOVES_MONEY: Final = frozenset({"refund_payment", "credit_wallet", "pay_invoice"})
_KEPT_HEADERS: Final = frozenset({"Content-Type", "Cache-Control", Header.VERSION})
_AUTHORISED: Final = "idempotency.replay-is-authorised"


def _is_movement(request: Request) -> bool:
    return request.operation is not None and request.operation.id in _MOVES_MONEY


def _moves_money(context: Context) -> bool:
    return _is_movement(context.request)


def _replay_otherwise(change: Callable[[Answer, Context], Answer]) -> Mutation:

    def change_replayed(decided: Decision, context: Context) -> Decision:
        if isinstance(decided, Answer) and decided.status < HTTPStatus.MULTIPLE_CHOICES:
            return change(decided, context)
        return decided

    return change_rule(rules.REPLAYED, change_replayed)


def _show_as_it_is_now(answer: Answer, context: Context) -> Answer:
    found = context.objects.get(context.called_operation.resource, json.loads(answer.body).get("id"))
    return answer if found is None else answer._replace(body=json.dumps(found).encode())


def _replay_without(name: str) -> Mutation:
    return _replay_otherwise(
        lambda answer, _: answer._replace(headers=tuple(line for line in answer.headers if line[0] != name))
    )


def _replay_errors_as_json() -> Mutation:

    def retyped(headers: Headers) -> Headers:
        return tuple((name, "application/json" if name == "Content-Type" else value) for name, value in headers)

    def change_replayed(decided: Decision, _context: Context) -> Decision:
        if isinstance(decided, Answer) and decided.status >= HTTPStatus.BAD_REQUEST:
            return decided._replace(headers=retyped(decided.headers))
        return decided

    return change_rule(rules.REPLAYED, change_replayed)


def _remember_where(which: Callable[[Context, Decision], bool]) -> Mutation:
    return change_decision(decisions.is_remembered, lambda right, context, decided: right and which(context, decided))


def _kept_answer(context: Context, record_key: RecordKey) -> Answer | None:
    """What was answered to the same body under a key."""
    record = context.state.idempotency.find(record_key, context.now)
    same = record is not None and record.body_digest == decisions.body_digest(context.request.body or b"")
    return record.answer if record is not None and same else None


def _replay_before(rule: Rule) -> Mutation:
    """Keys are looked up before one of the rules about who may."""

    def check(context: Context) -> Decision | None:
        return _kept_answer(context, decisions.record_key(context)) if context.request.idempotency_key else None

    return insert_rule(rule, Rule("replayed-early", _AUTHORISED, check))


def _replay_errors_to_the_revoked() -> Mutation:

    def check(context: Context) -> Decision | None:
        if not context.caller.revoked or not context.request.idempotency_key:
            return None
        answer = _kept_answer(context, decisions.record_key(context))
        return answer if answer is not None and answer.status >= HTTPStatus.BAD_REQUEST else None

    return insert_rule(rules.TOKEN_NOT_REVOKED, Rule("errors-replayed-early", _AUTHORISED, check))


def _forget_after_an_hour(when: When) -> Mutation:
    """Some keys live an hour: what is older is kept under another name from then on."""

    def change(right: RecordKey, context: Context) -> RecordKey:
        record = context.state.idempotency.find(right, context.now) if when(context) else None
        return right if record is None or context.now - record.first_used < 60 * MINUTE else (*right, "forgotten")

    return change_decision(decisions.record_key, change)


def _replay_unauthenticated() -> Mutation:
    """Keys are looked up before anything else, so that it is not known whose they are."""
    places: dict[RecordKey, RecordKey] = {}

    def place_without_owner(context: Context) -> RecordKey:
        return (context.request.method, context.request.path, context.request.idempotency_key)

    def record_key(context: Context) -> RecordKey:
        place = decisions.record_key(context)
        places[place_without_owner(context)] = place
        return place

    def check(context: Context) -> Decision | None:
        place = places.get(place_without_owner(context))
        return None if place is None else _kept_answer(context, place)

    early = Rule("replayed-unauthenticated", _AUTHORISED, check)
    return combine(replace_decision(decisions.record_key, record_key), insert_rule(rules.CREDENTIAL_PRESENT, early))


def compare_bodies_by(form: Callable[[Any], object]) -> Mutation:
    """Bodies are compared by something that is made of their JSON."""

    def body_digest(body: bytes) -> bytes:
        try:
            return repr(form(json.loads(body))).encode()
        except (ValueError, RecursionError):
            return decisions.body_digest(body)

    return replace_decision(decisions.body_digest, body_digest)


def _outermost(body: Any) -> object:
    if not isinstance(body, dict):
        return body
    return {name: sorted(value) if isinstance(value, dict) else value for name, value in body.items()}


def _counted(body: Any) -> object:
    if isinstance(body, dict):
        return {name: _counted(value) for name, value in body.items()}
    return len(body) if isinstance(body, list) else body


def _key_by_resource(right: RecordKey, _context: Context) -> RecordKey:
    *owner, path, key = right
    return (*owner, str(path).split("/")[2], key)


def _refuse_and_begin_anew(context: Context) -> Decision | None:
    decided = rules.KEY_WITH_SAME_BODY.check(context)
    record = context.record
    if decided is not None and record is not None:
        renewed = replace(record, first_used=context.now)
        context.state.idempotency.keep(context.decisions.record_key(context), renewed)
    return decided


def _refuse_and_take_the_key(context: Context) -> Decision | None:
    record_key = context.record_key
    decided = rules.KEY_WITH_SAME_BODY.check(context)
    context.record_key = record_key
    return decided


def _prolong(context: Context) -> Decision | None:
    decided = rules.REPLAYED.check(context)
    if isinstance(decided, Answer) and context.record_key is not None:
        context.state.idempotency.keep(context.record_key, IdempotencyRecord(context.body_digest, decided, context.now))
    return decided


_breaks_replay: Final = partial(Mutant, breaks=("idempotency.replay",))
_breaks_replay_is_authorised: Final = partial(Mutant, breaks=("idempotency.replay-is-authorised",))
_breaks_body_mismatch: Final = partial(Mutant, breaks=("idempotency.body-mismatch",))
_breaks_per_tenant: Final = partial(Mutant, breaks=("idempotency.per-tenant",))
_breaks_lifetime: Final = partial(Mutant, breaks=("idempotency.lifetime",))
_breaks_concurrent: Final = partial(Mutant, breaks=("idempotency.concurrent",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "replay-as-200": _breaks_replay(
        "A replay of a 201 is a 200.", _replay_otherwise(lambda answer, _: answer._replace(status=200))
    ),
    "replay-of-today": _breaks_replay(
        "A replay shows the object as it is now.", _replay_otherwise(_show_as_it_is_now), subtle=True
    ),
    "replay-written-anew": _breaks_replay(
        "A replay says the same in other bytes.",
        _replay_otherwise(
            lambda answer, _: answer._replace(body=json.dumps(json.loads(answer.body), sort_keys=True).encode())
        ),
        subtle=True,
    ),
    "replay-without-media-type": _breaks_replay(
        "A replay loses its Content-Type.", _replay_without("Content-Type"), subtle=True
    ),
    "replay-without-version": _breaks_replay(
        "A replay loses its Paylera-Version.",
        _replay_without(Header.VERSION),
        may_break=("version.echo",),
        subtle=True,
    ),
    "replay-loses-other-headers": _breaks_replay(
        "A replay loses what says that its version will end.",
        _replay_otherwise(
            lambda answer, _: answer._replace(
                headers=tuple(line for line in answer.headers if line[0] in _KEPT_HEADERS)
            )
        ),
        subtle=True,
    ),
    "replay-makes-another-token": _breaks_replay(
        "The creation of a token is done again.",
        _remember_where(lambda context, _: context.called_operation.id != "create_api_token"),
        may_break=("idempotency.replay-has-no-effect",),
        subtle=True,
    ),
    "replay-never": Mutant(
        "No key is remembered.",
        _remember_where(lambda *_: False),
        breaks=(
            "idempotency.replay",
            "idempotency.body-mismatch",
            "idempotency.concurrent",
            "idempotency.replay-has-no-effect",
        ),
    ),
    "refund-not-remembered": Mutant(
        "The keys of refunds are not remembered.",
        _remember_where(lambda context, _: not is_refund(context)),
        breaks=("idempotency.replay", "idempotency.body-mismatch", "idempotency.replay-has-no-effect"),
        may_break=("idempotency.concurrent",),  # of refunds at once, where these are drawn
    ),
    "replay-acts-again": Mutant(
        "A replay answers as the first did, and acts again.",
        decide_late(rules.REPLAYED),
        breaks=("idempotency.concurrent", "idempotency.replay-has-no-effect"),
        subtle=True,
    ),
    "replay-refunds-again": Mutant(
        "The replay of a refund answers as the first did, and refunds again.",
        decide_late(rules.REPLAYED, when=is_refund),
        breaks=("idempotency.replay-has-no-effect",),
        subtle=True,
    ),
    "error-not-remembered": Mutant(
        "Only successes are remembered.",
        _remember_where(lambda _, decided: isinstance(decided, Reply)),
        breaks=("idempotency.replay-error",),
    ),
    "error-remembered-of-payments-alone": Mutant(
        "Of errors only those of a payment are remembered, and not that a value is taken.",
        _remember_where(lambda context, decided: isinstance(decided, Reply) or _moves_money(context)),
        breaks=("idempotency.replay-error",),
        subtle=True,
    ),
    "error-replayed-as-json": Mutant(
        "A replayed error has another media type than the first.",
        _replay_errors_as_json(),
        breaks=("idempotency.replay-error",),
        subtle=True,
    ),
    "replay-before-authentication": Mutant(
        "Replays go to whoever knows the key.",
        per_namespace(_replay_unauthenticated),
        breaks=("idempotency.replay-is-authorised", "idempotency.per-tenant"),
        may_break=(
            *WHO_ASKS,
            "credential.only-in-header",
            "credential.exact-match",
            "revocation.immediate",
            "audience.admin-api-needs-admin",
            "audience.customer-cannot-write",
            "audience.customer-sees-only-own",
            "aal2.required",
        ),
    ),
    "replay-before-revocation": _breaks_replay_is_authorised(
        "Replays go to revoked tokens too.",
        _replay_before(rules.TOKEN_NOT_REVOKED),
        may_break=(
            "token.revoked",
            "revocation.immediate",
            "revocation.covers-grace",
            "rotation.grace-ends",
            "scope.required",
        ),
        subtle=True,
    ),
    "errors-replayed-to-the-revoked": _breaks_replay_is_authorised(
        "Errors that are kept are replayed to revoked tokens too.", _replay_errors_to_the_revoked(), subtle=True
    ),
    "replay-before-scope": _breaks_replay_is_authorised(
        "Replays go to tokens without the scope too.",
        _replay_before(rules.SCOPE_GRANTED),
        subtle=True,
        may_break=("scope.required",),
    ),
    "mismatch-replayed": _breaks_body_mismatch(
        "Another body is answered as the first was.", replace_rule(rules.KEY_WITH_SAME_BODY, lambda _: None)
    ),
    "mismatch-served": _breaks_body_mismatch(
        "Another body under a used key is served.", without_rule(rules.KEY_WITH_SAME_BODY)
    ),
    "mismatch-409": _breaks_body_mismatch("Another body is refused with 409.", set_policy(key_mismatch_refusal=409)),
    "mismatch-wrong-code": _breaks_body_mismatch(
        "Another body is refused as idempotency.conflict.",
        change_refusal(
            rules.KEY_WITH_SAME_BODY, type=ProblemType("idempotency.conflict", Problems.KEY_BODY_MISMATCH.title)
        ),
    ),
    "mismatch-by-length": _breaks_body_mismatch(
        "Two bodies of one length are the same.",
        replace_decision(decisions.body_digest, lambda body: str(len(body)).encode()),
        subtle=True,
    ),
    "mismatch-without-case": _breaks_body_mismatch(
        "Bodies are compared without regard to case.", replace_decision(decisions.body_digest, bytes.lower), subtle=True
    ),
    "mismatch-without-metadata": _breaks_body_mismatch(
        "Bodies are compared without their metadata.",
        compare_bodies_by(
            lambda body: {name: body[name] for name in body if name != "metadata"} if isinstance(body, dict) else body
        ),
        subtle=True,
    ),
    "mismatch-not-in-depth": _breaks_body_mismatch(
        "Of parsed bodies only the outermost members are compared.", compare_bodies_by(_outermost), subtle=True
    ),
    "mismatch-by-beginning": _breaks_body_mismatch(
        "Two bodies that begin with the same 512 bytes are the same.",
        replace_decision(decisions.body_digest, lambda body: hashlib.sha256(body[:512]).digest()),
        subtle=True,
    ),
    "mismatch-by-count": _breaks_body_mismatch(
        "Of lists in parsed bodies only the number of entries is compared.", compare_bodies_by(_counted), subtle=True
    ),
    "mismatch-but-made": _breaks_body_mismatch(
        "What is refused for its other body is made.", decide_late(rules.KEY_WITH_SAME_BODY)
    ),
    "mismatch-but-refunded": _breaks_body_mismatch(
        "A refund of another amount is refused and made.",
        decide_late(rules.KEY_WITH_SAME_BODY, when=is_refund),
        subtle=True,
    ),
    "mismatch-takes-the-key": _breaks_body_mismatch(
        "A refused other body takes the key over.",
        replace_rule(rules.KEY_WITH_SAME_BODY, _refuse_and_take_the_key),
        may_break=("idempotency.lifetime",),  # with the key it begins the day of the key anew
        subtle=True,
    ),
    "key-without-route": Mutant(
        "A key is the same on every route.",
        change_decision(decisions.record_key, lambda right, _: (*right[:2], right[-1])),
        breaks=("idempotency.per-route",),
    ),
    "key-by-resource": Mutant(
        "A key is the same on every route of one resource.",
        change_decision(decisions.record_key, _key_by_resource),
        breaks=("idempotency.per-route",),
        subtle=True,
    ),
    "key-without-tenant": _breaks_per_tenant(
        "A key is the same in every tenant.", change_decision(decisions.record_key, lambda right, _: right[1:])
    ),
    "key-by-token": _breaks_per_tenant(
        "A key belongs to the token.",
        change_decision(decisions.record_key, lambda right, context: (*right, context.caller.id)),
        subtle=True,
    ),
    "key-lives-a-minute-less": _breaks_lifetime(
        "A key lives 23 h 59 min.", set_policy(key_lifetime_seconds=KEY_LIFETIME_SECONDS - MINUTE), subtle=True
    ),
    "key-lives-a-minute-more": _breaks_lifetime(
        "A key lives 24 h 1 min.", set_policy(key_lifetime_seconds=KEY_LIFETIME_SECONDS + MINUTE), subtle=True
    ),
    "key-lives-for-ever": _breaks_lifetime("A key is never forgotten.", set_policy(key_lifetime_seconds=10_000 * DAY)),
    "key-lives-until-midnight": _breaks_lifetime(
        "A key is forgotten at the end of its day.",
        change_decision(decisions.record_key, lambda right, context: (*right, context.now // DAY)),
        subtle=True,
    ),
    "key-prolonged-by-replay": _breaks_lifetime(
        "A key lives 24 h from its last use.", replace_rule(rules.REPLAYED, _prolong), subtle=True
    ),
    "key-prolonged-by-mismatch": _breaks_lifetime(
        "A key lives 24 h from the last other body under it.",
        replace_rule(rules.KEY_WITH_SAME_BODY, _refuse_and_begin_anew),
        subtle=True,
    ),
    "money-keys-live-an-hour": _breaks_lifetime(
        "A key that moved money lives an hour.", _forget_after_an_hour(_moves_money), subtle=True
    ),
    "live-keys-live-an-hour": _breaks_lifetime(
        "A key of the live environment lives an hour.",
        _forget_after_an_hour(lambda context: context.request.environment is Environment.LIVE),
        subtle=True,
    ),
    "duplicates-both-act": _breaks_concurrent(
        "Two requests with one key at once both act.", lose_race(None), subtle=True
    ),
    "movements-at-once-all-act": _breaks_concurrent(
        "Of movements of money with one key at once all act.", lose_race(None, when=_is_movement), subtle=True
    ),
    "duplicate-refused-400": _breaks_concurrent("Of two at once the second is refused with 400.", lose_race(400)),
    "duplicate-takes-the-key": _breaks_concurrent(
        "Of two at once the second's 409 is replayed from then on.", lose_race(409, remembered=True), subtle=True
    ),
}
