"""Checks a target with a few reads before anything is judged, so that a wrong URL is not taken for a wrong server.

Each finding is labelled: CONFIG is for whoever runs the suite to mend, TARGET for whoever runs the server.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request, Response
from paylera_conformance.model.outcomes import (
    CONFIG,
    TARGET,
    Blocked,
    ExitCode,
    NotRun,
    PreflightFinding,
    TransportTrouble,
)
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.printable import printable
from paylera_fixtures.redaction import Redactor
from paylera_fixtures.trouble import describe_trouble
from paylera_fixtures.vocabulary import Audience, Problems

_READ: Final = "/v1/customers"
_SCOPE: Final = "customers:read"
_MOST_NAMED: Final = 5

WORKING: Final = frozenset({TokenState.ACTIVE, TokenState.GRACE})
"""The states in which a token is to be accepted."""


def describe_answer(response: Response) -> str:
    """An answer in a few words, which may be a secret's."""
    return printable(refusals.describe(response))


def examine(client: Client, settings: Settings, provisioner: Provisioner) -> list[PreflightFinding]:
    """What a few reads show of a target; the last finding is fatal where nothing can be judged."""
    redactor = Redactor(settings.secrets)
    found = _examine(client, settings, provisioner)
    return [replace(finding, text=redactor.redact(finding.text)) for finding in found]


def _examine(client: Client, settings: Settings, provisioner: Provisioner) -> list[PreflightFinding]:
    try:
        bare = client.send(Request("GET", _READ), settings.url, wait_on_429=False).response
    except TransportTrouble as trouble:
        return [unreachable(settings.url, trouble.reason)]
    findings = [*check_url(settings.url)]
    if not refusals.MISSING.accepts(bare):
        findings.append(
            target_finding(
                f"GET {_READ} without a token was answered {describe_answer(bare)} where {refusals.MISSING} was to"
                f" come: {advise_on_bare(bare)}"
            )
        )
    check = _check_minted_token if settings.driver == "control" else _check_listed_tokens
    with suppress(NotRun):  # the requests that are allowed may end here: of the rest nothing is said
        findings.extend(check(client, settings, provisioner))
    return findings


def check_url(url: str) -> Iterator[PreflightFinding]:
    """Whether a base URL has what every path begins with: an API that asks for a token first does not tell."""
    base = url.rstrip("/").removesuffix("/v1")
    if base != url.rstrip("/"):
        yield config_finding(
            f"the URL ends in /v1, and so every path begins with /v1/v1: give {base}, unless that is meant"
        )


def advise_on_bare(response: Response) -> str:
    """What to look at where a request without a token is not refused as it should be."""
    if (response.problem or "").startswith("auth."):  # whoever answers so is the API
        return "the API refuses it, but not as the contract says"
    return "check that url is the base URL of the API, then what stands before it"


def _check_listed_tokens(client: Client, settings: Settings, _: Provisioner) -> Iterator[PreflightFinding]:
    working = [
        token for token in settings.tokens if token.environment is settings.environment and token.state in WORKING
    ]
    answers = {token: _send_read(client, settings.url, token) for token in working}
    readers = {
        token: answer
        for token, answer in answers.items()
        if token.audience is Audience.SERVICE and token.grants(_SCOPE) and token.state is TokenState.ACTIVE
    }
    refused = {token: words for token, answer in readers.items() if (words := _describe_refusal(answer))}
    for token, words in refused.items():
        yield config_finding(f"{token} is listed as active, and was answered {words} to GET {_READ}")
    if readers and len(refused) == len(readers):
        yield config_finding(
            "no listed token is accepted, so that nothing can be proven: are the tokens, their environment and the URL"
            " those of this target?",
            ExitCode.UNREACHABLE,
        )
    over = [token for token, answer in answers.items() if isinstance(answer, Response) and is_over(answer)]
    if over:
        yield config_finding(_describe_over(over), ExitCode.UNREACHABLE)


def is_over(response: Response) -> bool:
    """Whether an answer says that a token was revoked or rotated out, or never was."""
    return refusals.INVALID.accepts(response) or refusals.EXPIRED.accepts(response)


def _describe_over(tokens: Sequence[Credential]) -> str:
    named = ", ".join(str(token) for token in tokens[:_MOST_NAMED])
    more = f" and {len(tokens) - _MOST_NAMED} more" if len(tokens) > _MOST_NAMED else ""
    return (
        f"listed as working, and refused as unknown, revoked or expired: {named}{more}. A full run rotates and revokes"
        " disposable tokens, an earlier one or one at the same time these, perhaps: mint others, or set their state"
    )


def _check_minted_token(client: Client, settings: Settings, root: Provisioner) -> Iterator[PreflightFinding]:
    """A token that the control API mints should be good; that it is not is the target's own matter, and judged."""
    with closing(root.isolate()) as provisioner:
        try:
            token = provisioner.token(Need("minted to look"))
            refusal = _describe_refusal(_send_read(client, provisioner.url, token))
        except Blocked as blocked:
            yield config_finding(blocked.reason)
            return
    if refusal:
        yield target_finding(
            f"a token minted by {settings.control_url} with scopes * was answered {refusal}: does * grant {_SCOPE}?"
            if Problems.SCOPE_REQUIRED.code in refusal
            else f"a token minted by {settings.control_url} was answered {refusal}: do control_url and url belong"
            " together?"
        )


def _send_read(client: Client, url: str, token: Credential) -> Response | str:
    """Read with a token; gives the answer, or why none came."""
    try:
        return client.send(Request("GET", _READ, token), url).response
    except TransportTrouble as trouble:
        return trouble.reason


def _describe_refusal(answer: Response | str) -> str:
    """What was answered, empty where the read was accepted."""
    if isinstance(answer, str):
        return answer
    return "" if answer.ok else describe_answer(answer)


def config_finding(text: str, exit_code: int | None = None) -> PreflightFinding:
    """A finding for whoever runs the suite."""
    return PreflightFinding(CONFIG, text, exit_code)


def unreachable(url: str, reason: str) -> PreflightFinding:
    """Why nothing can be looked at, and what to do about it.

    - `reason`: what the request ended with.
    """
    shown = describe_trouble(url, reason)
    return target_finding(f"the target cannot be reached: {shown}", ExitCode.UNREACHABLE)


def target_finding(text: str, exit_code: int | None = None) -> PreflightFinding:
    """A finding for whoever runs the server."""
    return PreflightFinding(TARGET, text, exit_code)
