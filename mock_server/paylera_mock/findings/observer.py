"""What a client does wrong, seen in the order of its requests.

A finding must never blame what the tests of a right client do on purpose. So a request counts as a retry only while no
test has stepped in through the control API, and what is a matter of habit (keeping the key, taking a 401 for final) is
no finding once the same client was seen to do it right.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.hosts import hostname, is_loopback
from paylera_fixtures.tokens import digest
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.credential import Credential, Missing
from paylera_mock.core.messages import Reply, Request
from paylera_mock.findings.catalog import (
    KEY_MISSING,
    KEY_REUSED,
    LIVE_OVER_HTTP,
    NEW_KEY,
    NEW_KEY_AFTER_LIMIT,
    NO_VERSION,
    OLD_SECRET,
    OLD_SECRET_IN_GRACE,
    RETRY_ON_401,
    RETRY_TOO_EARLY,
    TO_ANOTHER_ORIGIN,
    TOKEN_IN_BODY,
    TOKEN_IN_URL,
    VERSION_DROPPED,
    ClientFinding,
    FindingKind,
    FindingTable,
    Observation,
)
from paylera_mock.findings.coverage import Coverage
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import (
    Attempted,
    Failure,
    RequestSignature,
    RetryChains,
    SentRequest,
    route_of,
    sent_of,
)
from paylera_mock.pipeline import rules
from paylera_mock.pipeline.context import Context
from paylera_mock.state.token_names import name_of
from paylera_mock.state.tokens import StoredSecret, StoredToken

_REMEMBERED: Final = 2000
"""Clients, tokens and refusals of which something is remembered, of each so many."""

_RETRIES_WITHIN_SECONDS: Final = 120.0
"""What comes later was not sent by a client that tries again by itself."""

_RETRIES_401_WITHIN_SECONDS: Final = 10.0

_TAKEN_OUT: Final = "‹unknown token #"
_TAKEN_OUT_OF_BODY: Final = _TAKEN_OUT.encode()
"""What the journal has in the place of a secret."""

_ERROR: Final = int(HTTPStatus.BAD_REQUEST)
_EVERY_ROUTE: Final = "(every route)"
_ROTATION: Final = "rotate_api_token"

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class TestStep(StrEnum):
    """What a test does beside what its client does.

    - `EPISODE`: it sets the stage anew: what the client sends then is no retry of what it had sent;
    - `CLOCK`: it moves the clock, as a client under test may do where it would wait.
    """

    EPISODE = "episode"
    CLOCK = "clock"


class _Recent(Generic[_K, _V]):
    """A mapping of bounded size: what was learnt longest ago makes room."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._items: OrderedDict[_K, _V] = OrderedDict()

    def __contains__(self, key: _K) -> bool:
        return key in self._items

    def get(self, key: _K) -> _V | None:
        """What is remembered for a key."""
        return self._items.get(key)

    def pop(self, key: _K) -> _V | None:
        """What is remembered for a key, and is no more from now on."""
        return self._items.pop(key, None)

    def put(self, key: _K, value: _V) -> None:
        """Remember it."""
        if self._items.get(key) == value:
            return
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._items.popitem(last=False)


_BY_RULE: Final[Mapping[str, FindingKind]] = MappingProxyType(
    {rules.KEY_PRESENT.name: KEY_MISSING, rules.KEY_WITH_SAME_BODY.name: KEY_REUSED}
)
"""What a refusal shows by itself, by the rule that refused."""


class Observer:
    """Looks at the exchanges of one namespace, one after the other. Bounded; not thread-safe by itself.

    `coverage` counts the clauses that were met.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self.coverage = Coverage()
        self._findings = FindingTable(namespace)
        self._chains = RetryChains()
        self._episode = 0
        self._changes = 0
        # Of these it only matters that they are there; the value is in which exchange that was learnt.
        self._pinned: _Recent[tuple[str, str], int] = _Recent()
        self._told: _Recent[tuple[str, str], int] = _Recent()
        self._keeps_key: _Recent[Hashable, int] = _Recent()
        # The newest secret of a token that a client has, by its digest.
        self._newest: _Recent[tuple[str, str], str] = _Recent()
        # The last 401 of a wish, and whether it was left alone so far; and how many were, by habit.
        self._refused: _Recent[RequestSignature, tuple[SentRequest, bool]] = _Recent()
        self._left_alone: _Recent[Hashable, int] = _Recent()

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        return self._findings.listed(self._is_no_habit)

    def _is_no_habit(self, habit: Hashable) -> bool:
        return habit in self._keeps_key or (self._left_alone.get(habit) or 0) > 0

    def clear_findings(self) -> None:
        """Forget what was found."""
        self._findings.clear()

    def step(self, step: TestStep) -> None:
        """A test stepped in."""
        self._changes += 1
        if step is TestStep.EPISODE:
            self._episode += 1

    def observe(self, exchange: JournalEntry) -> None:
        """Look at one more exchange. Most are of no interest, and cost little."""
        if exchange.rule.name == rules.ANOTHER_ORIGIN.name:
            self._look_elsewhere(exchange)
            return
        context = exchange.context
        request, token = context.request, context.token
        earlier = None
        if request.idempotency_key or exchange.faults or exchange.answer.status >= _ERROR or self._chains.is_expecting:
            earlier = self._look_at_try(exchange)
        self.coverage.count(exchange, earlier)
        self._look_at_message(exchange)
        if token is not None:
            self._look_at_version(exchange, token)
            self._look_at_secret(exchange, token)

    def _note(
        self, kind: FindingKind, exchange: JournalEntry, *, route: str | None = None, habit: Hashable = None
    ) -> None:
        context = exchange.context
        where = route or route_of(exchange)
        self._findings.add(Observation(kind, _label(context), where, exchange.number, context.now, habit))

    def _look_elsewhere(self, exchange: JournalEntry) -> None:
        if not isinstance(exchange.request.credential, Missing):
            self._note(TO_ANOTHER_ORIGIN, exchange)

    def _look_at_message(self, exchange: JournalEntry) -> None:
        """What a request shows by itself."""
        request = exchange.context.request
        credential = request.credential
        if _TAKEN_OUT in request.query or _TAKEN_OUT in request.path:
            self._note(TOKEN_IN_URL, exchange)
        if request.body and _TAKEN_OUT_OF_BODY in request.body:
            self._note(TOKEN_IN_BODY, exchange)
        if isinstance(credential, Credential) and credential.environment is Environment.LIVE and _is_open(request):
            self._note(LIVE_OVER_HTTP, exchange)
        kind = _BY_RULE.get(exchange.rule.name)
        if kind is not None:
            self._note(kind, exchange)

    def _look_at_try(self, exchange: JournalEntry) -> SentRequest | None:
        """The try before, if this is a retry."""
        tried = self._chains.link(sent_of(exchange, episode=self._episode, changes=self._changes))
        self._look_at_retry(exchange, tried)
        self._look_at_refusal(exchange, tried.sent)
        return tried.earlier

    def _look_at_retry(self, exchange: JournalEntry, tried: Attempted) -> None:
        sent, earlier = tried.sent, tried.earlier
        if earlier is None or earlier.failure is None or not _is_retry(sent, earlier):
            return
        if earlier.retry_after is not None and sent.waited_since(earlier) < earlier.retry_after:
            self._note(RETRY_TOO_EARLY, exchange)
        if sent.key is None or earlier.key is None:
            return
        habit = ("new-key", sent.client, earlier.failure)
        if sent.key == earlier.key:
            self._keeps_key.put(habit, exchange.number)
        elif earlier.failure.is_ambiguous:
            self._note(NEW_KEY, exchange, habit=habit)
        elif earlier.failure is Failure.LIMITED:
            self._note(NEW_KEY_AFTER_LIMIT, exchange, habit=habit)

    def _look_at_refusal(self, exchange: JournalEntry, sent: SentRequest) -> None:
        """Whether a 401 was followed by the very same request. Who left another 401 alone has no habit of that."""
        wish = (sent.credential, sent.client, *sent.target, sent.body)
        habit = ("retry-on-401", sent.client, sent.method)
        earlier, alone = self._refused.pop(wish) or (None, False)
        if earlier is None and sent.failure is not Failure.UNAUTHORIZED:
            return
        again = earlier is not None and _is_retry_on_401(sent, earlier)
        left_alone = self._left_alone.get(habit) or 0
        if again:
            self._note(RETRY_ON_401, exchange, habit=habit)
            left_alone -= alone
        if sent.failure is Failure.UNAUTHORIZED:
            self._refused.put(wish, (sent, not again))
            left_alone += not again
        self._left_alone.put(habit, left_alone)

    def _look_at_version(self, exchange: JournalEntry, token: StoredToken) -> None:
        request = exchange.context.request
        client = (request.user_agent, token.id)
        has_pinned = client in self._pinned
        if request.version is None:
            kind, route = (VERSION_DROPPED, None) if has_pinned else (NO_VERSION, _EVERY_ROUTE)
            self._note(kind, exchange, route=route)
        elif not has_pinned:
            self._pinned.put(client, exchange.number)

    def _look_at_secret(self, exchange: JournalEntry, token: StoredToken) -> None:
        context = exchange.context
        secret, client = context.secret, context.request.user_agent
        if secret is None:
            return
        if secret.expires_at is None:
            self._newest.put((client, token.id), secret.digest)
        elif _is_older(secret, self._newest.get((client, token.id)), token):
            self._look_at_old_secret(exchange, client, secret)
        if _changes_tokens(exchange):
            self._changes += 1
            self._look_at_rotation(exchange, client)

    def _look_at_old_secret(self, exchange: JournalEntry, client: str, secret: StoredSecret) -> None:
        """Only who goes on with a secret that was refused is wrong: one refusal may be what a test is about."""
        told = (client, secret.digest)
        if exchange.rule.name != rules.SECRET_NOT_EXPIRED.name:
            self._note(OLD_SECRET_IN_GRACE, exchange)
        elif told in self._told:
            self._note(OLD_SECRET, exchange)
        else:
            self._told.put(told, exchange.number)

    def _look_at_rotation(self, exchange: JournalEntry, client: str) -> None:
        """Who rotates a token is given its new secret."""
        context, decision = exchange.context, exchange.decision
        if context.called.id != _ROTATION or not isinstance(decision, Reply) or decision.body is None:
            return
        secret = decision.body.get("secret")
        if isinstance(secret, str):
            self._newest.put((client, context.identifier), digest(secret))


def _is_open(request: Request) -> bool:
    """Whether a request can be read on its way."""
    return request.scheme == "http" and not is_loopback(hostname(request.host))


def _is_retry(sent: SentRequest, earlier: SentRequest) -> bool:
    """Whether a client can have sent this by itself because of what had come of that."""
    return sent.episode == earlier.episode and sent.at - earlier.at <= _RETRIES_WITHIN_SECONDS


def _is_retry_on_401(sent: SentRequest, earlier: SentRequest) -> bool:
    return sent.changes == earlier.changes and sent.at - earlier.at <= _RETRIES_401_WITHIN_SECONDS


def _is_older(secret: StoredSecret, newest: str | None, token: StoredToken) -> bool:
    """Whether a secret was rotated out before another of its token, which is named by its digest."""
    digests = [each.digest for each in token.secrets]
    if newest not in digests:
        # It was given out after the token was looked at for this request.
        return newest is not None
    return digests.index(newest) < digests.index(secret.digest)


def _changes_tokens(exchange: JournalEntry) -> bool:
    operation = exchange.context.operation
    return (
        operation is not None
        and operation.resource is Resource.API_TOKEN
        and not operation.is_read
        and isinstance(exchange.decision, Reply)
    )


def _label(context: Context) -> str | None:
    """What a token is called where no secret may stand; `None` where none was sent."""
    credential = context.request.credential
    if not isinstance(credential, Credential):
        return None
    token = context.token or context.state.tokens.by_digest(credential.digest)
    name = name_of(token, context.secret) if token else "unknown token"
    return f"‹{name} #{credential.digest[:4]}›"
