"""What varies without meaning: it follows from the seed, and no target can tell by it when it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import pytest

from helpers.scripted_server import ScriptedServer
from helpers.suite import CANARY, Target
from paylera_conformance.http.client import Client, ClientSettings
from paylera_conformance.http.habits import OWN_USER_AGENT
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.variation import USER_AGENTS, Variation
from paylera_conformance.target.openapi import Document
from paylera_conformance.target.provisioner import Provisioner
from paylera_conformance.target.settings import Settings
from paylera_fixtures.api.openapi import build
from paylera_fixtures.redaction import Secret
from paylera_fixtures.vocabulary import Environment, Profile

LIST = Request("GET", "/v1/customers", Credential(Secret(CANARY)))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def draws_of(variation: Variation) -> list[object]:
    """Some of everything that it draws."""
    each = (variation.user_agent, variation.baselines, variation.name, variation.key)
    return [*(draw() for draw in each for _ in range(5)), variation.secret(Environment.SANDBOX)]


def test_same_seed_draws_the_same() -> None:
    """So that a run can be looked at again."""
    assert draws_of(Variation("7")) == draws_of(Variation("7"))


def test_other_seed_draws_something_else() -> None:
    """Two cases of one run never use the same name or key."""
    assert not set(draws_of(Variation("7"))[10:]) & set(draws_of(Variation("8"))[10:])


def test_part_is_drawn_whatever_came_before() -> None:
    """Operations are looked at in any order, by any process."""
    variation, other = Variation("7"), Variation("7")
    draws_of(variation)
    variation.restart("GET /v1/customers")
    other.restart("GET /v1/customers")
    assert draws_of(variation) == draws_of(other)


def test_key_is_as_clients_make_them() -> None:
    """A UUID of version 4."""
    assert UUID(Variation("7").key()).version == 4


@pytest.mark.parametrize("length", [1, 36, 255])
def test_key_may_have_another_length(length: int) -> None:
    """The clauses about long keys look at that."""
    assert len(Variation("7").key(length)) == length


def test_user_agent_may_be_fixed() -> None:
    """Some targets let certain clients in alone."""
    assert {Variation("7", "acme/1").user_agent() for _ in range(20)} == {"acme/1"}


def test_every_user_agent_is_drawn() -> None:
    """The suite's own is one of them."""
    variation = Variation("7")
    assert {variation.user_agent() for _ in range(500)} == set(USER_AGENTS)
    assert OWN_USER_AGENT in USER_AGENTS


def document() -> Document:
    """The guide's own."""
    return Document(build(Profile.GUIDE), published=False)


@pytest.fixture
def probe_of(settings: Settings, client_of: Callable[..., Client]) -> Callable[[Target, str], Probe]:
    """Makes probes of a made-up target that vary by a seed."""

    def make(target: Target, seed: str) -> Probe:
        variation, client = Variation(seed), client_of(target)
        return Probe(client, Provisioner(settings), settings, variation=variation, document=document)

    return make


def compare(probe: Probe) -> None:
    """Compare a token that nobody issued with one that is good."""
    probe.baseline(LIST).refuses(LIST.by(probe.tokens.unknown()), refusals.INVALID, change="another token")


def test_both_sides_of_a_comparison_look_alike(target: Target, probe_of: Callable[[Target, str], Probe]) -> None:
    """They have the same headers in the same order, and the same `User-Agent`; another comparison has its own."""
    probe = probe_of(target, "7")
    shapes = []
    for _ in range(10):
        begin = len(target.requests)
        compare(probe)
        shapes.append({(sent.headers["User-Agent"], *sent.headers) for sent in target.requests[begin:]})
    assert {len(shape) for shape in shapes} == {1}
    assert len({agent for shape in shapes for agent, *_ in shape}) > 1


def test_the_number_of_baselines_varies(target: Target, probe_of: Callable[[Target, str], Probe]) -> None:
    """What comes next cannot be told by counting."""
    probe = probe_of(target, "7")
    counts = set()
    for _ in range(30):
        begin = len(target.requests)
        compare(probe)
        counts.add(len(target.requests) - begin)
    assert counts == {3, 4, 5}


def test_same_seed_sends_the_same(target: Target, probe_of: Callable[[Target, str], Probe]) -> None:
    """Names, keys, made-up tokens and all."""
    sent = []
    for _ in range(2):
        begin, probe = len(target.requests), probe_of(target, "7")
        compare(probe)
        probe.send(Request("POST", f"/v1/{probe.factory.unique_name()}", LIST.token, key=FRESH_KEY))
        sent.append([(str(request.url), request.headers.raw) for request in target.requests[begin:]])
    assert sent[0] == sent[1]


def test_raw_request_looks_like_the_others(settings: Settings, scripted: Callable[..., ScriptedServer]) -> None:
    """Byte for byte: hostile bytes are all that tells it apart."""
    server = scripted([OK], [OK])
    world = Provisioner(settings)
    world.url = server.url
    request = LIST.with_header("Connection", "close")
    with closing(Client(ClientSettings("run1"))) as client:
        probe = Probe(client, world, settings, variation=Variation("7"), document=document)
        probe.send(request)
        probe.send_raw(request, [("Authorization", f"Bearer {CANARY}".encode()), ("Connection", b"close")])
    assert server.requests[0] == server.requests[1]
