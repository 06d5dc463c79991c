"""A snapshot: the state of a namespace as a versioned document, from which the same state is made again.

Secrets are no part of it: tokens go by their digests, and webhook endpoints without what they sign with. Nor is what
watches or disturbs from outside: journal, faults, deliveries, what was counted against the rate limits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct, structs, to_builtins

from paylera_fixtures.api.operations import Resource
from paylera_fixtures.vocabulary import Environment
from paylera_mock.core.json_text import encode_json
from paylera_mock.core.messages import Answer
from paylera_mock.state.idempotency import IdempotencyRecord
from paylera_mock.state.namespace_state import State
from paylera_mock.state.objects import Entry
from paylera_mock.state.schedule import ScheduledItem
from paylera_mock.state.tokens import StoredToken
from paylera_mock.state.versions import Release
from paylera_mock.version import version

KIND: Final = "snapshot"
_PIECE: Final = 500
"""Tokens, objects or records that are written at a time."""


class ClockState(Struct):
    """What a clock shows, in seconds since the epoch, and whether it runs."""

    epoch: float
    running: bool


class ActorsState(Struct):
    """The actors of a tenant, the oldest first."""

    tenant_id: str
    entries: list[Entry]


class ObjectsState(Struct):
    """The objects of a tenant in an environment by their kind, the oldest first; the audit log is one of the kinds."""

    tenant_id: str
    environment: Environment
    sequence: int
    kinds: dict[Resource, list[Entry]]


class AnswerState(Struct):
    """An answer that is remembered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    chunked: bool


class RecordState(Struct):
    """An idempotency record, and what it is kept under."""

    key: tuple[str | int | None, ...]
    body_digest: bytes
    answer: AnswerState
    first_used: float


class Snapshot(Struct, kw_only=True):
    """The document. Tokens are in the order in which they were made, idempotency records in that of their first use."""

    schema: Literal[1] = 1
    kind: Literal["snapshot"] = KIND
    version: str
    clock: ClockState
    tenants: list[str]
    main_tenant: str
    versions: list[Release]
    rates_enforced: bool
    tokens: list[StoredToken]
    actors: list[ActorsState]
    objects: list[ObjectsState]
    idempotency: list[RecordState]
    agenda: list[ScheduledItem]


def take_snapshot(state: State) -> Snapshot:
    """A snapshot of a state, which does not change with it. The namespace's lock must be held."""
    clock = state.clock
    return Snapshot(
        version=version(),
        clock=ClockState(clock.epoch(), clock.running),
        tenants=sorted(state.tenants),
        main_tenant=state.main_tenant,
        versions=list(state.versions.releases),
        rates_enforced=state.rates_enforced,
        tokens=list(reversed(list(state.tokens))),
        actors=[ActorsState(tenant, list(state.actors.oldest_first(tenant))) for tenant in sorted(state.tenants)],
        objects=[
            ObjectsState(
                tenant_id,
                environment,
                table.sequence,
                {kind: _copies(table.oldest_first(kind)) for kind in table.kinds()},
            )
            for (tenant_id, environment), table in state.store.items()
        ],
        idempotency=[
            RecordState(tuple(key), record.body_digest, AnswerState(*record.answer), record.first_used)
            for key, record in state.idempotency.records()
        ],
        agenda=list(state.schedule),
    )


def _copies(entries: Iterable[Entry]) -> list[Entry]:
    """Entries of their own: an object is changed in place, its members are not."""
    return [Entry(entry.sequence, dict(entry.value)) for entry in entries]


def write_pieces(value: object) -> Iterator[str]:
    """A snapshot, or a part of it, as JSON in pieces, so that nobody has to hold all of it as a text."""
    match value:
        case Snapshot() | ObjectsState() | ActorsState():
            yield from _write_members(structs.asdict(value))
        case dict():
            yield from _write_members(value)
        case [ObjectsState() | ActorsState(), *_]:
            for number, each in enumerate(value):
                yield "," if number else "["
                yield from write_pieces(each)
            yield "]"
        case list():
            yield "["
            for start in range(0, len(value), _PIECE):
                comma = "," if start else ""
                yield comma + encode_json(to_builtins(value[start : start + _PIECE], str_keys=True))[1:-1]
            yield "]"
        case _:
            yield encode_json(to_builtins(value, str_keys=True))


def _write_members(members: Mapping[str, object]) -> Iterator[str]:
    before = "{"
    for name, value in members.items():
        yield f"{before}{encode_json(name)}:"
        yield from write_pieces(value)
        before = ","
    yield "}" if members else "{}"


def _entries(snapshot: Snapshot) -> Iterator[tuple[str, Entry]]:
    """Every actor and object with its place in the document."""
    for number, actors in enumerate(snapshot.actors):
        yield from ((f"actors[{number}].entries[{i}]", entry) for i, entry in enumerate(actors.entries))
    for number, objects in enumerate(snapshot.objects):
        for kind, entries in objects.kinds.items():
            yield from ((f"objects[{number}].kinds.{kind}[{i}]", entry) for i, entry in enumerate(entries))


def restore_state(state: State, snapshot: Snapshot) -> str:
    """Put what a snapshot holds into an empty state. Its main tenant."""
    objects = [entry.value for _, entry in _entries(snapshot)]
    fingerprint = encode_json([objects, [token.id for token in snapshot.tokens]])
    # Otherwise a seeded state would draw the ids again that the snapshot's objects have.
    state.randomness.jump(hashlib.sha256(fingerprint.encode()).hexdigest())
    state.clock.restore(snapshot.clock.epoch, running=snapshot.clock.running)
    state.tenants.update(snapshot.tenants)
    state.versions.restore(snapshot.versions)
    state.rates_enforced = snapshot.rates_enforced
    for token in snapshot.tokens:
        state.tokens.keep(token)
    for actors in snapshot.actors:
        state.actors.restore(actors.tenant_id, actors.entries)
    for saved in snapshot.objects:
        table = state.store.objects(saved.tenant_id, saved.environment)
        table.sequence = saved.sequence
        for kind, entries in saved.kinds.items():
            for entry in entries:
                # A copy of each: a document may be loaded more than once, and objects are changed in place.
                table.restore(kind, Entry(entry.sequence, dict(entry.value)))
    for record in snapshot.idempotency:
        answer = Answer(*structs.astuple(record.answer))
        state.idempotency.keep(record.key, IdempotencyRecord(record.body_digest, answer, record.first_used))
    for due in snapshot.agenda:
        state.schedule.put(due)
    return snapshot.main_tenant
