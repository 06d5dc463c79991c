"""What a test did before it had to wait, so that it can go on a day later as if it had never stopped.

A case that needs time to pass, on a target whose clock nobody can move, ends `pending`. Everything that it learnt from
the world until then stands on its tape: answers, tokens, made-up words, instants. When the case is run again, the tape
gives the same answers without a request being sent, until its end; from there on it is live.
"""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from paylera_conformance.model.messages import Exchange, Request, Response
from paylera_conformance.model.outcomes import CaseEnd, Outcome


def wall_clock() -> datetime:
    """The time by which waiting is reckoned."""
    return datetime.now(UTC)


def stopwatch() -> float:
    """Seconds by which is measured how fast the suite sends."""
    return time.monotonic()


class Pending(CaseEnd):
    """The time for what follows has not come: `due` is when it will have."""

    outcome = Outcome.PENDING

    def __init__(self, due: datetime, what: str) -> None:
        super().__init__(f"{what}: due {due:%Y-%m-%d %H:%M} UTC, run `paylera-conformance resume` then")
        self.due = due


class MissedError(Exception):
    """The time for what follows has passed: the case must begin anew."""


@dataclass
class Recording:
    """The answers that one case has had from the world, in order, as JSON values.

    `waits`: it has ended where the time for what follows has not come.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0
    waits: bool = False

    def once(self, kind: str, make: Callable[[], Any]) -> Any:
        """What `make` gave the first time; it is called only where the tape has ended.

        Raises `MissedError` where the case takes another course than the one on the tape: it must begin anew.
        """
        if self.position == len(self.entries):
            self.entries.append({"kind": kind, "value": make()})
        entry = self.entries[self.position]
        if entry["kind"] != kind:
            raise MissedError(f"the tape has {entry['kind']} where the case asks for {kind}")
        self.position += 1
        return entry["value"]

    def erase(self) -> None:
        """Begin anew."""
        self.entries.clear()
        self.position = 0

    def word(self, make: Callable[[], str]) -> str:
        """A word that was made up."""
        return str(self.once("word", make))

    def instant(self) -> datetime:
        """What time it was."""
        return datetime.fromisoformat(self.once("instant", lambda: wall_clock().isoformat()))

    def exchange(self, request: Request, send: Callable[[], Exchange]) -> Exchange:
        """An exchange: the answer that the request had."""
        return _exchange(request, self.once(f"{request.method}", lambda: _json_of(send())))

    def waited(self, due: datetime, latest: datetime | None, *, what: str) -> None:
        """Go on where the time has come, once and for all.

        Raises `Pending` before `due`, and `MissedError` after `latest`.
        """
        now = wall_clock()
        if self.position == len(self.entries):
            self.waits = now < due
            if self.waits:
                raise Pending(due, what)
            if latest is not None and now >= latest:
                raise MissedError(f"{what}: it was to be looked at before {latest:%Y-%m-%d %H:%M} UTC")
        self.once("waited", now.isoformat)


def _json_of(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    return {
        "key": exchange.request.key,
        "url": exchange.url,
        "sent": [list(pair) for pair in exchange.sent],
        "status": response.status,
        "headers": [list(pair) for pair in response.headers],
        "body": b64encode(response.body).decode("ascii"),
        "seconds": exchange.seconds,
        "at": exchange.at,
    }


def _exchange(request: Request, value: dict[str, Any]) -> Exchange:
    headers = tuple((name, text) for name, text in value["headers"])
    return Exchange(
        replace(request, key=value["key"]),
        value["url"],
        tuple((name, text) for name, text in value["sent"]),
        Response(value["status"], headers, b64decode(value["body"])),
        seconds=value["seconds"],
        at=value["at"],
    )
