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
from typing import Final, NamedTuple

from paylera_fixtures.api.operations import Operation, match
from paylera_fixtures.redaction import redact
from paylera_mock.core.messages import NO_HEADERS, Answer, Decision, Request
from paylera_mock.faults.model import Fault
from paylera_mock.pipeline.context import Context, Judgement, Rule

BODY_KEPT: Final = 8 * 1024
"""Bytes of a body that are remembered."""

NO_ROUTE: Final = "(no route)"
"""What stands for every path that the contract has not."""


class JournalEntry(NamedTuple):
    """A request and its answer.

    - `number`: its place among all of the namespace, from 1;
    - `context`: what the rules found out, with facts that hold no secret;
    - `rule`, `decision`: which rule decided, and what;
    - `answer`: what was sent, or was to be sent where a fault lost it;
    - `faults`: what was done to it on purpose;
    - `hint`: what is wrong with a credential that is almost right;
    - `body_size`, `body_digest`: of the whole request body, of which `context.request` may have the beginning only;
    - `at`: seconds of a clock that nobody moves: how long a client waited.
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

    @property
    def request(self) -> Request:
        """The request."""
        return self.context.request

    @property
    def operation(self) -> Operation | None:
        """The operation, as far as the rules got: `None` too where one refused before any had looked at the path."""
        found = self.context.match
        return self.context.operation or (found.operations.get(self.request.method) if found else None)

    @property
    def route(self) -> str:
        """The path of the contract that was called, as `/v1/customers/{id}`, also where no rule has looked at it."""
        if self.context.operation is not None:
            return self.context.operation.path
        found = match(self.request.path)
        return found.route if found else NO_ROUTE


@dataclass
class Journal:
    """The last exchanges of one namespace, `size` of them. Thread-safe, without a lock where nobody waits.

    `dropped` tells how many had to make room; `watch` is called with every exchange.
    """

    size: int
    watch: Callable[[JournalEntry], None] = field(default=lambda _exchange: None)
    _exchanges: deque[JournalEntry] = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _last: int = 0
    _waiters: int = 0
    _news: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._exchanges = deque(maxlen=self.size)

    def record(self, verdict: Judgement, *, faults: tuple[Fault, ...] = (), hint: str = "") -> int:
        """Remember an exchange: its number."""
        number = next(self._numbers)
        context = verdict.context
        request = context.request
        body = request.body or b""
        exchange = JournalEntry(
            number,
            context,
            verdict.rule,
            verdict.decision,
            _clean_answer(verdict.answer),
            faults,
            hint,
            len(body),
            hash(body),
            time.monotonic(),
        )
        context.request = clean(request)
        context.payload = {}
        self._exchanges.append(exchange)
        self._last = number
        self.watch(exchange)
        if self._waiters:
            with self._news:
                self._news.notify_all()
        return number

    def exchanges(self) -> list[JournalEntry]:
        """What is remembered, the oldest first."""
        return sorted(self._exchanges.copy())

    def named(self, number: int) -> JournalEntry | None:
        """The exchange with a number, if it is remembered."""
        return next((exchange for exchange in self._exchanges.copy() if exchange.number == number), None)

    @property
    def count(self) -> int:
        """How many there were in all."""
        return self._last

    @property
    def dropped(self) -> int:
        """How many had to make room."""
        return max(0, self._last - len(self._exchanges))

    def wait(self, found: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, at most so many seconds: whether it does. It is looked at after each exchange."""
        with self._news:
            self._waiters += 1
            try:
                return self._news.wait_for(found, seconds)
            finally:
                self._waiters -= 1

    def clear(self) -> None:
        """Forget everything, and number from 1 again."""
        self._exchanges.clear()
        self._numbers = itertools.count(1)
        self._last = 0


def clean(request: Request) -> Request:
    """A request without a secret, with the beginning of the body."""
    body = request.body
    texts = (request.path, request.instance, request.query, request.version, request.acting_as, request.idempotency_key)
    kept = None if body is None else _clean_body(body)
    # One text to look through, since this is done for every request.
    together = " ".join(map(str, texts))
    if "sk_" not in together and "whsec_" not in together:
        return request._replace(authorization=(), headers=NO_HEADERS, body=kept)
    path, instance, query, version, acting_as, key = (text and redact(text) for text in texts)
    return request._replace(
        authorization=(),
        headers=NO_HEADERS,
        path=path or "",
        instance=instance or "",
        query=query or "",
        version=version,
        acting_as=acting_as,
        idempotency_key=key,
        body=kept,
    )


def _clean_body(body: bytes) -> bytes:
    # Cut after the secrets are out: half of one has not their form.
    if b"sk_" in body or b"whsec_" in body:
        body = redact(body.decode("utf-8", "replace")).encode()
    return body[:BODY_KEPT]


def _clean_answer(answer: Answer) -> Answer:
    body = _clean_body(answer.body)
    return answer if body is answer.body else answer._replace(body=body)
