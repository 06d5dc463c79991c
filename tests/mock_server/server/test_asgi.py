"""The fake as an ASGI application, without a server below it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from paylera_mock.app import create_app
from paylera_mock.server import asgi
from paylera_mock.server.asgi import AsgiFake

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/v1/customers",
    "raw_path": b"/v1/customers",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
    "server": ("127.0.0.1", 80),
    "client": ("127.0.0.1", 1),
}


async def leave(fake: AsgiFake) -> None:
    """Ask, and leave before the answer."""
    request: dict[str, Any] = {"type": "http.request", "body": b"", "more_body": False}
    messages = iter([request, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(_message: dict[str, Any]) -> None:
        """Nobody is there."""

    await fake(SCOPE, receive, send)


def test_a_client_that_has_left_holds_no_thread() -> None:
    """A hang lasts a minute: others that wait would be held up by those whose clients have long left."""
    app = create_app()
    fault: dict[str, Any] = {"action": "hang", "times": 20}
    assert app.test_client().post("/_mock/faults", json=fault).status_code == 201
    fake = AsgiFake(app, body_seconds=5)
    before = threading.active_count()

    async def leave_often() -> int:
        for _ in range(fault["times"]):
            await leave(fake)
        return threading.active_count()

    assert asyncio.run(leave_often()) - before < fault["times"]


class WatchedThreads(ThreadPoolExecutor):
    """Threads that count what they are given."""

    given = 0

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        """Count one more."""
        self.given += 1
        return super().submit(*arguments, **options)


@pytest.mark.parametrize(
    ("mutant", "given"),
    [("scheme-with-case", 0), ("jitter", 1), ("duplicates-both-act", 1), ("duplicates-refused-409", 1)],
)
def test_a_mutant_has_a_thread_only_where_it_may_wait(monkeypatch: pytest.MonkeyPatch, mutant: str, given: int) -> None:
    """A thread for each request costs about as much as the request, and a wait on the loop would hold up all others."""
    threads = WatchedThreads(2)
    monkeypatch.setattr(asgi, "ThreadPoolExecutor", lambda *_: threads)
    fake = AsgiFake(create_app(mutants=[mutant]), body_seconds=5)
    asyncio.run(leave(fake))
    threads.shutdown()
    assert threads.given == given
