"""What a changed request is compared with: the same one as it was accepted, before and after it.

It is found in the evidence of the case alone: what was accepted, and differs from the changed request in one part. So
whatever a case was to change, what is shown as the difference is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from paylera_conformance.http.habits import HABITS
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.answers import CHANCE
from paylera_fixtures.clauses import BY_ID
from paylera_fixtures.vocabulary import Header

_TIME: Final = "time"
_METHOD: Final = "method"
_PATH: Final = "path"
_HEADER: Final = "header"
_BODY: Final = "body"
_CREDENTIAL: Final = f"{_HEADER} {Header.AUTHORIZATION}".lower()
_KEY: Final = f"{_HEADER} {Header.IDEMPOTENCY_KEY}".lower()
_USER_AGENT: Final = f"{_HEADER} user-agent"
_HABITS: Final = frozenset(f"{_HEADER} {name}".lower() for habit in HABITS.values() for name, _ in habit)
_ID: Final = re.compile(r"[\w-]*\d[\w-]*")

_OF_CREDENTIALS: Final = frozenset({"credential", "scope", "aal2", "rotation", "revocation"})
"""Groups of clauses whose changed request has another credential, or the same one at another time."""

_JUDGED: Final = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.WARN})
_AT_ONCE: Final = timedelta(minutes=1)
"""Two requests between which no more passed by the target's clock were sent at one time."""

_MOST: Final = 2
"""So many parts may differ where one is the credential: it may have been sent elsewhere in the request."""


@dataclass(frozen=True)
class Comparison:
    """A changed request, and the accepted ones beside it.

    - `before`, `after`: `None` where there was none;
    - `differs`: the parts in which they differ: `header Authorization`, `body lines[0].quantity`, `method`, `path`,
      `query` or `time`;
    - `drawn`: the parts that are another in every request: a key, an id or a name that nothing else has.
    """

    before: ExchangeRecord | None
    changed: ExchangeRecord
    after: ExchangeRecord | None
    differs: tuple[str, ...]
    drawn: tuple[str, ...]


@dataclass(frozen=True)
class _Accepted:
    """An accepted request beside the changed one, `distance` places after it."""

    record: ExchangeRecord
    differs: tuple[str, ...]
    drawn: tuple[str, ...]
    distance: int


def _order(accepted: _Accepted) -> tuple[bool, int, bool, bool, int, int]:
    """The better one is the smaller: it differs in the credential and in little else, and stands near."""
    differs, drawn = accepted.differs, accepted.drawn
    is_other = (_CREDENTIAL not in differs, len(differs), _TIME in differs, _USER_AGENT in drawn)
    return *is_other, len(drawn), abs(accepted.distance)


def compare(case: CaseResult) -> Comparison | None:
    """The comparison that a case rests on; `None` where its exchanges have none.

    Which request was the changed one is said of a violation; of a pass it is the first that was refused.
    """
    if case.outcome not in _JUDGED:
        return None
    ordered = sorted(case.exchanges, key=lambda record: record.at)
    is_changed = _is_refused if case.outcome is Outcome.PASS else _is_deciding
    place = next((place for place, record in enumerate(ordered) if is_changed(record)), None)
    return None if place is None else _compare_at(place, ordered, group=BY_ID[case.clause].group)


def _is_accepted(record: ExchangeRecord) -> bool:
    return 200 <= record.answer.status < 300  # noqa: PLR2004 - RFC 9110, section 15.3


def _is_deciding(record: ExchangeRecord) -> bool:
    return record.deciding


def _is_refused(record: ExchangeRecord) -> bool:
    return 400 <= record.answer.status < 500  # noqa: PLR2004 - RFC 9110, section 15.5


def _compare_at(place: int, ordered: Sequence[ExchangeRecord], *, group: str) -> Comparison | None:
    changed = ordered[place]
    parts = _parts(changed)
    found = [
        each
        for number, record in enumerate(ordered)
        if number != place and _is_accepted(record)
        for each in _beside(changed, record, parts, distance=number - place)
        if group not in _OF_CREDENTIALS or not {_CREDENTIAL, _TIME}.isdisjoint(each.differs)
    ]
    if not found:
        return None
    best = min(found, key=_order)
    alike = [each for each in found if set(each.differs) == set(best.differs)]
    before = min((each for each in alike if each.distance < 0), key=_order, default=None)
    after = min((each for each in alike if each.distance > 0), key=_order, default=None)
    beside = [each for each in (before, after) if each]
    spelled = {_header(name): f"{_HEADER} {name}" for each in beside for name, _ in each.record.headers}
    spelled |= {_header(name): f"{_HEADER} {name}" for name, _ in changed.headers}
    drawn = dict.fromkeys(name for each in beside for name in each.drawn)
    return Comparison(
        before=before.record if before else None,
        changed=changed,
        after=after.record if after else None,
        differs=tuple(spelled.get(name, name) for name in best.differs),
        drawn=tuple(spelled.get(name, name) for name in drawn),
    )


def _beside(
    changed: ExchangeRecord, record: ExchangeRecord, parts: Mapping[str, Any], *, distance: int
) -> Iterator[_Accepted]:
    """An accepted request where so little differs that the changed one can be compared with it."""
    others = _parts(record)
    names = [name for name in {**others, **parts} if parts.get(name) != others.get(name)]
    if _BODY in names:  # one of them has no members
        names = [name for name in names if not name.startswith(f"{_BODY} ")]
    by_client = _HABITS if _USER_AGENT in names else frozenset()
    drawn = [name for name in names if name in by_client or _is_drawn(name, parts.get(name), others.get(name))]
    differs = [name for name in names if name not in drawn] + [_TIME] * _is_at_another_time(changed, record)
    # Where nothing else differs, it is the object that is named or made.
    differs = differs or [name for name in drawn if name not in _HABITS | {_KEY}]
    is_elsewhere = _CREDENTIAL in differs and {_PATH, _METHOD}.isdisjoint(differs)
    if 1 <= len(differs) <= (_MOST if is_elsewhere else 1):
        yield _Accepted(record, tuple(differs), tuple(name for name in drawn if name not in differs), distance)


def _is_drawn(name: str, value: Any, other: Any) -> bool:
    """Whether a part is another in every request, and says nothing."""
    if value is None or other is None:
        return False
    if name == _PATH:
        return bool(_ID.sub("", value) == _ID.sub("", other))
    return name == _KEY or (name.startswith(_BODY) and bool(CHANCE.sub("", value) == CHANCE.sub("", other)))


def _is_at_another_time(one: ExchangeRecord, other: ExchangeRecord) -> bool:
    try:
        passed = datetime.fromisoformat(one.target_time) - datetime.fromisoformat(other.target_time)
    except (ValueError, TypeError):  # it is not known
        return False
    return abs(passed) > _AT_ONCE


def _parts(record: ExchangeRecord) -> dict[str, Any]:
    """What a request consists of, by name; the names of headers are in lower case."""
    path, _, query = record.url.partition("?")
    parts: dict[str, Any] = {_METHOD: record.method, _PATH: path, "query": query}
    for name, value in record.headers:
        parts.setdefault(_header(name), []).append(value)
    parts.pop(_header("Content-Length"), None)  # it follows from the body
    try:
        body = json.loads(record.body or "null")
    except (ValueError, RecursionError):
        body = record.body
    return parts | dict(_leaves(body, ""))


def _header(name: str) -> str:
    return f"{_HEADER} {name}".lower()


def _leaves(value: object, place: str) -> Iterator[tuple[str, str]]:
    """The members of a body by their places, as `body lines[0].quantity`, and their values as JSON."""
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(member, f"{place}.{name}" if place else name)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            yield from _leaves(item, f"{place}[{number}]")
    else:
        yield f"{_BODY} {place}".strip(), json.dumps(value)
