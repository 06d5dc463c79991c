"""Beside plugins and libraries that replace time, files, sockets or connections, each test of a user's works."""

from __future__ import annotations

import pytest

BOTH = '''
import httpx
import pytest
import requests


def ask_by_both(paylera):
    """Ask by httpx and by requests, and lose an answer of each."""
    url, headers = f"{paylera.url}/v1/customers", paylera.everything.headers
    session = requests.Session()
    session.mount("https://", paylera.requests_adapter())
    with httpx.Client(transport=paylera.transport) as client:
        for each in (client, session):
            assert each.get(url, headers=headers).status_code == 200
        paylera.faults.add("hang", times=2)
        with pytest.raises(httpx.ReadTimeout):
            client.get(url, headers=headers, timeout=0.05)
        with pytest.raises(requests.ReadTimeout):
            session.get(url, headers=headers, timeout=0.05)
    paylera.clock.advance(60)
    paylera.verify(method="GET", route="/v1/customers", times=4)
'''

AFTERWARDS = """
def test_afterwards(paylera):
    ask_by_both(paylera)
"""

CASES = {
    "vcrpy": """
    import vcr

    def test_before(paylera, tmp_path):
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as cassette:
            ask_by_both(paylera)
        assert len(cassette) == 0
    """,
    "vcrpy, from the first import on": """
    import vcr

    @pytest.fixture
    def cassette(tmp_path):
        with vcr.use_cassette(str(tmp_path / "cassette.yaml")) as cassette:
            yield cassette

    def test_before(cassette, paylera):
        ask_by_both(paylera)
        assert len(cassette) == 0
    """,
    "pytest-socket": """
    def test_before(socket_disabled, paylera):
        ask_by_both(paylera)
    """,
    "pyfakefs": """
    def test_before(fs, paylera):
        ask_by_both(paylera)
    """,
    "pyfakefs, afterwards": """
    def test_before(paylera, fs):
        ask_by_both(paylera)
    """,
    "freezegun": """
    import freezegun

    def test_before(paylera):
        with freezegun.freeze_time("2020-01-01"):
            ask_by_both(paylera)

    @pytest.fixture
    def frozen():
        with freezegun.freeze_time("2020-01-01"):
            yield

    def test_the_clock_of_the_fake_is_frozen_too(frozen, paylera):
        ask_by_both(paylera)
        assert paylera.clock.now.isoformat() == "2020-01-01T00:01:00+00:00"
    """,
    "freezegun and asyncio": """
    import asyncio
    import freezegun

    async def ask(paylera):
        async with httpx.AsyncClient(transport=paylera.transport) as client:
            return (await client.get(f"{paylera.url}/v1/plans", headers=paylera.everything.headers)).status_code

    def test_before(paylera):
        paylera.faults.add("delay", seconds=0.01)
        with freezegun.freeze_time("2020-01-01", real_asyncio=True):
            assert asyncio.run(ask(paylera)) == 200
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("source", CASES.values(), ids=CASES)
def test_the_fake_works_beside(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """And in the tests after that one."""
    monkeypatch.delenv("PYTEST_ADDOPTS")
    pytester.makepyfile(BOTH + "\n".join(line[4:] for line in source.splitlines()) + AFTERWARDS)
    # It ends what loops for ever, as vcrpy once made the adapter do.
    ran = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-o", "faulthandler_timeout=60", timeout=120)
    ran.assert_outcomes(passed=2 + ("test_the_clock" in source))
