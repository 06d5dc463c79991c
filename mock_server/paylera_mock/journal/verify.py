"""Whether something was called: how often, in which order, and tried again as it should be.

Each question gives a `RequestVerification`, with the exchanges that were meant, and where it fails the closest ones,
with what differs.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from paylera_fixtures.redaction import redact
from paylera_fixtures.vocabulary import Header
from paylera_mock.core.credential import parse_authorization
from paylera_mock.journal.recorder import JournalEntry
from paylera_mock.journal.retries import SentRequest, link_attempts
from paylera_mock.journal.view import credential_label, header_text, token_names

_CLOSEST: Final = 3

Route: TypeAlias = Annotated[
    str, Meta(pattern="^/", description="a path, as in /v1/customers/{id} or /v1/customers/cus_ada")
]
"""A path of the contract, or a concrete one."""

Count: TypeAlias = Annotated[int, Meta(ge=0)]


class Mismatch(Struct):
    """Where something is not as it was wanted."""

    field: str
    wanted: Any
    got: Any


class NearMatch(Struct):
    """An exchange that is nearly what was wanted."""

    exchange: int
    differs: list[Mismatch]


class RequestVerification(Struct):
    """What came of a question: a sentence, and the numbers of exchanges that bear it out, or nearly did.

    `dropped`: how many exchanges the journal has forgotten, about which nothing can be said.
    """

    verified: bool
    message: str
    matched: list[int] = []
    closest: list[NearMatch] = []
    dropped: int = 0

    def without_secrets(self) -> RequestVerification:
        """The same where no secret stands, neither in what was wanted nor in what came."""
        return msgspec.convert(json.loads(redact(json.dumps(msgspec.to_builtins(self)))), RequestVerification)


class RequestPattern(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which requests are meant; what is not set does not matter.

    - `token`: the id or the name of a token; `status`: of the answer;
    - `key`: an idempotency key, or whether there is one at all;
    - `headers`: by their names, each with its value, or whether it is there at all;
    - `body`: members that the JSON of the request has, among others.
    """

    method: str | UnsetType = UNSET
    route: Route | UnsetType = UNSET
    token: str | UnsetType = UNSET
    status: Annotated[int, Meta(ge=200, le=599)] | UnsetType = UNSET
    key: Annotated[str | bool, Meta(description="a key, or true for any key and false for none")] | UnsetType = UNSET
    headers: (
        dict[str, Annotated[str | bool, Meta(description="a value, or true for any and false for none")]] | UnsetType
    ) = UNSET
    body: dict[str, Any] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.method is not UNSET:
            self.method = self.method.upper()

    def differences(self, entry: JournalEntry) -> list[Mismatch]:
        """What of an exchange does not fit the pattern; empty where all of it fits."""
        request, status = entry.request, entry.status
        key = request.idempotency_key
        compared = (
            ("method", self.method, {request.method}, request.method),
            ("route", self.route, {request.path, entry.route}, request.path),
            ("token", self.token, token_names(entry), credential_label(entry.context)),
            ("status", self.status, {status}, status),
            ("key", self.key, {key, bool(key)}, key),
        )
        found = [Mismatch(name, wanted, got) for name, wanted, fits, got in compared if wanted not in {UNSET, *fits}]
        found += () if self.headers is UNSET else _header_differences(self.headers, entry)
        return found if self.body is UNSET else [*found, *_body_differences(self.body, entry)]

    @property
    def _wanted_headers(self) -> Iterable[tuple[str, str | bool]]:
        return () if self.headers is UNSET else self.headers.items()

    def __str__(self) -> str:
        about = [self.method or "any method", self.route or "on any route"]
        about += [f"by {self.token}"] if self.token else []
        about += [f"answered {self.status}"] if self.status else []
        about += ["with that key"] if isinstance(self.key, str) else []
        about += [f"with {'a' if self.key else 'no'} key"] if isinstance(self.key, bool) else []
        about += [f"with{'out' if value is False else ''} the header {name}" for name, value in self._wanted_headers]
        about += ["with that body"] if self.body is not UNSET else []
        return " ".join(about)


def _header_differences(wanted: Mapping[str, str | bool], entry: JournalEntry) -> Iterable[Mismatch]:
    for name, value in wanted.items():
        got = header_text(entry, name.lower())
        if name.lower() == Header.AUTHORIZATION.lower() and isinstance(value, str):
            # What was sent is known by its digest alone.
            fits = parse_authorization((value,)) == entry.request.credential
        else:
            fits = value is (got is not None) if isinstance(value, bool) else redact(value) == got
        if not fits:
            yield Mismatch(f"headers.{name}", value, got)


def _body_differences(wanted: dict[str, Any], entry: JournalEntry) -> Iterable[Mismatch]:
    body = entry.request.body or b""
    try:
        return _compare_members(wanted, json.loads(body), "body")
    except ValueError:
        # The journal keeps the beginning of a long body only.
        return [Mismatch("body", wanted, "too long to be remembered" if entry.body_size > len(body) else "no JSON")]


def _compare_members(wanted: Any, got: Any, path: str) -> list[Mismatch]:
    """Every member that is wanted, and is missing or another; lists are compared whole."""
    if not isinstance(wanted, dict) or not isinstance(got, dict):
        # In JSON `true` is not 1.
        same = wanted == got and isinstance(wanted, bool) is isinstance(got, bool)
        return [] if same else [Mismatch(path, wanted, got)]
    return [
        mismatch
        for name, value in wanted.items()
        for mismatch in _compare_members(value, got.get(name), f"{path}.{name}")
    ]


class CountRange(Struct, frozen=True, forbid_unknown_fields=True):
    """How often: from `min` to `max`, or without upper end."""

    low: Count = msgspec.field(name="min", default=0)
    high: Count | UnsetType = msgspec.field(name="max", default=UNSET)

    def __contains__(self, count: int) -> bool:
        return self.low <= count and (self.high is UNSET or count <= self.high)

    def __str__(self) -> str:
        if self.high is UNSET:
            return f"at least {self.low}"
        return str(self.low) if self.low == self.high else f"{self.low} to {self.high}"


Times: TypeAlias = Annotated[
    Count | CountRange, Meta(description='a whole number from 0, or a range as in {"min": 1, "max": 2}')
]


class RetryPattern(RequestPattern, kw_only=True):
    """A request that one of the attempts is, and how it is to be tried again; what is not set does not matter.

    - `attempts`: how many in all;
    - `same_key`, `same_bytes`: whether every attempt had the first one's key, and its very body;
    - `after_retry_after`: whether each waited for as long as the answer before had asked for.
    """

    attempts: Times = CountRange(2)
    same_key: bool | UnsetType = UNSET
    same_bytes: bool | UnsetType = UNSET
    after_retry_after: bool | UnsetType = UNSET

    def retry_differences(self, sent: Sequence[SentRequest], attempts: CountRange) -> list[Mismatch]:
        """Where the attempts at one thing are not as wanted, of which there are to be so many."""
        keys, bodies = [each.key for each in sent], {each.body for each in sent}
        same_key = len(set(keys)) == 1 and keys[0] is not None
        found = [] if len(sent) in attempts else [Mismatch("attempts", str(attempts), len(sent))]
        if self.same_key not in {UNSET, same_key}:
            found.append(Mismatch("same_key", self.same_key, keys))
        if self.same_bytes not in {UNSET, len(bodies) == 1}:
            found.append(Mismatch("same_bytes", self.same_bytes, len(bodies) == 1))
        if self.after_retry_after is not UNSET:
            found += _waiting_differences(sent, wanted=self.after_retry_after)
        return found


def _waiting_differences(sent: Sequence[SentRequest], *, wanted: bool) -> list[Mismatch]:
    """Whether each attempt waited as the answer before had asked, or did not, where that is wanted."""
    waits = [(b.waited_since(a), a.retry_after) for a, b in itertools.pairwise(sent) if a.retry_after is not None]
    is_early = any(waited < retry_after for waited, retry_after in waits)
    if waits and wanted is not is_early:
        return []
    texts = [f"{waited:.3f} of {retry_after:g} seconds" for waited, retry_after in waits]
    return [Mismatch("after_retry_after", wanted, texts or "no answer before the last one had Retry-After")]


def verify_calls(entries: Sequence[JournalEntry], wanted: RequestPattern, times: CountRange) -> RequestVerification:
    """Whether requests of a kind came so often."""
    matched = [entry.number for entry in entries if not wanted.differences(entry)]
    message = f"{wanted}: {_count_requests(len(matched))}, and {times} wanted."
    closest = [] if len(matched) >= times.low else _find_closest(entries, wanted)
    return RequestVerification(len(matched) in times, message, matched, closest)


def _count_requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _find_closest(entries: Iterable[JournalEntry], wanted: RequestPattern) -> list[NearMatch]:
    return _nearest(NearMatch(entry.number, wanted.differences(entry)) for entry in entries)


def _nearest(misses: Iterable[NearMatch]) -> list[NearMatch]:
    """What differs least, the latest first among equals."""
    differing = (miss for miss in misses if miss.differs)
    return sorted(differing, key=lambda miss: (len(miss.differs), -miss.exchange))[:_CLOSEST]


def verify_order(entries: Sequence[JournalEntry], steps: Sequence[RequestPattern]) -> RequestVerification:
    """Whether requests came one after the other; others may have come between."""
    matched: list[int] = []
    rest = list(entries)
    for place, wanted in enumerate(steps, start=1):
        found = next((index for index, entry in enumerate(rest) if not wanted.differences(entry)), None)
        if found is None:
            after = f" after exchange {matched[-1]}" if matched else ""
            message = f"Step {place} of {len(steps)} did not come{after}: {wanted}."
            return RequestVerification(
                verified=False, message=message, matched=matched, closest=_find_closest(rest, wanted)
            )
        matched.append(rest[found].number)
        rest = rest[found + 1 :]
    return RequestVerification(verified=True, message=f"All {len(steps)} steps came in order.", matched=matched)


def verify_retries(entries: Sequence[JournalEntry], wanted: RetryPattern, attempts: CountRange) -> RequestVerification:
    """Whether a request was tried again as it should be. It is enough that one was."""
    linked = link_attempts(entries)
    chains: dict[int, list[SentRequest]] = {}
    for each in linked.values():
        chains.setdefault(each.place.first, []).append(each.sent)
    meant = {linked[entry.number].place.first for entry in entries if not wanted.differences(entry)}
    misses: list[NearMatch] = []
    for sent in (chains[first] for first in sorted(meant)):
        differs = wanted.retry_differences(sent, attempts)
        if not differs:
            numbers = [each.number for each in sent]
            return RequestVerification(
                verified=True, message=f"{wanted}: {len(sent)} tries as wanted.", matched=numbers
            )
        misses.append(NearMatch(sent[-1].number, differs))
    message = f"{wanted}: none of {_count_requests(len(meant))} was tried again as wanted."
    closest = _nearest(misses) if misses else _find_closest(entries, wanted)
    return RequestVerification(verified=False, message=message, closest=closest)
