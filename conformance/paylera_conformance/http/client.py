"""The one client: it spaces its requests, bounds what it reads, and shows no secrets.

Everything but malformed bytes (see `raw_socket`) goes through here, generated requests too.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import BadStatusLine, HTTPException
from typing import Final, TypeVar
from urllib.parse import quote
from uuid import uuid4

from paylera_conformance.http.connections import Connections, Wire
from paylera_conformance.http.content import read_content
from paylera_conformance.http.habits import OWN_USER_AGENT, headers_of
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.messages import FRESH_KEY, SAFE_METHODS, Exchange, Request, Response
from paylera_conformance.model.outcomes import TransportTrouble
from paylera_fixtures.http_dates import read_http_date
from paylera_fixtures.redaction import Secret, redact
from paylera_fixtures.vocabulary import Header

RUN_HEADER: Final = "Paylera-Conformance-Run"
"""The header that names the run in every request, where that is asked for."""

WAITS: Final = 6
"""How often a 429 is waited for, at the most, for one request."""

LONGEST_WAIT: Final = 60.0
"""Seconds that one `Retry-After` may ask for before the suite gives up."""

_TOO_MANY: Final = 429
_SECONDS: Final = re.compile(r"\d{1,9}(\.\d+)?", re.ASCII)
_BREAKS: Final = (BadStatusLine, BrokenPipeError, ConnectionAbortedError, ConnectionResetError)
_TROUBLE: Final = (HTTPException, OSError, ValueError)


Sent = TypeVar("Sent", Exchange, Exchange | None)
"""What came of a request: its exchange, or `None` where a raw one got no answer."""


class Pace:
    """Spaces requests out so that no second holds more than `rps` of them; `None`: no limit."""

    def __init__(
        self,
        rps: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / rps if rps else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for the next request's turn."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            turn = max(self._next, now)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


@dataclass(frozen=True)
class ClientSettings:
    """How the client behaves towards its target.

    - `timeout`: seconds without a byte, for connecting and for reading;
    - `deadline`: seconds that one whole answer may take;
    - `run_id`: names this run in the header `Paylera-Conformance-Run`, where `announces`;
    - `user_agent`: sent where no other is given with a request;
    - `ca_file`: certificates that are trusted beside those of the system;
    - `secrets`: what no text about a request may hold, besides its own token.
    """

    run_id: str
    timeout: float = 10.0
    deadline: float = 20.0
    user_agent: str = OWN_USER_AGENT
    announces: bool = False
    ca_file: str | None = None
    secrets: tuple[Secret, ...] = ()


class Client:
    """Sends requests to absolute URLs and keeps what went over the wire. Thread-safe; one for each process."""

    def __init__(
        self,
        settings: ClientSettings,
        *,
        pace: Pace | None = None,
        limits: Limits | None = None,
        wire: Wire | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self.pace = pace or Pace(None)
        self.limits = limits or Limits()
        self._sleep = sleep
        # It keeps no cookies: a session that a target begins would authenticate probes that are sent without a token.
        self._wire = wire or Connections(timeout=settings.timeout, deadline=settings.deadline, ca_file=settings.ca_file)

    def close(self) -> None:
        """Close every connection."""
        self._wire.close()

    def count_one(self, method: str) -> None:
        """Count a request against the limits of the run, and wait for its turn; raw ones too (see `raw_socket`).

        Raises `NotRun` where it is beyond the limits.
        """
        self.limits.admit(method)
        self.pace.wait()

    def usual_headers(
        self, user_agent: str | None = None, *, besides: Iterable[str] = ()
    ) -> tuple[tuple[str, bytes], ...]:
        """What every request begins with, whichever way it is sent, but for the headers that it has of its own."""
        habit = headers_of(user_agent or self._settings.user_agent)
        usual = [(name, value.encode()) for name, value in habit]
        if self._settings.announces:
            usual.append((RUN_HEADER, quote(self._settings.run_id).encode()))
        named = {name.lower() for name in besides}
        return tuple(pair for pair in usual if pair[0].lower() not in named)

    def send(
        self, request: Request, base_url: str, *, wait_on_429: bool = True, user_agent: str | None = None
    ) -> Exchange:
        """Send one request and read its answer.

        A 429 is waited for as `Retry-After` says and the same request, with the same key, is sent again, unless
        `wait_on_429` is false. Raises `TransportTrouble` where no whole answer came; its text holds no secret. Raises
        `NotRun` where the request is beyond the limits of the run.
        """
        if request.key == FRESH_KEY:
            request = replace(request, key=str(uuid4()))
        exchange = self._send_once(request, base_url, user_agent)
        if not wait_on_429:
            return exchange
        return self.wait_while_limited(exchange, lambda: self._send_once(request, base_url, user_agent))

    def wait_while_limited(self, first: Sent, send_again: Callable[[], Sent]) -> Sent:
        """Wait as a 429 says, and send again, until there is another answer, or none; gives the last exchange.

        Raises `TransportTrouble` where it is still a 429 after `WAITS` waits.
        """
        exchange, waited = first, 0.0
        for _ in range(WAITS):
            wait = None if exchange is None else _retry_after(exchange.response)
            if wait is None:
                return exchange
            waited += min(wait, LONGEST_WAIT)
            self._sleep(min(wait, LONGEST_WAIT))
            exchange = send_again()
        if exchange is None or _retry_after(exchange.response) is None:
            return exchange
        self.limits.note_loss(waited, was_answered=True)
        raise TransportTrouble(f"{exchange.request} was still answered 429 after {WAITS} waits", exchange=exchange)

    def _send_once(self, request: Request, base_url: str, user_agent: str | None) -> Exchange:
        # Before any answer came, a request may be sent again that is safe (RFC 9110, section 9.2.2), or that does
        # nothing twice since it has an idempotency key.
        repeats = 1 if request.method in SAFE_METHODS or request.key or request.repeatable else 0
        if request.method == "POST" and not repeats:  # it must not be sent again by anyone
            request = replace(request, fresh=True)
        while True:
            started = time.monotonic()
            try:
                return self._exchange(request, base_url + request.path, user_agent)
            except _TROUBLE as error:
                if not repeats or not isinstance(error, _BREAKS):
                    self.limits.note_loss(time.monotonic() - started, was_answered=False)
                    raise self._trouble(request, error) from None
                repeats -= 1

    def _trouble(self, request: Request, error: Exception) -> TransportTrouble:
        # The library's exception holds the request with its headers: its text alone goes on, redacted.
        return TransportTrouble(self.redact(f"{request}: {type(error).__name__}: {str(error) or 'no answer'}", request))

    def redact(self, text: str, request: Request) -> str:
        """A text about a request, without the secrets that are known here."""
        own = () if request.token is None else (request.token.secret,)
        return redact(text, (*own, *self._settings.secrets))

    def _exchange(self, request: Request, url: str, user_agent: str | None) -> Exchange:
        self.count_one(request.method)
        headers = tuple(_headers(request))
        outgoing = self.usual_headers(user_agent, besides=[name for name, _ in headers])
        outgoing += tuple((name, value.encode("latin-1", "replace")) for name, value in headers)
        started, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="microseconds")
        with self._wire.exchange(request.method, url, outgoing, request.body, fresh=request.fresh) as answer:
            self.limits.note_answer()
            received = tuple(answer.getheaders())
            try:
                body = read_content(answer, received, deadline=started + self._settings.deadline)
            except (*_TROUBLE, TransportTrouble) as error:
                # An answer has arrived, if not whole: that request is not sent again.
                self.limits.note_loss(time.monotonic() - started, was_answered=True)
                raise error if isinstance(error, TransportTrouble) else self._trouble(request, error) from None
        response = Response(answer.status, received, body)
        sent = tuple((name, value.decode("latin-1")) for name, value in outgoing)
        return Exchange(request, url, sent, response, seconds=time.monotonic() - started, at=at)


def _headers(request: Request) -> Iterable[tuple[str, str]]:
    if request.token is not None:
        yield request.carrier, request.credential.replace("{}", request.token.secret.reveal())
    if request.key is not None:
        yield Header.IDEMPOTENCY_KEY, request.key
    if request.body is not None and not any(name.lower() == "content-type" for name, _ in request.headers):
        yield "Content-Type", "application/json"
    yield from request.headers


def _retry_after(response: Response) -> float | None:
    """Seconds to wait before sending again, `None` where the answer is no 429."""
    if response.status != _TOO_MANY:
        return None
    text = response.header(Header.RETRY_AFTER) or "1"
    seconds = 1.0
    with suppress(ValueError):
        is_number = _SECONDS.fullmatch(text) is not None
        seconds = float(text) if is_number else (read_http_date(text) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds)
