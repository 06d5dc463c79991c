"""What a case sent at which time of the target's clock, where that was moved."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import ExchangeRecord

_ADVANCE: Final = "/clock/advance"
_NAMED: Final = 6
"""So many requests of a stop are named, and the one that decided; of the others the statuses are counted."""


@dataclass
class Stop:
    """What was sent between two moves of the target's clock.

    - `moves`, `seconds`: how often the clock was moved before it, and how far in all; 0 for the first stop;
    - `sent`: the requests in order.
    """

    moves: int = 0
    seconds: float = 0
    sent: list[ExchangeRecord] = field(default_factory=list)

    @property
    def named(self) -> list[ExchangeRecord]:
        """The requests that are named."""
        return self.sent[:_NAMED] + [record for record in self.sent[_NAMED:] if record.deciding]

    @property
    def others(self) -> dict[int, int]:
        """How many of the others were answered with which status."""
        counts = Counter(record.answer.status for record in self.sent)
        counts.subtract(record.answer.status for record in self.named)
        return dict(sorted((+counts).items()))


def timeline(case: CaseResult) -> list[Stop]:
    """The stops of a case in order, each with what was sent; none where its time was not moved.

    Moves between which the case sent nothing are one.
    """
    moves = [(call.at, seconds, call) for call in case.control_calls for seconds in _read_move(call)]
    sent = [(record.at, None, record) for record in case.exchanges]
    stops = [Stop()]
    for _, seconds, record in sorted([*moves, *sent], key=lambda event: event[0]):
        if seconds is None:
            stops[-1].sent.append(record)
            continue
        if stops[-1].sent or len(stops) == 1:
            stops.append(Stop())
        stops[-1].moves += 1
        stops[-1].seconds += seconds
    return [stop for stop in stops if stop.sent] if moves else []


def _read_move(call: ExchangeRecord) -> Iterator[float]:
    """By how many seconds a call of the control API moved the clock, if it did."""
    if call.method == "POST" and call.url.endswith(_ADVANCE) and call.answer.status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        try:
            seconds = json.loads(call.body or "")["seconds"]
        except (ValueError, KeyError, TypeError):
            return
        if isinstance(seconds, int | float):
            yield seconds
