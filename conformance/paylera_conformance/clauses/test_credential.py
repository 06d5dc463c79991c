"""How the token travels: in one header, in one form, whole."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import assume, strategies

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential, forged
from paylera_conformance.probe import refusals
from paylera_conformance.probe.baselines import NO_TOKEN
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.error_cases import ErrorCase, each_kind, foreign_token, provoked
from paylera_conformance.scenarios.generated import for_each
from paylera_conformance.scenarios.token_lifecycle import expired, revoked
from paylera_conformance.target.provisioner import Need, all_scopes_but
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.tokens import ALPHABET, new_secret, prefix
from paylera_fixtures.vocabulary import WILDCARD, Audience, Header

UNAUTHORIZED = 401
UNSENT = "\0 no secret was sent"

LIST = BY_ID["list_customers"]
CREATE = BY_ID["create_customer"]


def customer_token(probe: Probe) -> Credential:
    """A token of an end-user."""
    return probe.provisioner.token(Need("customer", audience=Audience.CUSTOMER, scopes=(WILDCARD,), at_least=True))


@covers("credential.accepted")
def test_a_service_token_is_accepted(probe: Probe) -> None:
    """A backend's token in `Authorization: Bearer` opens the public API."""
    probe.accepts(probe.factory.request_for(LIST))


@covers("credential.accepted")
def test_a_customer_token_is_accepted(probe: Probe) -> None:
    """An end-user's token opens what an end-user may read."""
    probe.accepts(probe.factory.request_for(LIST, customer_token(probe)))


@covers("credential.accepted", each_operation=True)
@each_operation(lambda operation: operation.is_admin and operation.is_list)
def test_an_admin_token_is_accepted(probe: Probe, operation: Operation) -> None:
    """An operator's token opens the Admin API."""
    probe.accepts(probe.factory.request_for(operation, probe.tokens.admin))


@covers("credential.accepted")
@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_the_header_is_found_in_any_case(probe: Probe, name: str) -> None:
    """Field names are case-insensitive (RFC 9110, section 5.1)."""
    request = probe.factory.request_for(LIST).carrying("Bearer {}", carrier=name)
    probe.accepts(request, hint="HTTP field names are compared without regard to case")


@covers("credential.missing", each_operation=True)
@each_operation(lambda _: True)
def test_no_operation_answers_without_a_token(probe: Probe, operation: Operation) -> None:
    """Every operation that the target has asks for a credential first."""
    baseline = probe.baseline(operation)
    baseline.refuses(baseline.request.without_token(), refusals.MISSING, change=NO_TOKEN)


MALFORMED = {
    "no-scheme": "{}",
    "scheme-alone": "Bearer",
    "scheme-and-comma": "Bearer ,",
    "two-tokens": "Bearer {} {}",
    "scheme-twice": "Bearer Bearer {}",
    "comma-list": "Bearer {}, Bearer {}",
    "comma-no-space": "Bearer {},{}",
    "auth-param": "Bearer token={}",
    "double-quotes": 'Bearer "{}"',
    "single-quotes": "Bearer '{}'",
    "angle-brackets": "Bearer <{}>",
    "tab": "Bearer\t{}",
    "colon": "Bearer: {}",
    "equals": "Bearer={}",
    "no-space": "Bearer{}",
    "basic": "Basic {}",
    "digest": "Digest {}",
    "token-scheme": "Token {}",
    "scheme-prefix": "Bear {}",
    "scheme-longer": "Bearers {}",
    "negotiate": "Negotiate {}",
}
"""Headers that hold a valid token and are not `Bearer <token>`. Two spaces are left out: RFC 9110 allows them."""


@covers("credential.malformed")
@pytest.mark.parametrize("credential", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_header_that_is_not_bearer_never_authenticates(probe: Probe, credential: str) -> None:
    """A valid token in any other wrapping is no credential."""
    control = probe.factory.request_for(LIST)
    probe.baseline(control).refuses(
        control.carrying(credential),
        refusals.NO_CREDENTIAL,
        change=f"Authorization reads `{credential.replace('{}', '<token>')}`",
        hint="compare the header with `Bearer <token>` whole, rather than looking for a token in it",
    )


ENCODED = {
    "percent-encoded": lambda secret: "".join(f"%{ord(character):02X}" for character in secret),
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "basic-pair": lambda secret: b64encode(f"{secret}:".encode()).decode(),
    "with-colon": lambda secret: f"{secret}:",
}


@covers("credential.malformed")
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED.keys())
def test_an_encoded_token_never_authenticates(probe: Probe, scheme: str, encode: Callable[[str], str]) -> None:
    """What is sent is compared as it is, never decoded first."""
    control = probe.factory.request_for(LIST)
    encoded = forged(encode(probe.tokens.service.secret.reveal()), "encoded")
    probe.baseline(control).refuses(
        control.by(encoded).carrying(scheme + " {}"),
        refusals.NO_CREDENTIAL,
        change=f"the token is encoded, under the scheme {scheme}",
    )


HOSTILE = {
    "nul": b"Bearer \x00%b",
    "control-inside": b"Bearer %b\x01",
    "escape": b"Bearer \x1b%b",
    "delete": b"Bearer %b\x7f",
    "bell-before": b"\x07Bearer %b",
    "latin-1": b"Bearer %b\xe9",
    "utf-8": "Bearer %bé".encode(),
    "no-break-space": b"Bearer\xa0%b",
    "bad-utf-8": b"Bearer \xff\xfe%b",
    "one-byte": b"x",
    "8-kib": b"Bearer " + b"x" * 8192,
    "64-kib": b"Bearer " + b"x" * 65536,
}
"""Headers that HTTP itself lets a server refuse; `%b` stands for a valid token."""


@covers("credential.malformed")
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_refused_and_break_nothing(probe: Probe, value: bytes) -> None:
    """Control and non-ASCII bytes and huge headers get a 4xx or a closed connection, never a 2xx or a 5xx."""
    control = probe.factory.request_for(LIST)
    secret = probe.tokens.service.secret.reveal().encode()
    probe.baseline(control).refuses_raw(
        [(Header.AUTHORIZATION, value.replace(b"%b", secret))], change="hostile bytes in Authorization"
    )


@covers("credential.duplicate-headers")
@pytest.mark.parametrize("valid_first", [True, False], ids=["valid-first", "valid-last"])
def test_two_headers_never_authenticate(probe: Probe, valid_first: bool) -> None:  # noqa: FBT001 - a case
    """Which of two credentials counts is a question that an attacker must not get to answer."""
    control = probe.factory.request_for(LIST)
    valid = b"Bearer " + probe.tokens.service.secret.reveal().encode()
    other = b"Bearer " + new_secret(probe.settings.environment).encode()
    values = [valid, other] if valid_first else [other, valid]
    probe.baseline(control).refuses_raw(
        [(Header.AUTHORIZATION, value) for value in values], change="a second Authorization header"
    )


ELSEWHERE = {
    "query-access-token": ("?limit=1&access_token={}", ""),
    "query-token": ("?limit=1&token={}", ""),
    "query-api-key": ("?limit=1&api_key={}", ""),
    "query-authorization": ("?limit=1&authorization=Bearer%20{}", ""),
    "cookie": ("?limit=1", "Cookie: token={}; access_token={}; Authorization={}"),
    "x-api-key": ("?limit=1", "X-Api-Key: {}"),
    "x-auth-token": ("?limit=1", "X-Auth-Token: {}"),
    "x-authorization": ("?limit=1", "X-Authorization: Bearer {}"),
    "proxy-authorization": ("?limit=1", "Proxy-Authorization: Bearer {}"),
    "x-forwarded-authorization": ("?limit=1", "X-Forwarded-Authorization: Bearer {}"),
}
"""A query and a header, each with a valid token in it for `{}`."""


@covers("credential.only-in-header")
@pytest.mark.parametrize(("query", "header"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_token_elsewhere_is_no_credential(probe: Probe, query: str, header: str) -> None:
    """Tokens in URLs and cookies end up in logs and in other people's requests."""
    control = probe.factory.request_for(LIST)
    secret = probe.tokens.service.secret.reveal()
    name, _, value = header.replace("{}", secret).partition(": ")
    moved = control.without_token().at(LIST.path + query.replace("{}", secret))
    moved = moved.with_header(name, value) if name else moved
    probe.baseline(control).refuses(moved, refusals.MISSING, change="the token is somewhere else than in Authorization")


IN_BODY = {
    "json": ("application/json", '{{"access_token": "{}", "token": "{}"}}'),
    "form": ("application/x-www-form-urlencoded", "access_token={}&token={}"),
}


@covers("credential.only-in-header", mode=Mode.SANDBOX)
@pytest.mark.parametrize(("media_type", "body"), IN_BODY.values(), ids=IN_BODY.keys())
def test_a_token_in_the_body_is_no_credential(probe: Probe, media_type: str, body: str) -> None:
    """RFC 6750 knows the form parameter `access_token`; the contract does not."""
    control = probe.factory.request_for(CREATE)
    secret = probe.tokens.service.secret.reveal()
    moved = control.without_token().with_body(body.format(secret, secret).encode())
    probe.baseline(control).refuses(
        moved.with_header("Content-Type", media_type), refusals.MISSING, change=f"the token is in the {media_type} body"
    )


def _swap(character: str) -> str:
    """Another character of the same alphabet, of the same case."""
    if not character.isalnum():
        return "." if character == "-" else "-"
    return {"z": "a", "Z": "A", "9": "0"}.get(character) or chr(ord(character) + 1)


ALTERED = {
    "last-changed": lambda prefix, rest: prefix + rest[:-1] + _swap(rest[-1]),
    "first-changed": lambda prefix, rest: prefix + _swap(rest[0]) + rest[1:],
    "middle-changed": lambda prefix, rest: prefix + rest[:16] + _swap(rest[16]) + rest[17:],
    "case-flipped": lambda prefix, rest: prefix + rest.swapcase(),
    "upper": lambda prefix, rest: prefix + rest.upper(),
    "lower": lambda prefix, rest: prefix + rest.lower(),
    "cut-by-one": lambda prefix, rest: prefix + rest[:-1],
    "cut-in-half": lambda prefix, rest: prefix + rest[:16],
    "extended": lambda prefix, rest: prefix + rest + "A",
    "doubled": lambda prefix, rest: prefix + rest + rest,
    "padded": lambda prefix, rest: prefix + rest + "==",
    "reversed": lambda prefix, rest: prefix + rest[::-1],
    "prefix-alone": lambda prefix, _: prefix,
}
"""Ways to write a token that is nearly the real one, from its prefix and its random part."""

ALTERED_EXAMPLES = 12


def _parts(token: Credential) -> tuple[str, str]:
    """The prefix and the random part of a token, which may hold an underscore of its own."""
    secret = token.secret.reveal()
    split = len(prefix(token.environment))
    return secret[:split], secret[split:]


def _altered(token: Credential, alter: Callable[[str, str], str]) -> Credential:
    """The token written otherwise. Raises `NotOffered` where that comes to the same: no source gives the alphabet."""
    altered = alter(*_parts(token))
    if altered == token.secret.reveal():
        raise NotOffered("the token reads the same when it is so altered")
    return token.with_secret(altered, "altered")


@covers("credential.exact-match")
@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_token_is_another_token(probe: Probe, alter: Callable[[str, str], str]) -> None:
    """Comparing a part, a prefix or without regard to case lets guesses in."""
    control = probe.factory.request_for(LIST)
    token = probe.tokens.service
    probe.baseline(control).refuses(
        control.by(_altered(token, alter)),
        refusals.INVALID,
        change="the token is altered in one place",
        hint="tokens are compared whole, byte for byte",
    )


@covers("credential.exact-match")
def test_no_generated_alteration_is_accepted(probe: Probe) -> None:
    """One character put elsewhere, wherever that is, makes another token."""
    control = probe.factory.request_for(LIST)
    start, rest = _parts(probe.tokens.service)

    def check(alteration: tuple[int, str]) -> None:
        place, character = alteration
        altered = rest[:place] + character + rest[place + 1 :]
        assume(altered != rest)
        probe.baseline(control).refuses(
            control.by(probe.tokens.service.with_secret(start + altered, "altered")),
            refusals.INVALID,
            change=f"character {place} of the random part is another",
        )

    places = strategies.tuples(strategies.integers(0, len(rest) - 1), strategies.sampled_from(ALPHABET))
    for_each(probe.settings, ALTERED_EXAMPLES, places, check)


def _unknown(probe: Probe, request: Request) -> Request:
    return request.by(forged(new_secret(probe.settings.environment), "unknown"))


def _without_scope(probe: Probe, request: Request) -> Request:
    others = all_scopes_but("customers:write", probe.settings.profile)
    return request.by(probe.provisioner.token(Need("lacks customers:write", scopes=others)))


UNFIT = {
    "no token": lambda _, request: request.without_token(),
    "an unknown token": _unknown,
    "the scheme Token": lambda _, request: request.carrying("Token {}"),
    "a revoked token": lambda probe, request: request.by(revoked(probe)),
    "a secret whose grace has ended": lambda probe, request: request.by(expired(probe)),
    "a token of the other environment": lambda probe, request: request.by(foreign_token(probe)),
    "a token without customers:write": _without_scope,
}
"""Ways to be refused at a write, each from a request that is accepted."""


@covers("credential.refusal-has-no-effect", mode=Mode.SANDBOX)
@pytest.mark.parametrize("change", UNFIT)
def test_a_refused_write_leaves_no_trace(probe: Probe, change: str) -> None:
    """The refusal comes before the effect: what was refused is nowhere to be found."""
    refused, made = (probe.factory.request_for(CREATE) for _ in range(2))
    probe.require_accepted(made)
    _send_to_be_refused(probe, UNFIT[change](probe, refused), change)
    probe.require_listed(LIST, made.json["email"])
    probe.expect_not_listed(LIST, refused.json["email"], change=change)
    probe.proofs += 1


def _send_to_be_refused(probe: Probe, request: Request, change: str) -> None:
    """Send a request whose refusal another clause is about; without it nothing can be said here."""
    exchange = probe.send(request)
    if not exchange.response.refused:
        raise Blocked(f"{change} was not refused, so that no refusal can be looked at", exchange=exchange)


@covers("credential.scheme-case")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_found_in_any_case(probe: Probe, scheme: str) -> None:
    """Scheme names are case-insensitive (RFC 9110, section 11.1)."""
    probe.accepts(probe.factory.request_for(LIST).carrying(scheme + " {}"))


@covers("credential.challenge")
@each_kind(lambda kind: kind.in_guide)
def test_a_401_carries_a_challenge(probe: Probe, kind: ErrorCase) -> None:
    """A client learns from `WWW-Authenticate` how to authenticate (RFC 9110, section 11.6.1; RFC 6750, section 3)."""
    exchange = provoked(probe, kind)
    challenge = exchange.response.header(Header.CHALLENGE)
    probe.expect(
        "WWW-Authenticate with a Bearer challenge",
        holds=exchange.response.status != UNAUTHORIZED or _offers_bearer(challenge),
        got=f"WWW-Authenticate: {challenge}",
        exchange=exchange,
    )


def _offers_bearer(challenge: str | None) -> bool:
    """Whether one of the challenges of a header has the scheme Bearer."""
    return re.search(r"(^|,)\s*bearer(\s|,|$)", challenge or "", re.IGNORECASE) is not None


@covers("credential.not-disclosed")
@each_kind()
def test_a_refusal_does_not_repeat_the_credential(probe: Probe, kind: ErrorCase) -> None:
    """What is refused ends up in logs and bug reports, and the secret with it."""
    exchange = provoked(probe, kind)
    secret = exchange.request.token.secret.reveal() if exchange.request.token else UNSENT
    probe.expect("no secret in the answer", holds=not _shows(exchange, secret), got="it", exchange=exchange)


@covers("credential.not-disclosed", each_operation=True)
@each_operation(lambda operation: operation.is_list)
def test_a_list_does_not_show_the_credential(probe: Probe, operation: Operation) -> None:
    """An accepted answer has no need of the secret either, tokens' own list included."""
    exchange = probe.require_proven(probe.factory.request_for(operation))
    secrets = [token.secret.reveal() for token in (probe.tokens.service, probe.tokens.admin)]
    shown = [secret for secret in secrets if _shows(exchange, secret)]
    probe.expect("no secret in the answer", holds=not shown, got="one", exchange=exchange)


def _shows(exchange: Exchange, secret: str) -> bool:
    """Whether a secret stands in a body or a header."""
    headers = "\n".join(value for _, value in exchange.response.headers)
    return secret in exchange.response.body.decode("utf-8", "replace") or secret in headers
