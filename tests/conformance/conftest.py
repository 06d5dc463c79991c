"""A made-up target, and what talks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from helpers.program_fixtures import answering, deploy, furnish, make_program, program, serve
from helpers.scripted_server import ScriptedServer
from helpers.suite import CANARY, URL, Target
from helpers.watched_target import run_watched, watched, watched_url
from helpers.wire import HandlerWire
from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.habits import OWN_USER_AGENT
from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.variation import Variation
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.openapi import build
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Environment, Profile

__all__ = [
    "answering",
    "deploy",
    "furnish",
    "make_program",
    "program",
    "run_watched",
    "serve",
    "watched",
    "watched_url",
]


@pytest.fixture(scope="session")
def canary() -> str:
    """A secret that must never be seen."""
    return CANARY


@pytest.fixture
def service() -> Credential:
    """A service token that may do everything, under the canary secret."""
    return Credential(Secret(CANARY, "everything"))


@pytest.fixture
def settings(service: Credential) -> Settings:
    """A made-up target, and one token for it."""
    return Settings(url=URL, tokens=(service,))


@pytest.fixture
def exchanged(service: Credential) -> Callable[..., Exchange]:
    """Makes exchanges: `status`, `answer` and `headers` of the answer; further arguments are the request's."""

    def make(status: int = 200, answer: bytes = b"{}", *headers: tuple[str, str], **request: Any) -> Exchange:
        sent = Request(**{"method": "GET", "path": "/v1/customers", "token": service, **request})
        lines = (("Authorization", sent.credential.replace("{}", CANARY)), ("User-Agent", "suite"), *sent.headers)
        return Exchange(sent, URL + sent.path, lines, Response(status, headers, answer))

    return make


@pytest.fixture
def target() -> Target:
    """A target that accepts the canary token, and refuses whatever else as the guide has it."""
    return Target({CANARY: [(200, None)], None: [(401, "auth.missing_token")]})


@pytest.fixture
def client_of() -> Callable[[Callable[[httpx.Request], httpx.Response]], Client]:
    """Makes clients that talk to a function."""
    return lambda handler: Client(ClientSettings(run_id="run1"), wire=HandlerWire(handler))


@pytest.fixture
def probe_on(
    settings: Settings, client_of: Callable[[Callable[[httpx.Request], httpx.Response]], Client]
) -> Callable[..., Probe]:
    """Makes probes of a made-up target, in a world where only the listed token is to be had."""

    def make(handler: Callable[[httpx.Request], httpx.Response], world: Provisioner | None = None) -> Probe:
        return Probe(
            client_of(handler),
            world or Provisioner(settings),
            settings,
            variation=Variation("1", OWN_USER_AGENT),
            document=lambda: Document(build(Profile.GUIDE), published=False),
        )

    return make


@pytest.fixture
def live_credential() -> Credential:
    """A token of the other environment that is not to be sent to this one."""
    secret = f"sk_{Environment.LIVE}_" + "Foreign".ljust(32, "7")
    return Credential(Secret(secret, "live"), environment=Environment.LIVE)


@pytest.fixture
def scripted() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts servers that give the answers of each connection."""
    started: list[ScriptedServer] = []

    def start(*connections: list[bytes]) -> ScriptedServer:
        started.append(ScriptedServer(*connections))
        return started[-1]

    yield start
    for server in started:
        server.stop()
