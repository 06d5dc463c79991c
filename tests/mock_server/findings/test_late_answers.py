"""A client that gives up waiting, and one that does not: what is a failure to a client is one to the fake."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from flask import Flask

from helpers.waiting import await_that
from paylera_mock.server import answering
from paylera_mock.testing.fake import Paylera, application
from paylera_mock.testing.served import serving

CUSTOMERS = "/v1/customers"


@pytest.fixture
def app() -> Flask:
    """An application of the test's own."""
    return application()


@pytest.fixture
def paylera(app: Flask) -> Iterator[Paylera]:
    """A fake in it."""
    fake = Paylera(app, {})
    yield fake
    fake.close()


def creates(paylera: Paylera, key: str, timeout: float = 5, url: str | None = None) -> None:
    """Create a customer, and mind no answer that is lost. `url`: of a server, where it is not to be in this process."""
    headers = {**paylera.everything.headers, "Idempotency-Key": key, "Paylera-Version": "2026-04-01"}
    transport = paylera.transport if url is None else httpx.HTTPTransport()
    with (
        httpx.Client(transport=transport, base_url=url or paylera.url, timeout=timeout) as client,
        suppress(httpx.TransportError),
    ):
        client.post(CUSTOMERS, json={"email": "ada@example.com"}, headers=headers)


def found(paylera: Paylera) -> list[tuple[str, str]]:
    """What was found, by id and severity."""
    return [(finding["id"], finding["severity"]) for finding in paylera.findings]


WAITS: list[dict[str, Any]] = [
    {"action": "delay", "seconds": 30},
    {"action": "delay", "seconds": 30, "at": "after_auth"},
    {"action": "delay", "seconds": 30, "at": "after_commit"},
    {"action": "delay", "seconds": 30, "at": "while_sending"},
    {"action": "hang"},
    {"action": "hang", "at": "after_commit"},
]


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"{fault['action']}-{fault.get('at', 'before_auth')}")
def test_a_new_key_after_a_timeout_is_found(paylera: Paylera, fault: dict[str, Any]) -> None:
    """The work may be done twice, wherever the request was held up."""
    paylera.faults.add(**fault)
    creates(paylera, "first", timeout=0.01)
    creates(paylera, "second")
    assert found(paylera) == [("new-key-on-retry", "error")]


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"{fault['action']}-{fault.get('at', 'before_auth')}")
def test_a_new_key_after_a_timeout_is_found_at_once(
    app: Flask, paylera: Paylera, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """A server that looks now and then whether the client is there has not looked yet when the test asks."""
    monkeypatch.setattr(answering, "_BETWEEN_LOOKS_SECONDS", 0.3)
    paylera.faults.add(**fault)
    with serving(app) as server:
        url = server.at(paylera).url
        creates(paylera, "first", timeout=0.1, url=url)
        creates(paylera, "second", url=url)
        assert found(paylera) == [("new-key-on-retry", "error")]


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"{fault['action']}-{fault.get('at', 'before_auth')}")
def test_a_new_key_is_found_though_the_test_has_asked_before(paylera: Paylera, fault: dict[str, Any]) -> None:
    """While the first request waited, it was no failure yet."""
    armed = paylera.faults.add(**fault)
    first = threading.Thread(target=creates, args=(paylera, "first", 0.5))
    first.start()
    assert await_that(lambda: next(iter(paylera.faults))["happened"] == 1)
    assert found(paylera) == []
    first.join()
    creates(paylera, "second")
    assert (found(paylera), armed["times"]) == ([("new-key-on-retry", "error")], 1)


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"{fault['action']}-{fault.get('at', 'before_auth')}")
def test_the_same_key_after_a_timeout_is_right(paylera: Paylera, fault: dict[str, Any]) -> None:
    """However long the answer would have taken."""
    paylera.faults.add(**fault)
    creates(paylera, "key", timeout=0.01)
    creates(paylera, "key")
    assert (found(paylera), len(paylera.audit)) == ([], 1)


@pytest.mark.parametrize("fault", WAITS, ids=lambda fault: f"{fault['action']}-{fault.get('at', 'before_auth')}")
def test_two_equal_requests_at_once_are_two(paylera: Paylera, fault: dict[str, Any]) -> None:
    """The first still waits for its answer when the second comes, so that neither is a retry."""
    armed = paylera.faults.add(**fault)
    first = threading.Thread(target=creates, args=(paylera, "first", 60))
    first.start()
    assert await_that(lambda: next(iter(paylera.faults))["happened"] == 1)
    creates(paylera, "second")
    seen = found(paylera)
    paylera.faults.remove(armed["id"])
    first.join()
    assert (seen, found(paylera)) == ([], [])


def test_an_answer_that_is_late_and_comes_is_no_failure(paylera: Paylera) -> None:
    """An equal request afterwards is another one."""
    paylera.faults.add("delay", seconds=0.01, at="after_commit")
    creates(paylera, "first")
    creates(paylera, "second")
    assert found(paylera) == []


def test_the_journal_tells_that_the_client_had_left(paylera: Paylera) -> None:
    """Beside what it would have been answered."""
    paylera.faults.add("delay", seconds=30)
    creates(paylera, "first", timeout=0.01)
    creates(paylera, "second")
    entries = paylera.journal.list()
    told = [(entry["answer"]["status"], entry["answer"]["lost"], entry["retry_of"]) for entry in entries]
    assert told == [(201, "delay", None), (201, None, 1)]
