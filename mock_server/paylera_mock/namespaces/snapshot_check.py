"""Whether the parts of a snapshot go together: it is judged as a whole, before any of it is used."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final

from paylera_fixtures.api.operations import Resource
from paylera_mock.core.clock import END_OF_TIME
from paylera_mock.core.messages import FRAMING_HEADERS, HEADER_VALUE
from paylera_mock.core.typed_json import InvalidInputError, check_members, convert_json
from paylera_mock.namespaces.saved_objects import ID_PATTERN, ID_WANTED, LARGEST_PLACE, check_object
from paylera_mock.namespaces.snapshot import AnswerState, Snapshot
from paylera_mock.state.objects import Entry
from paylera_mock.state.versions import is_dated

_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,100}")
_ELSEWHERE: Final = frozenset({Resource.API_TOKEN, Resource.ACTOR, Resource.REFUND})
_LOWEST_STATUS, _HIGHEST_STATUS = 200, 599
_LARGEST_AAL: Final = 1_000


def parse_snapshot(data: Any) -> Snapshot:
    """A snapshot from parsed JSON. Raises `InvalidInputError` for what is none, or does not fit together."""
    snapshot = convert_json(data, Snapshot)
    check_snapshot(snapshot, data)
    return snapshot


def check_snapshot(snapshot: Snapshot, data: Any) -> None:
    """Raise `InvalidInputError`, with the place, where a part of a snapshot is flawed, or does not fit another.

    `data`: the parsed JSON, of which no member may be unknown: what it says would be lost.
    """
    check_members(data, Snapshot)
    _check_head(snapshot)
    _check_tokens(snapshot)
    tenants = set(snapshot.tenants)
    for place, tenant_id in _tenants_named(snapshot):
        if tenant_id not in tenants:
            raise InvalidInputError(place, "this must be one of the tenants")
    for place, moment in _moments(snapshot):
        if not 0 <= moment < END_OF_TIME:
            raise InvalidInputError(place, "this must be seconds since 1970, and before the year 9000")
    _check_entries(snapshot)
    _check_unique(("idempotency[{}].key", record.key) for record in snapshot.idempotency)
    for number, record in enumerate(snapshot.idempotency):
        if not record.key:
            raise InvalidInputError(f"idempotency[{number}].key", "this must not be empty")
        _check_answer(record.answer, f"idempotency[{number}].answer")


def _check_head(snapshot: Snapshot) -> None:
    for number, tenant_id in enumerate(snapshot.tenants):
        _check_id(tenant_id, f"tenants[{number}]")
    _check_unique(("tenants[{}]", tenant_id) for tenant_id in snapshot.tenants)
    if snapshot.main_tenant not in snapshot.tenants:
        raise InvalidInputError("main_tenant", "this must be one of the tenants")
    known = [release.version for release in snapshot.versions]
    if not known or len(set(known)) < len(known) or not all(map(is_dated, known)):
        raise InvalidInputError("versions", "there must be at least one, each a date of its own, as in 2027-01-01")


def _check_tokens(snapshot: Snapshot) -> None:
    known = {release.version for release in snapshot.versions}
    for number, token in enumerate(snapshot.tokens):
        place = f"tokens[{number}]"
        _check_id(token.id, f"{place}.id")
        _check_place(token.sequence, f"{place}.sequence")
        if token.default_version not in known:
            raise InvalidInputError(f"{place}.default_version", "this must be one of the versions")
        if not token.secrets:
            raise InvalidInputError(f"{place}.secrets", "a token has at least one")
        if not 0 <= token.grant.aal <= _LARGEST_AAL:
            raise InvalidInputError(f"{place}.grant.aal", f"this must be a whole number from 0 to {_LARGEST_AAL}")
    _check_unique(("tokens[{}].id", token.id) for token in snapshot.tokens)
    _check_unique(("tokens[{}].sequence", token.sequence) for token in snapshot.tokens)
    digests = ((number, secret.digest) for number, token in enumerate(snapshot.tokens) for secret in token.secrets)
    seen: dict[str, int] = {}
    for number, digest in digests:
        if seen.setdefault(digest, number) != number:
            raise InvalidInputError(f"tokens[{number}].secrets", "another token has one of these too: leave one out")


def _check_entries(snapshot: Snapshot) -> None:
    _check_unique(("actors[{}].tenant_id", actors.tenant_id) for actors in snapshot.actors)
    _check_unique(("objects[{}]", (each.tenant_id, each.environment)) for each in snapshot.objects)
    for number, actors in enumerate(snapshot.actors):
        _check_kind(Resource.ACTOR, actors.entries, f"actors[{number}].entries")
    for number, objects in enumerate(snapshot.objects):
        _check_place(objects.sequence, f"objects[{number}].sequence")
        for kind, entries in objects.kinds.items():
            if kind in _ELSEWHERE:
                message = "what is of this kind is kept elsewhere: leave the member out"
                raise InvalidInputError(f"objects[{number}].kinds.{kind}", message)
            _check_kind(kind, entries, f"objects[{number}].kinds.{kind}")
    _check_unique(("actors, at {},", entry.sequence) for actors in snapshot.actors for entry in actors.entries)


def _check_kind(kind: Resource, entries: list[Entry], place: str) -> None:
    for number, entry in enumerate(entries):
        if not isinstance(entry.value.get("id"), str):
            raise InvalidInputError(f"{place}[{number}].value.id", "every object has an id, which is a string")
        check_object(kind, entry.value, f"{place}[{number}].value")
        _check_place(entry.sequence, f"{place}[{number}].sequence")
    _check_unique((place + "[{}].value.id", entry.value["id"]) for entry in entries)
    _check_unique((place + "[{}].sequence", entry.sequence) for entry in entries)


def _check_answer(answer: AnswerState, place: str) -> None:
    if not _LOWEST_STATUS <= answer.status <= _HIGHEST_STATUS:
        raise InvalidInputError(f"{place}.status", f"this must be from {_LOWEST_STATUS} to {_HIGHEST_STATUS}")
    for number, (name, value) in enumerate(answer.headers):
        if not _HEADER.fullmatch(name) or name.lower() in FRAMING_HEADERS or not HEADER_VALUE.fullmatch(value):
            message = "this must be a name and a value of one line, and none of " + ", ".join(sorted(FRAMING_HEADERS))
            raise InvalidInputError(f"{place}.headers[{number}]", message)


def _check_id(text: str, place: str) -> None:
    if not re.fullmatch(ID_PATTERN, text):
        raise InvalidInputError(place, f"this must be {ID_WANTED}")


def _check_place(number: int, place: str) -> None:
    if not 0 <= number < LARGEST_PLACE:
        raise InvalidInputError(place, "this must be a whole number from 0 to 2**53")


def _check_unique(named: Iterable[tuple[str, Hashable]]) -> None:
    """Raise `InvalidInputError` for the first value that was there before; `{}` in its place is its number."""
    seen: set[Hashable] = set()
    for number, (place, value) in enumerate(named):
        if value in seen:
            raise InvalidInputError(place.format(number), "this is there twice: leave one out")
        seen.add(value)


def _tenants_named(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Every place that names a tenant."""
    yield from ((f"tokens[{i}].grant.tenant_id", token.grant.tenant_id) for i, token in enumerate(snapshot.tokens))
    yield from ((f"actors[{i}].tenant_id", actors.tenant_id) for i, actors in enumerate(snapshot.actors))
    yield from ((f"objects[{i}].tenant_id", objects.tenant_id) for i, objects in enumerate(snapshot.objects))
    yield from ((f"agenda[{i}].tenant_id", due.tenant_id) for i, due in enumerate(snapshot.agenda))


def _moments(snapshot: Snapshot) -> Iterator[tuple[str, float]]:
    """Every place that names a time."""
    yield "clock.epoch", snapshot.clock.epoch
    yield from ((f"versions[{i}].shipped", release.shipped) for i, release in enumerate(snapshot.versions))
    yield from ((f"idempotency[{i}].first_used", each.first_used) for i, each in enumerate(snapshot.idempotency))
    yield from ((f"agenda[{i}].at", due.at) for i, due in enumerate(snapshot.agenda))
    for number, token in enumerate(snapshot.tokens):
        yield f"tokens[{number}].created_at", token.created_at
        later = (("rotated_at", token.rotated_at), ("revoked_at", token.revoked_at))
        yield from ((f"tokens[{number}].{name}", at) for name, at in later if at is not None)
        ends = ((i, secret.expires_at) for i, secret in enumerate(token.secrets))
        yield from ((f"tokens[{number}].secrets[{i}].expires_at", at) for i, at in ends if at is not None)
