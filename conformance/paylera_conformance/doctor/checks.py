"""What `doctor` checks beyond the few reads with which every run begins: everything that GETs can tell.

Each check gives findings, and as plain text what it saw that needs no mending; none of them judges the target against
the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request, Response
from paylera_conformance.model.outcomes import CaseEnd, PreflightFinding
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.answers import find_entries, find_id
from paylera_conformance.rehearsal.token_counts import describe_counts
from paylera_conformance.run.preflight import (
    WORKING,
    advise_on_bare,
    check_url,
    config_finding,
    describe_answer,
    is_over,
    target_finding,
    unreachable,
)
from paylera_conformance.target.adapter import load_adapter
from paylera_conformance.target.control_api import ControlApi, ControlProvisioner, discover
from paylera_conformance.target.openapi import Document, fetch_document
from paylera_conformance.target.provisioner import OTHER
from paylera_conformance.target.settings import ConfigError, Mode, Settings
from paylera_fixtures.api.operations import BY_ID, OPERATIONS, Operation
from paylera_fixtures.hosts import is_loopback_url
from paylera_fixtures.http_dates import read_http_date
from paylera_fixtures.printable import printable
from paylera_fixtures.redaction import Redactor
from paylera_fixtures.tokens import environment_of
from paylera_fixtures.trouble import describe_trouble
from paylera_fixtures.vocabulary import Audience, Environment, Header, Problems, Source

Findings: TypeAlias = Iterator[PreflightFinding]
DoctorNotes: TypeAlias = Iterator[PreflightFinding | str]

SKEW: Final = 30.0
"""Seconds by which two clocks may differ before anybody need care."""

LISTS: Final = tuple(operation for operation in OPERATIONS if operation.is_list)
_READ: Final = BY_ID["list_customers"]
_ABSENT: Final = frozenset({404, 405, 501})
_NOT_ABOUT_AUDIENCE: Final = frozenset(
    problem.code for problem in (Problems.SCOPE_REQUIRED, Problems.AAL2_REQUIRED, Problems.INVALID_TOKEN)
)


class ReadOnlyTarget:
    """A target to which GETs alone are sent.

    - `lacking`: the operations that it has been seen to lack.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self.client = client
        self.settings = settings
        self.lacking: list[Operation] = []

    def get(self, path: str, token: Credential | None = None, *, live: bool = False) -> Response:
        """The answer to one GET. Raises `TransportTrouble`."""
        url = self.settings.live_url if live and self.settings.live_url else self.settings.url
        return self.client.send(Request("GET", path, token), url).response


def run_check(check: Callable[[ReadOnlyTarget], DoctorNotes], target: ReadOnlyTarget) -> DoctorNotes:
    """What a check says, without the secrets of the settings, which a target may repeat."""
    redactor = Redactor(target.settings.secrets)
    for seen in check(target):
        if isinstance(seen, PreflightFinding):
            yield replace(seen, text=redactor.redact(seen.text))
        else:
            yield redactor.redact(seen)


def check_reachability(target: ReadOnlyTarget) -> DoctorNotes:
    """Whether an API answers there at all; the last finding is fatal where none does."""
    try:
        response = target.get(_READ.path)
    except CaseEnd as trouble:
        yield unreachable(target.settings.url, trouble.reason)
        return
    yield from check_url(target.settings.url)
    location = response.header("Location")
    if refusals.MISSING.accepts(response):
        yield f"{target.settings.url} answers, and asks for a token"
    elif location:
        yield config_finding(f"GET {_READ.path} is redirected: set url to where the API is, {printable(location)}")
    else:
        yield target_finding(
            f"GET {_READ.path} without a token was answered {describe_answer(response)} where {refusals.MISSING} was to"
            f" come: {advise_on_bare(response)}"
        )
    yield from check_clock(response)


def check_clock(response: Response, now: datetime | None = None) -> DoctorNotes:
    """How far the target's clock is from this machine's, by the header `Date` (RFC 9110, section 6.6.1)."""
    try:
        there = read_http_date(response.header("Date"))
    except ValueError:
        yield target_finding("answers have no readable Date, so that its clock cannot be compared: send one")
        return
    ahead = (there - (now or datetime.now(UTC))).total_seconds()
    if abs(ahead) <= SKEW:
        yield f"clocks agree within {SKEW:g} s"
        return
    where = "ahead of" if ahead > 0 else "behind"
    yield target_finding(
        f"the target's clock is {abs(ahead):.0f} s {where} this machine's: set both by NTP, or what is waited for is"
        " looked at in the wrong minute"
    )


def check_transport(target: ReadOnlyTarget) -> DoctorNotes:
    """Whether tokens travel encrypted."""
    for name, url in (("url", target.settings.url), ("live_url", target.settings.live_url)):
        parts = urlsplit(url or "")
        if parts.scheme == "https":
            yield f"{name} is https, and its certificate is verified"
        elif url and not is_loopback_url(url):
            yield config_finding(f"{name} is plain http to {parts.hostname}: tokens can be read on the way; use https")


def check_provisioning(target: ReadOnlyTarget) -> DoctorNotes:
    """Whether what provisions is there: the control API, the adapter, or at least one listed token."""
    settings = target.settings
    try:
        if settings.driver == "control":
            api = ControlApi(target.client, str(settings.control_url), settings.control_token)
            description = discover(api)
            ControlProvisioner(api, description, settings)
            yield f"the control API has {', '.join(description.capabilities) or 'no capability'}"
        elif settings.driver == "python":
            load_adapter(settings)
            yield f"the adapter {settings.adapter} can be made"
        elif not settings.tokens:
            yield config_finding("no token is listed, so that nothing can be proven: see `paylera-conformance init`")
    except ConfigError as error:
        yield config_finding(str(error))


def check_environment(target: ReadOnlyTarget) -> Findings:
    """Whether URL, environment and the prefixes of the tokens belong together."""
    environment, other = target.settings.environment, target.settings.environment.other
    host = (urlsplit(target.settings.url).hostname or "").rstrip(".")
    if host == other.production_host:
        yield config_finding(f"{host} is the host of {other}: set environment to it, or the url of {environment}")
    for token in target.settings.tokens:
        prefix = environment_of(token.secret.reveal())
        if prefix is None:
            yield config_finding(
                f"{token} does not read sk_<environment>_<random>: is its variable set to the token itself?"
            )
        elif prefix is not token.environment:
            yield config_finding(
                f"{token} is listed as one of {token.environment} and has the prefix of {prefix}: correct its"
                " environment"
            )


def check_listed_tokens(target: ReadOnlyTarget) -> DoctorNotes:
    """Tokens that are listed twice, or could not be used for what they are listed for; how many may be used up."""
    names: dict[str, str] = {}
    for token in target.settings.tokens:
        name = token.secret.role
        first = names.setdefault(token.secret.reveal(), name)
        if first != name:
            yield config_finding(f"[tokens.{name}] is the same token as [tokens.{first}]: list it once")
        if token.disposable and token.id is None:
            yield config_finding(f"{token} is disposable and has no id, by which it would be rotated: set id")
    if target.settings.driver == "static" and target.settings.mode is Mode.FULL:
        yield from describe_counts(target.settings)


def check_claims(target: ReadOnlyTarget) -> DoctorNotes:
    """Each listed token against what the file claims of it, as far as reads can tell."""
    correct = 0
    for token in target.settings.tokens:
        if token.environment is target.settings.environment:
            checks = (_check_state, *_CHECKS_OF_WORKING) if token.state in WORKING else (_check_state,)
            findings = [finding for check in checks for finding in check(target, token)]
            yield from findings
            correct += not findings
    if target.settings.driver == "static":
        yield f"{correct} listed tokens are what the file claims of them"


def _refute(token: Credential, claim: str, response: Response, fix: str) -> PreflightFinding:
    return config_finding(f"{token} is listed with {claim}, and was answered {describe_answer(response)}: {fix}")


def _check_state(target: ReadOnlyTarget, token: Credential) -> Findings:
    response = target.get(_READ.path, token)
    expected = {TokenState.REVOKED: refusals.INVALID, TokenState.EXPIRED: refusals.EXPIRED}.get(token.state)
    if expected is not None:
        if not expected.accepts(response):
            yield _refute(token, f'state = "{token.state}"', response, "correct its state; one that is over stays so")
    elif is_over(response):
        yield _refute(token, f'state = "{token.state}"', response, "mint another, or say what has become of it")
    elif response.problem == Problems.WRONG_ENVIRONMENT.code:
        yield _refute(token, f'environment = "{token.environment}"', response, "correct its environment, or the url")


def _check_audience(target: ReadOnlyTarget, token: Credential) -> Findings:
    response = target.get(BY_ID["list_webhook_endpoints"].path, token)
    is_admin = token.audience is Audience.ADMIN
    if response.ok and not is_admin:
        yield _refute(token, f'audience = "{token.audience}"', response, "is it an admin's? else the target errs")
    elif is_admin and refusals.AUDIENCE.accepts(response) and response.problem not in _NOT_ABOUT_AUDIENCE:
        yield _refute(token, 'audience = "admin"', response, "correct its audience")


def _check_scopes(target: ReadOnlyTarget, token: Credential) -> Findings:
    lacking: dict[str, None] = {}
    beyond: dict[str, None] = {}
    for operation in LISTS:
        scope = operation.scope_in(target.settings.profile)
        if scope is None or operation.is_admin or token.audience not in operation.audiences:
            continue
        response = target.get(operation.path, token)
        if token.grants(scope) and response.problem == Problems.SCOPE_REQUIRED.code:
            lacking[scope] = None
        elif not token.grants(scope) and response.ok:
            beyond[scope] = None
    if lacking:
        yield config_finding(f"{token} is listed with {', '.join(lacking)}, and is refused for want of it: mint it so")
    if beyond:
        yield config_finding(
            f"{token} is listed without {', '.join(beyond)}, and reads what needs it: correct its scopes, unless it is"
            " the target that asks for none"
        )


def _check_version(target: ReadOnlyTarget, token: Credential) -> Findings:
    claimed = token.default_version
    echo = target.get(_READ.path, token).header(Header.VERSION) if claimed else None
    if echo is not None and echo != claimed:
        yield config_finding(
            f'{token} is listed with default_version = "{claimed}", and its answers are of {printable(echo)}:'
            " correct it"
        )


def _check_customer(target: ReadOnlyTarget, token: Credential) -> Findings:
    if token.customer_id is None:
        return
    response = target.get(f"{_READ.path}/{quote(token.customer_id, safe='')}", token)
    if not response.ok:
        yield _refute(token, f'customer_id = "{token.customer_id}"', response, "set the customer that it is bound to")


def _check_tenant(target: ReadOnlyTarget, token: Credential) -> Findings:
    readers = (
        each
        for each in target.settings.tokens
        if each.state in WORKING and each.tenant_id != OTHER
        if each.audience is Audience.SERVICE and each.grants(_READ.guide_scope)
    )
    own = next(readers, None)
    if token.tenant_id != OTHER or own is None:
        return
    theirs, ours = (_ids(target.get(_READ.path, each)) for each in (token, own))
    if theirs & ours:
        yield config_finding(
            f'{token} is listed with tenant = "other", and sees customers of {own}: mint it in another tenant'
        )


def _ids(response: Response) -> set[str | None]:
    entries = find_entries(response.json, _READ.resource) or []
    return {find_id(entry, _READ.resource) for entry in entries} - {None}


_CHECKS_OF_WORKING: Final = (_check_audience, _check_scopes, _check_version, _check_customer, _check_tenant)


def check_endpoints(target: ReadOnlyTarget) -> DoctorNotes:
    """Which of the lists that the suite reads the target has, and whether it publishes its document."""
    there: list[str] = []
    missing: list[str] = []
    settings = target.settings
    for operation in LISTS:
        fitting = (
            token
            for token in settings.tokens
            if token.state in WORKING and token.environment is settings.environment
            if token.audience in operation.audiences and token.audience is not Audience.CUSTOMER
            if token.grants(operation.scope_in(settings.profile))
        )
        if token := next(fitting, None):
            response = target.get(operation.path, token)
            (missing if response.status in _ABSENT else there).append(operation.path)
    yield f"lists that the target has: {', '.join(there) or 'none that a listed token opens'}"
    if missing:
        yield f"and has not: {', '.join(missing)}; cases about them drop out"
    if _READ.path in missing:
        yield target_finding(f"GET {_READ.path}, which the guide itself uses, is not there: check url and its prefix")
    document = fetch_document(target.client, settings.url, settings.profile)
    target.lacking = find_lacking(document, missing)
    if document.published:
        yield "it publishes its OpenAPI document"
    else:
        yield "no OpenAPI document: the contract's own is used"
    if target.lacking:
        named = ", ".join(str(operation) for operation in target.lacking)
        yield f"operations that it lacks, by its lists or its document: {named}; what rests on them is not promised"


def find_lacking(document: Document, missing: Collection[str]) -> list[Operation]:
    """The operations that a target lacks, as far as it can be told without a try.

    - `missing`: the paths of lists that are not there: what else there is of their kind is taken to be missing too.

    Those that the guide itself names are judged, there or not.
    """
    described = [operation for operation in OPERATIONS if document.operation(operation)]
    return [
        operation
        for operation in OPERATIONS
        if operation.source is not Source.GUIDE
        if (document.published and described and operation not in described)
        or any(operation.path == path or operation.path.startswith(f"{path}/") for path in missing)
    ]


def check_other_environment(target: ReadOnlyTarget) -> DoctorNotes:
    """The other environment's URL, and the tokens that are to prove that environments are kept apart."""
    settings = target.settings
    if settings.live_url is None:
        yield "live_url is not set: wrong-environment is probed one way"
        return
    try:
        response = target.get(_READ.path, live=True)
    except CaseEnd as trouble:
        yield target_finding(f"live_url cannot be reached: {describe_trouble(str(settings.live_url), trouble.reason)}")
        return
    if not refusals.MISSING.accepts(response):
        yield config_finding(
            f"live_url answered {describe_answer(response)} to a GET without a token: is it the API's base URL?"
        )
    if not any(token.may_cross for token in settings.tokens):
        yield "no listed token may cross: forged ones are sent to the other environment"
    if settings.environment is Environment.SANDBOX:
        yield f"the other environment is {settings.live_url}"


CHECKS: Final[tuple[tuple[str, Callable[[ReadOnlyTarget], DoctorNotes]], ...]] = (
    ("reachability and clock", check_reachability),
    ("transport", check_transport),
    ("provisioning", check_provisioning),
    ("environment", check_environment),
    ("tokens as listed", check_listed_tokens),
    ("tokens as they are", check_claims),
    ("endpoints", check_endpoints),
    ("other environment", check_other_environment),
)
"""Everything that is looked at, in order, each with its title."""
