"""The fake as an ASGI application, without a server below it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from paylera_mock.app import create_app
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
