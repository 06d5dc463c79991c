"""Defects of who is let in: how a credential is read and which tokens are good."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from itertools import chain
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from flask import request

from paylera_fixtures.operations import Resource
from paylera_fixtures.tokens import prefix
from paylera_fixtures.vocabulary import (
    TOKEN_RANDOM_LENGTH,
    WILDCARD,
    Audience,
    Environment,
    Header,
    Problems,
    ProblemType,
)
from paylera_mock import decisions, problems
from paylera_mock.answers import Headers
from paylera_mock.context import Context, Decision, Effect, Outcome, Reply, Rule
from paylera_mock.credential import Authorization, Credential, Flaw, Malformed, Missing, credential_of
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
    step,
    without_rule,
    without_step,
    writer_otherwise,
)
from paylera_mock.problems import Problem
from paylera_mock.resources.api_tokens import create_api_token
from paylera_mock.resources.common import created, list_of
from paylera_mock.resources.customers import wallet_object
from paylera_mock.store import Object
from paylera_mock.tokens import Secret, Token

_TOKEN: Final = re.compile(r"sk_(?:sandbox|live)_[A-Za-z0-9]+")
_RANDOM_KEPT: Final = 24
_WHOLE: Final = len(prefix(Environment.SANDBOX)) + TOKEN_RANDOM_LENGTH
_LONGEST_HEADER: Final = 4096


# How the credential is read


def lenient(find: Callable[[str], str | None]) -> Mutation:
    """A header that is no `Bearer <token>` is read in another way too."""

    def read(right: Authorization, context: Context) -> Authorization:
        if not isinstance(right, Malformed):
            return right
        token = find(context.facts.authorization[0])
        return credential_of(token) if token else right

    return decision_otherwise("read_credential", read)


def any_scheme(value: str) -> str | None:
    """The last of two words, whatever the first is."""
    _, _, rest = value.partition(" ")
    return rest if rest and " " not in rest else None


def anywhere(value: str) -> str | None:
    """The first thing that looks like a token."""
    found = _TOKEN.search(value)
    return found.group() if found else None


def bearer_rest(change: Callable[[str], str]) -> Callable[[str], str | None]:
    """What follows the scheme Bearer, changed before it is looked up."""

    def find(value: str) -> str | None:
        scheme, _, rest = value.partition(" ")
        return change(rest) if scheme.lower() == "bearer" and rest else None

    return find


def split_at_whitespace(value: str) -> str | None:
    """The second of two words, whatever whitespace is between them."""
    words = value.split()
    return words[1] if len(words) == 2 and words[0].lower() == "bearer" else None  # noqa: PLR2004 - scheme and token


def basic_pair(value: str) -> str | None:
    """The user of HTTP Basic, as other APIs take it."""
    scheme, _, rest = value.partition(" ")
    try:
        return b64decode(rest).decode().partition(":")[0] if scheme == "Basic" else None
    except ValueError:
        return None


def one_of(place: int) -> Callable[[str], str | None]:
    """The first or the last of several headers, which WSGI joins by commas."""
    return lambda value: bearer_rest(str.strip)(value.split(",")[place].strip())


def elsewhere(find: Callable[[Context], str | None]) -> Mutation:
    """Where there is no header, the token is looked for in another place."""

    def read(right: Authorization, context: Context) -> Authorization:
        token = find(context) if isinstance(right, Missing) else None
        return credential_of(token) if token else right

    return decision_otherwise("read_credential", read)


def in_query(context: Context) -> str | None:
    """The parameter `access_token`."""
    return parse_qs(context.facts.query).get("access_token", [None])[0]


def in_form(context: Context) -> str | None:
    """The form's field `access_token` (RFC 6750, section 2.2)."""
    return parse_qs((context.facts.body or b"").decode("latin-1")).get("access_token", [None])[0]


def in_json(context: Context) -> str | None:
    """The body's member `access_token`."""
    found = re.search(rb'"access_token": *"([^"]+)"', context.facts.body or b"")
    return found.group(1).decode() if found else None


def crashing(when: Callable[[str], bool]) -> Mutation:
    """Some headers run into an error of the server."""

    def check(context: Context) -> None:
        if any(when(value) for value in context.facts.authorization):
            raise IndexError("there is no second word")

    return rule_before("credential-present", Rule("careless", "credential.malformed", check))


def scheme_as_written(right: Authorization, context: Context) -> Authorization:
    """The scheme is compared with regard to case."""
    written = context.facts.authorization[0] if context.facts.authorization else "Bearer"
    return right if written.startswith("Bearer") else Malformed(Flaw.NOT_BEARER)


# Which token it is


class Learnt:
    """Remembers each secret that was good, in a form in which others look the same, and takes those for it."""

    def __init__(self, form: Callable[[str], str]) -> None:
        self._form = form
        self._digests: dict[str, str] = {}

    def find(self, right: Token | None, context: Context, secret_digest: str) -> Token | None:
        """The token of a secret, or of one that has the same form."""
        form = self._form(context.facts.authorization[0].split()[-1])
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


def open_to_strangers(which: Callable[[Context], bool]) -> Mutation:
    """Some requests need no token."""

    def decide(context: Context, decided: Decision) -> Decision:
        return (carry_on(context, "secret-not-expired") or decided) if which(context) else decided

    return decided_otherwise("credential-present", decide)


def challenge_but(which: ProblemType) -> Callable[[Context, Decision, Headers], Headers]:
    """No challenge with one of the problems."""

    def change(_context: Context, decided: Decision, headers: Headers) -> Headers:
        return () if isinstance(decided, Problem) and decided.type is which else headers

    return change


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
    credential, expected = context.credential, context.facts.environment
    other = isinstance(credential, Credential) and credential.environment is expected.other
    return problems.wrong_environment(expected) if other else problems.unknown_token()


def reissued(spell: Callable[[str], str]) -> Mutation:
    """Issued secrets are spelled otherwise, and work so."""

    def change(context: Context, made: Outcome) -> Outcome:
        if isinstance(made, Problem) or made.body is None:
            return made
        secret = spell(made.body["secret"])
        token = context.world.tokens.get(made.object_id or "")
        if token is not None:
            context.world.tokens.keep(replace(token, secrets=(Secret.of(secret), *token.secrets[1:])))
        return replace(made, body={**made.body, "secret": secret})

    return outcome("create_api_token", "rotate_api_token", change=change)


# What is told


def told(body: bytes, context: Context, _problem: Problem) -> bytes:
    """The detail of a refusal repeats the token."""
    sent = context.facts.authorization[0].split()[-1] if context.facts.authorization else ""
    return body.replace(b'"detail":"', b'"detail":"' + sent.encode() + b" was refused. ") if sent else body


def with_token(context: Context, _decided: Decision, headers: Headers) -> Headers:
    """Accepted or refused, the answer has a header for debugging."""
    return (*headers, *(("X-Debug-Authorization", value) for value in context.facts.authorization))


def no_customer(right: Token | None, _context: Context, _digest: str) -> Token | None:
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


def in_any_shelf(context: Context, kind: Resource, identifier: str) -> Object | None:
    """An object, whosever it is."""
    return next((found for shelf in context.world.store if (found := shelf.get(kind, identifier))), None)


def of_any_tenant(context: Context, made: Outcome) -> Outcome:
    """An object is looked up by its id alone, read or changed."""
    found = in_any_shelf(context, Resource.CUSTOMER, context.identifier)
    if isinstance(made, Reply) or found is None or context.customer_id is not None:
        return made
    found.update(context.payload)
    return Reply(HTTPStatus.OK, found, found["id"])


def list_of_all_tenants(context: Context) -> Outcome:
    """A list is not filtered by tenant."""
    own = context.shelf
    others = (shelf for shelf in context.world.store if shelf is not own)
    foreign = (entry for shelf in others for entry in shelf.newest_first(Resource.CUSTOMER))
    entries = chain(own.newest_first(Resource.CUSTOMER), foreign)
    return list_of(context, (entry for entry in entries if context.decisions.visible(context, entry.value)))


def wallet_of_any_tenant(context: Context, made: Outcome) -> Outcome:
    """A reference is looked up in every tenant."""
    customer = in_any_shelf(context, Resource.CUSTOMER, context.payload["customer_id"])
    if isinstance(made, Reply) or customer is None:
        return made
    return created(context, Resource.WALLET, wallet_object(context, customer["id"], context.payload["currency"]))


def known_to_another(context: Context, made: Outcome) -> Outcome:
    """What another tenant has is refused, where what nobody has is not found."""
    if isinstance(made, Reply) or in_any_shelf(context, Resource.CUSTOMER, context.identifier) is None:
        return made
    return replace(made, status=HTTPStatus.FORBIDDEN)


def is_list_of_products(context: Context) -> bool:
    """A catalog is often thought to be public."""
    return (context.facts.method, context.facts.path) == ("GET", "/v1/products")


ACCESS: Final[Mapping[str, Mutation]] = MappingProxyType(
    {
        # credential.missing
        "no-token-needed": open_to_strangers(lambda _: True),
        "catalog-open-to-strangers": open_to_strangers(is_list_of_products),
        "writes-open-to-strangers": open_to_strangers(lambda context: context.facts.method == "POST"),
        "no-token-is-403": refusal("credential-present", status(HTTPStatus.FORBIDDEN)),
        "no-token-is-invalid": refusal("credential-present", code("INVALID_TOKEN")),
        "no-token-refused-late": after_all("credential-present"),
        # credential.malformed
        "any-scheme": lenient(any_scheme),
        "token-anywhere-in-header": lenient(anywhere),
        "bearer-in-quotes": lenient(bearer_rest(lambda rest: rest.strip("\"'"))),
        "bearer-and-tab": lenient(split_at_whitespace),
        "first-of-two-tokens": lenient(bearer_rest(lambda rest: rest.split(" ")[0])),
        "bearer-percent-decoded": lenient(bearer_rest(unquote)),
        "basic-user-is-token": lenient(basic_pair),
        "scheme-alone-crashes": crashing(lambda value: value.strip() == "Bearer"),
        "long-header-crashes": crashing(lambda value: len(value) > _LONGEST_HEADER),
        "malformed-is-400": refusal("credential-well-formed", status(HTTPStatus.BAD_REQUEST)),
        "malformed-is-expired": refusal("credential-well-formed", code("EXPIRED_TOKEN")),
        "malformed-refused-late": after_all("credential-well-formed"),
        # credential.duplicate-headers
        "first-header-wins": lenient(one_of(0)),
        "last-header-wins": lenient(one_of(-1)),
        # credential.only-in-header
        "token-in-query": elsewhere(in_query),
        "token-in-form": elsewhere(in_form),
        "token-in-json": elsewhere(in_json),
        "token-in-cookie": elsewhere(lambda _: request.cookies.get("access_token")),
        "token-in-api-key-header": elsewhere(lambda _: request.headers.get("X-Api-Key")),
        "token-for-the-proxy": elsewhere(lambda _: anywhere(request.headers.get("Proxy-Authorization", ""))),
        # credential.exact-match
        "token-without-case": compared(str.lower),
        "token-by-prefix": compared(cut(_RANDOM_KEPT)),
        "token-but-last-character": compared(lambda secret: secret[: _WHOLE - 1]),
        "token-truncated": compared(lambda secret: secret[:_WHOLE]),
        "token-padding-ignored": compared(lambda secret: secret.rstrip("=")),
        # credential.scheme-case
        "scheme-with-case": decision_otherwise("read_credential", scheme_as_written),
        # credential.challenge
        "no-challenge": without_step("challenge"),
        "challenge-of-basic": step("challenge", lambda *_: ((Header.CHALLENGE, 'Basic realm="paylera"'),)),
        "no-challenge-when-expired": step("challenge", challenge_but(Problems.EXPIRED_TOKEN)),
        # credential.not-disclosed
        "refusal-repeats-token": writer_otherwise("problem", told),
        "answer-repeats-token": step("rate-headers", with_token),
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
            without_rule("right-environment", lambda context: context.facts.environment is Environment.LIVE),
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
