"""Requests side by side: one that waits holds up no other, in threads and in an event loop."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import httpx
import pytest

from helpers.waiting import BRIEF_SECONDS, PATIENCE_SECONDS, await_that
from paylera_mock.testing import Paylera

MANY = 20
BACKENDS = ("asyncio", "trio")
HANGING_ROUTE = "/v1/plans"

on_every_backend = pytest.mark.parametrize("backend", BACKENDS)


def get(fake: Paylera, path: str) -> httpx.Response:
    """Read by a sync client of its own."""
    with httpx.Client(transport=fake.transport, base_url=fake.url, timeout=PATIENCE_SECONDS) as client:
        return client.get(path, headers=fake.everything.headers)


def patient(fake: Paylera) -> httpx.AsyncClient:
    """An async client that waits long."""
    return httpx.AsyncClient(transport=fake.transport, base_url=fake.url, timeout=PATIENCE_SECONDS)


def create(client: httpx.Client, fake: Paylera, key: str) -> httpx.Response:
    """Create a customer."""
    headers = {**fake.everything.headers, "Idempotency-Key": key}
    return client.post("/v1/customers", headers=headers, json={"email": "ada@example.com"})


def test_a_hanging_thread_holds_up_no_other(paylera: Paylera) -> None:
    """Each thread waits for itself; what hangs ends with the fault."""
    fault = paylera.faults.add("hang", route=HANGING_ROUTE)
    with ThreadPoolExecutor(2) as pool:
        hanging = pool.submit(get, paylera, HANGING_ROUTE)
        paylera.journal.wait_for(seconds=30, route=HANGING_ROUTE)
        answered = pool.submit(get, paylera, "/v1/customers").result()
        assert (answered.status_code, hanging.done()) == (200, False)
        paylera.faults.remove(fault["id"])
        assert isinstance(hanging.exception(), httpx.RemoteProtocolError)


def test_threads_share_a_client(paylera: Paylera) -> None:
    """Every one of many parallel requests is answered, and by what it asked for."""
    with httpx.Client(transport=paylera.transport, base_url=paylera.url) as client, ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(lambda number: create(client, paylera, f"k{number}"), range(MANY)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == MANY


def test_threads_with_one_key_act_once(paylera: Paylera) -> None:
    """As on a server, where only one of them comes first."""
    with httpx.Client(transport=paylera.transport, base_url=paylera.url) as client, ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(lambda _: create(client, paylera, "k1"), range(MANY)))
    assert len({answer.json()["id"] for answer in answers}) == 1


@on_every_backend
def test_a_hanging_task_holds_up_no_other(paylera: Paylera, backend: str) -> None:
    """The event loop goes on while one request of many hangs."""
    paylera.faults.add("hang", route=HANGING_ROUTE)
    lost: list[Exception] = []
    statuses: list[int] = []

    async def read(client: httpx.AsyncClient, path: str) -> None:
        try:
            statuses.append((await client.get(path, headers=paylera.everything.headers)).status_code)
        except httpx.RemoteProtocolError as error:
            lost.append(error)

    async def run() -> None:
        async with patient(paylera) as client, anyio.create_task_group() as hanging:
            hanging.start_soon(read, client, HANGING_ROUTE)
            async with anyio.create_task_group() as others:
                for _ in range(MANY):
                    others.start_soon(read, client, "/v1/customers")
            await anyio.to_thread.run_sync(lambda: paylera.journal.wait_for(seconds=30, route=HANGING_ROUTE))
            assert (statuses, lost) == ([200] * MANY, [])
            paylera.faults.clear()

    anyio.run(run, backend=backend)
    assert len(lost) == 1


@on_every_backend
def test_a_cancelled_request_happens_all_the_same(paylera: Paylera, backend: str) -> None:
    """A server does not know that the task of its client is gone."""
    paylera.faults.add("delay", seconds=60)
    answers: list[httpx.Response] = []

    async def send(client: httpx.AsyncClient) -> None:
        headers = {**paylera.everything.headers, "Idempotency-Key": "k1"}
        answers.append(await client.post("/v1/customers", headers=headers, json={"email": "ada@example.com"}))

    async def run() -> None:
        async with patient(paylera) as client, anyio.create_task_group() as sending:
            sending.start_soon(send, client)
            await anyio.to_thread.run_sync(await_that, lambda: next(iter(paylera.faults))["happened"] == 1)
            sending.cancel_scope.cancel()

    anyio.run(run, backend=backend)
    assert (answers, paylera.journal.last["answer"]["status"]) == ([], 201)


@on_every_backend
def test_a_control_call_that_waits_holds_up_no_task(paylera: Paylera, backend: str) -> None:
    """It waits in a thread, for a request that the same event loop sends."""
    seen: list[str] = []

    async def wait(client: httpx.AsyncClient) -> None:
        seen.extend(exchange["path"] for exchange in (await client.get("/_mock/journal?wait=30")).json()["data"])

    async def run() -> None:
        async with patient(paylera) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(wait, client)
            await client.get("/v1/customers", headers=paylera.everything.headers)

    anyio.run(run, backend=backend)
    assert seen == ["/v1/customers"]


def everyone(count: int, of: Callable[[int], object]) -> list[object]:
    """What so many threads come to."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(of, range(count)))


def test_more_may_hang_than_a_server_has_threads(paylera: Paylera) -> None:
    """No limit of a server's holds here: each client brings the thread that waits."""
    paylera.faults.add("hang", times=50)
    with httpx.Client(transport=paylera.transport, base_url=paylera.url, timeout=BRIEF_SECONDS) as client:
        seen = everyone(50, lambda _: raised_by(lambda: client.get("/v1/customers")))
    assert set(seen) == {httpx.ReadTimeout}


def raised_by(call: Callable[[], object]) -> type[Exception] | None:
    """The class of what a call raises."""
    try:
        call()
    except httpx.HTTPError as error:
        return type(error)
    return None
