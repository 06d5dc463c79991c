"""What a fault does to a connection, as a client meets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from helpers.http_client import http_client
from helpers.mock_program import Program, Programs
from helpers.waiting import BRIEF_SECONDS, PATIENCE_SECONDS, await_that
from paylera_mock.http.waits import PAUSES_AT_ONCE

SOON = httpx.Timeout(PATIENCE_SECONDS, read=BRIEF_SECONDS)
"""A client that loses its patience, which takes a hang to happen."""


@dataclass(frozen=True)
class Target:
    """A namespace of a served fake, and a token that may do everything there."""

    client: httpx.Client
    url: str
    control_url: str
    secret: str

    def fault(self, **fault: Any) -> httpx.Response:
        """Ask for a fault."""
        return self.client.post(f"{self.control_url}/faults", json=fault)

    def list(self, **options: Any) -> httpx.Response:
        """List the customers."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        return self.client.get(f"{self.url}/v1/customers", headers=headers, **options)

    def create(self, key: str, **options: Any) -> httpx.Response:
        """Create a customer."""
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key}
        body = {"email": "ada@example.com"}
        return self.client.post(f"{self.url}/v1/customers", headers=headers, json=body, **options)

    def count(self) -> int:
        """How many customers there are."""
        return len(self.list().json()["data"])

    def has_had(self, count: int) -> bool:
        """Whether as many POSTs as that came to be in the journal."""
        query = f"{self.control_url}/journal?method=POST&after={count - 1}&wait=1"
        return await_that(lambda: bool(self.client.get(query).json()["matched"]))


@dataclass(frozen=True)
class Served:
    """A served fake."""

    program: Program
    control_url: str


@pytest.fixture(scope="module")
def server(served_by: type[Programs], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The fake."""
    programs = served_by(tmp_path_factory.mktemp("served"))
    program = programs.serve()
    yield Served(program, program.ready()["control_url"])
    programs.end()


def target_at(served: Served, client: httpx.Client) -> Target:
    """A new namespace."""
    made = client.post(f"{served.control_url}/namespaces", json={}).json()
    token = client.post(f"{made['control_url']}/tokens", json={"audience": "service", "scopes": ["*"]}).json()
    return Target(client, made["url"], made["control_url"], token["secret"])


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client with patience."""
    # As many connections as a test asks for: by itself httpx has a hundred, and lets the others wait for one.
    with http_client(limits=httpx.Limits(max_connections=None)) as made:
        yield made


@pytest.fixture
def target(server: Served, client: httpx.Client) -> Target:
    """A namespace."""
    return target_at(server, client)


def test_a_drop_loses_the_answer_and_not_the_work(target: Target) -> None:
    """The client gets nothing, and its retry the answer of the first attempt."""
    target.fault(action="drop", at="after_commit")
    with pytest.raises(httpx.RemoteProtocolError):
        target.create("first")
    assert target.create("first").status_code == 201
    assert target.count() == 1


def test_a_drop_before_auth_does_no_work(target: Target) -> None:
    """It is as if the request had never arrived."""
    target.fault(action="drop")
    with pytest.raises(httpx.RemoteProtocolError):
        target.create("first")
    assert target.count() == 0


def test_a_delay_is_waited_for(target: Target) -> None:
    """The answer comes whole, and says why it is late."""
    target.fault(action="delay", seconds=0.05, at="after_commit")
    answer = target.create("first")
    assert (answer.status_code, answer.headers["Paylera-Mock-Fault"].partition("action=")[2]) == (201, "delay")


def test_a_hang_lasts_longer_than_the_client_waits(target: Target) -> None:
    """The work is done all the same."""
    target.fault(action="hang", at="after_commit")
    with pytest.raises(httpx.ReadTimeout):
        target.create("first", timeout=SOON)
    assert target.has_had(1)
    assert target.count() == 1


def test_hanging_requests_hold_up_no_other(target: Target) -> None:
    """However many there are: beyond a bound they are dropped at once, so that threads are left for the others."""
    more = PAUSES_AT_ONCE + 8
    target.fault(action="hang", at="after_commit", method="POST", times=more)
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            target.create(f"key-{number}")
        except httpx.RemoteProtocolError:
            outcomes.append("dropped")

    threads = [threading.Thread(target=create, args=(number,), daemon=True) for number in range(more)]
    for thread in threads:
        thread.start()
    assert target.has_had(more)
    assert target.list().status_code == 200
    target.client.delete(f"{target.control_url}/faults")
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert outcomes == ["dropped"] * more


def test_a_redirect_is_followed_to_another_origin(target: Target) -> None:
    """The token is left behind by httpx, and the journal says so."""
    target.fault(action="redirect")
    assert target.list(follow_redirects=True).json() == {"object": "elsewhere"}
    entry = target.client.get(f"{target.control_url}/journal?rule=another-origin").json()["data"][0]
    assert entry["token"] is None


ANSWERS: dict[str, tuple[dict[str, Any], int, bytes]] = {
    "of no known status": ({"status": 299, "body": "x"}, 299, b"x"),
    "without content": ({"status": 204}, 204, b""),
    "not modified": ({"status": 304}, 304, b""),
    "of any bytes": ({"status": 200, "body_base64": "/wA="}, 200, b"\xff\0"),
}


@pytest.mark.parametrize(("fault", "status", "body"), ANSWERS.values(), ids=ANSWERS)
def test_any_answer_arrives_as_it_is(target: Target, fault: dict[str, Any], status: int, body: bytes) -> None:
    """With its own headers alone, and the connection goes on."""
    target.fault(action="answer", headers={"X-Ours": "1", "Content-Type": "text/x"}, **fault)
    answer = target.list()
    assert (answer.status_code, answer.content, answer.headers["X-Ours"]) == (status, body, "1")
    assert (answer.headers["Content-Type"], "X-RateLimit-Limit" in answer.headers) == ("text/x", False)
    assert target.list().status_code == 200


def test_a_truncated_body_ends_early(server: Served, client: httpx.Client) -> None:
    """After as many bytes as asked for."""
    target = target_at(server, client)
    target.fault(action="truncate", size=10)
    with pytest.raises(httpx.RemoteProtocolError, match="received 10 bytes"):
        target.list()
    assert target.list().status_code == 200


def test_a_reset_is_one(server: Served, client: httpx.Client) -> None:
    """And not an orderly end of the connection."""
    target = target_at(server, client)
    target.fault(action="reset")
    with pytest.raises(httpx.ReadError):
        target.list()
    assert target.list().status_code == 200


def test_garbage_is_no_http(server: Served, client: httpx.Client) -> None:
    """The client can make nothing of it."""
    target = target_at(server, client)
    target.fault(action="garbage")
    with pytest.raises(httpx.RemoteProtocolError):
        target.list()
    assert target.list().status_code == 200


def test_no_fault_leaves_a_trace_on_stderr(target: Target, server: Served) -> None:
    """What was asked for is no news, least of all a traceback."""
    target.fault(action="drop", times=2)
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            target.list()
    assert server.program.errors.read_text() == ""
