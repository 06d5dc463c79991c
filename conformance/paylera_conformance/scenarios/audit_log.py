"""The audit log, where one can be read: what it says of one request of this test."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, TypeAlias

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Inapplicable, NotOffered, Unobservable, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe.answers import find_entries, require_token_id
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.requests import PAGES, SMALL_PAGES
from paylera_fixtures.api.operations import BY_ID

_LOG: Final = BY_ID["list_audit_records"]
_PAUSES: Final = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each look into the log: no source says that a record is there before the answer is."""

_SHORT_PAUSES: Final = _PAUSES[:4]
"""The same, where what is looked for need not be there at all."""

_OF_THE_RECORD: Final = frozenset({("id",), ("audit_record_id",)})
"""Where a record has its own id."""

_LATE: Final = f"where records are written more than {sum(_PAUSES):.0f} s after the answer, this reads the log too soon"


Place: TypeAlias = tuple[str, ...]
"""Where something stands in a record: the names of members, from the outside in."""


def record_mentions(record: dict[str, Any], identifier: str) -> bool:
    """Whether an id stands anywhere in a record, not as a part of a longer word; one that is a number, as a whole."""
    if identifier.isdecimal():
        return not places_of([record], identifier) <= _OF_THE_RECORD
    whole = rf"(?<![A-Za-z0-9_-]){re.escape(identifier)}(?![A-Za-z0-9_-])"
    return re.search(whole, json.dumps(record, ensure_ascii=False)) is not None


def places_of(records: Iterable[dict[str, Any]], identifier: str) -> frozenset[Place]:
    """Where an id stands in records, as a whole string or as a number."""
    return frozenset(place for record in records for place, text in _leaves(record) if text == identifier)


def _leaves(value: object, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, (*place, name))
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, place)
    else:
        yield place, str(value)


def expect_recorded(
    probe: Probe, request: Request, *, actor: str = "", reader: Credential | None = None
) -> list[dict[str, Any]]:
    """The records that an accepted request adds to the log and that name its token.

    They are recognised as new, since nothing says by what a record names its request. Raises `Violation` where there
    is none, `Unobservable` where no log can be read, `Blocked` where the token's id is not known.

    - `actor`: one that names this actor too is waited for; the record of an earlier request may come late;
    - `reader`: whose log it is, where it is not the own tenant's in the target's own environment.
    """
    token_id = require_token_id(request.token)
    before = {json.dumps(record, sort_keys=True) for record in _read_log(probe, reader)}
    probe.require_proven(request)
    for pause in _PAUSES:
        time.sleep(pause)
        log = _read_log(probe, reader)
        new = [record for record in log if json.dumps(record, sort_keys=True) not in before]
        own = [record for record in new if record_mentions(record, token_id)]
        if own and (not actor or any(record_mentions(record, actor) for record in own)):
            return own
    if own:
        return own
    if sum(1 for _ in probe.factory.list_pages(_LOG, reader or probe.tokens.admin)) >= PAGES:
        raise Blocked("the audit log is too long to be read to its end, and does not begin with the newest records")
    raise Violation(
        f"a new record in {_LOG} that names the token by its id",
        f"{len(new)} new records, and none names it",
        hint=_LATE,
        exchange=probe.log[-1],
    )


def expect_actor_recorded(
    probe: Probe, request: Request, actor: str, *, hint: str, reader: Credential | None = None
) -> None:
    """The clause is that the audit log names the token and the actor of an accepted request.

    Raises as `expect_recorded` does. `reader`: as there.
    """
    records = expect_recorded(probe, request.acting_as(actor), actor=actor, reader=reader)
    probe.expect(
        probe.log[-1],
        f"a record that names the token and the actor {actor}",
        holds=any(record_mentions(record, actor) for record in records),
        got=format_records(records),
        hint=hint,
    )


def require_recorded(probe: Probe, request: Request) -> list[dict[str, Any]]:
    """The records that another clause asks for, only waited for here. Raises `Blocked` where none comes."""
    try:
        return expect_recorded(probe, request)
    except Violation as missing:
        raise Blocked(
            "a request on somebody's behalf left no record that names its token (see acting-as.audited)",
            exchange=missing.exchange,
        ) from None


def expect_actor_left_out(probe: Probe, named: Request, unnamed: Request, actor: str) -> None:
    """The clause is that of two accepted requests, sent one right after the other, the second is not the actor's.

    Which record is whose request's is nowhere said. So one that names the token and no actor is waited for; where the
    records are as many as the requests, and each names the actor, there will be none.

    - `named`: sent on the actor's behalf; `unnamed`: by the same token, on nobody's.

    Raises `Violation`; `NotOffered` where the log has no record of both, `Unobservable` where it cannot be read.
    """
    if actor.isdecimal():
        raise NotOffered(f"where ids are numbers, not every {actor} in a record is the actor")
    token_id = require_token_id(unnamed.token)
    before = {json.dumps(record, sort_keys=True) for record in _read_log(probe)}
    probe.require_accepted(named)
    shown = probe.require_accepted(unnamed)
    for pause in _PAUSES:
        time.sleep(pause)
        new = [record for record in _read_log(probe) if json.dumps(record, sort_keys=True) not in before]
        own = [record for record in new if record_mentions(record, token_id)]
        if not all(record_mentions(record, actor) for record in own):
            probe.count_acceptance(probe.send_without_token(unnamed))
            return
    if len(own) < 2:  # noqa: PLR2004 - one for each of the two requests
        raise NotOffered(f"the audit log has no record of {unnamed} that could be read", exchange=shown)
    raise Violation(
        "a record that names the token and no actor",
        format_records(own),
        change="no X-Paylera-Acting-As, right after a request that had one",
        hint="the actor of an earlier request is not this one's",
        exchange=shown,
    )


def read_log_pages(probe: Probe) -> list[Exchange]:
    """The pages of the log, as they were answered; none where no log can be read."""
    with suppress(Blocked, Inapplicable):
        return list(probe.factory.list_pages(_LOG, probe.tokens.admin))
    return []


def read_grown_log(probe: Probe, before: list[Exchange], records: int) -> list[Exchange]:
    """The pages of the log when it has grown by so many records, or after a while in which it has not.

    - `before`: its pages before that; where there were none it is not read again, and where there were many only once.
    """
    pages = before
    pauses = _SHORT_PAUSES if len(before) <= SMALL_PAGES else _SHORT_PAUSES[-1:]
    for pause in pauses if before else ():
        time.sleep(pause)
        pages = read_log_pages(probe)
        if _count_records(pages) >= _count_records(before) + records:
            break
    return pages


def _count_records(pages: list[Exchange]) -> int:
    return sum(len(find_entries(page.response.json, _LOG.resource) or ()) for page in pages)


def _read_log(probe: Probe, reader: Credential | None = None) -> list[dict[str, Any]]:
    try:
        return list(probe.factory.list_entries(_LOG, reader or probe.tokens.admin))
    except Inapplicable:
        raise Unobservable(f"no audit log can be read: the target has no {_LOG}, and no source names another") from None


def format_records(records: list[dict[str, Any]]) -> str:
    """Records as a message shows them."""
    return "; ".join(json.dumps(record, ensure_ascii=False) for record in records)
