"""The journal of a namespace: its last exchanges, each with what the judgement found out.

What is remembered holds no secret: a credential is its digest, and whatever else has a secret's form is taken out
before it is kept. All else is worked out when somebody asks, since every request is remembered and few are looked at.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from paylera_fixtures.redaction import label, may_hold_secret, redact
from paylera_mock.core.messages import Answer, Decision, Request
from paylera_mock.faults.model import Action, Fault
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context, Judgement, Rule

BODY_KEPT: Final = 8 * 1024
"""Bytes of a body that are remembered."""

HEADERS_KEPT: Final = 8 * 1024
"""Characters of all header values that are remembered."""

_SEEN_WITHIN_SECONDS: Final = 0.1

NO_ROUTE: Final = "(no route)"
"""What stands for every path that the contract has not."""


@dataclass(slots=True, eq=False)
class Departure:
    """Whether a client that had to wait left without its answer, and when at the earliest, as `JournalEntry.at`.

    - `seen_at`: when the client was last seen to be there, where somebody looks;
    - `over_at`: when the exchange was over, whether it had its answer or not.
    """

    at: float | None = None
    seen_at: float | None = None
    over_at: float | None = None

    def note(self) -> None:
        """The client was seen to have left, which a server sees a little later."""
        if self.at is None:
            self.at = time.monotonic() - _SEEN_WITHIN_SECONDS if self.seen_at is None else self.seen_at

    def dismiss(self) -> None:
        """The connection is ended now, without an answer."""
        if self.at is None:
            self.at = time.monotonic()

    def is_known_at(self, moment: float) -> bool:
        """Whether the client surely had not left by then."""
        return self.at is None and (self.seen_at is None or self.seen_at >= moment)


class JournalEntry(NamedTuple):
    """A request and its answer.

    - `number`: its place among all of the namespace, from 1;
    - `context`: what the rules found out, with a request that holds no secret;
    - `rule`, `decision`: which rule decided, and what;
    - `answer`: what was sent, or was to be sent where a fault lost it;
    - `faults`: what was done to it on purpose;
    - `hint`: what is wrong with a credential that is almost right;
    - `body_size`, `body_digest`: of the whole request body, of which `request` may have the beginning only;
    - `at`: seconds of a clock that nobody moves, from which follows how long a client waited; `began`: when it came;
    - `departure`: of the client, where a fault made it wait.
    """

    number: int
    context: Context
    rule: Rule
    decision: Decision | None
    answer: Answer
    faults: tuple[Fault, ...]
    hint: str
    body_size: int
    body_digest: int
    at: float
    began: float
    departure: Departure | None = None

    @property
    def request(self) -> Request:
        """The request."""
        return self.context.request

    @property
    def route(self) -> str:
        """The path of the contract that was called, as `/v1/customers/{id}`, also where no rule has looked at it."""
        return self.request.route or NO_ROUTE

    @property
    def lost_by(self) -> Action | None:
        """The fault by which the answer was lost, or arrived in part only."""
        has_left = self.departure is not None and self.departure.at is not None
        loses = _LOSES_ANSWER | ({Action.DELAY} if has_left else set())
        return next((fault.action for fault in reversed(self.faults) if fault.action in loses), None)

    @property
    def ended(self) -> float | None:
        """When the client had its answer, or was left without one; `None` while it still waits."""
        if self.departure is None:
            return self.at
        return self.departure.over_at if self.departure.at is None else self.departure.at

    @property
    def status(self) -> int | None:
        """The status of the answer; `None` where a fault ended the request before there was one."""
        return None if self.lost_by and self.rule is rules.FAULT else self.answer.status


@dataclass
class Journal:
    """The last exchanges of one namespace, `size` of them. Thread-safe, without a lock where nobody waits.

    `watch` is called with every entry; `cleared_count` is how often it was cleared.
    """

    size: int
    watch: Callable[[JournalEntry], None] = field(default=lambda _entry: None)
    _entries: deque[JournalEntry] = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last: int = 0
    cleared_count: int = 0
    _waiting: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._entries = deque(maxlen=self.size)

    def record(
        self,
        judgement: Judgement,
        *,
        faults: tuple[Fault, ...] = (),
        hint: str = "",
        began: float | None = None,
        departure: Departure | None = None,
    ) -> JournalEntry:
        """Remember an exchange: its entry. `began`: when it came, if that was not just now."""
        now = time.monotonic()
        number, context, answer = next(self._numbers), judgement.context, judgement.answer
        body = context.request.body or b""
        kept_body = _keep_body(answer.body)
        entry = JournalEntry(
            number,
            context,
            judgement.rule,
            judgement.decision,
            answer if kept_body is answer.body else answer._replace(body=kept_body),
            faults,
            hint,
            len(body),
            hash(body),
            now,
            now if began is None else began,
            departure,
        )
        context.request = without_secrets(context.request)
        context.payload = {}
        self._entries.append(entry)
        self._last = number
        self.watch(entry)
        if self._waiting:
            with self._changed:
                self._changed.notify_all()
        return entry

    def entries(self) -> list[JournalEntry]:
        """What is remembered, the oldest first."""
        return sorted(self._entries.copy())

    def newest(self, most: int) -> list[JournalEntry]:
        """The last so many that were remembered, the newest first."""
        return list(itertools.islice(reversed(self._entries.copy()), most))

    def get(self, number: int) -> JournalEntry | None:
        """The entry with a number, if it is remembered."""
        return next((entry for entry in self._entries.copy() if entry.number == number), None)

    @property
    def count(self) -> int:
        """How many exchanges there were in all."""
        return self._last

    @property
    def dropped_count(self) -> int:
        """How many were removed for later ones."""
        return max(0, self._last - len(self._entries))

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait at most so many seconds until a condition holds, which is tried after each exchange: whether it does."""
        with self._changed:
            self._waiting += 1
            try:
                return self._changed.wait_for(condition, seconds)
            finally:
                self._waiting -= 1

    def clear(self) -> None:
        """Forget everything, and number from 1 again."""
        self.cleared_count += 1
        self._entries.clear()
        self._numbers = itertools.count(1)
        self._last = 0


_LOSES_ANSWER: Final = frozenset({Action.DROP, Action.HANG, Action.TRUNCATE, Action.RESET, Action.GARBAGE})

_HOLD_SECRETS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key"})
"""Headers whose value may be a secret whatever its form. What stands in `Authorization` the credential tells."""

_IGNORED_KEPT: Final = 20

_TEXTS: Final = ("path", "instance", "query", "version", "acting_as", "idempotency_key")
"""The members of a request in which a client may have put a secret, beside the credential and the body."""


def without_secrets(request: Request) -> Request:
    """A request without a secret, with the beginning of the body."""
    body = None if request.body is None else _keep_body(request.body)
    headers = tuple(
        [(name, value) if name not in _HOLD_SECRETS else _hide(name, value) for name, value in request.headers]
    )
    ignored = tuple(map(redact, request.ignored_headers))[:_IGNORED_KEPT]
    kept = request._replace(authorization=(), headers=headers, ignored_headers=ignored, body=body)
    texts: dict[str, Any] = {name: getattr(request, name) for name in _TEXTS}
    values = [value for _, value in headers]
    # One text to look through, since this is done for every request.
    together = " ".join([*map(str, texts.values()), *values])
    if may_hold_secret(together):
        redacted: dict[str, Any] = {name: text and redact(text) for name, text in texts.items()}
        headers = tuple([(redact(name), redact(value)) for name, value in headers])
        kept = kept._replace(headers=headers, **redacted)
    return kept if len(together) <= HEADERS_KEPT else kept._replace(headers=_cut(headers))


def _hide(name: str, value: str) -> tuple[str, str]:
    return name, "" if name == "authorization" else label(name, value)


def _cut(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """As many headers as are remembered, each with the beginning of its value. Cut after the secrets are out."""
    most = HEADERS_KEPT // 128
    return tuple([(name[:128], value[:128]) for name, value in headers[:most]])


def _keep_body(body: bytes) -> bytes:
    """The beginning of a body. It is cut after the secrets are out: half of one has not their form."""
    if may_hold_secret(body):
        body = redact(body.decode("utf-8", "replace")).encode()
    return body[:BODY_KEPT]
