"""What answers on the event loop, and what needs a thread."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from paylera_mock.app import create_app
from paylera_mock.http.environ import make_environ
from paylera_mock.http.handler import Transmission
from paylera_mock.server import answering
from paylera_mock.server.answering import Answering, in_thread


async def leave(asked: Answering) -> None:
    """Ask, and leave before the answer."""
    departed = asyncio.Event()
    host = [("Host", "localhost")]
    environ = make_environ("GET", "/v1/customers", host, io.BytesIO(), scheme="http", server=("127.0.0.1", 80))
    answer = asked.answer(environ, is_api=True, departed=departed)
    departed.set()
    if isinstance(answer, Coroutine):
        answer = await answer
    assert isinstance(answer, Transmission)


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
def test_a_mutant_has_a_thread_only_where_it_may_wait(monkeypatch: pytest.MonkeyPatch, mutant: str, given: int) -> None:
    """A thread for each request costs about as much as the request, and a wait on the loop would hold up all others."""
    works: list[object] = []

    async def in_watched_thread(work: Callable[[], Any]) -> Any:
        works.append(work)
        return await in_thread(work)

    monkeypatch.setattr(answering, "in_thread", in_watched_thread)
    asyncio.run(leave(Answering(create_app(mutants=[mutant]), body_seconds=5)))
    assert len(works) == given
