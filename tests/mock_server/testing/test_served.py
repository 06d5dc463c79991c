"""The fakes of a test run on a real port."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from typing import Any

import aiohttp
import httpx
import pytest

from paylera_fixtures.tokens import WELL_KNOWN
from paylera_mock.state.token_names import ready_name
from paylera_mock.testing import Paylera, PayleraServer

ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": f"Bearer {sys.argv[2]}"})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(request).status)
"""


async def ask_by_aiohttp(url: str, headers: dict[str, str]) -> int:
    """The status of an answer."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        await answer.read()
        return answer.status


def test_aiohttp_asks_the_fake_of_the_test(paylera: Paylera, paylera_server: PayleraServer) -> None:
    """What it did is in the journal of the test's own namespace."""
    url = f"{paylera_server.at(paylera).url}/v1/customers"
    assert asyncio.run(ask_by_aiohttp(url, {**paylera.everything.headers, "User-Agent": "sdk"})) == 200
    assert asyncio.run(ask_by_aiohttp(url, {})) == 401
    assert [exchange["answer"]["status"] for exchange in paylera.journal] == [200, 401]


def test_a_fault_breaks_the_connection(paylera: Paylera, paylera_server: PayleraServer) -> None:
    """Those too that need a socket."""
    paylera.faults.add(preset="cut-short")
    url = f"{paylera_server.at(paylera).url}/v1/customers"
    with pytest.raises(aiohttp.ClientPayloadError):
        asyncio.run(ask_by_aiohttp(url, paylera.everything.headers))


def test_a_subprocess_asks_the_fake(paylera: Paylera, paylera_server: PayleraServer) -> None:
    """In whatever language it is written."""
    command = [sys.executable, "-c", ASK, f"{paylera_server.at(paylera).live_url}/v1/customers"]
    secret = paylera.token("*", environment="live").secret
    assert subprocess.run([*command, secret], capture_output=True, text=True, check=True).stdout == "200\n"


def test_a_token_finds_its_own_fake(paylera: Paylera, paylera_server: PayleraServer) -> None:
    """For a client whose base URL is fixed."""
    with httpx.Client(base_url=paylera_server.url) as client:
        assert client.get("/v1/customers", headers=paylera.everything.headers).status_code == 200
    assert len(paylera.journal) == 1


def test_the_default_namespace_has_the_well_known_tokens(paylera_server: PayleraServer) -> None:
    """As that of `paylera-mock serve`."""
    secret = next(token.secret for token in WELL_KNOWN if ready_name(token) == "serviceall")
    with httpx.Client(base_url=paylera_server.url) as client:
        assert client.get("/v1/plans", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_a_namespace_made_on_the_port_is_on_the_port(paylera_server: PayleraServer) -> None:
    """Another language makes its own."""
    with httpx.Client() as client:
        made: dict[str, Any] = client.post(f"{paylera_server.control_url}/namespaces", json={}).json()
        assert client.get(f"{made['url']}/v1/plans").status_code == 401
        assert client.get(f"{made['live_url']}/v1/plans").status_code == 401
        assert client.delete(f"{paylera_server.control_url}/namespaces/{made['id']}").status_code == 204


def test_the_port_is_free_when_the_run_ends(pytester: pytest.Pytester) -> None:
    """One server in each process, however many tests ask for it."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(2))
        def test_it(paylera_server, number):
            print("at", paylera_server.url)
        """
    )
    said = pytester.runpytest("-s").stdout.str()
    first, second = re.findall(r"at (\S+)", said)
    assert first == second
    with pytest.raises(httpx.ConnectError):
        httpx.get(first)
