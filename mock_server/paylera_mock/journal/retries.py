"""Attempts: which request is another try of which earlier one.

Two requests are tries of the same wish where the same token (whichever of its secrets was sent) asks for the same
thing, and either names the same idempotency key, or sends the same body after a try that had failed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from paylera_fixtures.api.operations import match
from paylera_fixtures.vocabulary import Header
from paylera_mock.core.credential import Credential
from paylera_mock.core.messages import Answer
from paylera_mock.faults.model import Action
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.pipeline.context import Context

_REMEMBERED: Final = 2000
"""Keys, and failed wishes, of which the last try is remembered, of each so many: the oldest makes room."""

_LOSES_ANSWER: Final = frozenset({Action.DROP, Action.HANG, Action.TRUNCATE, Action.RESET, Action.GARBAGE})

RequestSignature: TypeAlias = tuple[object, ...]
"""What a request asks for, as something by which it is found again."""


class Failure(StrEnum):
    """Why a client may try again, or may believe that it should; the text ends a sentence that begins with "after"."""

    LOST = "an answer that never arrived whole"
    SERVER = "a 5xx"
    LIMITED = "a 429"
    UNAUTHORIZED = "a 401"

    @property
    def is_ambiguous(self) -> bool:
        """Whether the client cannot know if the work was done."""
        return self in {Failure.LOST, Failure.SERVER}


_FAILURES: Final[Mapping[int, Failure]] = MappingProxyType(
    {HTTPStatus.TOO_MANY_REQUESTS: Failure.LIMITED, HTTPStatus.UNAUTHORIZED: Failure.UNAUTHORIZED}
)


class Attempt(NamedTuple):
    """The place of a request among the tries of one wish: its own number, that of the try before, that of the first."""

    attempt: int = 1
    retry_of: int | None = None
    first: int = 0


class SentRequest(NamedTuple):
    """What is remembered of a request, and of how it ended; nothing here keeps a context, a world or a body alive.

    - `who`: the id of the token, or the digest of a credential that no token has;
    - `credential`: what was sent to say so, as a digest; `client`: what the client calls itself;
    - `route`: the path of the contract, or what stands for those that it has not;
    - `body`: a digest; `retry_after`: the seconds that the answer asked for;
    - `at`: seconds of a clock that nobody moves, `now` the namespace's time;
    - `episode`: how often a test had stepped in before: what follows is no try of what was;
    - `changes`: how often what a credential may do could have changed before.
    """

    number: int
    who: str
    credential: str
    client: str
    method: str
    path: str
    route: str
    query: str
    environment: str
    key: str | None
    body: int
    status: int
    failure: Failure | None
    retry_after: float | None
    at: float
    now: float
    episode: int = 0
    changes: int = 0

    @property
    def target(self) -> RequestSignature:
        """What was asked for, and by whom, but for the body."""
        return (self.who, self.environment, self.method, self.path, self.query)

    def waited_since(self, earlier: SentRequest) -> float:
        """Seconds since another request, by whichever of the two clocks shows more."""
        return max(self.at - earlier.at, self.now - earlier.now)


class Attempted(NamedTuple):
    """A request, its place among the tries of its wish, and the try before, if there was one."""

    sent: SentRequest
    place: Attempt
    earlier: SentRequest | None


NO_ROUTE: Final = "(no route)"
"""What stands for every path that the contract has not."""


_Kept: TypeAlias = tuple[SentRequest, Attempt]


class RetryChains:
    """Links requests, in the order in which they came, to the earlier ones that they try again.

    Bounded: what was asked for longest ago is forgotten.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._by_key: OrderedDict[RequestSignature, _Kept] = OrderedDict()
        # Of what was granted nothing need be remembered: the same thing may be wished twice.
        self._failed: OrderedDict[RequestSignature, _Kept] = OrderedDict()

    @property
    def is_expecting(self) -> bool:
        """Whether a request without a key could be a retry at all."""
        return bool(self._failed)

    def link(self, sent: SentRequest) -> Attempted:
        """The request with its place, after which it is remembered itself."""
        target = sent.target
        by_key, by_body = (*target, sent.key), (*target, sent.body)
        failed = self._failed.pop(by_body, None)
        found = (self._by_key.get(by_key) if sent.key else None) or failed
        place = Attempt(first=sent.number)
        if found is not None:
            earlier, before = found
            place = Attempt(before.attempt + 1, earlier.number, before.first)
        if sent.key:
            self._keep(self._by_key, by_key, (sent, place))
        if sent.failure:
            self._keep(self._failed, by_body, (sent, place))
        return Attempted(sent, place, found[0] if found else None)

    def _keep(self, tries: OrderedDict[RequestSignature, _Kept], wish: RequestSignature, kept: _Kept) -> None:
        tries[wish] = kept
        tries.move_to_end(wish)
        if len(tries) > self._remembered:
            tries.popitem(last=False)


def chains(exchanges: Iterable[JournalEntry]) -> dict[int, Attempt]:
    """The place of each exchange among the tries of its wish, by its number; given the oldest first."""
    linked = RetryChains()
    return {exchange.number: linked.link(sent_of(exchange)).place for exchange in exchanges}


def sent_of(exchange: JournalEntry, *, episode: int = 0, changes: int = 0) -> SentRequest:
    """What is to be remembered of an exchange."""
    context, answer = exchange.context, exchange.answer
    request = context.request
    credential = request.credential
    return SentRequest(
        exchange.number,
        who(context),
        credential.digest if isinstance(credential, Credential) else type(credential).__name__,
        request.user_agent,
        request.method,
        request.path,
        route_of(exchange),
        request.query,
        request.environment,
        request.idempotency_key,
        exchange.body_digest,
        answer.status,
        failure_of(exchange),
        retry_after_of(answer),
        exchange.at,
        context.now,
        episode,
        changes,
    )


def who(context: Context) -> str:
    """Who asks: the id of the token, also where a fault answered before any rule looked; else what stands for them."""
    credential = context.request.credential
    if not isinstance(credential, Credential):
        return type(credential).__name__
    token = context.token or context.state.tokens.by_digest(credential.digest)
    return token.id if token else credential.digest


def route_of(exchange: JournalEntry) -> str:
    """The path of the contract that was called, also where no rule has looked for it."""
    operation = exchange.context.operation
    if operation is not None:
        return operation.path
    found = match(exchange.request.path)
    return found.route if found else NO_ROUTE


def failure_of(exchange: JournalEntry) -> Failure | None:
    """How it failed as the client sees it."""
    if exchange.faults and any(fault.action in _LOSES_ANSWER for fault in exchange.faults):
        return Failure.LOST
    status = exchange.answer.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure.SERVER
    return _FAILURES.get(status)


def retry_after_of(answer: Answer) -> float | None:
    """The whole seconds of `Retry-After`, where there is one: it comes with errors only."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return None
    return next(
        (float(value) for name, value in answer.headers if name == Header.RETRY_AFTER and value.isdigit()), None
    )
