"""Whether something was called: how often, in which order, and tried again as it should be.

Each question gives a `Verification`, with the exchanges that were meant, and where it fails the closest ones, with
what differs.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from paylera_fixtures.redaction import redact
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import SentRequest, chains, sent_of
from paylera_mock.journal.view import label_of, token_names

_CLOSEST: Final = 3


class Mismatch(NamedTuple):
    """Where something is not as it was wanted."""

    field: str
    wanted: Any
    got: Any


class NearMatch(NamedTuple):
    """An exchange that is nearly what was wanted."""

    exchange: int
    differs: tuple[Mismatch, ...]


@dataclass(frozen=True)
class Verification:
    """What came of a question: a sentence, and the numbers of exchanges that bear it out, or nearly did."""

    verified: bool
    message: str
    matched: tuple[int, ...] = ()
    closest: tuple[NearMatch, ...] = ()

    def view(self) -> dict[str, Any]:
        """The answer as JSON shows it, without a secret."""
        closest = [
            {"exchange": miss.exchange, "differs": [_clean(difference._asdict()) for difference in miss.differs]}
            for miss in self.closest
        ]
        return {
            "verified": self.verified,
            "message": redact(self.message),
            "matched": list(self.matched),
            "closest": closest,
        }


def _clean(members: dict[str, Any]) -> Any:
    return json.loads(redact(json.dumps(members)))


@dataclass(frozen=True)
class RequestPattern:
    """Which requests are meant; what is `None` does not matter.

    - `route`: a path of the contract, as `/v1/customers/{id}`, or a concrete one;
    - `token`: the id or the name of a token; `status`: of the answer;
    - `key`: an idempotency key, or whether there is one at all;
    - `body`: members that the JSON of the request has, among others.
    """

    method: str | None = None
    route: str | None = None
    token: str | None = None
    status: int | None = None
    key: str | bool | None = None
    body: Mapping[str, Any] | None = None

    def differences(self, exchange: JournalEntry) -> tuple[Mismatch, ...]:
        """Where an exchange is another."""
        request = exchange.request
        found: list[Mismatch] = []
        if self.method not in {None, request.method}:
            found.append(Mismatch("method", self.method, request.method))
        if self.route not in {None, request.path, exchange.route}:
            found.append(Mismatch("route", self.route, request.path))
        if self.token is not None and self.token not in token_names(exchange):
            found.append(Mismatch("token", self.token, label_of(exchange)))
        if self.status not in {None, exchange.answer.status}:
            found.append(Mismatch("status", self.status, exchange.answer.status))
        if self.key is not None and self.key not in {request.idempotency_key, bool(request.idempotency_key)}:
            found.append(Mismatch("key", self.key, request.idempotency_key))
        if self.body is not None:
            found += _body_differences(self.body, exchange)
        return tuple(found)

    def __str__(self) -> str:
        about = [self.method or "any method", self.route or "on any route"]
        about += [f"by {self.token}"] if self.token else []
        about += [f"answered {self.status}"] if self.status else []
        about += ["with that key"] if isinstance(self.key, str) else []
        about += [f"with {'a' if self.key else 'no'} key"] if isinstance(self.key, bool) else []
        about += ["with that body"] if self.body is not None else []
        return " ".join(about)


def _body_differences(wanted: Mapping[str, Any], exchange: JournalEntry) -> list[Mismatch]:
    body = exchange.request.body
    try:
        got = json.loads(body or b"")
    except ValueError:
        # The journal keeps the beginning of a long body only.
        is_cut = body is not None and exchange.body_size > len(body)
        return [Mismatch("body", wanted, "too long to be remembered" if is_cut else "no JSON")]
    return list(_lacking(wanted, got, "body"))


def _lacking(wanted: Any, got: Any, path: str) -> Iterable[Mismatch]:
    """Every member that is wanted, and is missing or another; lists are compared whole."""
    if not isinstance(wanted, Mapping) or not isinstance(got, Mapping):
        # In JSON `true` is not 1.
        same = wanted == got and isinstance(wanted, bool) is isinstance(got, bool)
        return () if same else (Mismatch(path, wanted, got),)
    return [
        difference for name, value in wanted.items() for difference in _lacking(value, got.get(name), f"{path}.{name}")
    ]


@dataclass(frozen=True)
class CountRange:
    """How often: from `low` to `high`; `None`: without upper end."""

    low: int = 1
    high: int | None = None

    def has(self, count: int) -> bool:
        """Whether a count is meant."""
        return self.low <= count and (self.high is None or count <= self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


def called(exchanges: Sequence[JournalEntry], wanted: RequestPattern, times: CountRange) -> Verification:
    """Whether requests of a kind came so often."""
    matched = tuple(exchange.number for exchange in exchanges if not wanted.differences(exchange))
    message = f"{wanted}: {_requests(len(matched))}, and {times} wanted."
    is_enough = len(matched) >= times.low
    return Verification(times.has(len(matched)), message, matched, () if is_enough else _closest(exchanges, wanted))


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _closest(exchanges: Iterable[JournalEntry], wanted: RequestPattern) -> tuple[NearMatch, ...]:
    """What differs least, the latest first among equals."""
    misses = (NearMatch(exchange.number, wanted.differences(exchange)) for exchange in exchanges)
    return _nearest(miss for miss in misses if miss.differs)


def _nearest(misses: Iterable[NearMatch]) -> tuple[NearMatch, ...]:
    return tuple(sorted(misses, key=lambda miss: (len(miss.differs), -miss.exchange))[:_CLOSEST])


def in_order(exchanges: Sequence[JournalEntry], steps: Sequence[RequestPattern]) -> Verification:
    """Whether requests came one after the other; others may have come between."""
    matched: list[int] = []
    rest = list(exchanges)
    for place, wanted in enumerate(steps, start=1):
        found = next((index for index, exchange in enumerate(rest) if not wanted.differences(exchange)), None)
        if found is None:
            after = f" after exchange {matched[-1]}" if matched else ""
            message = f"Step {place} of {len(steps)} did not come{after}: {wanted}."
            return Verification(verified=False, message=message, matched=tuple(matched), closest=_closest(rest, wanted))
        matched.append(rest[found].number)
        rest = rest[found + 1 :]
    return Verification(verified=True, message=f"All {len(steps)} steps came in order.", matched=tuple(matched))


@dataclass(frozen=True)
class RetryPattern:
    """How a request is to be tried again; what is `None` does not matter.

    - `attempts`: how many tries in all;
    - `same_key`, `same_bytes`: whether every try had the first one's key, and its very body;
    - `after_retry_after`: whether each waited for as long as the answer before had asked for.
    """

    wanted: RequestPattern = field(default=RequestPattern())
    attempts: CountRange = field(default=CountRange(2))
    same_key: bool | None = None
    same_bytes: bool | None = None
    after_retry_after: bool | None = None

    def differences(self, tries: Sequence[SentRequest]) -> tuple[Mismatch, ...]:
        """Where the tries of one wish are not as wanted."""
        found: list[Mismatch] = []
        if not self.attempts.has(len(tries)):
            found.append(Mismatch("attempts", str(self.attempts), len(tries)))
        keys = [each.key for each in tries]
        if self.same_key is not None and self.same_key is not (len(set(keys)) == 1 and keys[0] is not None):
            found.append(Mismatch("same_key", self.same_key, keys))
        same = len({each.body for each in tries}) == 1
        if self.same_bytes not in {None, same}:
            found.append(Mismatch("same_bytes", self.same_bytes, same))
        if self.after_retry_after is not None:
            found += _waiting_differences(tries, wanted=self.after_retry_after)
        return tuple(found)


def _waiting_differences(tries: Sequence[SentRequest], *, wanted: bool) -> list[Mismatch]:
    """Whether the tries waited as they were told, or did not, where that is wanted."""
    told = [(one, other) for one, other in itertools.pairwise(tries) if one.retry_after is not None]
    waited = [f"{other.waited_since(one):.3f} of {one.retry_after:g} seconds" for one, other in told]
    early = [other.waited_since(one) < (one.retry_after or 0) for one, other in told]
    if told and wanted is not any(early):
        return []
    return [Mismatch("after_retry_after", wanted, waited or "no answer before the last one had Retry-After")]


def retried(exchanges: Sequence[JournalEntry], wanted: RetryPattern) -> Verification:
    """Whether a request was tried again as it should be. It is enough that one was."""
    places = chains(exchanges)
    meant = {places[each.number].first for each in exchanges if not wanted.wanted.differences(each)}
    wishes: dict[int, list[SentRequest]] = {first: [] for first in meant}
    for exchange in exchanges:
        wishes.get(places[exchange.number].first, []).append(sent_of(exchange))
    misses: list[NearMatch] = []
    for _, tries in sorted(wishes.items()):
        differs = wanted.differences(tries)
        if not differs:
            numbers = tuple(each.number for each in tries)
            return Verification(
                verified=True, message=f"{wanted.wanted}: {len(tries)} tries as wanted.", matched=numbers
            )
        misses.append(NearMatch(tries[-1].number, differs))
    message = f"{wanted.wanted}: none of {_requests(len(wishes))} was tried again as wanted."
    closest = _nearest(misses) if misses else _closest(exchanges, wanted.wanted)
    return Verification(verified=False, message=message, closest=closest)
