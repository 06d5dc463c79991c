"""What answers on the event loop, and what needs a thread."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from helpers.waiting import PATIENCE_SECONDS
from paylera_mock.app import EXTENSION, create_app
from paylera_mock.http.environ import make_environ
from paylera_mock.http.handler import Transmission
from paylera_mock.server import answering
from paylera_mock.server.answering import Answering, in_thread


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was given to threads."""
    given: list[object] = []

    async def in_watched_thread(work: Callable[[], Any]) -> Any:
        given.append(work)
        return await in_thread(work)

    monkeypatch.setattr(answering, "in_thread", in_watched_thread)
    return given


async def ask(
    asked: Answering,
    method: str = "GET",
    path: str = "/v1/customers",
    *,
    body: bytes = b"",
    departed: asyncio.Event | None = None,
) -> Transmission:
    """Ask, and wait for the answer."""
    host = [("Host", "localhost")]
    environ = make_environ(method, path, host, io.BytesIO(body), scheme="http", server=("127.0.0.1", 80))
    is_api, _ = asked.expect(environ)
    answer = asked.answer(environ, is_api=is_api, departed=departed or asyncio.Event())
    return await answer if isinstance(answer, Coroutine) else answer


async def leave(asked: Answering) -> None:
    """Ask, and leave before the answer."""
    departed = asyncio.Event()
    departed.set()
    await ask(asked, departed=departed)


def test_a_client_that_has_left_holds_no_thread() -> None:
    """A hang lasts a minute: others that wait would be held up by those whose clients have long left."""
    app = create_app()
    fault: dict[str, Any] = {"action": "hang", "times": 20}
    assert app.test_client().post("/_mock/faults", json=fault).status_code == 201
    asked = Answering(app, body_seconds=5)
    before = threading.active_count()

    async def leave_often() -> int:
        for _ in range(fault["times"]):
            await leave(asked)
        return threading.active_count()

    assert asyncio.run(leave_often()) - before < fault["times"]


@pytest.mark.parametrize(
    ("mutant", "given"),
    [("scheme-with-case", 0), ("jitter", 1), ("duplicates-both-act", 1), ("duplicates-refused-409", 1)],
)
def test_a_mutant_has_a_thread_only_where_it_may_wait(works: list[object], mutant: str, given: int) -> None:
    """A thread for each request costs about as much as the request, and a wait on the loop would hold up all others."""
    asyncio.run(leave(Answering(create_app(mutants=[mutant]), body_seconds=5)))
    assert len(works) == given


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("POST", "/_mock/customers", 0),
        ("GET", "/_mock/clock", 0),
        ("POST", "/_mock/tokens", 0),
        ("POST", "/_mock/faults", 1),
        ("POST", "/_mock/namespaces", 0),
        ("POST", "/_mock/clock/advance", 1),
        ("DELETE", "/_mock/namespaces/nowhere", 1),
        ("GET", "/_mock/journal", 1),
        ("GET", "/_mock/snapshot", 1),
        ("PUT", "/_mock/snapshot", 1),
        ("POST", "/_mock/webhooks/flush", 1),
        ("GET", "/_mock/ui", 1),
        ("GET", "/openapi/v1.json", 1),
        ("GET", "/_mock/nothing", 1),
        ("GET", "/ns/nowhere/_mock/clock", 1),
    ],
)
def test_a_control_call_has_a_thread_only_where_it_may_take_long(
    works: list[object], method: str, path: str, given: int
) -> None:
    """Each costs a thread otherwise, and a test makes many."""
    asyncio.run(ask(Answering(create_app(), body_seconds=5), method, path))
    assert len(works) == given


@pytest.mark.parametrize(("size", "given"), [(16 * 1024, 0), (16 * 1024 + 1, 1)])
def test_a_long_body_is_read_in_a_thread(works: list[object], size: int, given: int) -> None:
    """It may have 64 MiB, and reading it takes seconds."""
    body = b"{}".ljust(size)
    answer = asyncio.run(ask(Answering(create_app(), body_seconds=5), "POST", "/_mock/customers", body=body))
    assert (answer.answer.status, len(works)) == (201, given)


def test_a_control_call_that_fails_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As any other is."""

    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(answering, "run_wsgi", fail)
    answer = asyncio.run(ask(Answering(create_app(), body_seconds=5), "POST", "/_mock/customers"))
    assert answer.answer.status == 500


def test_a_control_call_to_a_namespace_that_is_held_holds_up_no_other(works: list[object]) -> None:
    """It waits in a thread until the namespace is free."""
    app = create_app()
    asked = Answering(app, body_seconds=5)
    namespace = app.extensions[EXTENSION].namespaces.default
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with namespace.lock:
            held.set()
            free.wait(PATIENCE_SECONDS)  # or the test would hang where it is to fail

    async def call_twice() -> tuple[int, int]:
        waiting = asyncio.ensure_future(ask(asked, "POST", "/_mock/customers"))
        other = await ask(asked, "GET", "/_mock/nothing")
        assert not waiting.done()
        free.set()
        return other.answer.status, (await waiting).answer.status

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        assert asyncio.run(call_twice()) == (404, 201)
    finally:
        free.set()
        holder.join()
    assert len(works) == 2
