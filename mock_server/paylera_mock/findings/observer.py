"""What a client does wrong, seen in the order of its requests.

A finding must never blame what the tests of a right client do on purpose. So a request counts as a retry only while no
test has stepped in through the control API, and what is a matter of habit (keeping the key, taking a 401 for final) is
no finding once the same client was seen to do it right.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.hosts import hostname, is_loopback
from paylera_fixtures.tokens import digest
from paylera_fixtures.vocabulary import Environment, Header
from paylera_mock.core.credential import BearerCredential, Missing
from paylera_mock.core.messages import Reply, Request
from paylera_mock.findings.catalog import (
    FAKE_LIVE_OVER_HTTP,
    KEY_MISSING,
    KEY_REUSED,
    KEY_UNREADABLE,
    LIVE_OVER_HTTP,
    NEW_KEY,
    NEW_KEY_AFTER_LIMIT,
    NO_VERSION,
    OLD_SECRET,
    OLD_SECRET_IN_GRACE,
    REPEATED_401,
    REPEATED_EARLY,
    RETRY_ON_401,
    RETRY_TOO_EARLY,
    TO_ANOTHER_ORIGIN,
    TOKEN_IN_BODY,
    TOKEN_IN_URL,
    UNKNOWN_MEMBER,
    VERSION_DROPPED,
    FindingKind,
)
from paylera_mock.findings.coverage import Coverage
from paylera_mock.findings.refusals import RefusalTable
from paylera_mock.findings.table import ClientFinding, FindingTable, Observation
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import BoundedDict, Failure, LinkedRequest, RequestSignature, RetryChains, SentRequest
from paylera_mock.journal.view import credential_label
from paylera_mock.pipeline import rules
from paylera_mock.state.tokens import StoredSecret, StoredToken

_RETRIES_WITHIN_SECONDS: Final = 120.0
"""What comes later was not sent by a client that tries again by itself."""

_RETRIES_401_WITHIN_SECONDS: Final = 10.0

_REDACTED: Final = "‹unknown token #"
"""What the journal has in the place of a secret."""

_EVERY_ROUTE: Final = "(every route)"
_ROTATION: Final = "rotate_api_token"

_BY_RULE: Final[Mapping[str, FindingKind]] = {
    rules.KEY_PRESENT.name: KEY_MISSING,
    rules.KEY_WITH_SAME_BODY.name: KEY_REUSED,
}
"""What a refusal shows by itself, by the rule that refused."""


class TestStep(StrEnum):
    """What a test does beside what its client does.

    - `EPISODE`: it begins something new: what the client sends then is no retry of what it had sent;
    - `CLOCK`: it moves the clock, as a client under test may do where it would wait.
    """

    EPISODE = "episode"
    CLOCK = "clock"


class Observer:
    """Looks at the exchanges of one namespace, one after the other. Bounded; not thread-safe by itself.

    `coverage` counts the clauses that were covered, `requests` the exchanges, `refusals` those that were refused.
    """

    def __init__(self, namespace: str | None = None) -> None:
        self.coverage = Coverage()
        self.refusals = RefusalTable()
        self.requests = 0
        self._table = FindingTable(namespace)
        self._chains = RetryChains()
        # Exchanges whose clients still waited for an answer when they were looked at.
        self._unanswered: list[tuple[JournalEntry, LinkedRequest]] = []
        self._episode = 0
        self._changes = 0
        # Of these it only matters that they are there: clients that pinned a version, by their token; those whose
        # expired secret was refused; habits that a client has not.
        self._pinned: BoundedDict[tuple[str, str], None] = BoundedDict()
        self._refused_secrets: BoundedDict[tuple[str, str], None] = BoundedDict()
        self._keeps_key: BoundedDict[Hashable, None] = BoundedDict()
        # The newest secret of a token that a client has, by its digest.
        self._newest: BoundedDict[tuple[str, str], str] = BoundedDict()
        # The last 401 of a request, and whether it was left alone so far; and how many were, by habit.
        self._refused: BoundedDict[RequestSignature, tuple[SentRequest, bool]] = BoundedDict()
        self._left_alone: BoundedDict[Hashable, int] = BoundedDict()

    def findings(self) -> list[ClientFinding]:
        """What was found, the worst first."""
        return self._table.findings(lambda habit: habit in self._keeps_key or self._left_alone.get(habit, 0) > 0)

    def clear_findings(self) -> None:
        """Forget what was found."""
        self._table.clear()

    def forget_exchanges(self) -> None:
        """Name the exchanges no more in which something was found."""
        self._table.forget_exchanges()

    def observe(self, event: JournalEntry | TestStep) -> None:
        """Look at one more exchange, or note that a test stepped in. Most are of no interest, and cost little."""
        if isinstance(event, TestStep):
            self._changes += 1
            self._episode += 1 if event is TestStep.EPISODE else 0
            return
        if self._unanswered:
            self._note_departures()
        self.requests += 1
        self.refusals.note(event)
        if event.rule.name == rules.ANOTHER_ORIGIN.name:
            if not isinstance(event.request.credential, Missing):
                self._note(TO_ANOTHER_ORIGIN, event)
            return
        is_error = event.answer.status >= HTTPStatus.BAD_REQUEST
        linked = None
        if event.request.idempotency_key or event.faults or is_error or self._chains.has_failures:
            linked = self._chains.link(SentRequest.of(event, episode=self._episode, changes=self._changes))
            self._check_retry(event, linked)
            self._check_retry_on_401(event, linked.sent)
            if linked.sent.ended is None:
                self._unanswered.append((event, linked))
        self.coverage.count(event, linked.earlier if linked else None)
        self._check_message(event)
        token, secret = event.context.token, event.context.secret
        if token is not None:
            self._check_version(event, token)
        if token is not None and secret is not None:
            self._check_secret(event, token, secret)

    def _note_departures(self) -> None:
        """What has become of exchanges that a fault held up: what comes now may be tried again because of it."""
        for entry, linked in self._unanswered:
            if entry.ended is not None:
                self._chains.note_end(linked, entry)
        self._unanswered = [pair for pair in self._unanswered if pair[0].ended is None]

    def _note(
        self,
        kind: FindingKind,
        entry: JournalEntry,
        *,
        route: str | None = None,
        habit: Hashable = None,
        what: str = "",
    ) -> None:
        token = credential_label(entry.context)
        self._table.add(Observation(kind, token, route or entry.route, entry.number, entry.context.now, habit, what))

    def _check_message(self, entry: JournalEntry) -> None:
        """What a request shows by itself."""
        request = entry.request
        credential = request.credential
        if _REDACTED in request.query or _REDACTED in request.path:
            self._note(TOKEN_IN_URL, entry)
        if request.body and _REDACTED.encode() in request.body:
            self._note(TOKEN_IN_BODY, entry)
        if (
            isinstance(credential, BearerCredential)
            and credential.environment is Environment.LIVE
            and _is_readable(request)
        ):
            self._note(LIVE_OVER_HTTP if entry.context.sent_token is None else FAKE_LIVE_OVER_HTTP, entry)
        # Who puts a secret there is told of that.
        for ignored in () if _REDACTED in request.query else entry.context.ignored:
            self._note(UNKNOWN_MEMBER, entry, what=str(ignored))
        if kind := _BY_RULE.get(entry.rule.name):
            self._note(KEY_UNREADABLE if kind is KEY_MISSING and _sent_some_key(request) else kind, entry)

    def _check_retry(self, entry: JournalEntry, linked: LinkedRequest) -> None:
        """Whether a client that tries again waits as it was asked to, and keeps the key."""
        sent, earlier = linked.sent, linked.earlier
        if earlier is None or earlier.failure is None or not _is_retry(sent, earlier):
            return
        if earlier.retry_after is not None and sent.waited_since(earlier) < earlier.retry_after:
            self._note(RETRY_TOO_EARLY if sent.key and sent.key == earlier.key else REPEATED_EARLY, entry)
        if sent.key is None or earlier.key is None:
            return
        habit = ("new-key", sent.client, earlier.failure)
        if sent.key == earlier.key:
            self._keeps_key[habit] = None
        elif earlier.failure.is_ambiguous:
            self._note(NEW_KEY, entry, habit=habit)
        elif earlier.failure is Failure.LIMITED:
            self._note(NEW_KEY_AFTER_LIMIT, entry, habit=habit)

    def _check_retry_on_401(self, entry: JournalEntry, sent: SentRequest) -> None:
        """Whether a 401 was followed by the very same request. Who left another 401 alone has no habit of that."""
        signature = (sent.credential, sent.client, *sent.signature, sent.body)
        habit = ("retry-on-401", sent.client, sent.method)
        earlier, was_left_alone = self._refused.pop(signature, (None, False))
        is_refused = sent.failure is Failure.UNAUTHORIZED
        if earlier is None and not is_refused:
            return
        is_retry = (
            earlier is not None
            and sent.changes == earlier.changes
            and sent.at - earlier.at <= _RETRIES_401_WITHIN_SECONDS
        )
        left_alone = self._left_alone.get(habit, 0)
        if is_retry:
            is_sure = earlier is not None and sent.surely_retries(earlier)
            self._note(RETRY_ON_401 if is_sure else REPEATED_401, entry, habit=None if is_sure else habit)
            left_alone -= was_left_alone
        if is_refused:
            self._refused[signature] = (sent, not is_retry)
            left_alone += not is_retry
        self._left_alone[habit] = left_alone

    def _check_version(self, entry: JournalEntry, token: StoredToken) -> None:
        client = (entry.request.user_agent, token.id)
        if entry.request.version is not None:
            self._pinned[client] = None
        elif client in self._pinned:
            self._note(VERSION_DROPPED, entry)
        else:
            self._note(NO_VERSION, entry, route=_EVERY_ROUTE)

    def _check_secret(self, entry: JournalEntry, token: StoredToken, secret: StoredSecret) -> None:
        client = entry.request.user_agent
        if secret.expires_at is None:
            self._newest[client, token.id] = secret.digest
        elif _is_older(secret, self._newest.get((client, token.id)), token):
            self._check_old_secret(entry, client, secret)
        operation = entry.request.operation
        if operation is None or not isinstance(entry.decision, Reply):
            return
        if operation.resource is Resource.API_TOKEN and not operation.is_read:
            self._changes += 1
        # Who rotates a token is given its new secret.
        fresh = (entry.decision.body or {}).get("secret")
        if operation.id == _ROTATION and isinstance(fresh, str):
            self._newest[client, entry.context.identifier] = digest(fresh)

    def _check_old_secret(self, entry: JournalEntry, client: str, secret: StoredSecret) -> None:
        """Only who goes on with a secret that was refused is wrong: one refusal may be what a test is about."""
        if entry.rule.name != rules.SECRET_NOT_EXPIRED.name:
            self._note(OLD_SECRET_IN_GRACE, entry)
        elif (client, secret.digest) in self._refused_secrets:
            self._note(OLD_SECRET, entry)
        else:
            self._refused_secrets[client, secret.digest] = None


def _is_readable(request: Request) -> bool:
    is_plain = request.scheme == "http" and request.header("X-Forwarded-Proto") != "https"
    return is_plain and not is_loopback(hostname(request.host))


def _sent_some_key(request: Request) -> bool:
    """Whether a key was meant by a request in which none could be read."""
    name = Header.IDEMPOTENCY_KEY.lower()
    return request.idempotency_key is not None or any(
        each.lower().replace("_", "-") == name for each in request.ignored_headers
    )


def _is_retry(sent: SentRequest, earlier: SentRequest) -> bool:
    """Whether a client can have sent this by itself because of what had come of that."""
    return sent.episode == earlier.episode and sent.at - earlier.at <= _RETRIES_WITHIN_SECONDS


def _is_older(secret: StoredSecret, newest: str | None, token: StoredToken) -> bool:
    """Whether a secret was rotated out before another of its token, which is named by its digest."""
    digests = [each.digest for each in token.secrets]
    if newest not in digests:
        # It was given out after the token was looked at for this request.
        return newest is not None
    return digests.index(newest) < digests.index(secret.digest)
