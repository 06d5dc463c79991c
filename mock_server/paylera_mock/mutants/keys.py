"""Defects of idempotency: which requests need a key, what a key is, what is replayed to whom and for how long."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote

from paylera_fixtures.vocabulary import (
    KEY_LIFETIME_SECONDS,
    KEY_MAX_LENGTH,
    PROBLEM_TYPE_BASE,
    Header,
    Problems,
    ProblemType,
)
from paylera_mock.core import problems
from paylera_mock.core.messages import Answer, Decision, RecordKey, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import (
    Mutation,
    Note,
    after_all,
    decided_otherwise,
    decision,
    fresh,
    policy,
    refusal,
    rule,
    rule_before,
    several,
    without_rule,
)
from paylera_mock.mutants.races import Races
from paylera_mock.pipeline import decisions, rules
from paylera_mock.pipeline.context import Behaviour, Context, Rule
from paylera_mock.state.idempotency import IdempotencyRecord

_MINUTE: Final = 60
_DAY: Final = 24 * 60 * _MINUTE
_FOR_EVER: Final = 10_000 * _DAY
_REFUND: Final = "refund_payment"
_ACCEPTED: Final = range(200, 300)


# Which requests need a key


@dataclass(frozen=True)
class _OtherType(ProblemType):
    """A problem with another `type` than the one that follows from its code."""

    @property
    def type_uri(self) -> str:
        return PROBLEM_TYPE_BASE + self.code.replace(".", "-")


def _with_type(changed: ProblemType) -> Callable[[Problem], Problem]:
    return lambda problem: replace(problem, type=changed)


_REQUIRED: Final = Problems.KEY_REQUIRED


def key_needed_but_for_refunds(context: Context) -> bool:
    """Refunds were forgotten."""
    return context.called.id != _REFUND and decisions.key_needed(context)


def blank_key_counts(context: Context) -> Decision | None:
    """A key that is there counts, whatever it says."""
    if context.request.idempotency_key is None:
        return rules.key_present(context)
    context.record_key = decisions.record_key(context)
    return None


def _needed_on(operation_id: str) -> Mutation:
    """An operation needs a key that by the contract needs none."""

    def key_needed_here(context: Context) -> Decision | None:
        if context.called.id == operation_id and not context.request.idempotency_key:
            return problems.key_required(context.policy)
        return rules.key_present(context)

    return rule("key-present", key_needed_here)


def patch_refuses_key(context: Context) -> Decision | None:
    """A key on a PATCH is taken for a mistake."""
    if context.request.method == "PATCH" and context.request.idempotency_key:
        return problems.key_invalid(context.policy)
    return rules.key_present(context)


def _is_refund(context: Context) -> bool:
    return context.called.id == _REFUND


NEEDED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "key-not-required": without_rule("key-present"),
        "key-required-422": policy(key_required_refusal=HTTPStatus.UNPROCESSABLE_ENTITY),
        "key-required-wrong-code": refusal(
            "key-present", _with_type(ProblemType("idempotency.missing", _REQUIRED.title))
        ),
        "key-required-wrong-title": refusal(
            "key-present", _with_type(ProblemType(_REQUIRED.code, "An Idempotency-Key is required"))
        ),
        "key-required-wrong-type": refusal("key-present", _with_type(_OtherType(_REQUIRED.code, _REQUIRED.title))),
        "key-only-where-guide-asks": policy(key_required_on="creating"),
        "refund-needs-no-key": decision("key_needed", key_needed_but_for_refunds),
        "key-required-but-made": after_all("key-present"),
        "key-required-but-refunded": after_all("key-present", when=_is_refund),
        "blank-key-counts": rule("key-present", blank_key_counts),
        "deletion-needs-key": _needed_on("delete_customer"),
        "patch-needs-key": _needed_on("update_customer"),
        "patch-refuses-key": rule("key-present", patch_refuses_key),
    }
)


# What a key is


def _keyed(change: Callable[[str], str]) -> Mutation:
    """What a key is remembered under holds something else than the key as it was sent."""

    def record_key(context: Context) -> RecordKey:
        *place, key = decisions.record_key(context)
        return (*place, change(key))

    return decision("record_key", record_key)


FORM: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "key-cut-to-254": _keyed(lambda key: key[: KEY_MAX_LENGTH - 1]),
        "key-case-folded": _keyed(str.casefold),
        "key-percent-decoded": _keyed(unquote),
        "key-zeros-dropped": _keyed(lambda key: key.lstrip("0")),
        "key-punctuation-folded": _keyed(lambda key: key.replace("_", "-")),
        "key-of-255-refused": policy(key_max_length=KEY_MAX_LENGTH - 1),
        "key-of-256-accepted": policy(key_max_length=KEY_MAX_LENGTH + 1),
        "long-key-cut": several(without_rule("key-bounded"), _keyed(lambda key: key[:KEY_MAX_LENGTH])),
        "long-key-409": policy(key_invalid_refusal=HTTPStatus.CONFLICT),
    }
)


# What is replayed


def _replayed(change: Callable[[Context, Answer], Answer]) -> Mutation:
    """A success is replayed otherwise than it was answered."""

    def changed(context: Context, decided: Decision) -> Decision:
        if isinstance(decided, Answer) and decided.status in _ACCEPTED:
            return change(context, decided)
        return decided

    return decided_otherwise("replayed", changed)


def _of_today(context: Context, answer: Answer) -> Answer:
    found = context.objects.get(context.called.resource, json.loads(answer.body).get("id"))
    return answer if found is None else answer._replace(body=json.dumps(found).encode())


def _written_anew(_context: Context, answer: Answer) -> Answer:
    return answer._replace(body=json.dumps(json.loads(answer.body), sort_keys=True).encode())


def _without_header(name: str) -> Mutation:
    return _replayed(
        lambda _context, answer: answer._replace(headers=tuple(line for line in answer.headers if line[0] != name))
    )


def _remembered(which: Callable[[Context, Decision], bool]) -> Mutation:
    """Only some answers are kept."""
    return decision(
        "remembered", lambda context, decided: decisions.remembered(context, decided) and which(context, decided)
    )


def _kept_answer(context: Context, record_key: RecordKey) -> Answer | None:
    """What was answered to the same body under a key."""
    record = context.state.idempotency.find(record_key, context.now)
    same = record is not None and record.body_digest == decisions.body_digest(context.request.body or b"")
    return record.answer if record is not None and same else None


def _replay_before(name: str) -> Mutation:
    """Keys are looked up before one of the rules about who may."""

    def check(context: Context) -> Decision | None:
        return _kept_answer(context, decisions.record_key(context)) if context.request.idempotency_key else None

    return rule_before(name, Rule("replayed-early", "idempotency.replay-is-authorised", check))


def replay_to_strangers() -> Mutation:
    """Keys are looked up before anything else, so that it is not known whose they are."""
    places: dict[RecordKey, RecordKey] = {}

    def record_key(context: Context) -> RecordKey:
        place = decisions.record_key(context)
        places[_without_owner(context)] = place
        return place

    def check(context: Context) -> Decision | None:
        place = places.get(_without_owner(context))
        return None if place is None else _kept_answer(context, place)

    early = Rule("replayed-to-strangers", "idempotency.replay-is-authorised", check)
    return several(decision("record_key", record_key), rule_before("credential-present", early))


def _without_owner(context: Context) -> RecordKey:
    request = context.request
    return (request.method, request.path, request.idempotency_key)


REPLAYED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "replay-as-200": _replayed(lambda _context, answer: answer._replace(status=int(HTTPStatus.OK))),
        "replay-of-today": _replayed(_of_today),
        "replay-written-anew": _replayed(_written_anew),
        "replay-without-media-type": _without_header("Content-Type"),
        "replay-without-version": _without_header(Header.VERSION),
        "replay-makes-another-token": _remembered(lambda context, _decided: context.called.id != "create_api_token"),
        "replay-never": _remembered(lambda _context, _decided: False),
        "refund-not-remembered": _remembered(lambda context, _decided: context.called.id != _REFUND),
        "replay-acts-again": after_all("replayed"),
        "replay-refunds-again": after_all("replayed", when=_is_refund),
        "error-not-remembered": _remembered(lambda _context, decided: isinstance(decided, Reply)),
        "replay-before-authentication": fresh(replay_to_strangers),
        "replay-before-revocation": _replay_before("token-not-revoked"),
        "replay-before-scope": _replay_before("scope-granted"),
    }
)


# Another body under the same key


def _digested(change: Callable[[Any], object]) -> Mutation:
    """Bodies are compared by something that is made of their JSON."""

    def body_digest(body: bytes) -> bytes:
        try:
            return repr(change(json.loads(body))).encode()
        except (ValueError, RecursionError):
            return decisions.body_digest(body)

    return decision("body_digest", body_digest)


def _without_metadata(body: Any) -> object:
    return {name: body[name] for name in body if name != "metadata"} if isinstance(body, dict) else body


def _outermost(body: Any) -> object:
    if not isinstance(body, dict):
        return body
    return {name: sorted(value) if isinstance(value, dict) else value for name, value in body.items()}


def mismatch_takes_the_key(context: Context) -> Decision | None:
    """The refusal is remembered in the place of the first answer."""
    record_key = context.record_key
    decided = rules.key_with_same_body(context)
    context.record_key = record_key
    return decided


MISMATCHED: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "mismatch-replayed": rule("key-with-same-body", lambda _context: None),
        "mismatch-served": without_rule("key-with-same-body"),
        "mismatch-409": policy(key_mismatch_refusal=HTTPStatus.CONFLICT),
        "mismatch-wrong-code": refusal(
            "key-with-same-body", _with_type(ProblemType("idempotency.conflict", Problems.KEY_BODY_MISMATCH.title))
        ),
        "mismatch-by-length": decision("body_digest", lambda body: str(len(body)).encode()),
        "mismatch-without-case": decision("body_digest", bytes.lower),
        "mismatch-without-metadata": _digested(_without_metadata),
        "mismatch-not-in-depth": _digested(_outermost),
        "mismatch-but-made": after_all("key-with-same-body"),
        "mismatch-but-refunded": after_all("key-with-same-body", when=_is_refund),
        "mismatch-takes-the-key": rule("key-with-same-body", mismatch_takes_the_key),
    }
)


# Under what, for how long, and at once


def _placed(place: Callable[[Context], RecordKey]) -> Mutation:
    return decision("record_key", place)


def key_until_midnight(context: Context) -> RecordKey:
    """A key is one of its day."""
    return (*decisions.record_key(context), context.now // _DAY)


def key_prolonged(context: Context) -> Decision | None:
    """A replay counts as a first use."""
    decided = rules.replayed(context)
    if isinstance(decided, Answer) and context.record_key is not None:
        context.state.idempotency.keep(context.record_key, IdempotencyRecord(context.body_digest, decided, context.now))
    return decided


def second_of_race(lose: Callable[[Context], Decision | None]) -> Mutation:
    """Those who come second in a race fare otherwise than by a replay of the first."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        races = Races()

        def check(context: Context) -> Decision | None:
            if not races.is_second(context.request):
                return None
            note()
            return lose(context)

        lost = Rule("race-lost", "idempotency.concurrent", check)
        pipeline = behaviour.pipeline.with_decision("queued", races.queued).with_rule_before("replayed", lost)
        return behaviour.but(pipeline=pipeline)

    return mutate


_IN_PROGRESS: Final = ProblemType("idempotency.in_progress", "Request in progress", documented=False)


def refused_pending(status: HTTPStatus) -> Problem:
    """The refusal of a request whose key is being used by another."""
    return Problem(_IN_PROGRESS, status, "The first request with this key is not answered yet. Ask again later.")


def acts_as_well(context: Context) -> None:
    """The key was looked up before the first had taken it."""
    context.record_key = None


def refused_400(context: Context) -> Decision:
    """Who comes second is told that the request was wrong."""
    context.record_key = None
    return refused_pending(HTTPStatus.BAD_REQUEST)


def refused_for_ever(_context: Context) -> Decision:
    """That it came second is what the key is remembered by."""
    return refused_pending(HTTPStatus.CONFLICT)


KEPT: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "key-without-route": _placed(lambda c: (c.tenant_id, c.request.environment, c.request.idempotency_key)),
        "key-without-tenant": _placed(lambda c: decisions.record_key(c)[1:]),
        "key-by-token": _placed(lambda c: (*decisions.record_key(c), c.caller.id)),
        "key-lives-a-minute-less": policy(key_lifetime_seconds=KEY_LIFETIME_SECONDS - _MINUTE),
        "key-lives-a-minute-more": policy(key_lifetime_seconds=KEY_LIFETIME_SECONDS + _MINUTE),
        "key-lives-for-ever": policy(key_lifetime_seconds=_FOR_EVER),
        "key-lives-until-midnight": _placed(key_until_midnight),
        "key-prolonged-by-replay": rule("replayed", key_prolonged),
        "duplicates-both-act": second_of_race(acts_as_well),
        "duplicate-refused-400": second_of_race(refused_400),
        "duplicate-takes-the-key": second_of_race(refused_for_ever),
    }
)

KEYS: Final[Mapping[str, Mutation]] = MappingProxyType({**NEEDED, **FORM, **REPLAYED, **MISMATCHED, **KEPT})
