"""A snapshot: the state of a namespace as a versioned document, from which the same state is made again.

Secrets are no part of it: tokens go by their digests, and webhook endpoints without what they sign with. Nor is what
watches or disturbs from outside: journal, faults, deliveries, what was counted against the rate limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.clock import END_OF_TIME
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Answer
from paylera_mock.namespaces.file_errors import SCHEMA, LoadError, converted
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.namespace_state import State
from paylera_mock.state.objects import Entry
from paylera_mock.state.schedule import ScheduledItem
from paylera_mock.state.tokens import StoredToken
from paylera_mock.state.versions import Release, is_dated
from paylera_mock.version import version

KIND: Final = "snapshot"


@dataclass(frozen=True, slots=True)
class ClockState:
    """What a clock shows, in seconds since the epoch, and whether it runs."""

    epoch: float
    running: bool


@dataclass(frozen=True, slots=True)
class ActorsState:
    """The actors of a tenant, the oldest first."""

    tenant_id: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class ShelfState:
    """The objects of a tenant in an environment by their kind, the oldest first; the audit log is one of the kinds."""

    tenant_id: str
    environment: Environment
    sequence: int
    kinds: dict[Resource, list[Entry]]


@dataclass(frozen=True, slots=True)
class AnswerState:
    """An answer that is remembered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool


@dataclass(frozen=True, slots=True)
class RecordState:
    """An idempotency record, and what it is kept under."""

    key: tuple[str | int | None, ...]
    body_digest: bytes
    answer: AnswerState
    first_used: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The document. Tokens are in the order in which they were made, idempotency records in that of their first use."""

    schema: Literal[1] = SCHEMA
    kind: Literal["snapshot"] = KIND
    version: str
    clock: ClockState
    tenants: list[str]
    main_tenant: str
    versions: list[Release]
    rates_enforced: bool
    tokens: list[StoredToken]
    actors: list[ActorsState]
    objects: list[ShelfState]
    idempotency: list[RecordState]
    agenda: list[ScheduledItem]


def taken(state: State) -> dict[str, Any]:
    """A snapshot of a world as JSON has it. Hold the namespace's lock."""
    import msgspec  # noqa: PLC0415 - most fakes never need it

    document: dict[str, Any] = msgspec.to_builtins(_state_of(state), str_keys=True)
    return document


def _state_of(state: State) -> Snapshot:
    clock = state.clock
    return Snapshot(
        version=version(),
        clock=ClockState(clock.epoch(), clock.running),
        tenants=sorted(state.tenants),
        main_tenant=state.main_tenant,
        versions=list(state.versions.releases),
        rates_enforced=state.rates_enforced,
        tokens=list(reversed(list(state.tokens))),
        actors=[ActorsState(tenant, list(state.actors.of(tenant).values())) for tenant in sorted(state.tenants)],
        objects=list(_tables(state)),
        idempotency=list(_records(state)),
        agenda=list(state.schedule),
    )


def _tables(state: State) -> Iterator[ShelfState]:
    for (tenant_id, environment), objects in state.store.items():
        kinds = {kind: list(entries.values()) for kind, entries in objects.kinds.items()}
        yield ShelfState(tenant_id, environment, objects.sequence, kinds)


def _records(state: State) -> Iterator[RecordState]:
    for key, record in state.idempotency.records():
        answer = record.answer
        kept = AnswerState(answer.status, list(answer.headers), answer.body, answer.chunked)
        yield RecordState(tuple(key), record.body_digest, kept, record.first_used)


def read(data: Any) -> Snapshot:
    """A snapshot from parsed JSON. Raises `LoadError` for what is none, or does not fit together."""
    snapshot = converted(data, Snapshot)
    if snapshot.main_tenant not in snapshot.tenants:
        raise LoadError("main_tenant", "this must be one of the tenants")
    if not 0 <= snapshot.clock.epoch < END_OF_TIME:
        raise LoadError("clock.epoch", "this must be seconds since 1970, and before the year 9000")
    _check_versions(snapshot)
    for place, entry in _entries(snapshot):
        if not isinstance(entry.value.get("id"), str):
            raise LoadError(f"{place}.value.id", "every object has an id, which is a string")
    return snapshot


def _check_versions(snapshot: Snapshot) -> None:
    known = [release.version for release in snapshot.versions]
    if not known or len(set(known)) < len(known) or not all(map(is_dated, known)):
        raise LoadError("versions", "there must be at least one, each a date of its own, as in 2027-01-01")
    for number, token in enumerate(snapshot.tokens):
        if token.default_version not in known:
            raise LoadError(f"tokens[{number}].default_version", "this must be one of the versions")
        if not token.secrets:
            raise LoadError(f"tokens[{number}].secrets", "a token has at least one")


def _entries(snapshot: Snapshot) -> Iterator[tuple[str, Entry]]:
    for number, actors in enumerate(snapshot.actors):
        yield from ((f"actors[{number}].entries[{i}]", entry) for i, entry in enumerate(actors.entries))
    for number, objects in enumerate(snapshot.objects):
        for kind, entries in objects.kinds.items():
            yield from ((f"objects[{number}].kinds.{kind}[{i}]", entry) for i, entry in enumerate(entries))


def fill(state: State, snapshot: Snapshot) -> str:
    """Put the state of a snapshot into an empty world; its main tenant."""
    # Otherwise a seeded world would draw the ids again that the snapshot's objects have.
    state.randomness.jump(_fingerprint(snapshot))
    state.clock.restore(snapshot.clock.epoch, running=snapshot.clock.running)
    state.tenants.update(snapshot.tenants)
    state.versions.restore(snapshot.versions)
    state.rates_enforced = snapshot.rates_enforced
    for token in snapshot.tokens:
        state.tokens.keep(token)
    for actors in snapshot.actors:
        state.actors.restore(actors.tenant_id, actors.entries)
    for saved in snapshot.objects:
        objects = state.store.objects(saved.tenant_id, saved.environment)
        objects.sequence = saved.sequence
        objects.kinds.update({kind: _by_id(entries) for kind, entries in saved.kinds.items()})
    for record in snapshot.idempotency:
        state.idempotency.keep(record.key, _record(record))
    for due in snapshot.agenda:
        state.schedule.put(due)
    return snapshot.main_tenant


def _fingerprint(snapshot: Snapshot) -> str:
    objects = [entry.value for _, entry in _entries(snapshot)]
    tokens = [token.id for token in snapshot.tokens]
    return hashlib.sha256(encode_json([objects, tokens]).encode()).hexdigest()


def _by_id(entries: list[Entry]) -> dict[str, Entry]:
    # A copy of each: a document may be loaded more than once, and objects are changed in place.
    return {entry.value["id"]: Entry(entry.sequence, dict(entry.value)) for entry in entries}


def _record(saved: RecordState) -> IdempotencyRecord:
    answer = saved.answer
    kept = Answer(answer.status, tuple(answer.headers), answer.body, answer.chunked)
    return IdempotencyRecord(saved.body_digest, kept, saved.first_used)
