"""Defects of which tokens are good, of what is issued, and of the line between tenants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import prefix
from paylera_fixtures.vocabulary import (
    TOKEN_RANDOM_LENGTH,
    WILDCARD,
    Audience,
    Environment,
)
from paylera_mock.core import problems
from paylera_mock.core.credential import Credential
from paylera_mock.core.messages import Decision, Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.mechanism import (
    Mutation,
    after_all,
    carry_on,
    code,
    decided_otherwise,
    decision_otherwise,
    effect,
    fresh,
    outcome,
    policy,
    refusal,
    rule,
    rule_before,
    several,
    status,
    without_rule,
)
from paylera_mock.operations.api_tokens import create_api_token
from paylera_mock.operations.common import create, reply_with_page
from paylera_mock.operations.customers import wallet_object
from paylera_mock.pipeline import decisions
from paylera_mock.pipeline.context import Context, Effect, Rule
from paylera_mock.state.tokens import StoredSecret, StoredToken

_RANDOM_KEPT: Final = 24
_WHOLE: Final = len(prefix(Environment.SANDBOX)) + TOKEN_RANDOM_LENGTH


# Which token it is


class Learnt:
    """Remembers each secret that was good, in a form in which others look the same, and takes those for it."""

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form
        self._digests: dict[str, str] = {}

    def find(self, right: StoredToken | None, context: Context, secret_digest: str) -> StoredToken | None:
        """The token of a secret, or of one that has the same form."""
        form = self._form(context.request.authorization[0].split()[-1])
        if right is not None:
            self._digests[form] = secret_digest
            return right
        known = self._digests.get(form)
        return None if known is None else decisions.find_token(context, known)


def compared(form: Callable[[str], str]) -> Mutation:
    """Secrets are compared by a form of theirs."""
    return fresh(lambda: decision_otherwise("find_token", Learnt(form).find))


def cut(kept: int) -> Callable[[str], str]:
    """The prefix and so many characters of the random part."""
    return lambda secret: secret[: secret.rindex("_") + 1 + kept]


def taken_for_somebody(context: Context, decided: Decision) -> Decision:
    """An unknown token is as good as any."""
    return carry_on(context, "secret-not-expired") or decided


def from_anywhere(context: Context) -> Decision | None:
    """The token exists, in whatever environment."""
    if isinstance(context.credential, Credential):
        context.token = context.decisions.find_token(context, context.credential.digest)
    return None if context.token else problems.unknown_token()


def environment_of_unknown(context: Context) -> Decision | None:
    """Only of a token that does not exist is the environment looked at."""
    if from_anywhere(context) is None:
        return None
    credential, expected = context.credential, context.request.environment
    other = isinstance(credential, Credential) and credential.environment is expected.other
    return problems.wrong_environment(expected) if other else problems.unknown_token()


def reissued(spell: Callable[[str], str]) -> Mutation:
    """Issued secrets are spelled otherwise, and work so."""

    def change(context: Context, made: Outcome) -> Outcome:
        if isinstance(made, Problem) or made.body is None:
            return made
        secret = spell(made.body["secret"])
        token = context.state.tokens.get(made.object_id or "")
        if token is not None:
            context.state.tokens.keep(replace(token, secrets=(StoredSecret.of(secret), *token.secrets[1:])))
        return replace(made, body={**made.body, "secret": secret})

    return outcome("create_api_token", "rotate_api_token", change=change)


def no_customer(right: StoredToken | None, _context: Context, _digest: str) -> StoredToken | None:
    """Tokens of end-users are kept in a table that nobody looks into."""
    return None if right is not None and right.grant.audience is Audience.CUSTOMER else right


def made_by(**more: Any) -> Effect:
    """A token is made as if its maker had more than it has."""

    def make(context: Context) -> Outcome:
        maker = context.caller
        context.token = replace(maker, grant=replace(maker.grant, **more))
        made = create_api_token(context)
        context.token = maker
        return made

    return make


def every_scope_by_default(context: Context) -> None:
    """Who asks for no scope gets them all."""
    if context.called.id == "create_api_token":
        context.payload.setdefault("scopes", [WILDCARD])
        context.token = replace(context.caller, grant=replace(context.caller.grant, scopes=(WILDCARD,)))


def in_any_table(context: Context, kind: Resource, identifier: str) -> Object | None:
    """An object, whosever it is."""
    return next((found for objects in context.state.store if (found := objects.get(kind, identifier))), None)


def of_any_tenant(context: Context, made: Outcome) -> Outcome:
    """An object is looked up by its id alone, read or changed."""
    found = in_any_table(context, Resource.CUSTOMER, context.identifier)
    if isinstance(made, Reply) or found is None or context.customer_id is not None:
        return made
    found.update(context.payload)
    return Reply(HTTPStatus.OK, found, found["id"])


def list_of_all_tenants(context: Context) -> Outcome:
    """A list is not filtered by tenant."""
    own = context.objects
    others = (objects for objects in context.state.store if objects is not own)
    foreign = (entry for objects in others for entry in objects.newest_first(Resource.CUSTOMER))
    entries = chain(own.newest_first(Resource.CUSTOMER), foreign)
    return reply_with_page(context, (entry for entry in entries if context.decisions.visible(context, entry.value)))


def wallet_of_any_tenant(context: Context, made: Outcome) -> Outcome:
    """A reference is looked up in every tenant."""
    customer = in_any_table(context, Resource.CUSTOMER, context.payload["customer_id"])
    if isinstance(made, Reply) or customer is None:
        return made
    return create(context, Resource.WALLET, wallet_object(context, customer["id"], context.payload["currency"]))


def known_to_another(context: Context, made: Outcome) -> Outcome:
    """What another tenant has is refused, where what nobody has is not found."""
    if isinstance(made, Reply) or in_any_table(context, Resource.CUSTOMER, context.identifier) is None:
        return made
    return replace(made, status=HTTPStatus.FORBIDDEN)


TOKENS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # credential.exact-match
        "token-without-case": compared(str.lower),
        "token-by-prefix": compared(cut(_RANDOM_KEPT)),
        "token-but-last-character": compared(lambda secret: secret[: _WHOLE - 1]),
        "token-truncated": compared(lambda secret: secret[:_WHOLE]),
        "token-padding-ignored": compared(lambda secret: secret.rstrip("=")),
        # credential.accepted
        "customer-tokens-unknown": decision_otherwise("find_token", no_customer),
        # token.unknown
        "any-token-is-good": decided_otherwise("token-known", taken_for_somebody),
        "unknown-is-403": refusal("token-known", status(HTTPStatus.FORBIDDEN)),
        "unknown-is-missing": refusal("token-known", code("MISSING_TOKEN")),
        "unknown-refused-late": after_all("token-known"),
        # token.revoked
        "revoked-is-403": refusal("token-not-revoked", status(HTTPStatus.FORBIDDEN)),
        "revoked-is-expired": refusal("token-not-revoked", code("EXPIRED_TOKEN")),
        "revoked-refused-late": after_all("token-not-revoked"),
        # token.wrong-environment
        "environment-of-unknown-only": several(
            without_rule("right-environment"), rule("token-known", environment_of_unknown)
        ),
        "live-takes-sandbox-tokens": several(
            without_rule("right-environment", lambda context: context.request.environment is Environment.LIVE),
            rule("token-known", from_anywhere),
        ),
        "wrong-environment-is-unknown": without_rule("right-environment"),
        "wrong-environment-is-403": refusal("right-environment", status(HTTPStatus.FORBIDDEN)),
        "wrong-environment-refused-late": after_all("right-environment", "secret-not-expired"),
        # token.format and token.length
        "secrets-of-live": reissued(lambda secret: secret.replace("sk_sandbox_", "sk_live_")),
        "secrets-without-environment": reissued(lambda secret: secret.replace("sk_sandbox_", "sk_")),
        "secrets-of-31": policy(token_length=TOKEN_RANDOM_LENGTH - 1),
        "secrets-of-33": policy(token_length=TOKEN_RANDOM_LENGTH + 1),
        # token.no-escalation
        "makers-scopes-ignored": effect("create_api_token", made_by(scopes=(WILDCARD,))),
        "makers-assurance-ignored": effect("create_api_token", made_by(aal=2)),
        "no-scopes-are-all": rule_before(
            "body-fits-schema", Rule("every-scope", "token.no-escalation", every_scope_by_default)
        ),
        # token.one-tenant
        "reads-across-tenants": outcome("get_customer", change=of_any_tenant),
        "writes-across-tenants": outcome("update_customer", change=of_any_tenant),
        "lists-across-tenants": effect("list_customers", list_of_all_tenants),
        "refers-across-tenants": outcome("create_wallet", change=wallet_of_any_tenant),
        "another-tenants-object-is-403": outcome("get_customer", "update_customer", change=known_to_another),
    }
)
