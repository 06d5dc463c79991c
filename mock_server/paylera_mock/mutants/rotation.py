"""Mutants of the rotation of a token: its grace, its new secret, who may rotate, and which token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import new_secret, prefix
from paylera_fixtures.vocabulary import GRACE_SECONDS, WILDCARD, Audience, Environment, Problems
from paylera_mock.core import problems
from paylera_mock.core.clock import MINUTE
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.api_tokens import (
    ROTATE,
    change_named_token,
    in_grace,
    is_foreign,
    is_revoked,
    is_unknown,
    leave_rotated,
    named_token,
    names_caller,
    with_grant,
    with_owners_grant,
)
from paylera_mock.mutants.builders import (
    Mutation,
    When,
    answer_failure,
    calls,
    change_decision,
    change_failure,
    change_headers,
    change_refusal,
    change_success,
    combine,
    decide_late,
    insert_rule,
    is_write,
    per_namespace,
    relent,
    replace_effect,
    set_policy,
    show_to_customers,
    without_rule,
    without_step,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.mutants.replays import act_on_replay
from paylera_mock.operations.api_tokens import rotate_api_token
from paylera_mock.pipeline import decisions, responses, rules
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.tokens import StoredSecret, StoredToken

_IS_ROTATION: Final = calls(ROTATE)


def _with_end(token: StoredToken, which: slice, expires_at: float) -> dict[str, tuple[StoredSecret, ...]]:
    """The secrets of a token, some of which end at another time."""
    ending = token.secrets[which]
    return {
        "secrets": tuple(replace(each, expires_at=expires_at) if each in ending else each for each in token.secrets)
    }


def _is_after_grace(context: Context) -> bool:
    rotated_at = context.caller.rotated_at
    return rotated_at is not None and context.now >= rotated_at + GRACE_SECONDS


def _is_new(context: Context, token: StoredToken | None) -> bool:
    """Whether a request comes with the secret that a rotation has answered."""
    return token is not None and token.rotated_at is not None and context.secret is not None and not in_grace(context)


def _find_at_second_use() -> Mutation:
    """At its first use a new secret is not found, as where a cache still holds that there is no such token."""
    seen: set[str] = set()

    def find_token(right: StoredToken | None, context: Context, digest: str) -> StoredToken | None:
        if not _is_new(context, right) or digest in seen:
            return right
        seen.add(digest)
        return None

    return change_decision(decisions.find_token, find_token)


def _grant_new_secret(**changes: Any) -> Mutation:
    """The new secret of a rotated token may something else than the old: `changes` are members of `Grant`."""

    def change(right: StoredToken | None, context: Context, _digest: str) -> StoredToken | None:
        if right is None or not _is_new(context, right):
            return right
        return replace(right, grant=replace(right.grant, **changes))

    return change_decision(decisions.find_token, change)


def _show_secret(where: When = lambda _: True, write: Callable[[str], str] = str) -> Mutation:

    def make() -> Mutation:
        secrets: dict[str, str] = {}

        def remember(body: Object, _context: Context) -> Object:
            secrets[body["id"]] = body["secret"]
            return body

        def show(right: Object, context: Context, token: StoredToken) -> Object:
            is_shown = token.id in secrets and context.called_operation.id != ROTATE and where(context)
            return right | {"note": write(secrets[token.id])} if is_shown else right

        return combine(change_success(ROTATE, change=remember), change_decision(decisions.token_view, show))

    return per_namespace(make)


def _random_part(secret: str) -> str:
    return secret.rpartition("_")[2]


def _name_other_environment(body: Object, _context: Context) -> Object:
    other = Environment(body["environment"]).other
    return body | {"secret": prefix(other) + _random_part(body["secret"])}


def _answer_secret_of_nothing(_problem: Problem, context: Context) -> Outcome:
    secret = context.policy.new_secret(context.request.environment, context.state.randomness)
    body = {"id": context.identifier, "object": Resource.API_TOKEN.value, "secret": secret}
    return Reply(HTTPStatus.OK, body, issues_secret=True)


def _rotate_as_if_granted(*members: str) -> Mutation:
    """Of the grant of whoever rotates, some members are not looked at."""

    def grant(context: Context) -> Mapping[str, Any]:
        token = named_token(context)
        return {} if token is None else {member: getattr(token.grant, member) for member in members}

    return replace_effect(ROTATE, with_grant(rotate_api_token, grant))


def _revive_and_rotate(context: Context) -> Outcome:
    change_named_token(context, revoked=False)
    return rotate_api_token(context)


def _rotate_and_revive(context: Context) -> Outcome:
    outcome = rotate_api_token(context)
    change_named_token(context, revoked=False)
    return outcome


def _rotate_revoked(context: Context) -> Outcome:
    was_revoked = is_revoked(context)
    outcome = _revive_and_rotate(context)
    token = named_token(context)
    if was_revoked and token is not None:
        context.state.tokens.revoke(token)
    return outcome


def _end_newest(context: Context) -> None:
    """What answers a rotation once more ends the secret that was given first."""
    token = named_token(context)
    if token is not None:
        change_named_token(context, **_with_end(token, slice(1), context.now))


_breaks_grace_holds: Final = partial(Mutant, breaks=("rotation.grace-holds",))
_breaks_grace_ends: Final = partial(Mutant, breaks=("rotation.grace-ends",))
_breaks_new_works: Final = partial(Mutant, breaks=("rotation.new-works",))
_NOT_DISCLOSED: Final = ("credential.not-disclosed",)
_breaks_secret_once: Final = partial(Mutant, breaks=("rotation.secret-once",))
_breaks_keeps_grants: Final = partial(
    Mutant,
    breaks=("rotation.keeps-grants",),
    # By such a secret a rule looks as if it were dropped for tokens that were rotated.
    may_break=("scope.required", "aal2.required", "audience.admin-api-needs-admin", "audience.customer-cannot-write"),
)
_breaks_no_escalation: Final = partial(Mutant, breaks=("rotation.no-escalation",))
_breaks_needs_admin: Final = partial(Mutant, breaks=("rotation.needs-admin",))
_breaks_unknown_id: Final = partial(Mutant, breaks=("rotation.unknown-id",))
_breaks_revoked_stays: Final = partial(Mutant, breaks=("rotation.revoked-stays",))
_breaks_not_cacheable: Final = partial(Mutant, breaks=("rotation.not-cacheable",))
_breaks_again: Final = partial(Mutant, breaks=("rotation.again",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "rotation-ends-at-once": _breaks_grace_holds(
        "The old secret ends with the rotation.", set_policy(grace_seconds=0), may_break=("rotation.again",)
    ),
    "grace-one-minute-short": _breaks_grace_holds(
        "The old secret works for 23 h 59 min.", set_policy(grace_seconds=GRACE_SECONDS - MINUTE), subtle=True
    ),
    "grace-one-minute-long": _breaks_grace_ends(
        "The old secret works for 24 h 1 min.", set_policy(grace_seconds=GRACE_SECONDS + MINUTE), subtle=True
    ),
    "grace-never-ends": Mutant(
        "The old secret works for ever.",
        change_decision(decisions.is_expired, lambda *_: False),
        breaks=("rotation.grace-ends", "rotation.again"),
    ),
    "grace-for-reads-only": Mutant(
        "In its grace the old secret only reads.",
        insert_rule(
            rules.WITHIN_RATE,
            Rule(
                "in-grace",
                "rotation.grace-holds",
                lambda context: problems.expired_token() if in_grace(context) and is_write(context) else None,
            ),
        ),
        breaks=("rotation.grace-holds", "rotation.again"),
        subtle=True,
    ),
    "grace-counts-from-creation": Mutant(
        "The grace is 24 hours from when the token was made.",
        leave_rotated(lambda token, _: _with_end(token, slice(1, 2), token.created_at + GRACE_SECONDS)),
        breaks=("rotation.grace-holds", "rotation.again"),
        subtle=True,
    ),
    "expired-as-invalid": _breaks_grace_ends(
        "After the grace the old secret is unknown, not expired.",
        change_refusal(rules.SECRET_NOT_EXPIRED, type=Problems.INVALID_TOKEN),
        subtle=True,
    ),
    "expired-403": _breaks_grace_ends(
        "After the grace the old secret is refused with 403.", change_refusal(rules.SECRET_NOT_EXPIRED, status=403)
    ),
    "rotation-answers-no-secret": Mutant(
        "The answer to a rotation has no secret.",
        change_success(ROTATE, change=lambda body, _: {name: body[name] for name in body if name != "secret"}),
        breaks=("rotation.new-secret",),
        may_break=("token.length", "token.format"),
    ),
    "rotation-answers-live-secret": Mutant(
        "The new secret reads as one of the other environment.",
        change_success(ROTATE, change=_name_other_environment),
        breaks=("rotation.new-secret", "token.format"),
    ),
    "new-secret-dead": _breaks_new_works(
        "The secret that is answered is not the one that is kept.",
        change_success(ROTATE, change=lambda body, _: body | {"secret": new_secret(Environment(body["environment"]))}),
        may_break=("rotation.again",),
    ),
    "new-secret-late": _breaks_new_works(
        "The new secret works from its second use on.",
        per_namespace(_find_at_second_use),
        subtle=True,
        may_break=("rotation.again",),
    ),
    "new-secret-ends-with-old": _breaks_new_works(
        "When the grace is over both secrets end.",
        change_decision(decisions.is_expired, lambda right, context: right or _is_after_grace(context)),
        subtle=True,
    ),
    "token-shows-secret": _breaks_secret_once(
        "Reads of a rotated token show its secret.", _show_secret(), may_break=_NOT_DISCLOSED
    ),
    "token-list-shows-secret": _breaks_secret_once(
        "The list of tokens shows the secrets.",
        _show_secret(lambda context: context.called_operation.is_list),
        subtle=True,
        may_break=_NOT_DISCLOSED,
    ),
    "token-shows-random-part": _breaks_secret_once(
        "Reads of a token show its secret without prefix.", _show_secret(write=_random_part), subtle=True
    ),
    "rotation-drops-scopes": _breaks_keeps_grants(
        "The new secret has no scope.", _grant_new_secret(scopes=()), may_break=("rotation.again", "rotation.new-works")
    ),
    "rotation-widens-scopes": _breaks_keeps_grants(
        "The new secret has every scope.", _grant_new_secret(scopes=(WILDCARD,)), subtle=True
    ),
    "rotation-makes-admin": _breaks_keeps_grants(
        "The new secret is an admin's.", _grant_new_secret(audience=Audience.ADMIN)
    ),
    "rotation-raises-assurance": _breaks_keeps_grants(
        "The new secret counts as AAL2.", _grant_new_secret(aal=2), subtle=True
    ),
    "rotation-drops-assurance": _breaks_keeps_grants(
        "The new secret does not count as AAL2.", _grant_new_secret(aal=1), subtle=True
    ),
    "rotation-unbinds-customer": _breaks_keeps_grants(
        "With the new secret an end-user reads all.",
        show_to_customers(lambda right, context, _: right or _is_new(context, context.token)),
        may_break=("audience.customer-sees-only-own",),
        subtle=True,
    ),
    "rotators-grant-ignored": _breaks_no_escalation(
        "An admin token rotates tokens that have more than itself.", _rotate_as_if_granted("scopes", "aal")
    ),
    "rotators-scopes-ignored": _breaks_no_escalation(
        "A token can be rotated by one that lacks its scopes.", _rotate_as_if_granted("scopes"), subtle=True
    ),
    "rotators-assurance-ignored": _breaks_no_escalation(
        "A token with AAL2 can be rotated by one that has not asserted it.", _rotate_as_if_granted("aal"), subtle=True
    ),
    "service-rotates": Mutant(
        "A service token may rotate.",
        without_rule(rules.ADMIN_API_BY_ADMIN, _IS_ROTATION),
        breaks=("rotation.needs-admin", "audience.admin-api-needs-admin"),
    ),
    "token-rotates-itself": _breaks_needs_admin(
        "A token may rotate itself.",
        without_rule(rules.ADMIN_API_BY_ADMIN, lambda context: _IS_ROTATION(context) and names_caller(context)),
        may_break=("audience.admin-api-needs-admin",),
        subtle=True,
    ),
    "refused-rotation-rotates": _breaks_needs_admin(
        "A rotation is refused and done.", decide_late(rules.ADMIN_API_BY_ADMIN, when=_IS_ROTATION), subtle=True
    ),
    "rotation-of-nothing-400": _breaks_unknown_id(
        "Rotating an unknown id is a 400.", change_failure(ROTATE, when=is_unknown, status=400)
    ),
    "rotation-of-nothing-200": _breaks_unknown_id(
        "Rotating an unknown id answers a secret.",
        answer_failure(ROTATE, when=is_unknown, answer=_answer_secret_of_nothing),
    ),
    "foreign-rotation-403": _breaks_unknown_id(
        "Another tenant's token is there, and forbidden.",
        change_failure(ROTATE, when=is_foreign, status=403),
        subtle=True,
    ),
    "foreign-rotation": _breaks_unknown_id(
        "Another tenant's token can be rotated.",
        replace_effect(ROTATE, with_owners_grant(rotate_api_token)),
        may_break=("token.one-tenant",),
        subtle=True,
    ),
    "rotation-revives": _breaks_revoked_stays(
        "Rotating a revoked token brings it back.", replace_effect(ROTATE, _revive_and_rotate)
    ),
    "rotation-of-the-dead": _breaks_revoked_stays(
        "A revoked token gets a new secret, dead as it is.", replace_effect(ROTATE, _rotate_revoked), subtle=True
    ),
    "refused-rotation-revives": _breaks_revoked_stays(
        "Rotating a revoked token is refused, and revives it.",
        replace_effect(ROTATE, _rotate_and_revive),
        may_break=("revocation.immediate", "token.revoked"),
        subtle=True,
    ),
    "secret-cacheable": _breaks_not_cacheable(
        "Answers with a secret may be stored.", without_step(responses.NOT_CACHEABLE)
    ),
    "secret-no-cache": _breaks_not_cacheable(
        "Answers with a secret say no-cache only.",
        change_headers(responses.NOT_CACHEABLE, lambda headers, *_: tuple((name, "no-cache") for name, _ in headers)),
        subtle=True,
    ),
    "created-secret-cacheable": _breaks_not_cacheable(
        "Only rotations forbid storing.",
        change_headers(responses.NOT_CACHEABLE, lambda headers, context, _: headers if _IS_ROTATION(context) else ()),
        subtle=True,
    ),
    "second-rotation-ends-first": _breaks_again(
        "A second rotation ends the first grace.",
        leave_rotated(lambda token, context: _with_end(token, slice(2, None), context.now)),
        subtle=True,
    ),
    "second-rotation-prolongs": _breaks_again(
        "A second rotation begins every grace anew.",
        leave_rotated(lambda token, context: _with_end(token, slice(1, None), context.now + GRACE_SECONDS)),
        subtle=True,
    ),
    "five-old-secrets": _breaks_again(
        "A sixth rotation within the day ends the secret of the first.",
        leave_rotated(lambda token, context: _with_end(token, slice(6, None), context.now)),
        subtle=True,
    ),
    "repeated-rotation-ends-new-secret": _breaks_again(
        "A rotation that is asked for again under its key ends the secret that it gave.",
        act_on_replay(frozenset({ROTATE}), _end_newest),
        subtle=True,
    ),
    "expired-secret-that-insists-is-accepted": Mutant(
        "A secret whose grace has ended is accepted when it has been refused ten times.",
        relent(rules.SECRET_NOT_EXPIRED, 10, of=lambda context: context.caller.id),
        breaks=("rotation.grace-ends",),
        may_break=("rotation.again",),
        subtle=True,
    ),
    "expired-secret-back-after-a-month": Mutant(
        "A secret whose grace has ended works again after thirty days.",
        without_rule(
            rules.SECRET_NOT_EXPIRED, lambda context: context.now > (context.caller.rotated_at or 0) + 31 * 86_400
        ),
        breaks=("rotation.grace-ends",),
        subtle=True,
    ),
}
