"""Which world a path belongs to, and the making and ending of worlds."""

from __future__ import annotations

import re
import uuid
from typing import Final

from . import api, control, document
from .messages import Answer, Request, as_json
from .policy import Policy
from .problems import NO_ROUTE, RefusalError
from .world import World

_PLACE: Final = re.compile(r"/(?P<world>[a-z0-9-]+)/(?P<part>sandbox|live|control)(?P<rest>/.*)?")


class Site:
    """All worlds of one server. The main one's clock runs; those made for tests stand still until moved.

    - `namespaces`: whether worlds may be made.
    """

    def __init__(self, policy: Policy, base: str, *, namespaces: bool) -> None:
        self.base = base
        self.main = World("main", policy, frozen=False)
        self._policy = policy
        self._namespaces = namespaces
        self._worlds = {"main": self.main}

    def answer(self, request: Request) -> Answer:
        """Answer any request."""
        place = _PLACE.fullmatch(request.path)
        world = self._worlds.get(place["world"]) if place else None
        if place is None or world is None:
            nowhere = RefusalError(NO_ROUTE, "No Paylera is here.")
            return nowhere.answer(instance=request.path, trace_id=uuid.uuid4().hex)
        below = request.at(place["rest"] or "")
        if place["part"] == "control":
            return self._make_or_end(world, below) or control.answer(
                world, below, self.base, namespaces=self._namespaces and world is self.main
            )
        if (below.method, below.path) == ("GET", "/openapi/v1.json"):
            return as_json(200, document.build(f"{self.base}/{world.name}/{place['part']}"))
        return api.answer(world, place["part"], below, instance=request.path)

    def _make_or_end(self, world: World, request: Request) -> Answer | None:
        if not self._namespaces or world is not self.main:
            return None
        if (request.method, request.path) == ("POST", "/namespaces"):
            made = World(uuid.uuid4().hex, self._policy, frozen=True)
            self._worlds[made.name] = made
            return as_json(201, {"id": made.name, **control.urls(made, self.base)})
        name = request.path.removeprefix("/namespaces/")
        if request.method == "DELETE" and name != "main" and name in self._worlds:
            del self._worlds[name]
            return Answer(204)
        return None
