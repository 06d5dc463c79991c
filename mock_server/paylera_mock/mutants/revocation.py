"""Mutants of the revocation of a token: whether it is over then, who may revoke, and which token."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from paylera_fixtures.vocabulary import Problems
from paylera_mock.core.messages import Decision, Outcome, Reply
from paylera_mock.mutants.api_tokens import (
    REVOKE,
    in_grace,
    is_revoked,
    is_unknown,
    named_token,
    names_caller,
    with_owners_grant,
)
from paylera_mock.mutants.builders import (
    Mutation,
    add_effect,
    answer_failure,
    calls,
    change_failure,
    change_refusal,
    change_rule,
    decide_late,
    is_write,
    per_namespace,
    replace_effect,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.operations.api_tokens import revoke_api_token
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context

_IS_REVOCATION: Final = calls(REVOKE)
_REVOKED: Final = ("revocation.immediate", "token.revoked")


def _revoke_without_effect(context: Context) -> Outcome:
    token = named_token(context)
    outcome = revoke_api_token(context)
    if token is not None:
        context.state.tokens.keep(token)
    return outcome


def _revoke_namesakes(context: Context) -> None:
    target, tokens = named_token(context), context.state.tokens
    for token in tokens:
        if target is not None and token.grant.name == target.grant.name:
            tokens.revoke(token)


def _serve_once_more() -> Mutation:
    """The first look at a revoked token still finds what it was."""
    seen: set[str] = set()

    def change(decided: Decision, context: Context) -> Decision | None:
        if context.caller.id in seen:
            return decided
        seen.add(context.caller.id)
        return None

    return change_rule(rules.TOKEN_NOT_REVOKED, change)


_breaks_revoked: Final = partial(Mutant, breaks=("revocation.immediate", "token.revoked"))
_breaks_needs_admin: Final = partial(Mutant, breaks=("revocation.needs-admin",))
_breaks_only_target: Final = partial(Mutant, breaks=("revocation.only-target",))
_breaks_unknown_id: Final = partial(Mutant, breaks=("revocation.unknown-id",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "revocation-without-effect": _breaks_revoked(
        "Revoking answers 204 and does nothing.",
        replace_effect(REVOKE, _revoke_without_effect),
        may_break=("revocation.covers-grace",),
    ),
    "revocation-one-request-late": _breaks_revoked(
        "The first request after a revocation is still served, from a cache.",
        per_namespace(_serve_once_more),
        may_break=("revocation.covers-grace",),
        subtle=True,
    ),
    "revoked-as-expired": _breaks_revoked(
        "A revoked token is refused as auth.expired_token.",
        change_refusal(rules.TOKEN_NOT_REVOKED, type=Problems.EXPIRED_TOKEN),
        subtle=True,
    ),
    "revoked-403": _breaks_revoked(
        "A revoked token is refused with 403.", change_refusal(rules.TOKEN_NOT_REVOKED, status=403)
    ),
    "revocation-spares-writes": Mutant(
        "A revoked token can still write.",
        without_rule(rules.TOKEN_NOT_REVOKED, is_write),
        breaks=("revocation.immediate",),
        may_break=("token.revoked", "revocation.covers-grace"),
        subtle=True,
    ),
    "service-revokes": Mutant(
        "A service token may revoke.",
        without_rule(rules.ADMIN_API_BY_ADMIN, _IS_REVOCATION),
        breaks=("revocation.needs-admin", "audience.admin-api-needs-admin"),
    ),
    "token-revokes-itself": _breaks_needs_admin(
        "A token may revoke itself.",
        without_rule(rules.ADMIN_API_BY_ADMIN, lambda context: _IS_REVOCATION(context) and names_caller(context)),
        may_break=("audience.admin-api-needs-admin",),
        subtle=True,
    ),
    "refused-revocation-revokes": _breaks_needs_admin(
        "A revocation is refused and done.", decide_late(rules.ADMIN_API_BY_ADMIN, when=_IS_REVOCATION), subtle=True
    ),
    "revocation-by-name": _breaks_only_target(
        "All tokens of one name are revoked.",
        add_effect(REVOKE, _revoke_namesakes),
        subtle=True,
        may_break=("rotation.grace-ends",),
    ),
    "revocation-ends-its-caller": _breaks_only_target(
        "The token that revokes is revoked as well.",
        add_effect(REVOKE, lambda context: context.state.tokens.revoke(context.caller)),
    ),
    "revocation-spares-grace": Mutant(
        "A secret in its grace outlives the revocation.",
        without_rule(rules.TOKEN_NOT_REVOKED, in_grace),
        breaks=("revocation.covers-grace",),
        may_break=("revocation.immediate", "token.revoked"),
        subtle=True,
    ),
    "revocation-of-nothing-204": _breaks_unknown_id(
        "Revoking an unknown id is a 204.", answer_failure(REVOKE, when=is_unknown, answer=lambda *_: Reply(204))
    ),
    "foreign-revocation": _breaks_unknown_id(
        "Another tenant's token can be revoked.",
        replace_effect(REVOKE, with_owners_grant(revoke_api_token)),
        subtle=True,
    ),
    "second-revocation-409": _breaks_unknown_id(
        "Revoking twice is a 409.", change_failure(REVOKE, when=is_revoked, status=409)
    ),
}
