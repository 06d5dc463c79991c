"""Retries: which request is another attempt at which earlier one.

Two requests are attempts at the same thing where the same token (whichever of its secrets was sent) asks for it, and
either names the same idempotency key, or sends the same body after an attempt that had failed.
"""

from __future__ import annotations

import itertools
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias, TypeVar

from paylera_fixtures.http_dates import read_http_date
from paylera_fixtures.vocabulary import Header
from paylera_mock.core.credential import BearerCredential
from paylera_mock.core.messages import BODILESS_STATUSES
from paylera_mock.journal.recorder import Journal, JournalEntry
from paylera_mock.journal.retry_headers import is_made_for_one_call, says_retry

RequestSignature: TypeAlias = tuple[object, ...]
"""What a request asks for, as something by which it is found again."""


class Failure(StrEnum):
    """Why a client may try again, or may believe that it should; the text ends a sentence that begins with "after"."""

    LOST = "an answer that never arrived whole"
    UNREADABLE = "a 2xx that could not be read"
    SERVER = "a 5xx"
    LIMITED = "a 429"
    UNAUTHORIZED = "a 401"

    @property
    def is_ambiguous(self) -> bool:
        """Whether the client cannot know if the work was done."""
        return self in {Failure.LOST, Failure.UNREADABLE, Failure.SERVER}


_FAILURES: Final[Mapping[int, Failure]] = {
    HTTPStatus.TOO_MANY_REQUESTS: Failure.LIMITED,
    HTTPStatus.UNAUTHORIZED: Failure.UNAUTHORIZED,
}


class Attempt(NamedTuple):
    """The place of a request among the attempts at one thing: its own, the number of the one before, of the first."""

    attempt: int = 1
    retry_of: int | None = None
    first: int = 0


class SentRequest(NamedTuple):
    """What is remembered of a request, and of how it ended; nothing here keeps a context, a state or a body alive.

    - `sender`: the id of the token, or the digest of a credential that no token has;
    - `credential`: what was sent to say so, as a digest; `client`: what the client calls itself;
    - `body`: a digest; `retry_after`: the seconds that the answer asked for;
    - `at`: seconds of a clock that nobody moves, `now` the namespace's time;
    - `began`, `ended`: when it came, and when it was answered or its client left without an answer, as `at`;
    - `says_retry`: whether a header counts it as one;
    - `episode`: how often a test had stepped in before: what follows is no retry of what was;
    - `changes`: how often what a credential may do could have changed before.
    """

    number: int
    sender: str
    credential: str
    client: str
    method: str
    path: str
    query: str
    environment: str
    key: str | None
    body: int
    failure: Failure | None
    retry_after: float | None
    at: float
    now: float
    began: float
    ended: float | None
    says_retry: bool = False
    episode: int = 0
    changes: int = 0

    @classmethod
    def of(cls, entry: JournalEntry, *, episode: int = 0, changes: int = 0) -> SentRequest:
        """What is to be remembered of an exchange."""
        context, request = entry.context, entry.request
        sender = credential = type(request.credential).__name__
        if isinstance(request.credential, BearerCredential):
            credential = request.credential.digest
            sender = context.sent_token.id if context.sent_token else credential
        return cls(
            entry.number,
            sender,
            credential,
            request.user_agent,
            request.method,
            request.path,
            request.query,
            request.environment,
            request.idempotency_key,
            entry.body_digest,
            _find_failure(entry),
            _read_retry_after(entry),
            entry.at,
            context.now,
            entry.began,
            entry.ended,
            says_retry(request),
            episode,
            changes,
        )

    @property
    def signature(self) -> RequestSignature:
        """What was asked for, and by whom, but for the body."""
        return (self.sender, self.environment, self.method, self.path, self.query)

    def waited_since(self, earlier: SentRequest) -> float:
        """Seconds since another request, by whichever of the two clocks shows more."""
        return max(self.began - earlier.at, self.now - earlier.now)

    def surely_retries(self, earlier: SentRequest) -> bool:
        """Whether it is the same call beyond doubt, and not another one like it, as of another test."""
        return self.says_retry or (self.key == earlier.key and is_made_for_one_call(self.key))

    def can_follow(self, earlier: SentRequest) -> bool:
        """Whether this was sent after it was known how the other had ended, and not beside it."""
        return earlier.ended is not None and self.began >= earlier.ended


def _find_failure(entry: JournalEntry) -> Failure | None:
    """How it failed as the client sees it."""
    if entry.lost_by:
        # A client that hangs may still be waiting.
        return None if entry.ended is None else Failure.LOST
    status, operation = entry.answer.status, entry.request.operation
    is_read = operation is not None and operation.status not in BODILESS_STATUSES
    if is_read and any(fault.is_unreadable for fault in entry.faults):
        return Failure.UNREADABLE
    return Failure.SERVER if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _FAILURES.get(status)


_RETRY_AFTER: Final = Header.RETRY_AFTER.lower()


def _read_retry_after(entry: JournalEntry) -> float | None:
    """The seconds of `Retry-After`, also where it is a date; it counts with errors only."""
    if entry.answer.status < HTTPStatus.BAD_REQUEST:
        return None
    text = next((value for name, value in entry.answer.headers if name.lower() == _RETRY_AFTER), "")
    if text.isdigit():
        return float(text)
    with suppress(ValueError):
        return max(0.0, read_http_date(text).timestamp() - entry.context.now)
    return None


class LinkedRequest(NamedTuple):
    """A request, its place among the attempts at the same thing, and the one before, if there was one."""

    sent: SentRequest
    place: Attempt
    earlier: SentRequest | None


_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class BoundedDict(OrderedDict[_K, _V]):
    """A dictionary of at most `most` items: a further one removes what was set longest ago."""

    def __init__(self, most: int = 2000) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: _K, value: _V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


class RetryChains:
    """Links requests, in the order in which they came, to the earlier ones that they try again.

    Bounded: what was asked for longest ago is forgotten.
    """

    def __init__(self) -> None:
        self._by_key: BoundedDict[RequestSignature, LinkedRequest] = BoundedDict()
        # Of what was granted nothing need be remembered: the same thing may be asked for twice.
        self._failed: BoundedDict[RequestSignature, LinkedRequest] = BoundedDict()

    @property
    def has_failures(self) -> bool:
        """Whether a request without a key could be a retry at all."""
        return bool(self._failed)

    def link(self, sent: SentRequest) -> LinkedRequest:
        """The request with its place, after which it is remembered itself."""
        by_key, by_body = (*sent.signature, sent.key), (*sent.signature, sent.body)
        failed = self._failed.get(by_body)
        failed = self._failed.pop(by_body) if failed and sent.can_follow(failed.sent) else None
        before = (self._by_key.get(by_key) if sent.key else None) or failed
        linked = LinkedRequest(sent, Attempt(first=sent.number), None)
        if before is not None:
            place = Attempt(before.place.attempt + 1, before.sent.number, before.place.first)
            linked = LinkedRequest(sent, place, before.sent)
        if sent.key:
            self._by_key[by_key] = linked
        if sent.failure:
            self._failed[by_body] = linked
        return linked

    def note_end(self, linked: LinkedRequest, entry: JournalEntry) -> None:
        """A request that was linked while its client waited has ended."""
        sent = linked.sent._replace(failure=_find_failure(entry), ended=entry.ended)
        ended, by_key = linked._replace(sent=sent), (*sent.signature, sent.key)
        if self._by_key.get(by_key) is linked:
            self._by_key[by_key] = ended
        if sent.failure:
            self._failed[*sent.signature, sent.body] = ended


def link_attempts(entries: Iterable[JournalEntry]) -> dict[int, LinkedRequest]:
    """Each exchange among the attempts at the same thing, by its number."""
    chains = RetryChains()
    # A request that a fault held up is numbered after those that came meanwhile.
    in_order = sorted(entries, key=lambda entry: entry.began)
    return {entry.number: chains.link(SentRequest.of(entry)) for entry in in_order}


class AttemptIndex:
    """The place of each exchange of a journal among the attempts at one thing. Thread-safe.

    Exchanges are linked once, when somebody asks: to ask for a list of a long journal again costs next to nothing.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._cleared = journal.cleared_count
        self._chains = RetryChains()
        self._places: dict[int, Attempt] = {}
        self._last = 0

    def places(self, entries: Sequence[JournalEntry]) -> dict[int, Attempt]:
        """The place of each exchange that is remembered, by its number; given all of them, the oldest first."""
        with self._lock:
            if any(entry.departure is not None for entry in entries):
                # A fault holds one up: it is numbered late, and how it ends may not be known yet.
                return {number: linked.place for number, linked in link_attempts(entries).items()}
            if self._journal.cleared_count != self._cleared:
                self._cleared = self._journal.cleared_count
                self._chains, self._places, self._last = RetryChains(), {}, 0
            for entry in entries[bisect_right(entries, self._last, key=lambda entry: entry.number) :]:
                self._places[entry.number] = self._chains.link(SentRequest.of(entry)).place
                self._last = entry.number
            oldest = entries[0].number if entries else 0
            for number in list(itertools.takewhile(lambda number: number < oldest, self._places)):
                del self._places[number]
            return self._places.copy()
