"""Looks at a target before anything is judged, so that a wrong URL or token is not taken for a wrong server.

Each finding is labelled: CONFIG is for whoever runs the suite to mend, TARGET for whoever runs the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from paylera_conformance.http.client import Client
from paylera_conformance.model.messages import Request
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
from paylera_conformance.probe.refusals import describe
from paylera_conformance.target.provisioner import Need, Provisioner
from paylera_conformance.target.settings import Settings
from paylera_conformance.verdict.evidence import printable
from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Audience

_READ: Final = "/v1/customers?limit=1"
_SCOPE: Final = "customers:read"


def examine(client: Client, settings: Settings, provisioner: Provisioner) -> list[PreflightFinding]:
    """What is to be seen of a target with a few reads; the last finding is fatal where nothing can be judged."""
    try:
        bare = client.send(Request("GET", _READ), settings.url, patient=False).response
    except TransportTrouble as trouble:
        return [PreflightFinding(TARGET, f"the target cannot be reached: {trouble.reason}", ExitCode.UNREACHABLE)]
    findings = []
    if not refusals.MISSING.accepts(bare):
        findings.append(
            PreflightFinding(
                TARGET,
                f"GET {_READ} without a token was answered {printable(describe(bare))} where {refusals.MISSING} was to"
                f" come: is {settings.url} the base URL of the API?",
            )
        )
    with suppress(NotRun):  # the requests that are allowed may end here: of the rest nothing is said
        findings.extend(_credentials(client, settings, provisioner))
    return findings


def _credentials(client: Client, settings: Settings, provisioner: Provisioner) -> Iterator[PreflightFinding]:
    """Whether the credentials of the run are good for anything."""
    if settings.driver == "control":
        yield from _minted(client, settings, provisioner)
        return
    listed = [token for token in settings.tokens if _should_read(token, settings)]
    refused = {token: said for token in listed if (said := _refused(client, settings.url, token))}
    for token, said in refused.items():
        yield PreflightFinding(CONFIG, f"{token} is listed as active, and was answered {said} to GET {_READ}")
    if listed and len(refused) == len(listed):
        yield PreflightFinding(
            CONFIG,
            "no listed token is accepted, so that nothing can be proven: are the tokens, their environment and the URL"
            " those of this target?",
            ExitCode.UNREACHABLE,
        )


def _should_read(token: Credential, settings: Settings) -> bool:
    """Whether a listed token should be able to read the customers."""
    at_home = token.environment is settings.environment and token.state is TokenState.ACTIVE
    return at_home and token.audience is Audience.SERVICE and token.grants(_SCOPE)


def _minted(client: Client, settings: Settings, provisioner: Provisioner) -> Iterator[PreflightFinding]:
    """A token that the control API mints should be good; that it is not is the target's own matter, and judged."""
    world = provisioner.isolate()
    try:
        token = world.token(Need("minted to look"))
        said = _refused(client, world.url, token)
    except Blocked as blocked:
        yield PreflightFinding(CONFIG, blocked.reason)
        return
    finally:
        world.close()
    if said:
        yield PreflightFinding(
            TARGET,
            f"a token minted by {settings.control_url} was answered {said}: do control_url and url belong together?",
        )


def _refused(client: Client, url: str, token: Credential) -> str:
    """What a token was answered to a read, empty where it was accepted."""
    try:
        response = client.send(Request("GET", _READ, token), url).response
    except TransportTrouble as trouble:
        return redact(trouble.reason, (token.secret,))
    return "" if response.ok else printable(redact(describe(response), (token.secret,)))
