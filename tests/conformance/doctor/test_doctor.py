"""`doctor` and `init`: what is wrong is said before anything is judged, and what to mint before anything is minted."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from helpers.suite import run_suite
from helpers.wire import HandlerWire
from paylera_conformance.doctor import checks, command
from paylera_conformance.doctor.checks import ReadOnlyTarget
from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import Response
from paylera_conformance.model.outcomes import CONFIG, TARGET, Outcome, PreflightFinding
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.rehearsal.recorder import RehearsedCase
from paylera_conformance.rehearsal.token_counts import TOKEN_COUNTS
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.settings import Mode, Settings
from paylera_fixtures.api.operations import BY_ID as OPERATIONS
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Audience, Environment

Handler: TypeAlias = Callable[[httpx.Request], httpx.Response]
Check: TypeAlias = Callable[..., list[str]]

URL = "https://api.sandbox.example"
SECRET = "sk_sandbox_" + "Listed".ljust(32, "7")
DATE = {"Date": "Tue, 24 Nov 2026 00:00:00 GMT"}


def problem(status: int, code: str) -> httpx.Response:
    """A refusal."""
    return httpx.Response(status, json={"problem": code, "status": status}, headers=DATE)


def accepts(_: httpx.Request) -> httpx.Response:
    """A target that lets everybody in."""
    return httpx.Response(200, json={"data": [{"id": "cus_1"}]}, headers={**DATE, "Paylera-Version": "2026-04-01"})


def by_path(answers: Mapping[str, httpx.Response]) -> Handler:
    """A target with other answers for some paths."""
    return lambda request: answers.get(request.url.path) or accepts(request)


def token(**claims: Any) -> Credential:
    """A listed token."""
    return Credential(Secret(claims.pop("secret", SECRET), claims.pop("name", "listed")), **claims)


def said_of(handler: Handler, *tokens: Credential, check: str = "claims", **settings: Any) -> list[str]:
    """The findings of one check."""
    client = Client(ClientSettings(run_id="doctor"), wire=HandlerWire(handler))
    target = ReadOnlyTarget(client, Settings(**{"url": URL, **settings}, tokens=tokens))
    return [
        f"{each.label}: {each.text}"
        for each in checks.run_check(getattr(checks, f"check_{check}"), target)
        if isinstance(each, PreflightFinding)
    ]


# Claims of the file that the target contradicts: the token, the target, and what is said.
CONTRADICTED: dict[str, tuple[Credential, Handler, str]] = {
    "revoked-works": (token(state=TokenState.REVOKED), accepts, 'listed with state = "revoked"'),
    "expired-is-unknown": (
        token(state=TokenState.EXPIRED),
        lambda _: problem(401, "auth.invalid_token"),
        'listed with state = "expired"',
    ),
    "active-is-revoked": (token(), lambda _: problem(401, "auth.invalid_token"), 'listed with state = "active"'),
    "grace-is-over": (
        token(state=TokenState.GRACE),
        lambda _: problem(401, "auth.expired_token"),
        'listed with state = "grace"',
    ),
    "other-environment": (
        token(),
        lambda _: problem(401, "auth.wrong_environment"),
        'listed with environment = "sandbox"',
    ),
    "service-opens-admin": (token(), accepts, 'listed with audience = "service"'),
    "admin-is-none": (
        token(audience=Audience.ADMIN),
        by_path({"/v1/admin/webhook-endpoints": problem(403, "auth.audience_required")}),
        'listed with audience = "admin"',
    ),
    "scope-is-missing": (
        token(scopes=("catalog:read",)),
        by_path({"/v1/products": problem(403, "auth.scope_required")}),
        "listed with catalog:read, and is refused for want of it",
    ),
    "scope-too-many": (
        token(scopes=("customers:read",)),
        accepts,
        "listed without catalog:read, subscriptions:read, payments:read",
    ),
    "version": (token(default_version="2025-10-01"), accepts, "its answers are of 2026-04-01"),
    "customer": (
        token(audience=Audience.CUSTOMER, customer_id="cus_2"),
        by_path({"/v1/customers/cus_2": problem(404, "resource.not_found")}),
        'listed with customer_id = "cus_2"',
    ),
}


@pytest.mark.parametrize(("listed", "handler", "said"), CONTRADICTED.values(), ids=CONTRADICTED.keys())
def test_claim_that_does_not_hold_is_config(listed: Credential, handler: Handler, said: str) -> None:
    """Each is told of the token, with what is to be done."""
    findings = said_of(handler, listed)
    assert [line for line in findings if line.startswith(f"{CONFIG}: ‹listed #") and said in line and ": " in line]


def test_other_tenant_must_see_other_customers() -> None:
    """A second token of the own tenant would prove nothing about tenants."""
    other = token(tenant_id="other", secret=SECRET.replace("Listed", "Others"), name="other")
    assert "sees customers of ‹listed" in " ".join(said_of(accepts, token(), other))


def test_what_holds_is_no_finding() -> None:
    """A file that tells the truth is left in peace."""
    honest = by_path({"/v1/admin/webhook-endpoints": problem(403, "auth.audience_required")})
    assert said_of(honest, token(default_version="2026-04-01")) == []


def test_no_secret_is_told() -> None:
    """Not even one that the target repeats."""
    findings = said_of(lambda _: problem(401, f"auth.invalid_token {SECRET}"), token(state=TokenState.REVOKED))
    assert (len(findings) > 0, SECRET in " ".join(findings)) == (True, False)


# The rest of what is looked at: the check, the settings, the tokens, and what is said.
MISCONFIGURED: dict[str, tuple[str, dict[str, Any], list[Credential], str]] = {
    "no-token": ("provisioning", {}, [], "no token is listed"),
    "no-control-api": (
        "provisioning",
        {"driver": "control", "control_url": f"{URL}/_control"},
        [],
        "check control_url",
    ),
    "no-adapter": (
        "provisioning",
        {"driver": "python", "adapter": "nowhere:Mine"},
        [],
        "the adapter nowhere:Mine cannot be imported",
    ),
    "plain-http": ("transport", {"url": "http://api.sandbox.example"}, [], "plain http to api.sandbox.example"),
    "plain-live": ("transport", {"live_url": "http://api.example"}, [], "live_url is plain http to api.example"),
    "live-host": ("environment", {"url": "https://api.paylera.io"}, [], "is the host of live: set environment"),
    "prefix": ("environment", {}, [token(environment=Environment.LIVE)], "has the prefix of sandbox"),
    "no-prefix": ("environment", {}, [token(secret="$PAYLERA_KEY")], "does not read sk_<environment>_<random>"),  # noqa: S106 - a variable that nobody filled in
    "twice": (
        "listed_tokens",
        {},
        [token(), token(name="again")],
        "[tokens.again] is the same token as [tokens.listed]",
    ),
    "no-id": ("listed_tokens", {}, [token(disposable=True)], "has no id, by which it would be rotated: set id"),
}


@pytest.mark.parametrize(("check", "settings", "tokens", "said"), MISCONFIGURED.values(), ids=MISCONFIGURED.keys())
def test_mistake_in_the_file_is_config(
    check: str, settings: dict[str, Any], tokens: list[Credential], said: str
) -> None:
    """It is found without asking the target."""
    findings = said_of(accepts, *tokens, check=check, **settings)
    assert [line for line in findings if line.startswith(CONFIG) and said in line]


def refuses_connection(_: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise ConnectionRefusedError("connection refused")


def has_no_certificate(_: httpx.Request) -> httpx.Response:
    """The certificate is nobody's."""
    raise ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")


# What stands at the URL, how the finding is labelled, and what is said.
REACHED: dict[str, tuple[Handler, str, str]] = {
    "nobody": (refuses_connection, TARGET, ": start the server, or check the port"),
    "bad-certificate": (has_no_certificate, TARGET, "its certificate is not trusted"),
    "redirect": (
        lambda _: httpx.Response(301, headers={"Location": URL + "/api"}),
        CONFIG,
        "set url to where the API is",
    ),
    "open": (accepts, TARGET, "where 401 auth.missing_token was to come"),
    "website": (lambda _: httpx.Response(404, html="<p>"), TARGET, "check that url is the base URL of the API"),
    "no-date": (lambda _: httpx.Response(401, json={"problem": "auth.missing_token"}), TARGET, "no readable Date"),
}


@pytest.mark.parametrize(("handler", "label", "said"), REACHED.values(), ids=REACHED.keys())
def test_what_stands_at_the_url_is_told(handler: Handler, label: str, said: str) -> None:
    """With the remedy, and whose it is."""
    assert [line for line in said_of(handler, check="reachability") if line.startswith(label) and said in line]


@pytest.mark.parametrize(
    ("seconds", "said"), [(-120, "120 s behind this machine's"), (3600, "3600 s ahead of this machine's")]
)
def test_clock_that_is_off_is_told(seconds: int, said: str) -> None:
    """Waiting is by this machine's clock, and ends by the target's."""
    now = datetime(2026, 11, 24, tzinfo=UTC) - timedelta(seconds=seconds)
    [finding] = checks.check_clock(Response(401, tuple(DATE.items())), now)
    assert isinstance(finding, PreflightFinding)
    assert said in finding.text


def test_clock_that_is_right_is_no_finding() -> None:
    """A few seconds are the way of the network."""
    now = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=3)
    assert [type(each) for each in checks.check_clock(Response(401, tuple(DATE.items())), now)] == [str]


def test_missing_list_is_told_and_no_finding() -> None:
    """No source says that every resource is offered."""
    handler = by_path({"/v1/wallets": problem(404, "route.not_found")})
    client = Client(ClientSettings(run_id="doctor"), wire=HandlerWire(handler))
    seen = list(checks.check_endpoints(ReadOnlyTarget(client, Settings(URL, tokens=(token(),)))))
    assert (any("/v1/wallets" in str(each) for each in seen), {type(each) for each in seen}) == (True, {str})


# What of the API's lists is missing, and what a target's document names; then operations that are and are not lacking.
LACKING: dict[str, tuple[list[str], list[str], set[str], set[str]]] = {
    "nothing": ([], [], set(), {"create_api_token", "list_wallets"}),
    "list-and-its-kind": (
        ["/v1/wallets"],
        [],
        {"list_wallets", "get_wallet", "create_wallet", "credit_wallet"},
        {"list_invoices"},
    ),
    "but-what-the-guide-names": (
        ["/v1/admin/api-tokens"],
        [],
        {"create_api_token", "list_api_tokens"},
        {"rotate_api_token", "revoke_api_token"},
    ),
    "not-in-the-document": ([], ["list_customers"], {"create_customer"}, {"list_customers", "rotate_api_token"}),
}


@pytest.mark.parametrize(("missing", "named", "lacking", "there"), LACKING.values(), ids=LACKING)
def test_lacking_operation_is_found(missing: list[str], named: list[str], lacking: set[str], there: set[str]) -> None:
    """By a list that is not there, or a document that does not name it; what the guide names is judged."""
    paths = {OPERATIONS[name].path: {OPERATIONS[name].method.lower(): {"summary": name}} for name in named}
    found = {each.id for each in checks.find_lacking(Document({"paths": paths}, published=bool(named)), missing)}
    assert (lacking - found, there & found) == (set(), set())


def test_full_run_by_listed_tokens_is_told_how_many_it_uses_up() -> None:
    """As a note: a target may make them itself."""
    client = Client(ClientSettings(run_id="doctor"), wire=HandlerWire(accepts))
    settings = Settings(URL, mode=Mode.FULL, tokens=(token(disposable=True, id="tok_1"),))
    seen = list(checks.check_listed_tokens(ReadOnlyTarget(client, settings)))
    assert (len(seen), [each for each in seen if not isinstance(each, str)]) == (len(TOKEN_COUNTS), [])


def test_clause_of_which_every_case_drops_out_is_not_promised() -> None:
    """The target lacks what all of them are about: the run would say that it is inapplicable."""
    dropped = CaseResult("token.length", "case", Outcome.INAPPLICABLE, headline="the target has no such operation")
    lines = "\n".join(str(line) for line in command.list_clauses(Settings(URL), [RehearsedCase(dropped)]))
    assert ("the target has no such operation" in lines, f"0 of {len(BY_ID)} clauses can be proven" in lines) == (
        True,
        True,
    )


@pytest.mark.parametrize("name", [name for name, _ in checks.CHECKS])
def test_checks_send_gets_only(name: str) -> None:
    """Whoever is looked at is not changed."""
    methods: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        return accepts(request)

    check = dict(checks.CHECKS)[name]
    client = Client(ClientSettings(run_id="doctor"), wire=HandlerWire(note))
    list(check(ReadOnlyTarget(client, Settings(URL, live_url=URL, tokens=(token(), token(audience=Audience.ADMIN))))))
    assert set(methods) <= {"GET"}


@pytest.mark.slow
def test_unreachable_target_ends_with_13(tmp_path: Path) -> None:
    """Nothing else is looked at, and nothing is rehearsed."""
    ended = run_suite(tmp_path, "doctor", "http://127.0.0.1:9")
    assert (ended.code, "cannot be reached" in ended.output, "Clause by credential" in ended.output) == (
        13,
        True,
        False,
    )


@pytest.mark.slow
def test_healthy_target_ends_with_0_and_the_matrix(deploy: Callable[..., Any], furnish: Callable[..., Any]) -> None:
    """Every token is what the file says, and every clause has its line."""
    ended = furnish(deploy()).suite("doctor")
    untold = [clause for clause in BY_ID if f"{clause} " not in ended.output]
    assert (ended.code, "Nothing to mend." in ended.output, untold) == (0, True, [])


@pytest.mark.slow
def test_what_the_target_lacks_is_not_promised(deploy: Callable[..., Any], furnish: Callable[..., Any]) -> None:
    """Tokens that would be made through the API have to be listed then, and the clauses say which."""
    target = furnish(deploy())
    absent = {"at": "before_auth", "action": "answer", "status": 404, "problem": "route.not_found", "times": 9}
    target.call("/faults", {**absent, "method": "GET", "route": "/v1/admin/api-tokens"})
    ended = target.suite("doctor", "--clause", "rotation")
    told = " ".join(ended.output.split())
    lacks = told.partition("operations that it lacks")[2].partition("is not promised")[0]
    assert ("POST /v1/admin/api-tokens" in lacks, "rotate" in lacks) == (True, False)
    assert "missing: a service token with scopes *, disposable = true, with its id" in told


def test_matrix_has_a_line_for_every_clause() -> None:
    """A clause of which no case ran is not left out."""
    lines = list(command.list_clauses(Settings(URL), []))
    assert len(lines) == len(BY_ID) + 1
