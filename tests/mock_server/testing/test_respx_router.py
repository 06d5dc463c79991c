"""The respx router: both hosts of production for any client, and the rest of respx beside them."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import httpx
import pytest

from helpers.waiting import BRIEF_SECONDS
from paylera_mock.testing import Paylera, PayleraRouter

SANDBOX = "https://api.sandbox.paylera.io"
LIVE = "https://api.paylera.io"

Get = Callable[[str, dict[str, str]], httpx.Response]
"""What reads a URL."""


async def read(url: str, headers: dict[str, str]) -> httpx.Response:
    """Read by an async client that knows nothing of the fake."""
    async with httpx.AsyncClient() as client:
        return await client.get(url, headers=headers)


def by_asyncio(url: str, headers: dict[str, str]) -> httpx.Response:
    """Read under asyncio."""
    return anyio.run(read, url, headers)


def by_trio(url: str, headers: dict[str, str]) -> httpx.Response:
    """Read under trio."""
    return anyio.run(read, url, headers, backend="trio")


def by_sync(url: str, headers: dict[str, str]) -> httpx.Response:
    """Read by a sync client that knows nothing of the fake."""
    return httpx.get(url, headers=headers)


every_client = pytest.mark.parametrize("get", [by_sync, by_asyncio, by_trio])


@pytest.mark.parametrize(("environment", "host"), [("sandbox", SANDBOX), ("live", LIVE)])
@every_client
def test_each_host_is_an_environment(
    paylera: Paylera, paylera_respx: PayleraRouter, get: Get, environment: str, host: str
) -> None:
    """A client that has the hosts built in needs no change."""
    token = paylera.token("*", environment=environment)
    assert get(f"{host}/v1/customers", token.headers).status_code == 200
    assert paylera_respx[environment].call_count == 1


@every_client
def test_a_token_of_the_other_environment_is_refused(paylera: Paylera, paylera_respx: PayleraRouter, get: Get) -> None:
    """The host tells the environment."""
    del paylera_respx
    assert get(f"{LIVE}/v1/customers", paylera.everything.headers).json()["problem"] == "auth.wrong_environment"


@every_client
def test_a_fault_is_raised(paylera: Paylera, paylera_respx: PayleraRouter, get: Get) -> None:
    """What httpx raises goes through respx untouched."""
    del paylera_respx
    paylera.faults.add("drop")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        get(f"{SANDBOX}/v1/customers", {})


@every_client
def test_a_cut_is_noticed(paylera: Paylera, paylera_respx: PayleraRouter, get: Get) -> None:
    """While the body is read, which respx leaves to the client."""
    del paylera_respx
    paylera.faults.add("truncate", size=5)
    with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes"):
        get(f"{SANDBOX}/v1/customers", paylera.everything.headers)


def test_a_timeout_is_kept_to(paylera: Paylera, paylera_respx: PayleraRouter) -> None:
    """It reaches the fake with the request."""
    del paylera_respx
    paylera.faults.add("hang")
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{SANDBOX}/v1/customers", timeout=BRIEF_SECONDS)


@every_client
def test_other_hosts_are_for_the_test(paylera_respx: PayleraRouter, get: Get) -> None:
    """The rest of respx is there."""
    paylera_respx.get("https://hooks.example.com/").respond(204)
    assert get("https://hooks.example.com/", {}).status_code == 204


def test_a_route_of_the_test_comes_first(paylera: Paylera, paylera_respx: PayleraRouter) -> None:
    """Also on a host that is played: the others of its routes stay."""
    paylera_respx.get(f"{SANDBOX}/v1/plans").respond(418)
    statuses = [
        httpx.get(f"{SANDBOX}{path}", headers=paylera.everything.headers).status_code
        for path in ("/v1/plans", "/v1/customers")
    ]
    assert statuses == [418, 200]


def test_a_host_that_nobody_plays_is_not_mocked(paylera_respx: PayleraRouter) -> None:
    """As ever with respx."""
    del paylera_respx
    with pytest.raises(AssertionError, match="not mocked"):
        httpx.get("https://example.com/")


def test_a_route_of_the_test_must_be_called(paylera: Paylera) -> None:
    """As ever with respx; the hosts that are played need not be."""
    router = PayleraRouter(paylera.transport)
    router.get("https://hooks.example.com/").respond(204)
    with pytest.raises(AssertionError, match="some routes were not called"):
        router.assert_all_called()


@every_client
def test_a_redirect_is_followed_elsewhere(paylera: Paylera, paylera_respx: PayleraRouter, get: Get) -> None:
    """The other origin is played too."""
    paylera.faults.add("redirect")
    location = get(f"{SANDBOX}/v1/customers", paylera.everything.headers).headers["Location"]
    assert get(location, {}).json() == {"object": "elsewhere"}
    assert paylera_respx["elsewhere"].called
