"""How the token travels: in one header, in one form, whole (guide, introduction and Common 401s)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import NotOffered, Violation
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import mentions
from paylera_conformance.probe.baselines import Baseline
from paylera_conformance.probe.marks import covers, each_operation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import has_bearer_challenge, refusal_like
from paylera_conformance.scenarios import changes
from paylera_conformance.scenarios.changes import Change
from paylera_conformance.scenarios.credential_forms import (
    ALTERED,
    ELSEWHERE,
    ENCODED,
    MALFORMED_CREDENTIALS,
    SCHEMES,
    encode_credential,
    place_elsewhere,
    random_part,
    with_query,
    with_random_part,
)
from paylera_conformance.scenarios.effects import expect_not_created
from paylera_conformance.scenarios.error_cases import ERROR_CASES, ERRORS_IN_GUIDE, ErrorCase, each_error_case
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.tokens import ALPHABET
from paylera_fixtures.vocabulary import Header

UNAUTHORIZED = 401
UNSENT = "\0 no secret was sent"

LIST = BY_ID["list_customers"]
CREATE = BY_ID["create_customer"]


@covers("credential.accepted")
def test_a_service_token_is_accepted(probe: Probe) -> None:
    """A backend's token in `Authorization: Bearer` opens the public API."""
    probe.accepts(probe.factory.request_for(LIST))


@covers("credential.accepted")
def test_a_customer_token_is_accepted(probe: Probe) -> None:
    """An end-user's token opens what an end-user may read."""
    probe.accepts(probe.factory.request_for(LIST, probe.tokens.customer))


@covers("credential.accepted", each_operation=True)
@each_operation(lambda operation: operation.is_admin and operation.is_list)
def test_an_admin_token_is_accepted(probe: Probe, operation: Operation) -> None:
    """An operator's token opens the Admin API."""
    probe.accepts(probe.factory.request_for(operation, probe.tokens.admin))


@covers("credential.accepted")
@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUTHORIZATION"])
def test_the_header_is_found_in_any_case(probe: Probe, name: str) -> None:
    """Field names are case-insensitive (RFC 9110, section 5.1)."""
    request = probe.factory.request_for(LIST).with_credential("Bearer {}", carrier=name)
    probe.accepts(request, hint="HTTP field names are compared without regard to case")


@covers("credential.malformed")
@pytest.mark.parametrize("credential", MALFORMED_CREDENTIALS.values(), ids=MALFORMED_CREDENTIALS)
def test_a_header_that_is_not_bearer_never_authenticates(probe: Probe, credential: str) -> None:
    """A valid token in any other wrapping is no credential."""
    baseline = probe.baseline(LIST)
    baseline.refuses(
        baseline.request.with_credential(credential),
        refusals.NO_CREDENTIAL,
        change=f"Authorization reads `{credential.replace('{}', '<token>')}`",
        hint="compare the header with `Bearer <token>` whole, rather than looking for a token in it",
    )


@covers("credential.malformed")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
def test_an_encoded_token_never_authenticates(probe: Probe, scheme: str, encode: Callable[[str], str]) -> None:
    """What is sent is compared as it is, never decoded first."""
    baseline = probe.baseline(LIST)
    changed = encode_credential(baseline.request, encode, scheme)
    baseline.refuses(changed, refusals.NO_CREDENTIAL, change=f"the token is encoded, under the scheme {scheme}")


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
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_and_break_nothing(probe: Probe, value: bytes) -> None:
    """Control and non-ASCII bytes and huge headers get a 4xx or a closed connection, never a 2xx or a 5xx."""
    header = value.replace(b"%b", probe.tokens.service.secret.reveal().encode())
    probe.baseline(LIST).refuses_raw([(Header.AUTHORIZATION, header)], change="hostile bytes in Authorization")


TWO_HEADERS = {
    "valid-first": ("Bearer {valid}", "Bearer {other}"),
    "valid-last": ("Bearer {other}", "Bearer {valid}"),
    "before-basic": ("Bearer {valid}", "Basic {basic}"),
    "behind-basic": ("Basic {basic}", "Bearer {valid}"),
}
"""Two headers, of which one holds a valid token, and the other one that nobody issued or a user and a password."""


@covers("credential.duplicate-headers")
@pytest.mark.parametrize("values", TWO_HEADERS.values(), ids=TWO_HEADERS)
def test_two_headers_never_authenticate(probe: Probe, values: tuple[str, str]) -> None:
    """Which of two credentials counts is a question that an attacker must not get to answer."""
    other = probe.variation.secret(probe.settings.environment)
    parts = {"valid": probe.tokens.service.secret.reveal(), "other": other, "basic": ENCODED["basic-pair"](other)}
    headers = [(Header.AUTHORIZATION, value.format(**parts).encode()) for value in values]
    probe.baseline(LIST).refuses_raw(headers, change="a second Authorization header")


@covers("credential.only-in-header")
@pytest.mark.parametrize(("query", "header"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_token_elsewhere_is_no_credential(probe: Probe, query: str, header: str) -> None:
    """Tokens in URLs and cookies end up in logs and in other people's requests."""
    baseline = probe.baseline(LIST)
    changed = place_elsewhere(baseline.request, query, header)
    harmless = with_query(baseline.request, query.replace("{}", "none"))
    expect_missing(baseline, changed, harmless, change="the token is somewhere else than in Authorization")


def expect_missing(baseline: Baseline, changed: Request, harmless: Request, *, change: str) -> None:
    """The clause is that a request whose token is elsewhere has none.

    - `harmless`: the same query or body with no token in it: where that is refused alike, no token was looked for.

    Raises `Violation`; `NotOffered` where the target refuses the query or the body itself: the case drops out.
    """
    try:
        baseline.refuses(changed, refusals.MISSING, change=change)
    except Violation as violation:
        refused = violation.exchange
        if refused is None or refused.response.ok or harmless == baseline.request:
            raise
        control = baseline.sender.send(harmless)
        if not refusal_like(refused).accepts(control.response):
            raise
        what = "query" if harmless.body == baseline.request.body else "body"
        raise NotOffered(f"the target refuses the {what} of {harmless} by whomever", exchange=control) from None


IN_BODY = {
    "json": ("application/json", '{{"access_token": "{}", "token": "{}"}}'),
    "form": ("application/x-www-form-urlencoded", "access_token={}&token={}"),
}


@covers("credential.only-in-header", mode=Mode.SANDBOX)
@pytest.mark.parametrize(("media_type", "body"), IN_BODY.values(), ids=IN_BODY)
def test_a_token_in_the_body_is_no_credential(probe: Probe, media_type: str, body: str) -> None:
    """RFC 6750 knows the form parameter `access_token`; the contract does not."""
    baseline = probe.baseline(CREATE)
    secret = probe.tokens.service.secret.reveal()
    anonymous = baseline.request.without_token().with_header("Content-Type", media_type)
    # A body is compared with one of nobody's: whose token in it is read would be refused for what else it lacks.
    changed, harmless = (anonymous.with_body(body.format(text, text).encode()) for text in (secret, "none"))
    expect_missing(baseline, changed, harmless, change=f"the token is in the {media_type} body")


ALTERED_EXAMPLES = 12


@covers("credential.exact-match")
@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_an_altered_token_is_another_token(probe: Probe, alter: Callable[[str], str]) -> None:
    """Comparing a part, a prefix or without regard to case lets guesses in."""
    baseline, token = probe.baseline(LIST), probe.tokens.service
    baseline.refuses(
        baseline.request.by(with_random_part(token, alter(random_part(token)))),
        refusals.INVALID,
        change="the token is altered in one place",
        hint="tokens are compared whole, byte for byte",
    )


@covers("credential.exact-match")
def test_no_generated_alteration_is_accepted(probe: Probe) -> None:
    """One character put elsewhere, wherever that is, makes another token."""
    baseline, token = probe.baseline(LIST), probe.tokens.service
    rest = random_part(token)

    draw = random.Random(probe.settings.seed or 0)  # noqa: S311 - a choice of cases, not a secret
    places = {0, len(rest) - 1, *draw.sample(range(len(rest)), min(ALTERED_EXAMPLES, len(rest)))}
    for place in sorted(places):
        character = draw.choice([other for other in ALPHABET if other != rest[place]])
        altered = rest[:place] + character + rest[place + 1 :]
        changed = baseline.request.by(with_random_part(token, altered))
        baseline.refuses(changed, refusals.INVALID, change=f"character {place} of the random part is another")


UNFIT = {
    "no token": changes.NO_TOKEN,
    "an unknown token": changes.UNKNOWN_TOKEN,
    "the scheme Token": changes.OTHER_SCHEME,
    "a revoked token": changes.REVOKED_TOKEN,
    "a secret whose grace has ended": changes.EXPIRED_TOKEN,
    "a token of the other environment": changes.OTHER_ENVIRONMENT,
    "a token without customers:write": changes.without_scope("customers:write"),
}
"""Ways to be refused at a write."""


@covers("credential.refusal-has-no-effect", mode=Mode.SANDBOX)
@pytest.mark.parametrize("change", UNFIT.values(), ids=UNFIT)
def test_a_refused_write_leaves_no_trace(probe: Probe, change: Change) -> None:
    """The refusal comes before the effect: what was refused is nowhere to be found."""
    other, accepted = (probe.factory.request_for(CREATE) for _ in range(2))
    probe.require_accepted(accepted)
    change.require_refused(probe, other)
    expect_not_created(probe, other, accepted=accepted, change=change.words)
    probe.proofs += 1


@covers("credential.scheme-case")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_found_in_any_case(probe: Probe, scheme: str) -> None:
    """Scheme names are case-insensitive (RFC 9110, section 11.1)."""
    probe.accepts(probe.factory.request_for(LIST).with_credential(scheme + " {}"))


@covers("credential.challenge")
@each_error_case(ERRORS_IN_GUIDE)
def test_a_401_carries_a_challenge(probe: Probe, error: ErrorCase) -> None:
    """A client learns from `WWW-Authenticate` how to authenticate (RFC 9110, section 11.6.1; RFC 6750, section 3)."""
    exchange = error.provoke(probe)
    challenge = exchange.response.header(Header.CHALLENGE)
    probe.expect(
        exchange,
        "WWW-Authenticate with a Bearer challenge",
        holds=exchange.response.status != UNAUTHORIZED or has_bearer_challenge(exchange.response),
        got=f"WWW-Authenticate: {challenge}",
    )


SECRET_AS_ID = ErrorCase(
    "secret-as-id",
    Change(
        "its own secret in the place of an id",
        "",
        refusals.ANY_REFUSAL,
        lambda _, request: request.at(BY_ID["get_customer"].concrete(secret_of(request))),
    ),
)


@covers("credential.not-disclosed")
@each_error_case((*ERROR_CASES, SECRET_AS_ID))
def test_a_refusal_does_not_repeat_the_credential(probe: Probe, error: ErrorCase) -> None:
    """What is refused ends up in logs and bug reports, and the secret with it."""
    exchange = error.provoke(probe)
    looked_at = without_instance(exchange) if error is SECRET_AS_ID else exchange
    shown = shows(looked_at, secret_of(exchange.request))
    probe.expect(exchange, "no secret in the answer", holds=not shown, got="it")


def secret_of(request: Request) -> str:
    """The secret that a request is sent by."""
    return request.token.secret.reveal() if request.token else UNSENT


def without_instance(exchange: Exchange) -> Exchange:
    """An answer without its `instance`, which is the path of the request, whatever that holds (problem.occurrence)."""
    response = exchange.response
    kept = {name: value for name, value in response.object.items() if name != "instance"}
    return replace(exchange, response=replace(response, body=json.dumps(kept).encode())) if kept else exchange


@covers("credential.not-disclosed", each_operation=True)
@each_operation(lambda operation: operation.is_list)
def test_a_list_does_not_show_the_credential(probe: Probe, operation: Operation) -> None:
    """An accepted answer has no need of the secret either, tokens' own list included."""
    exchange = probe.require_proven(probe.factory.request_for(operation))
    shown = [token for token in (probe.tokens.service, probe.tokens.admin) if shows(exchange, token.secret.reveal())]
    probe.expect(exchange, "no secret in the answer", holds=not shown, got="one")


def shows(exchange: Exchange, secret: str) -> bool:
    """Whether a secret stands in a body or a header, in whichever way the strings of JSON are written."""
    response = exchange.response
    headers = "\n".join(value for _, value in response.headers)
    texts = (response.body.decode("utf-8", "replace"), headers)
    return any(secret in text for text in texts) or mentions(response.json, secret)
