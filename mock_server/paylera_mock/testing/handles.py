"""What a test uses of its fake: tokens, the clock, the journal, the faults. Each call goes through the control API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from paylera_fixtures.redaction import label
from paylera_mock.testing.in_process import ServerAddress, Wire, WireRequest
from paylera_mock.testing.waiting import run_exchange

Object: TypeAlias = dict[str, Any]
"""An object as JSON shows it."""

_ERROR: Final = 400
_WAIT_SECONDS: Final = 5


class ControlCallError(Exception):
    """A call of the control API that was refused: the text says what to change."""


@dataclass(frozen=True)
class ControlHandle:
    """The control API of one namespace. `base`: the path of its calls; `address`: the host that answers them."""

    wire: Wire
    address: ServerAddress
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
        headers = [("Host", self.address.authority), ("Content-Type", "application/json")]
        data = b"" if body is None else json.dumps(body).encode()
        exchange = self.wire.start(WireRequest(method, self.address, target, headers, data))
        answer = run_exchange(exchange.steps, timeout=None).answer
        document = json.loads(answer.body) if answer.body else None
        if answer.status >= _ERROR:
            problem = document or {}
            flaws = [f"{flaw['field']}: {flaw['message']}" for flaw in problem.get("errors", ())]
            raise ControlCallError(f"{method} {path} is refused: {' '.join(flaws) or problem.get('detail')}")
        return document


class PlainSecret(str):
    """A secret as clients take it, whose `repr` is a label: tracebacks of pytest list values by theirs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return label("token", str(self))


@dataclass(frozen=True)
class Token:
    """A token of the fake.

    It is no `str`: where an assertion fails, pytest shows every string that it compares. `secret` is the plain one, for
    the client under test, and `headers` are sent with a request.
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
    """The clock of the namespace. It stands still until it is advanced, and never goes back."""

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    @property
    def now(self) -> datetime:
        """What time it is, in UTC."""
        return _read_now(self._control.call("GET", "clock"))

    @property
    def instants(self) -> dict[str, datetime]:
        """The instants ahead that have a name, the next one first."""
        instants = self._control.call("GET", "clock/instants")["instants"]
        return {name: datetime.fromisoformat(at) for name, at in instants.items()}

    def advance(self, step: float | timedelta) -> datetime:
        """Advance by seconds, or a `timedelta`: what time it is then."""
        seconds = step.total_seconds() if isinstance(step, timedelta) else step
        return _read_now(self._control.call("POST", "clock/advance", {"seconds": seconds}))

    def to(self, instant: datetime | str, *, offset_ms: float = 0) -> datetime:
        """Advance to an instant, or to a named one as `token:tok_1:grace_end`: what time it is then.

        A naive one counts as UTC. `offset_ms`: milliseconds after it; negative ones before it.
        """
        text = instant if isinstance(instant, str) else instant.isoformat()
        return _read_now(self._control.call("POST", "clock", {"to": text, "offset_ms": offset_ms}))


def _read_now(answer: Object) -> datetime:
    return datetime.fromisoformat(answer["now"])


class JournalHandle:
    """The requests of the namespace's clients and their answers: each exchange as `GET C/journal` shows it.

    Filters are those of the control API: `method`, `path`, `route`, `status` (`401`, `4xx`), `token`, `key`, ….
    """

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    def list(self, **filters: object) -> list[Object]:
        """The exchanges that pass the filters, the oldest first."""
        exchanges: list[Object] = self._control.call("GET", "journal", query={"limit": 1000, **filters})["data"]
        return exchanges

    def __iter__(self) -> Iterator[Object]:
        """Every exchange, the oldest first."""
        return iter(self.list())

    def __len__(self) -> int:
        count: int = self._control.call("GET", "journal", query={"limit": 1})["count"]
        return count

    @property
    def last(self) -> Object:
        """The last exchange. Raises `AssertionError` where there was none."""
        exchanges = self.list(limit=1)
        if not exchanges:
            raise AssertionError("there was no request yet: the client under test has sent none to this namespace")
        return exchanges[-1]

    def wait_for(self, *, seconds: int = _WAIT_SECONDS, **filters: object) -> Object:
        """The last exchange that passes the filters, once there is one. Raises `AssertionError` where none comes.

        It blocks its thread: in an event loop, call it by `anyio.to_thread.run_sync`.
        """
        exchanges = self.list(limit=1, wait=seconds, **filters)
        if not exchanges:
            wanted = ", ".join(f"{name}={value}" for name, value in filters.items()) or "any request"
            raise AssertionError(f"nothing came within {seconds} s that is {wanted}: {len(self)} exchanges in all")
        return exchanges[-1]

    def clear(self) -> None:
        """Delete every exchange, and number from 1 again."""
        self._control.call("DELETE", "journal")


class FaultsHandle:
    """The faults of the namespace: what goes wrong on purpose."""

    def __init__(self, control: ControlHandle) -> None:
        self._control = control

    def add(self, action: str | None = None, **members: object) -> Object:
        """Add a fault, which strikes once where nothing else is said: the fault as `POST C/faults` shows it.

        - `action`: answer, delay, hang, drop, redirect, truncate, reset or garbage; `None` with a `preset`;
        - `members`: those of `POST C/faults`, as `at`, `route`, `times`; `body` is text, bytes, or what JSON can say.
        """
        body = members if action is None else {"action": action, **members}
        if isinstance(content := body.get("body"), bytes):
            body = {**body, "body_base64": base64.b64encode(content).decode()}
            del body["body"]
        fault: Object = self._control.call("POST", "faults", body)
        return fault

    def __iter__(self) -> Iterator[Object]:
        """Every fault in force, with how often it `happened` so far."""
        return iter(self._control.call("GET", "faults")["data"])

    def remove(self, fault_id: str) -> None:
        """Remove one, and let the requests go on that hang by it."""
        self._control.call("DELETE", f"faults/{fault_id}")

    def clear(self) -> None:
        """Remove all, and let the requests go on that hang by one."""
        self._control.call("DELETE", "faults")
