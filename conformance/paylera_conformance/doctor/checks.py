"""What `doctor` looks at beyond the few reads with which every run begins: everything that GETs can tell.

Each check gives findings, and lines about what it saw; none of them judges the target against the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlsplit

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import CONFIG, TARGET, CaseEnd, ExitCode, PreflightFinding
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.refusals import describe
from paylera_conformance.target.adapter import adapted
from paylera_conformance.target.control_api import ControlApi
from paylera_conformance.target.control_api import describe as describe_api
from paylera_conformance.target.openapi import fetch
from paylera_conformance.target.provisioner import OTHER
from paylera_conformance.target.settings import ConfigError, Settings
from paylera_conformance.verdict.evidence import printable
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation
from paylera_fixtures.hosts import is_loopback
from paylera_fixtures.redaction import redact
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.vocabulary import Audience, Environment, Header, Problems

SKEW: Final = 30.0
"""Seconds by which two clocks may differ before anybody need care."""

LISTS: Final = tuple(operation for operation in OPERATIONS if operation.is_list)
_READ: Final = BY_ID["list_customers"]
_ABSENT: Final = frozenset({404, 405, 501})


@dataclass(frozen=True)
class DoctorNote:
    """A thing that the doctor saw and that needs no mending."""

    text: str


class ReadOnlyTarget:
    """A target on the couch: only ever asked with GET."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings

    def get(self, path: str, token: Credential | None = None, *, live: bool = False) -> Exchange:
        """The answer to one GET. Raises `TransportTrouble`."""
        url = self.settings.live_url if live and self.settings.live_url else self.settings.url
        return self.client.send(Request("GET", path, token), url)

    def lists(self, operation: Operation, token: Credential | None = None, *, live: bool = False) -> Response:
        """The answer to a list."""
        return self.get(f"{operation.path}?limit=1", token, live=live).response

    def document_is_published(self) -> bool:
        """Whether the target publishes its OpenAPI document."""
        return fetch(self.client, self.settings.url, self.settings.profile).published


def said(response: Response, *tokens: Credential) -> str:
    """An answer in a few words that are safe to print."""
    return printable(redact(describe(response), [token.secret for token in tokens]))


def reachability(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Whether an API answers there at all; the last finding is fatal where none does."""
    try:
        response = patient.lists(_READ)
    except CaseEnd as trouble:
        yield unreachable(trouble.reason)
        return
    location = response.header("Location")
    if refusals.MISSING.accepts(response):
        yield DoctorNote(f"{patient.settings.url} answers, and asks for a token")
    elif location:
        yield PreflightFinding(
            CONFIG, f"GET {_READ.path} is redirected: set url to where the API is, {printable(location)}"
        )
    else:
        yield PreflightFinding(
            TARGET,
            f"GET {_READ.path} without a token was answered {said(response)} where {refusals.MISSING} was to come:"
            " check that url is the base URL of the API, then what stands before it",
        )
    yield from clock_skew(response)


def unreachable(reason: str) -> PreflightFinding:
    """Why nothing can be looked at, with the usual remedy."""
    certificate = "certificate" in reason.lower() or "ssl" in reason.lower()
    fix = (
        "have the server send a certificate for this host, with its chain, or trust its authority (SSL_CERT_FILE)"
        if certificate
        else "check url, that the server runs, and the way to it (HTTPS_PROXY, NO_PROXY, firewall)"
    )
    return PreflightFinding(TARGET, f"the target cannot be reached: {reason}; {fix}", ExitCode.UNREACHABLE)


def clock_skew(response: Response, now: datetime | None = None) -> Iterator[PreflightFinding | DoctorNote]:
    """How far the target's clock is from this machine's, by the header `Date` (RFC 9110, section 6.6.1)."""
    value = response.header("Date")
    try:
        there = parsedate_to_datetime(value or "")
    except ValueError:
        yield PreflightFinding(TARGET, "answers have no readable Date, so that its clock cannot be compared: send one")
        return
    ahead = (there - (now or datetime.now(UTC))).total_seconds()
    if abs(ahead) <= SKEW:
        yield DoctorNote(f"clocks agree within {SKEW:g} s")
        return
    where = "ahead of" if ahead > 0 else "behind"
    yield PreflightFinding(
        TARGET,
        f"the target's clock is {abs(ahead):.0f} s {where} this machine's: set both by NTP, or what is waited for is"
        " looked at in the wrong minute",
    )


def transport(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Whether tokens travel encrypted."""
    settings = patient.settings
    for name, url in (("url", settings.url), ("live_url", settings.live_url)):
        if url is None:
            continue
        parts = urlsplit(url)
        if parts.scheme == "https":
            yield DoctorNote(f"{name} is https, and its certificate is verified")
        elif not is_loopback(parts.hostname or ""):
            yield PreflightFinding(
                CONFIG, f"{name} is plain http to {parts.hostname}: tokens can be read on the way; use https"
            )


def environment(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Whether URL, environment and the prefixes of the tokens belong together."""
    settings = patient.settings
    host = (urlsplit(settings.url).hostname or "").rstrip(".")
    if host == settings.environment.other.production_host:
        yield PreflightFinding(
            CONFIG, f"{host} is the host of {settings.environment.other}: set environment to it, or the url of"
            f" {settings.environment}",
        )  # fmt: skip
    for token in settings.tokens:
        found = environment_of(token.secret.reveal())
        if found is None:
            yield PreflightFinding(
                CONFIG, f"{token} does not read sk_<environment>_<random>: is its variable set to the token itself?"
            )
        elif found is not token.environment:
            yield PreflightFinding(
                CONFIG, f"{token} is listed as one of {token.environment} and has the prefix of {found}: correct its"
                " environment",
            )  # fmt: skip


def repetitions(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Tokens that are listed twice, and tokens that could not be used for what they are listed for."""
    names: dict[str, str] = {}
    for token in patient.settings.tokens:
        first = names.setdefault(token.secret.reveal(), token.secret.role)
        if first != token.secret.role:
            yield PreflightFinding(
                CONFIG, f"[tokens.{token.secret.role}] is the same token as [tokens.{first}]: list it once"
            )
        if token.disposable and token.id is None:
            yield PreflightFinding(CONFIG, f"{token} is disposable and has no id, by which it would be rotated: set id")


def credentials(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Each listed token against what the file claims of it, as far as reads can tell."""
    good = 0
    for token in patient.settings.tokens:
        if token.environment is not patient.settings.environment:
            continue
        findings = [finding for check in _CLAIMS for finding in check(patient, token)]
        yield from findings
        good += not findings
    if patient.settings.driver == "static":
        yield DoctorNote(f"{good} listed tokens are what the file claims of them")


def _state(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    response = patient.lists(_READ, token)
    expected = {TokenState.REVOKED: refusals.INVALID, TokenState.EXPIRED: refusals.EXPIRED}.get(token.state)
    if expected is not None:
        if not expected.accepts(response):
            yield _claims(token, f'state = "{token.state}"', response, "correct its state; one that is over stays so")
    elif refusals.INVALID.accepts(response) or refusals.EXPIRED.accepts(response):
        yield _claims(token, f'state = "{token.state}"', response, "mint another, or say what has become of it")
    elif response.problem == Problems.WRONG_ENVIRONMENT.code:
        yield _claims(token, f'environment = "{token.environment}"', response, "correct its environment, or the url")


def _audience(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    if not _works(token):
        return
    response = patient.lists(BY_ID["list_webhook_endpoints"], token)
    is_admin = token.audience is Audience.ADMIN
    if response.ok and not is_admin:
        yield _claims(token, f'audience = "{token.audience}"', response, "is it an admin's? else the target errs")
    elif is_admin and refusals.AUDIENCE.accepts(response) and response.problem not in _NOT_ABOUT_AUDIENCE:
        yield _claims(token, 'audience = "admin"', response, "correct its audience")


_NOT_ABOUT_AUDIENCE: Final = frozenset(
    {Problems.SCOPE_REQUIRED.code, Problems.AAL2_REQUIRED.code, Problems.INVALID_TOKEN.code}
)


def _scopes(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    if not _works(token):
        return
    lacking: dict[str, None] = {}
    beyond: dict[str, None] = {}
    for operation in LISTS:
        scope = operation.scope_in(patient.settings.profile)
        if scope is None or operation.is_admin or token.audience not in operation.audiences:
            continue
        response = patient.lists(operation, token)
        if token.grants(scope) and response.problem == Problems.SCOPE_REQUIRED.code:
            lacking[scope] = None
        elif not token.grants(scope) and response.ok:
            beyond[scope] = None
    if lacking:
        yield PreflightFinding(
            CONFIG, f"{token} is listed with {', '.join(lacking)}, and is refused for want of it: mint it so"
        )
    if beyond:
        yield PreflightFinding(
            CONFIG,
            f"{token} is listed without {', '.join(beyond)}, and reads what needs it: correct its scopes, unless it is"
            " the target that asks for none",
        )


def _version(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    if not _works(token) or token.default_version is None:
        return
    echo = patient.lists(_READ, token).header(Header.VERSION)
    if echo is not None and echo != token.default_version:
        yield PreflightFinding(
            CONFIG,
            f'{token} is listed with default_version = "{token.default_version}", and its answers are of'
            f" {printable(echo)}: correct it",
        )


def _customer(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    if not _works(token) or token.customer_id is None:
        return
    response = patient.get(f"{_READ.path}/{quote(token.customer_id, safe='')}", token).response
    if not response.ok:
        yield _claims(token, f'customer_id = "{token.customer_id}"', response, "set the customer that it is bound to")


def _tenant(patient: ReadOnlyTarget, token: Credential) -> Iterator[PreflightFinding]:
    if not _works(token) or token.tenant_id != OTHER:
        return
    own = next((each for each in patient.settings.tokens if _works(each) and each.tenant_id != OTHER
                and each.audience is Audience.SERVICE and each.grants(_READ.guide_scope)), None)  # fmt: skip
    if own is None:
        return
    theirs, ours = (_ids(patient.get(f"{_READ.path}?limit=100", each).response) for each in (token, own))
    if theirs & ours:
        yield PreflightFinding(
            CONFIG, f'{token} is listed with tenant = "other", and sees customers of {own}: mint it in another tenant'
        )


def _ids(response: Response) -> set[str]:
    data = response.object.get("data")
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    return {str(entry.get("id") or entry.get("customer_id")) for entry in entries} - {"None"}


_CLAIMS: Final[tuple[Callable[[ReadOnlyTarget, Credential], Iterator[PreflightFinding]], ...]] = (
    _state, _audience, _scopes, _version, _customer, _tenant,
)  # fmt: skip


def _works(token: Credential) -> bool:
    return token.state in {TokenState.ACTIVE, TokenState.GRACE}


def _claims(token: Credential, claim: str, response: Response, fix: str) -> PreflightFinding:
    return PreflightFinding(CONFIG, f"{token} is listed with {claim}, and was answered {said(response, token)}: {fix}")


def operations(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Which of the lists that the suite reads the target has, and whether it publishes its document."""
    there: list[str] = []
    missing: list[str] = []
    for operation in LISTS:
        token = _reader(patient.settings, operation)
        if token is None:
            continue
        response = patient.lists(operation, token)
        (missing if response.status in _ABSENT else there).append(operation.path)
    yield DoctorNote(f"lists that the target has: {', '.join(there) or 'none that a listed token opens'}")
    if missing:
        yield DoctorNote(f"and has not: {', '.join(missing)}; cases about them drop out")
    if _READ.path in missing:
        yield PreflightFinding(
            TARGET, f"GET {_READ.path}, which the guide itself uses, is not there: check url and its prefix"
        )
    published = patient.document_is_published()
    yield DoctorNote(
        "it publishes its OpenAPI document" if published else "no OpenAPI document: the contract's own is used"
    )


def _reader(settings: Settings, operation: Operation) -> Credential | None:
    scope = operation.scope_in(settings.profile)
    fitting = (
        token for token in settings.tokens
        if _works(token) and token.environment is settings.environment and token.audience in operation.audiences
        and token.audience is not Audience.CUSTOMER and token.grants(scope)
    )  # fmt: skip
    return next(fitting, None)


def other_environment(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """The other environment's URL, and the tokens that are to prove that environments are kept apart."""
    settings = patient.settings
    if settings.live_url is None:
        yield DoctorNote("live_url is not set: wrong-environment is probed one way")
        return
    try:
        response = patient.lists(_READ, live=True)
    except CaseEnd as trouble:
        yield replace(unreachable(trouble.reason), exit_code=None, text=f"live_url cannot be reached: {trouble.reason}")
        return
    if not refusals.MISSING.accepts(response):
        yield PreflightFinding(
            CONFIG, f"live_url answered {said(response)} to a GET without a token: is it the API's base URL?"
        )
    if not any(token.may_cross for token in settings.tokens):
        yield DoctorNote("no listed token may cross: forged ones are sent to the other environment")
    if settings.environment is Environment.SANDBOX:
        yield DoctorNote(f"the other environment is {settings.live_url}")


def provisioning(patient: ReadOnlyTarget) -> Iterator[PreflightFinding | DoctorNote]:
    """Whether what provisions is there: the control API, the adapter, or at least one listed token."""
    settings = patient.settings
    try:
        if settings.driver == "control":
            told = describe_api(ControlApi(patient.client, str(settings.control_url), settings.control_token))
            yield DoctorNote(f"the control API has {', '.join(told.get('capabilities', ())) or 'no capability'}")
        elif settings.driver == "python":
            adapted(settings)
            yield DoctorNote(f"the adapter {settings.adapter} can be made")
        elif not settings.tokens:
            yield PreflightFinding(
                CONFIG, "no token is listed, so that nothing can be proven: see `paylera-conformance init`"
            )
    except ConfigError as error:
        yield PreflightFinding(CONFIG, str(error))


CHECKS: Final[tuple[tuple[str, Callable[[ReadOnlyTarget], Iterator[PreflightFinding | DoctorNote]]], ...]] = (
    ("reachability and clock", reachability),
    ("transport", transport),
    ("provisioning", provisioning),
    ("environment", environment),
    ("tokens as listed", repetitions),
    ("tokens as they are", credentials),
    ("endpoints", operations),
    ("other environment", other_environment),
)
"""Everything that is looked at, in order, each with its title."""
