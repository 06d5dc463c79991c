"""The audit log, where one can be read: what it says of one request of this test."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Final

from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, Inapplicable, Unobservable, Violation
from paylera_conformance.probe.answers import require_token_id
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.requests import PAGES
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import PAGE_DEFAULT

_LOG: Final = BY_ID["list_audit_records"]
_PAUSES: Final = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds before each look into the log: no source says that a record is there before the answer is."""

_LATE: Final = f"where records are written more than {sum(_PAUSES):.0f} s after the answer, this reads the log too soon"


def record_mentions(record: dict[str, Any], identifier: str) -> bool:
    """Whether an id stands anywhere in a record, not as a part of a longer word."""
    whole = rf"(?<![A-Za-z0-9_-]){re.escape(identifier)}(?![A-Za-z0-9_-])"
    return re.search(whole, json.dumps(record, ensure_ascii=False)) is not None


def expect_recorded(probe: Probe, request: Request, *, actor: str = "") -> list[dict[str, Any]]:
    """The records that an accepted request adds to the log and that name its token.

    They are recognised as new, since nothing says by what a record names its request. Raises `Violation` where there
    is none, `Unobservable` where no log can be read, `Blocked` where the token's id is not known.

    - `actor`: one that names this actor too is waited for; the record of an earlier request may come late.
    """
    token_id = require_token_id(request.token)
    before = {json.dumps(record, sort_keys=True) for record in _read_log(probe)}
    probe.require_proven(request)
    for pause in _PAUSES:
        time.sleep(pause)
        log = _read_log(probe)
        new = [record for record in log if json.dumps(record, sort_keys=True) not in before]
        own = [record for record in new if record_mentions(record, token_id)]
        if own and (not actor or any(record_mentions(record, actor) for record in own)):
            return own
    if own:
        return own
    if len(log) >= PAGES * PAGE_DEFAULT:
        raise Blocked("the audit log is too long to be read to its end, and does not begin with the newest records")
    raise Violation(
        f"a new record in {_LOG} that names the token by its id",
        f"{len(new)} new records, and none names it",
        hint=_LATE,
        exchange=probe.log[-1],
    )


def require_recorded(probe: Probe, request: Request) -> None:
    """A record that another clause asks for, and that is only waited for here. Raises `Blocked` where none comes."""
    try:
        expect_recorded(probe, request)
    except Violation as missing:
        raise Blocked(
            "a request on somebody's behalf left no record that names its token (see acting-as.audited)",
            exchange=missing.exchange,
        ) from None


def _read_log(probe: Probe) -> list[dict[str, Any]]:
    try:
        return list(probe.factory.list_entries(_LOG, probe.tokens.admin))
    except Inapplicable:
        raise Unobservable(f"no audit log can be read: the target has no {_LOG}, and no source names another") from None


def format_records(records: list[dict[str, Any]]) -> str:
    """Records as a message shows them."""
    return "; ".join(json.dumps(record, ensure_ascii=False) for record in records)
