"""Faults: what goes wrong on purpose, where, for which requests, and how often."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from paylera_mock.core.messages import BODILESS_STATUSES, Request

LONGEST_PAUSE_SECONDS: Final = 60.0
"""The longest delay; a hang ends after it in any case, since no client waits for so long and the thread is needed."""


class FaultPoint(StrEnum):
    """Where in the handling of a request something goes wrong."""

    BEFORE_AUTH = "before_auth"
    AFTER_AUTH = "after_auth"
    AFTER_COMMIT = "after_commit"
    WHILE_SENDING = "while_sending"


class Action(StrEnum):
    """What goes wrong."""

    ANSWER = "answer"
    DELAY = "delay"
    HANG = "hang"
    DROP = "drop"
    REDIRECT = "redirect"
    TRUNCATE = "truncate"
    RESET = "reset"
    GARBAGE = "garbage"


class RetryAfterForm(StrEnum):
    """How `Retry-After` says when (RFC 9110, section 10.2.3)."""

    SECONDS = "seconds"
    DATE = "date"


_REMEMBERED: Final = 100
"""Faults that are remembered after they were taken away."""

NEEDS_SOCKET: Final = frozenset({Action.TRUNCATE, Action.RESET, Action.GARBAGE})
"""What only a server can do that lets the connection be reached."""


@dataclass(frozen=True)
class RequestFilter:
    """Which requests a fault is for; what is `None` does not matter.

    - `route`: a path of the contract, as `/v1/customers/{id}`, or a concrete one;
    - `token`: the id or the name of a token;
    - `nth`: from which of the requests that match, counted from 1.
    """

    method: str | None = None
    route: str | None = None
    token: str | None = None
    nth: int = 1

    def matches(self, request: Request, route: str | None, token: frozenset[str]) -> bool:
        """Whether a request is meant. `route`: its path of the contract; `token`: the id and the name of its token."""
        return (
            self.method in {None, request.method}
            and self.route in {None, request.path, route}
            and (self.token is None or self.token in token)
        )


@dataclass(frozen=True)
class Fault:
    """One fault, as the control API was asked for it.

    - `seconds`: how long a delay takes; a hang lasts until the fault is taken away, or the client gives up;
    - `status`, `problem`, `retry_after`: what an `answer` says; `retry_after_as`: in which form;
    - `headers`: of an `answer`, in the place of others of the same name; with the value `None`, there is none;
    - `body`: of an `answer` that is not to be a problem;
    - `merge`: an `answer` is the true one with these members, by a JSON Merge Patch (RFC 7396), in a list each object
      of it; `changes_status`: and has `status`;
    - `location`: where a `redirect` leads; `None`: to another origin, which notes whether a token came along;
    - `size`: after how many bytes of the body a `truncate` cuts;
    - `preset`: what it was asked for by, where that was a name;
    - `times`: how often it happens; `probability`: how likely it is each time, by random numbers of `seed`.
    """

    id: str
    at: FaultPoint
    action: Action
    filter: RequestFilter = RequestFilter()
    preset: str | None = None
    seconds: float = 0.0
    status: int = 503
    problem: str | None = None
    retry_after: int | None = None
    retry_after_as: RetryAfterForm = RetryAfterForm.SECONDS
    headers: tuple[tuple[str, str | None], ...] = ()
    body: bytes | None = None
    merge: Mapping[str, Any] | None = None
    changes_status: bool = True
    location: str | None = None
    size: int = 0
    times: int = 1
    probability: float = 1.0
    seed: int | None = None

    @cached_property
    def is_unreadable(self) -> bool:
        """Whether it answers a success in which surely no client finds the JSON object that it waits for."""
        if self.action is not Action.ANSWER or self.body is None or self.status not in _SUCCESSES:
            return False
        codings = {value for name, value in self.headers if name.lower() == "content-encoding"} - {None, "identity"}
        if not codings:
            return not _is_object(self.body)
        return not self.body.startswith(_GZIP) if codings == {"gzip"} else _is_object(self.body)

    @property
    def label(self) -> str:
        """What it was to do, and to which requests: `drop at after_commit, POST /v1/customers`."""
        chosen = self.filter
        meant = [chosen.method, chosen.route, chosen.token and f"by {chosen.token}"]
        words = " ".join(each for each in meant if each)
        nth = f", from request {chosen.nth} on" if chosen.nth > 1 else ""
        return f"{self.id}: {self.action} at {self.at}, {words or 'any request'}{nth}"

    @property
    def header_text(self) -> str:
        """How the header of an answer names it: `flt_3; at=after_commit; action=drop`."""
        return f"{self.id}; at={self.at}; action={self.action}"


_SUCCESSES: Final = frozenset(range(200, 300)) - BODILESS_STATUSES
_GZIP: Final = b"\x1f\x8b"


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


@dataclass
class ArmedFault:
    """A fault in force: how many requests matched it, how often it happened, and the end of its hangs."""

    fault: Fault
    matched: int = 0
    happened: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.fault.seed)  # noqa: S311 - repeatable, and no secret

    def strikes(self) -> bool:
        """Count one more request that matches; whether the fault happens to it."""
        self.matched += 1
        fault = self.fault
        if self.matched < fault.filter.nth or self.happened >= fault.times:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        self.happened += 1
        return True


class FaultRegistry:
    """The faults of one namespace, in the order in which they were asked for. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._armed: dict[str, ArmedFault] = {}
        self._removed: deque[ArmedFault] = deque(maxlen=_REMEMBERED)
        self.places: frozenset[FaultPoint] = frozenset()

    def __iter__(self) -> Iterator[ArmedFault]:
        """Every fault in force."""
        return iter(list(self._armed.values()))

    def never_struck(self) -> list[ArmedFault]:
        """Those that happened to no request, in force or taken away: a test that relies on one has shown nothing."""
        with self._lock:
            return [armed for armed in (*self._removed, *self._armed.values()) if not armed.happened]

    def new_id(self) -> str:
        """An id that no other fault of the namespace has had."""
        return f"flt_{next(self._numbers)}"

    def arm(self, fault: Fault) -> ArmedFault:
        """Let a fault happen from now on."""
        with self._lock:
            armed = self._armed[fault.id] = ArmedFault(fault)
            self._note_places()
        return armed

    def disarm(self, fault_id: str) -> bool:
        """Take a fault away, and let requests that hang by it go on; whether there was one."""
        with self._lock:
            armed = self._armed.pop(fault_id, None)
            if armed is not None and not armed.happened:
                self._removed.append(armed)
            self._note_places()
        if armed is None:
            return False
        armed.over.set()
        return True

    def clear(self) -> None:
        """Take all faults away."""
        for fault_id in list(self._armed):
            self.disarm(fault_id)

    def strike(self, place: FaultPoint, request: Request, route: str | None, token: frozenset[str]) -> list[ArmedFault]:
        """The faults that happen to a request at a place, each counted: delays, and at most one other, the last."""
        struck: list[ArmedFault] = []
        with self._lock:
            for armed in self._armed.values():
                fault = armed.fault
                if fault.at is not place or not fault.filter.matches(request, route, token) or not armed.strikes():
                    continue
                struck.append(armed)
                if fault.action is not Action.DELAY:
                    break
        return struck

    def _note_places(self) -> None:
        self.places = frozenset(armed.fault.at for armed in self._armed.values())
