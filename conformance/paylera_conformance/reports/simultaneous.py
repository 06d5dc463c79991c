"""Which requests were sent at the same moment, as some cases do: found by when each was sent and answered."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from paylera_conformance.model.messages import ExchangeRecord


def group_simultaneous(records: Sequence[ExchangeRecord]) -> list[list[int]]:
    """The numbers of records in groups: the same request, sent again before it was answered, is of one group.

    The groups are in the order in which their last request was sent.
    """
    groups: list[list[int]] = []
    under_way: dict[Any, tuple[list[int], datetime]] = {}
    for number in sorted(range(len(records)), key=lambda each: records[each].at):
        record = records[number]
        same = (record.method, record.url, record.headers, record.body)
        group: list[int] = []
        with suppress(ValueError):  # an old report may lack the time
            begin = datetime.fromisoformat(record.at)
            end = begin + timedelta(seconds=record.seconds)
            before, last = under_way.get(same, (group, begin))
            group = before if begin < last else group
            under_way[same] = (group, max(last, end))
        if not group:  # it begins one
            groups.append(group)
        group.append(number)
    return sorted(groups, key=lambda group: group[-1])
