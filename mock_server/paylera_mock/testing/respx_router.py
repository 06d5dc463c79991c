"""A respx router that answers for both hosts of production, for sync and async clients."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

import httpx
import respx
from respx.models import RouteList

from paylera_fixtures.vocabulary import Environment
from paylera_mock.http.handler import ELSEWHERE_HOST
from paylera_mock.testing.httpx_transport import PayleraTransport

_PLAYED: Final = {
    **{environment.value: environment.production_host for environment in Environment},
    "elsewhere": ELSEWHERE_HOST,
}
_ASYNC: Final = "paylera_async"


class PayleraRouter(respx.MockRouter):
    """respx with the routes `sandbox` and `live`, which lead to the fake, and `elsewhere`, where redirects lead.

    Routes that are added come before these, whichever host they are for. These three need not be called.
    """

    def __init__(self, transport: PayleraTransport) -> None:
        super().__init__()
        self._transport = transport
        for name, host in _PLAYED.items():
            self.route(host=host, name=name).mock(side_effect=self._answer)

    def add(self, route: respx.Route, *, name: str | None = None) -> respx.Route:
        """Add a route before those of the fake."""
        added = super().add(route, name=name)
        ordered = RouteList()
        for each in sorted(self.routes, key=lambda each: each.name in _PLAYED):
            ordered.add(each, name=each.name)
        self.routes[:] = ordered
        return added

    def assert_all_called(self) -> None:
        """Assert that each added route was called."""
        never = [route for route in self.routes if not route.called and route.name not in _PLAYED]
        assert never == [], "RESPX: some routes were not called!"  # noqa: S101 - as respx says it

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of an async client, which is marked: `_answer` cannot tell it from a sync one's."""
        request.extensions = {**request.extensions, _ASYNC: True}
        return await super().async_handler(request)

    def _answer(self, request: httpx.Request) -> httpx.Response | Awaitable[httpx.Response]:
        if _ASYNC in request.extensions:
            return self._transport.handle_async_request(request)
        return self._transport.handle_request(request)
