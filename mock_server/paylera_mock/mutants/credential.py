"""Mutants of how a credential is read, compared and refused."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, unquote

from werkzeug.http import parse_cookie

from paylera_fixtures.tokens import prefix
from paylera_fixtures.vocabulary import TOKEN_RANDOM_LENGTH, Audience, Environment, Header, Problems
from paylera_mock.core.credential import Authorization, Flaw, Malformed, Missing, credential_of
from paylera_mock.core.messages import Decision
from paylera_mock.core.problems import Problem
from paylera_mock.mutants.builders import (
    Mutation,
    When,
    calls,
    change_decision,
    change_headers,
    change_refusal,
    change_rule,
    change_writer,
    crash,
    decide_late,
    per_namespace,
    relent,
    serve_anyone,
    without_step,
)
from paylera_mock.mutants.model import Mutant
from paylera_mock.pipeline import decisions, responses, rules
from paylera_mock.pipeline.context import Context
from paylera_mock.state.tokens import StoredToken

_TOKEN: Final = r"(sk_(?:sandbox|live)_[A-Za-z0-9]+)"  # noqa: S105 - the form of one
_LONGEST_HEADER: Final = 4096
_WHOLE: Final = len(prefix(Environment.SANDBOX)) + TOKEN_RANDOM_LENGTH


def _search(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found.group(1) if found else None


def _read_otherwise(flawed: type[Malformed | Missing], find: Callable[[Context], str | None]) -> Mutation:
    """Where there is no well-formed credential, the token is looked for in another way."""

    def read(right: Authorization, context: Context) -> Authorization:
        token = find(context) if isinstance(right, flawed) else None
        return credential_of(token) if token else right

    return change_decision(decisions.read_credential, read)


def _find_in_header(pattern: str, change: Callable[[str], str] = str) -> Mutation:
    """A header that is no `Bearer <token>` is read by a pattern too; what it finds is changed first."""
    return _read_otherwise(Malformed, lambda context: change(_search(pattern, context.request.authorization[0]) or ""))


def _find_elsewhere(find: Callable[[Context], str | None]) -> Mutation:
    """Where there is no header, the token is looked for in another place."""
    return _read_otherwise(Missing, find)


def _parameter(form: str, name: str = "access_token") -> str | None:
    """A parameter of a query or a form: the one of RFC 6750, sections 2.2 and 2.3, or another."""
    return parse_qs(form).get(name, [None])[0]


def _bearer_beside_basic(context: Context) -> str | None:
    """The token of two headers, one Basic and one Bearer, which WSGI servers join by a comma."""
    values = [value.split() for each in context.request.authorization for value in each.split(",")]
    tokens = {value[0].lower(): value[-1] for value in values if value}
    return tokens["bearer"] if len(values) == len(tokens) and tokens.keys() == {"basic", "bearer"} else None


def _body(context: Context) -> str:
    return (context.request.body or b"").decode("latin-1")


def _user_of_basic(encoded: str) -> str:
    try:
        return b64decode(encoded).decode().partition(":")[0]
    except ValueError:
        return ""


def _crash_at_header(when: Callable[[str], bool]) -> Mutation:
    return crash(
        rules.CREDENTIAL_PRESENT, lambda context: any(map(when, context.request.authorization)), "credential.malformed"
    )


def _serve_unauthenticated(which: When) -> Mutation:

    def decide(decided: Decision, context: Context) -> Decision:
        return (serve_anyone(context) or decided) if which(context) else decided

    return change_rule(rules.CREDENTIAL_PRESENT, decide)


def _compare_by(form: Callable[[str], str]) -> Mutation:
    """Secrets are compared by a form of theirs: one that has the form of one that was good before is taken for it."""

    def make() -> Mutation:
        digests: dict[str, str] = {}

        def find(right: StoredToken | None, context: Context, digest: str) -> StoredToken | None:
            sent = form(context.request.authorization[0].split()[-1])
            if right is None and sent in digests:
                return decisions.find_token(context, digests[sent])
            if right is not None:
                digests[sent] = digest
            return right

        return change_decision(decisions.find_token, find)

    return per_namespace(make)


def _repeat_token(body: bytes, context: Context, _problem: Problem) -> bytes:
    sent = context.request.authorization[0].split()[-1] if context.request.authorization else ""
    return body.replace(b'"detail":"', b'"detail":"' + sent.encode() + b" was refused. ") if sent else body


def _repeat_path(body: bytes, context: Context, problem: Problem) -> bytes:
    if problem.status != HTTPStatus.NOT_FOUND:
        return body
    said = {**json.loads(body), "detail": f"There is nothing at {context.request.path}."}
    # As an escape, so that the bytes alone do not show the secret.
    return json.dumps(said).replace("_", r"\u005f").encode()


_breaks_missing_and_only_in_header: Final = partial(Mutant, breaks=("credential.missing", "credential.only-in-header"))
_breaks_malformed: Final = partial(Mutant, breaks=("credential.malformed",))
_breaks_duplicate_headers_and_malformed: Final = partial(
    Mutant, breaks=("credential.duplicate-headers", "credential.malformed")
)
_breaks_only_in_header: Final = partial(Mutant, breaks=("credential.only-in-header",))
_breaks_exact_match: Final = partial(Mutant, breaks=("credential.exact-match",))
_breaks_challenge: Final = partial(Mutant, breaks=("credential.challenge",))
_breaks_not_disclosed: Final = partial(Mutant, breaks=("credential.not-disclosed",))

MUTANTS: Final[Mapping[str, Mutant]] = {
    "no-token-needed": _breaks_missing_and_only_in_header(
        "A request without a token is served as if it had come with a token that may do it.",
        _serve_unauthenticated(lambda _: True),
        may_break=("robustness.auth-everywhere",),
    ),
    "catalog-open-to-strangers": Mutant(
        "The list of products needs no token.",
        _serve_unauthenticated(calls("list_products")),
        breaks=("credential.missing", "robustness.auth-everywhere"),
        subtle=True,
    ),
    "writes-open-to-strangers": Mutant(
        "A POST needs no token.",
        _serve_unauthenticated(lambda context: context.request.method == "POST"),
        breaks=("credential.missing", "credential.only-in-header", "robustness.auth-everywhere"),
    ),
    "no-token-is-403": _breaks_missing_and_only_in_header(
        "A request without a token is refused with 403.", change_refusal(rules.CREDENTIAL_PRESENT, status=403)
    ),
    "no-token-is-invalid": _breaks_missing_and_only_in_header(
        "A request without a token is refused as auth.invalid_token.",
        change_refusal(rules.CREDENTIAL_PRESENT, type=Problems.INVALID_TOKEN),
        subtle=True,
    ),
    "no-token-refused-late": Mutant(
        "A request without a token is refused only after it has had its effect.",
        decide_late(rules.CREDENTIAL_PRESENT),
        breaks=("credential.refusal-has-no-effect", "robustness.no-side-door"),
        subtle=True,
    ),
    "any-scheme": _breaks_malformed(
        "The scheme before the token is not looked at.", _find_in_header(r"^[^ ]* ([^ ]+)$")
    ),
    "token-anywhere-in-header": Mutant(
        "The header is searched for something that looks like a token.",
        _find_in_header(_TOKEN),
        breaks=("credential.malformed", "credential.duplicate-headers"),
        subtle=True,
    ),
    "bearer-in-quotes": _breaks_malformed(
        "Quotes around the token are taken off.",
        _find_in_header("(?i)^bearer (.+)", lambda rest: rest.strip("\"'")),
        subtle=True,
    ),
    "bearer-and-tab": _breaks_malformed(
        "The header is split at whitespace of any kind.", _find_in_header(r"(?i)^\s*bearer\s+(\S+)\s*$"), subtle=True
    ),
    "first-of-two-tokens": _breaks_malformed(
        "What follows the token in the header is not looked at.", _find_in_header("(?i)^bearer ([^ ]+)")
    ),
    "bearer-percent-decoded": _breaks_malformed(
        "The token is percent-decoded before it is looked up.",
        _find_in_header("(?i)^bearer (.+)", unquote),
        subtle=True,
    ),
    "basic-user-is-token": _breaks_malformed(
        "The token is accepted as the user of HTTP Basic.", _find_in_header("^Basic (.*)", _user_of_basic), subtle=True
    ),
    "scheme-alone-crashes": _breaks_malformed(
        "The scheme without a token runs into a server error.",
        _crash_at_header(lambda value: value.strip() == "Bearer"),
    ),
    "long-header-crashes": _breaks_malformed(
        "A header of more than 4 KiB runs into a server error.",
        _crash_at_header(lambda value: len(value) > _LONGEST_HEADER),
    ),
    "malformed-is-400": _breaks_malformed(
        "A header that is no Bearer token is refused with 400.",
        change_refusal(rules.CREDENTIAL_WELL_FORMED, status=400),
    ),
    "malformed-is-expired": _breaks_malformed(
        "A header that is no Bearer token is refused as auth.expired_token.",
        change_refusal(rules.CREDENTIAL_WELL_FORMED, type=Problems.EXPIRED_TOKEN),
    ),
    "malformed-refused-late": Mutant(
        "A header that is no Bearer token is refused only after the request has had its effect.",
        decide_late(rules.CREDENTIAL_WELL_FORMED),
        breaks=("credential.refusal-has-no-effect",),
        subtle=True,
    ),
    "first-header-wins": _breaks_duplicate_headers_and_malformed(
        "Of two Authorization headers the first counts.", _find_in_header(r"(?i)^\s*bearer ([^,]+)", str.strip)
    ),
    "last-header-wins": _breaks_duplicate_headers_and_malformed(
        "Of two Authorization headers the last counts.", _find_in_header(r"(?i)(?:^|,)\s*bearer ([^,]+)$", str.strip)
    ),
    "bearer-beside-basic": Mutant(
        "Of two Authorization headers, one Basic and one Bearer, the Bearer one counts.",
        _read_otherwise(Malformed, _bearer_beside_basic),
        breaks=("credential.duplicate-headers",),
        subtle=True,
    ),
    "token-in-query": _breaks_only_in_header(
        "A token in the query is accepted.", _find_elsewhere(lambda context: _parameter(context.request.query))
    ),
    "token-in-form": _breaks_only_in_header(
        "A token in a form is accepted.", _find_elsewhere(lambda context: _parameter(_body(context)))
    ),
    "token-in-json": _breaks_only_in_header(
        "A token in a JSON body is accepted.",
        _find_elsewhere(lambda context: _search('"access_token": *"([^"]+)"', _body(context))),
        subtle=True,
    ),
    "token-in-cookie": _breaks_only_in_header(
        "A token in a cookie is accepted.",
        _find_elsewhere(lambda context: parse_cookie(context.request.header("Cookie")).get("access_token")),
    ),
    "token-in-api-key-header": _breaks_only_in_header(
        "A token in X-Api-Key is accepted.", _find_elsewhere(lambda context: context.request.header("X-Api-Key"))
    ),
    "token-in-access-token-header": _breaks_only_in_header(
        "A token in X-Access-Token is accepted.",
        _find_elsewhere(lambda context: context.request.header("X-Access-Token")),
        subtle=True,
    ),
    "token-in-authentication-header": _breaks_only_in_header(
        "A token in a header Authentication is accepted.",
        _find_elsewhere(lambda context: _search(_TOKEN, context.request.header("Authentication"))),
        subtle=True,
    ),
    "token-in-key-of-query": _breaks_only_in_header(
        "A token in the query parameter key is accepted.",
        _find_elsewhere(lambda context: _parameter(context.request.query, "key")),
        subtle=True,
    ),
    "token-for-the-proxy": _breaks_only_in_header(
        "A token in Proxy-Authorization is accepted.",
        _find_elsewhere(lambda context: _search(_TOKEN, context.request.header("Proxy-Authorization"))),
        subtle=True,
    ),
    "token-without-case": _breaks_exact_match(
        "Tokens are compared without regard to case.", _compare_by(str.lower), subtle=True
    ),
    "token-by-prefix": _breaks_exact_match(
        "Of a token only the first 24 random characters are compared.",
        _compare_by(lambda secret: secret[: secret.rindex("_") + 25]),
        subtle=True,
    ),
    "token-but-last-character": _breaks_exact_match(
        "The last character of a token is not compared.", _compare_by(lambda secret: secret[: _WHOLE - 1]), subtle=True
    ),
    "token-truncated": _breaks_exact_match(
        "A token that is longer than it should be is cut to its length first.",
        _compare_by(lambda secret: secret[:_WHOLE]),
        subtle=True,
    ),
    "token-padding-ignored": _breaks_exact_match(
        "Equals signs behind a token are taken off.", _compare_by(lambda secret: secret.rstrip("=")), subtle=True
    ),
    "scheme-with-case": Mutant(
        "The scheme must be written Bearer, with a capital.",
        change_decision(
            decisions.read_credential,
            lambda right, context: (
                right
                if "".join(context.request.authorization or "Bearer").startswith("Bearer")
                else Malformed(Flaw.NOT_BEARER)
            ),
        ),
        breaks=("credential.scheme-case",),
    ),
    "no-challenge": _breaks_challenge("A 401 comes without WWW-Authenticate.", without_step(responses.CHALLENGE)),
    "challenge-of-basic": _breaks_challenge(
        "A 401 asks for HTTP Basic.",
        change_headers(responses.CHALLENGE, lambda *_: ((Header.CHALLENGE, 'Basic realm="paylera"'),)),
    ),
    "no-challenge-when-expired": _breaks_challenge(
        "Only a 401 for an expired token comes without WWW-Authenticate.",
        change_headers(
            responses.CHALLENGE,
            lambda headers, _, decided: (
                () if isinstance(decided, Problem) and decided.type is Problems.EXPIRED_TOKEN else headers
            ),
        ),
        subtle=True,
    ),
    "refusal-repeats-token": _breaks_not_disclosed(
        "A refusal repeats the token in its detail.", change_writer(responses.problem_body, _repeat_token)
    ),
    "path-repeated-in-detail": _breaks_not_disclosed(
        "That something is not found is told with the path as it was sent, a secret in it included.",
        change_writer(responses.problem_body, _repeat_path),
        subtle=True,
    ),
    "answer-repeats-token": _breaks_not_disclosed(
        "Every answer has the Authorization header of its request in a header for debugging.",
        change_headers(
            responses.RATE_HEADERS,
            lambda headers, context, _: (
                *headers,
                *(("X-Debug-Authorization", value) for value in context.request.authorization),
            ),
        ),
        subtle=True,
    ),
    "customer-tokens-unknown": Mutant(
        "Customer tokens are not known to exist.",
        change_decision(
            decisions.find_token,
            lambda right, *_: None if right is not None and right.grant.audience is Audience.CUSTOMER else right,
        ),
        breaks=("credential.accepted", "audience.customer-reads-own"),
    ),
    "stranger-served-now-and-then": Mutant(
        "Every twentieth request without a token is served.",
        relent(rules.CREDENTIAL_PRESENT, 19, serves=True),
        breaks=("credential.missing",),
        may_break=("credential.only-in-header", "robustness.auth-everywhere", "robustness.no-side-door"),
        subtle=True,
    ),
}
