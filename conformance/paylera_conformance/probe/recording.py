"""What a case did before it had to wait, so that it can be continued a day later.

A case that needs time to pass, on a target whose clock nobody can move, ends `pending`. Everything that it learnt until
then is in its recording: answers, made-up names, instants. When the case is run again, the recording gives the same
answers without a request being sent, until its end; from there on requests are sent. So the token, the object and the
key that are looked at after the wait are those of before it.
"""

from __future__ import annotations

import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request, Response
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Outcome
from paylera_fixtures.redaction import Secret


def wall_clock() -> datetime:
    """The time by which waiting is measured."""
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
    """The answers of one case in order, as JSON values. `waits`: it ended before the time for the next had come."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0
    waits: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def _replay(self, kind: str, make: Callable[[], Any]) -> Any:
        """What `make` gave the first time; it is called only where the recording has ended.

        Some cases send several requests at once: each has its own place. Raises `MissedError` where the case takes
        another course than the recorded one: it must begin anew.
        """
        with self._lock:
            place, self.position = self.position, self.position + 1
            is_new = place == len(self.entries)
            if is_new:
                self.entries.append({"kind": kind})
        entry = self.entries[place]
        if entry["kind"] != kind:
            raise MissedError(f"the recording has {entry['kind']} where the case asks for {kind}")
        if is_new:
            try:
                entry["value"] = make()
            except BaseException:
                self._take_back(entry)
                raise
        return entry["value"]

    def _take_back(self, entry: dict[str, Any]) -> None:
        """Leave out what nothing came of."""
        with self._lock:
            self.entries = [other for other in self.entries if other is not entry]
            self.position -= 1

    def clear(self) -> None:
        """Begin anew."""
        self.entries.clear()
        self.position = 0

    def name(self, make: Callable[[], str]) -> str:
        """A made-up name."""
        return str(self._replay("word", make))

    def now(self) -> datetime:
        """The time of day, as it was then."""
        return datetime.fromisoformat(self._replay("instant", lambda: wall_clock().isoformat()))

    def gift(self, name: str, kind: Any, make: Callable[[], Any]) -> Any:
        """What a provisioner gave, a token with its secret. Raises `Blocked` where it gave nothing.

        - `kind`: the type of it.
        """

        def attempt() -> Any:
            try:
                return {"given": msgspec.to_builtins(make(), enc_hook=_encode_secret)}
            except Blocked as missing:
                return {"blocked": missing.reason}

        value = self._replay(name, attempt)
        if "blocked" in value:
            raise Blocked(value["blocked"])
        return msgspec.convert(value["given"], kind, dec_hook=_decode_secret)

    def exchange(self, request: Request, send: Callable[[], Exchange]) -> Exchange:
        """An exchange: the answer that the request had.

        Raises `MissedError` where the recorded request was another: its answer says nothing of this one.
        """
        value = self._replay(request.method, lambda: _to_json(send()))
        if value["request"] != _to_be_same(request) or request.key not in {FRESH_KEY, value["key"]}:
            raise MissedError(f"the recording has another {request.method} where the case sends {request}")
        return Exchange(
            replace(request, key=value["key"]),
            value["url"],
            tuple((name, text) for name, text in value["sent"]),
            Response(value["status"], tuple((name, text) for name, text in value["headers"]), b64decode(value["body"])),
            seconds=value["seconds"],
            at=value["at"],
        )

    def wait_until(self, due: datetime, latest: datetime | None, *, what: str) -> None:
        """Go on where the time has come, for good. Raises `Pending` before `due`, `MissedError` after `latest`."""
        now = wall_clock()
        if self.position == len(self.entries):
            self.waits = now < due
            if self.waits:
                raise Pending(due, what)
            if latest is not None and now >= latest:
                raise MissedError(f"{what}: it was to be looked at before {latest:%Y-%m-%d %H:%M} UTC")
        self._replay("waited", now.isoformat)


def _encode_secret(value: object) -> Any:
    if isinstance(value, Secret):
        return [value.reveal(), value.role]
    raise TypeError(f"a recording holds no {type(value).__name__}")


def _decode_secret(_kind: type, value: Any) -> Secret:
    return Secret(*value)


def _to_be_same(request: Request) -> list[Any]:
    """What of a request must be the same in every session."""
    token = request.token.secret.reveal() if request.token else None
    body = b64encode(request.body).decode("ascii") if request.body is not None else None
    return [request.path, token, body, request.live]


def _to_json(exchange: Exchange) -> dict[str, Any]:
    response = exchange.response
    return {
        "request": _to_be_same(exchange.request),
        "key": exchange.request.key,
        "url": exchange.url,
        "sent": [list(pair) for pair in exchange.sent],
        "status": response.status,
        "headers": [list(pair) for pair in response.headers],
        "body": b64encode(response.body).decode("ascii"),
        "seconds": exchange.seconds,
        "at": exchange.at,
    }
