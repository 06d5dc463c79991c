"""What a test holds on to: a token, the clock, the journal, the faults. Each call goes through the control API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from paylera_fixtures.redaction import label
from paylera_mock.testing.in_process import ServerAddress, Wire, WireRequest
from paylera_mock.testing.waiting import through

Object: TypeAlias = dict[str, Any]
"""An object as JSON shows it."""

_ERROR: Final = 400
_WAIT_SECONDS: Final = 5


class ControlCallError(Exception):
    """A call of the control API that was refused: the text says what to change."""


@dataclass(frozen=True)
class ControlHandle:
    """The control API of one namespace. `base`: the path of its calls; `place`: the host that answers them."""

    wire: Wire
    place: ServerAddress
    base: str

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """Make one call: its answer, read from JSON; `None` where it has none. Raises `ControlCallError`."""
        target = "/".join(part for part in (self.base, path) if part)
        target += f"?{urlencode(query)}" if query else ""
        headers = [("Host", self.place.authority), ("Content-Type", "application/json")]
        data = b"" if body is None else json.dumps(body).encode()
        begun = self.wire.begin(WireRequest(method, self.place, target, headers, data))
        answer = through(begun.exchanging, patience=None).answer
        found = json.loads(answer.body) if answer.body else None
        if answer.status >= _ERROR:
            raise ControlCallError(_complaint(f"{method} {path}", found or {}))
        return found


def _complaint(call: str, problem: Object) -> str:
    flaws = [f"{flaw['field']}: {flaw['message']}" for flaw in problem.get("errors", ())]
    return f"{call} is refused: {' '.join(flaws) or problem.get('detail')}"


class PlainSecret(str):
    """A secret as clients take it, which does not show where values are listed, as in a traceback of pytest's."""

    __slots__ = ()

    def __repr__(self) -> str:
        return label("token", str(self))


@dataclass(frozen=True)
class Token:
    """A token of the fake.

    It is no `str`: where an assertion fails, pytest shows the whole of every string it compares. `secret` is the plain
    one, for the client under test, and `headers` what goes with a request.
    """

    id: str
    audience: str
    scopes: tuple[str, ...]
    aal: int
    environment: str
    tenant_id: str
    customer_id: str | None
    default_version: str
    secret: PlainSecret = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """The header that sends it."""
        return {"Authorization": f"Bearer {self.secret}"}

    def __str__(self) -> str:
        return label(self.id, self.secret)


class ClockHandle:
    """The clock of the namespace. It stands still until it is moved, and moves forward only."""

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        """What time it is, in UTC."""
        return _moment(self._control.call("GET", "clock"))

    @property
    def instants(self) -> dict[str, datetime]:
        """The instants ahead that have a name, the next one first."""
        found = self._control.call("GET", "clock/instants")["instants"]
        return {name: datetime.fromisoformat(at) for name, at in found.items()}

    def advance(self, step: float | timedelta) -> datetime:
        """Move by seconds, or a `timedelta`: what time it is then."""
        seconds = step.total_seconds() if isinstance(step, timedelta) else step
        return _moment(self._control.call("POST", "clock/advance", {"seconds": seconds}))

    def to(self, instant: datetime | str, *, offset_ms: float = 0) -> datetime:
        """Move to an instant, or to a named one as `token:tok_1:grace_end`: what time it is then.

        A naive one is meant in UTC. `offset_ms`: milliseconds after it; negative ones before it.
        """
        text = instant if isinstance(instant, str) else instant.isoformat()
        return _moment(self._control.call("POST", "clock", {"to": text, "offset_ms": offset_ms}))


def _moment(answer: Object) -> datetime:
    return datetime.fromisoformat(answer["now"])


class JournalHandle:
    """What the clients of the namespace asked, and were answered: each exchange as `GET C/journal` shows it.

    Filters are those of the control API: `method`, `path`, `route`, `status` (`401`, `4xx`), `token`, `key`, ….
    """

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    def list(self, **filters: object) -> list[Object]:
        """The exchanges that pass the filters, the oldest first."""
        found: list[Object] = self._control.call("GET", "journal", query={"limit": 1000, **filters})["data"]
        return found

    def __iter__(self) -> Iterator[Object]:
        """Every exchange, the oldest first."""
        return iter(self.list())

    def __len__(self) -> int:
        count: int = self._control.call("GET", "journal", query={"limit": 1})["count"]
        return count

    @property
    def last(self) -> Object:
        """The exchange that was the last. Raises `AssertionError` where there was none."""
        found = self.list(limit=1)
        if not found:
            raise AssertionError("there was no request yet: the client under test has sent none to this namespace")
        return found[-1]

    def wait_for(self, *, seconds: int = _WAIT_SECONDS, **filters: object) -> Object:
        """The last exchange that passes the filters, once there is one. Raises `AssertionError` where none comes.

        It keeps the thread: in an event loop, call it by `anyio.to_thread.run_sync`.
        """
        query = {"limit": 1, "wait": seconds, **filters}
        found: list[Object] = self._control.call("GET", "journal", query=query)["data"]
        if not found:
            wanted = ", ".join(f"{name}={value}" for name, value in filters.items()) or "any request"
            raise AssertionError(f"nothing came within {seconds} s that is {wanted}: {len(self)} exchanges in all")
        return found[-1]

    def clear(self) -> None:
        """Forget what was, and number from 1 again."""
        self._control.call("DELETE", "journal")


class FaultsHandle:
    """What goes wrong on purpose in the namespace."""

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    def add(self, action: str, **members: object) -> Object:
        """Have something go wrong, once where nothing else is said: the fault as `POST C/faults` shows it.

        `action`: answer, delay, hang, drop, redirect, truncate, reset or garbage; none is out of reach here.
        """
        fault: Object = self._control.call("POST", "faults", {"action": action, **members})
        return fault

    def __iter__(self) -> Iterator[Object]:
        """Every fault in force, with how often it `happened`."""
        return iter(self._control.call("GET", "faults")["data"])

    def remove(self, fault_id: str) -> None:
        """Take one away, and let what hangs by it go on."""
        self._control.call("DELETE", f"faults/{fault_id}")

    def clear(self) -> None:
        """Take all away."""
        self._control.call("DELETE", "faults")
