"""Defects of what becomes of a token: its rotation and its revocation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from paylera_fixtures.tokens import new_secret, prefix
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience, Environment, Problems
from paylera_mock.core import problems
from paylera_mock.core.messages import Decision, Object, Outcome, Reply
from paylera_mock.mutants.ended import ENDED
from paylera_mock.mutants.mechanism import (
    Mutation,
    Note,
    decision,
    followed_by,
    fresh,
    outcome,
    policy,
    refusal,
    rule_before,
    several,
    step,
    without_step,
)
from paylera_mock.pipeline import decisions
from paylera_mock.pipeline.context import Behaviour, Context, Headers, Rule
from paylera_mock.state.tokens import Grant, StoredSecret, StoredToken

_MINUTE: Final = 60
_ROTATE: Final = "rotate_api_token"


# The grace


def _rotated(change: Callable[[Context, StoredToken], StoredToken]) -> Mutation:
    """A rotation that leaves the token otherwise than it should."""

    def leave(context: Context) -> None:
        tokens = context.state.tokens
        token = tokens.get(context.identifier)
        if token is not None:
            tokens.keep(change(context, token))

    return followed_by(_ROTATE, leave)


def _ending(token: StoredToken, secrets: tuple[StoredSecret, ...], expires_at: float) -> tuple[StoredSecret, ...]:
    """All secrets of a token, some of them ending at a certain time."""
    return tuple(replace(each, expires_at=expires_at) if each in secrets else each for each in token.secrets)


def counted_from_creation(_context: Context, token: StoredToken) -> StoredToken:
    """The grace is reckoned from the wrong time."""
    return replace(token, secrets=_ending(token, token.secrets[1:2], token.created_at + GRACE_SECONDS))


def first_ended(context: Context, token: StoredToken) -> StoredToken:
    """Only one former secret is to work at a time."""
    return replace(token, secrets=_ending(token, token.secrets[2:], context.now))


def all_prolonged(context: Context, token: StoredToken) -> StoredToken:
    """All former secrets get the new end."""
    return replace(token, secrets=_ending(token, token.secrets[1:], context.now + GRACE_SECONDS))


def reads_only(context: Context) -> Decision | None:
    """A secret in its grace is refused when it writes."""
    in_grace = context.secret is not None and context.secret.expires_at is not None
    return problems.expired_token() if in_grace and context.request.method != "GET" else None


def both_end(context: Context) -> bool:
    """The end of the grace is that of the whole token."""
    rotated_at = context.caller.rotated_at
    ended = rotated_at is not None and context.now >= rotated_at + GRACE_SECONDS
    return ended or decisions.secret_expired(context)


GRACE: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "rotation-ends-at-once": policy(grace_seconds=0),
        "grace-one-minute-short": policy(grace_seconds=GRACE_SECONDS - _MINUTE),
        "grace-one-minute-long": policy(grace_seconds=GRACE_SECONDS + _MINUTE),
        "grace-never-ends": decision("secret_expired", lambda _context: False),
        "grace-for-reads-only": rule_before("within-rate", Rule("in-grace", "rotation.grace-holds", reads_only)),
        "grace-counts-from-creation": _rotated(counted_from_creation),
        "expired-as-invalid": refusal("secret-not-expired", lambda said: replace(said, type=Problems.INVALID_TOKEN)),
        "expired-403": refusal("secret-not-expired", lambda said: replace(said, status=HTTPStatus.FORBIDDEN)),
        "second-rotation-ends-first": _rotated(first_ended),
        "second-rotation-prolongs": _rotated(all_prolonged),
        "new-secret-ends-with-old": decision("secret_expired", both_end),
    }
)


# The new secret


def _answered(change: Callable[[Object], Object]) -> Mutation:
    """A rotation with another answer."""

    def changed(_context: Context, decided: Outcome) -> Outcome:
        if isinstance(decided, Reply) and decided.body is not None:
            return replace(decided, body=change(decided.body))
        return decided

    return outcome(_ROTATE, change=changed)


def _without_secret(body: Object) -> Object:
    return {name: value for name, value in body.items() if name != "secret"}


def _of_other_environment(body: Object) -> Object:
    secret, grant = body["secret"], body["environment"]
    other = next(each for each in Environment if each != grant)
    return body | {"secret": prefix(other) + secret.rpartition("_")[2]}


def _another_secret(body: Object) -> Object:
    return body | {"secret": new_secret(Environment(body["environment"]))}


def _is_new(context: Context, token: StoredToken | None) -> bool:
    """Whether a request comes with the secret that a rotation has answered."""
    current = context.secret is not None and context.secret.expires_at is None
    return token is not None and token.rotated_at is not None and current


def works_at_second_use() -> Mutation:
    """What was not found is remembered once too often."""
    seen: set[str] = set()

    def find_token(context: Context, secret_digest: str) -> StoredToken | None:
        token = decisions.find_token(context, secret_digest)
        if not _is_new(context, token) or secret_digest in seen:
            return token
        seen.add(secret_digest)
        return None

    return decision("find_token", find_token)


def _granted(change: Callable[[Grant], Grant]) -> Mutation:
    """The new secret of a rotated token may something else than the old. Counted only where it is used."""

    def mutate(behaviour: Behaviour, note: Note) -> Behaviour:
        original = behaviour.pipeline.decisions.find_token

        def find_token(context: Context, secret_digest: str) -> StoredToken | None:
            token = original(context, secret_digest)
            if token is None or not _is_new(context, token):
                return token
            note()
            return replace(token, grant=change(token.grant))

        return behaviour.but(pipeline=behaviour.pipeline.with_decision("find_token", find_token))

    return mutate


def _but(**changes: Any) -> Callable[[Grant], Grant]:
    return lambda grant: replace(grant, **changes)


def sees_all_when_new(context: Context, value: Object) -> bool:
    """Whose data it is was noted with the secret, not with the token."""
    return _is_new(context, context.token) or decisions.visible(context, value)


def _shown(where: Callable[[Context], bool], write: Callable[[str], str] = str) -> Mutation:
    """Reads of a rotated token show its new secret."""

    def make() -> Mutation:
        secrets: dict[str, str] = {}

        def noting(_context: Context, decided: Outcome) -> Outcome:
            if isinstance(decided, Reply) and decided.body is not None:
                secrets[decided.body["id"]] = decided.body["secret"]
            return decided

        def token_view(context: Context, token: StoredToken) -> Object:
            view = decisions.token_view(context, token)
            shown = token.id in secrets and context.called.id != _ROTATE and where(context)
            return view | {"note": write(secrets[token.id])} if shown else view

        return several(outcome(_ROTATE, change=noting), decision("token_view", token_view))

    return fresh(make)


def _random_part(secret: str) -> str:
    return secret.rpartition("_")[2]


def no_cache(_context: Context, _decided: Decision, headers: Headers) -> Headers:
    """Another directive, which lets caches store."""
    return tuple((name, "no-cache") for name, _ in headers)


def only_rotations(context: Context, _decided: Decision, headers: Headers) -> Headers:
    """The creation of tokens was forgotten."""
    return headers if context.operation is not None and context.operation.id == _ROTATE else ()


NEW_SECRET: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        "rotation-answers-no-secret": _answered(_without_secret),
        "rotation-answers-live-secret": _answered(_of_other_environment),
        "new-secret-dead": _answered(_another_secret),
        "new-secret-late": fresh(works_at_second_use),
        "token-shows-secret": _shown(lambda _context: True),
        "token-list-shows-secret": _shown(lambda context: context.called.is_list),
        "token-shows-random-part": _shown(lambda _context: True, _random_part),
        "rotation-drops-scopes": _granted(_but(scopes=())),
        "rotation-widens-scopes": _granted(_but(scopes=(WILDCARD,))),
        "rotation-makes-admin": _granted(_but(audience=Audience.ADMIN)),
        "rotation-raises-assurance": _granted(_but(aal=2)),
        "rotation-drops-assurance": _granted(_but(aal=1)),
        "rotation-unbinds-customer": decision("visible", sees_all_when_new),
        "secret-cacheable": without_step("not-cacheable"),
        "secret-no-cache": step("not-cacheable", no_cache),
        "created-secret-cacheable": step("not-cacheable", only_rotations),
    }
)

LIFECYCLE: Final[Mapping[str, Mutation]] = MappingProxyType({**GRACE, **NEW_SECRET, **ENDED})
