"""Mutants of which tokens are good, of what is issued, and of what keeps tenants apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.tokens import ALPHABET
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, WILDCARD, Audience, Environment, Problems
from paylera_mock.core import problems
from paylera_mock.core.credential import BearerCredential
from paylera_mock.core.messages import Object, Outcome, Reply
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.api_tokens import with_grant
from paylera_mock.mutants.builders import (
    Mutation,
    answer_failure,
    change_failure,
    change_outcome,
    change_refusal,
    change_rule,
    combine,
    decide_late,
    insert_rule,
    relent,
    replace_effect,
    replace_rule,
    serve_anyone,
    set_policy,
    without_rule,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.operations.api_tokens import create_api_token
from paylera_mock.operations.catalog import create_product
from paylera_mock.operations.common import create, operation, reply_with_page
from paylera_mock.operations.customers import wallet_object
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Rule
from paylera_mock.state.objects import Entry
from paylera_mock.state.tokens import StoredSecret


def _find_in_any_environment(context: Context) -> Problem | None:
    if isinstance(context.credential, BearerCredential):
        context.token = context.decisions.find_token(context, context.credential.digest)
    return None if context.token else problems.unknown_token()


def _spell_secrets(spell: Callable[[str], str]) -> Mutation:
    """Issued secrets are spelled otherwise, and work so."""

    def change(outcome: Outcome, context: Context) -> Outcome:
        if isinstance(outcome, Problem) or outcome.body is None:
            return outcome
        secret = spell(outcome.body["secret"])
        token = context.state.tokens.get(outcome.object_id or "")
        if token is not None:
            context.state.tokens.keep(replace(token, secrets=(StoredSecret.of(secret), *token.secrets[1:])))
        return replace(outcome, body={**outcome.body, "secret": secret})

    return change_outcome("create_api_token", "rotate_api_token", change=change)


def _grant_all_by_default(context: Context) -> None:
    if context.called_operation.id == "create_api_token":
        context.payload.setdefault("scopes", [WILDCARD])
        context.token = replace(context.caller, grant=replace(context.caller.grant, scopes=(WILDCARD,)))


def _customer(context: Context, identifier: str) -> Object | None:
    return next(
        (found for objects in context.state.store if (found := objects.get(Resource.CUSTOMER, identifier))), None
    )


def _open_any_customer(problem: Problem, context: Context) -> Outcome:
    found = _customer(context, context.identifier)
    if found is None or context.customer_id is not None:
        return problem
    found.update(context.payload)
    return Reply(HTTPStatus.OK, found, found["id"])


@operation
def _list_all_customers(context: Context) -> Reply:
    own = context.objects
    tables = (own, *(objects for objects in context.state.store if objects is not own))
    is_visible = context.decisions.is_visible

    def entries(before: int | None) -> Iterator[Entry]:
        listed = chain.from_iterable(objects.newest_first(Resource.CUSTOMER, before=before) for objects in tables)
        return (entry for entry in listed if is_visible(context, entry.value))

    return reply_with_page(context, entries)


def _make_wallet_for_any_customer(problem: Problem, context: Context) -> Outcome:
    customer = _customer(context, context.payload["customer_id"])
    if customer is None:
        return problem
    return create(context, Resource.WALLET, wallet_object(context, customer["id"], context.payload["currency"]))


def _create_for(audience: Audience) -> Mutation:
    """Of whoever makes a token for an audience the scopes are not looked at."""

    def grant(context: Context) -> Mapping[str, Any]:
        return {"scopes": (WILDCARD,)} if context.payload["audience"] == audience else {}

    return replace_effect("create_api_token", with_grant(create_api_token, grant))


def _environment_of_body(context: Context) -> Mapping[str, Any]:
    return {"environment": Environment(context.payload.get("environment", context.caller.grant.environment))}


def _create_product_of_new_code(context: Context) -> Outcome:
    """A code that some tenant has in this environment is nobody else's."""
    environment, code = context.caller.grant.environment, context.payload["code"]
    tables = (objects for (_, found), objects in context.state.store.items() if found is environment)
    is_taken = any(objects.find(Resource.PRODUCT, code=code) for objects in tables)
    return problems.conflict("code") if is_taken else create_product(context)


_breaks_unknown_and_exact_match: Final = partial(Mutant, breaks=("token.unknown", "credential.exact-match"))
_breaks_refusal_has_no_effect: Final = partial(Mutant, breaks=("credential.refusal-has-no-effect",))
_breaks_revoked_and_immediate: Final = partial(Mutant, breaks=("token.revoked", "revocation.immediate"))
_breaks_wrong_environment: Final = partial(Mutant, breaks=("token.wrong-environment",))
_breaks_format: Final = partial(Mutant, breaks=("token.format",))
_breaks_length: Final = partial(Mutant, breaks=("token.length",))
_breaks_no_escalation: Final = partial(Mutant, breaks=("token.no-escalation",))
_breaks_one_tenant: Final = partial(Mutant, breaks=("token.one-tenant",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "any-token-is-good": Mutant(
        "Any token of the right form is accepted.",
        change_rule(rules.TOKEN_KNOWN, lambda decided, context: serve_anyone(context) or decided),
        breaks=("token.unknown", "credential.exact-match", "robustness.auth-everywhere"),
        may_break=("credential.malformed",),
    ),
    "unknown-is-403": _breaks_unknown_and_exact_match(
        "An unknown token is refused with 403.", change_refusal(rules.TOKEN_KNOWN, status=403)
    ),
    "unknown-is-missing": _breaks_unknown_and_exact_match(
        "An unknown token is refused as auth.missing_token.",
        change_refusal(rules.TOKEN_KNOWN, type=Problems.MISSING_TOKEN),
    ),
    "unknown-refused-late": _breaks_refusal_has_no_effect(
        "An unknown token is refused only after the request has had its effect.",
        decide_late(rules.TOKEN_KNOWN),
        subtle=True,
    ),
    "revoked-is-403": _breaks_revoked_and_immediate(
        "A revoked token is refused with 403.", change_refusal(rules.TOKEN_NOT_REVOKED, status=403)
    ),
    "revoked-is-expired": _breaks_revoked_and_immediate(
        "A revoked token is refused as auth.expired_token.",
        change_refusal(rules.TOKEN_NOT_REVOKED, type=Problems.EXPIRED_TOKEN),
        subtle=True,
    ),
    "revoked-refused-late": _breaks_refusal_has_no_effect(
        "A revoked token is refused only after the request has had its effect.",
        decide_late(rules.TOKEN_NOT_REVOKED),
        subtle=True,
    ),
    "environment-of-unknown-only": _breaks_wrong_environment(
        "The environment of a token is looked at only where the token does not exist.",
        combine(
            without_rule(rules.RIGHT_ENVIRONMENT),
            replace_rule(
                rules.TOKEN_KNOWN,
                lambda context: (
                    _find_in_any_environment(context)
                    and (rules.RIGHT_ENVIRONMENT.check(context) or problems.unknown_token())
                ),
            ),
        ),
        subtle=True,
    ),
    "live-takes-sandbox-tokens": _breaks_wrong_environment(
        "Live accepts tokens of the sandbox.",
        combine(
            without_rule(rules.RIGHT_ENVIRONMENT, lambda context: context.request.environment is Environment.LIVE),
            replace_rule(rules.TOKEN_KNOWN, _find_in_any_environment),
        ),
        subtle=True,
    ),
    "wrong-environment-is-unknown": _breaks_wrong_environment(
        "A token of the other environment is refused as auth.invalid_token.", without_rule(rules.RIGHT_ENVIRONMENT)
    ),
    "wrong-environment-is-403": _breaks_wrong_environment(
        "A token of the other environment is refused with 403.", change_refusal(rules.RIGHT_ENVIRONMENT, status=403)
    ),
    "wrong-environment-refused-late": _breaks_refusal_has_no_effect(
        "A token of the other environment is refused only after the request has had its effect.",
        decide_late(rules.RIGHT_ENVIRONMENT, go_on_after=rules.SECRET_NOT_EXPIRED),
        subtle=True,
    ),
    "secrets-of-live": _breaks_format(
        "The sandbox issues secrets that begin with sk_live_.",
        _spell_secrets(lambda secret: secret.replace("sk_sandbox_", "sk_live_")),
        may_break=("rotation.new-secret",),
    ),
    "secrets-without-environment": _breaks_format(
        "Issued secrets do not name their environment.",
        _spell_secrets(lambda secret: secret.replace("sk_sandbox_", "sk_")),
        may_break=("rotation.new-secret", "token.length"),
    ),
    "secrets-of-31": _breaks_length(
        "The random part of an issued secret has 31 characters.",
        set_policy(token_length=TOKEN_RANDOM_LENGTH - 1),
        subtle=True,
    ),
    "secrets-of-33": _breaks_length(
        "The random part of an issued secret has 33 characters.",
        set_policy(token_length=TOKEN_RANDOM_LENGTH + 1),
        subtle=True,
    ),
    "makers-scopes-ignored": _breaks_no_escalation(
        "A token can be made with scopes that its maker lacks.",
        replace_effect("create_api_token", with_grant(create_api_token, lambda _: {"scopes": (WILDCARD,)})),
    ),
    "makers-assurance-ignored": _breaks_no_escalation(
        "A token can be made with AAL2 by a maker that has not asserted it.",
        replace_effect("create_api_token", with_grant(create_api_token, lambda _: {"aal": 2})),
        subtle=True,
    ),
    "no-scopes-are-all": _breaks_no_escalation(
        "A token that is made without naming scopes gets all of them.",
        insert_rule(rules.BODY_FITS_SCHEMA, Rule("every-scope", "token.no-escalation", _grant_all_by_default)),
        subtle=True,
    ),
    "makers-scopes-ignored-for-a-service": _breaks_no_escalation(
        "A service token can be made with scopes that its maker lacks.", _create_for(Audience.SERVICE), subtle=True
    ),
    "makers-scopes-ignored-for-an-end-user": _breaks_no_escalation(
        "A customer token can be made with scopes that its maker lacks.", _create_for(Audience.CUSTOMER), subtle=True
    ),
    "environment-of-body-honoured": Mutant(
        "A token is made in the environment that the body names, whatever its maker's is.",
        replace_effect("create_api_token", with_grant(create_api_token, _environment_of_body)),
        breaks=("token.format", "token.no-escalation"),
        subtle=True,
    ),
    "secrets-alike": _breaks_format(
        "Of the random part of every secret that is issued 24 characters are the same.",
        _spell_secrets(lambda secret: secret[:-TOKEN_RANDOM_LENGTH] + ALPHABET[:24] + secret[-8:]),
        subtle=True,
    ),
    "product-code-unique-across-tenants": _breaks_one_tenant(
        "The code of a product that another tenant has is refused.",
        replace_effect("create_product", _create_product_of_new_code),
        subtle=True,
    ),
    "reads-across-tenants": _breaks_one_tenant(
        "An object is read by its id, whatever tenant has it.",
        answer_failure("get_customer", answer=_open_any_customer),
    ),
    "writes-across-tenants": _breaks_one_tenant(
        "An object is changed by its id, whatever tenant has it.",
        answer_failure("update_customer", answer=_open_any_customer),
        subtle=True,
    ),
    "lists-across-tenants": _breaks_one_tenant(
        "The list of customers holds those of all tenants.", replace_effect("list_customers", _list_all_customers)
    ),
    "refers-across-tenants": _breaks_one_tenant(
        "A wallet can be made for another tenant's customer.",
        answer_failure("create_wallet", answer=_make_wallet_for_any_customer),
        subtle=True,
    ),
    "another-tenants-object-is-403": _breaks_one_tenant(
        "Another tenant's object is refused with 403, which tells that it exists.",
        change_failure(
            "get_customer",
            "update_customer",
            when=lambda context: _customer(context, context.identifier) is not None,
            status=403,
        ),
        subtle=True,
    ),
    "every-hundredth-forgery-accepted": Mutant(
        "One in a hundred tokens that nobody issued is accepted.",
        relent(rules.TOKEN_KNOWN, 99, serves=True),
        breaks=("token.unknown",),
        may_break=("credential.exact-match", "credential.malformed", "robustness.auth-everywhere"),
        subtle=True,
    ),
    "forgery-that-insists-is-accepted": Mutant(
        "A token that nobody issued is accepted when it has been refused ten times.",
        relent(rules.TOKEN_KNOWN, 10, of=lambda context: context.request.authorization, serves=True),
        breaks=("token.unknown",),
        may_break=("credential.exact-match", "robustness.auth-everywhere"),
        subtle=True,
    ),
    "revoked-token-that-insists-is-accepted": Mutant(
        "A revoked token is accepted when it has been refused ten times.",
        relent(rules.TOKEN_NOT_REVOKED, 10, of=lambda context: context.caller.id),
        breaks=("token.revoked",),
        may_break=("revocation.immediate", "revocation.covers-grace"),
        subtle=True,
    ),
    "revocation-forgotten-after-a-day": Mutant(
        "A revoked token works again a day later.",
        without_rule(rules.TOKEN_NOT_REVOKED, lambda context: context.now > (context.caller.revoked_at or 0) + 86_400),
        breaks=("token.revoked",),
        may_break=("revocation.immediate", "revocation.covers-grace"),
        subtle=True,
    ),
}
