"""What a case sent at which time of the target's clock."""

from __future__ import annotations

import pytest

from helpers.compared_cases import move, rotated_case, sent
from helpers.report_cases import case_of
from paylera_conformance.model.case_results import CaseResult
from paylera_conformance.model.messages import ExchangeRecord
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.reports.timeline import timeline


def case_with(exchanges: list[ExchangeRecord], calls: list[ExchangeRecord]) -> CaseResult:
    """A case that passed."""
    return case_of("rotation.grace-holds", Outcome.PASS, exchanges=tuple(exchanges), control_calls=tuple(calls))


def test_moves_part_the_requests() -> None:
    """A stop for each time at which the clock stood."""
    case = rotated_case()
    first, second = timeline(case)
    assert (first.moves, first.seconds, first.sent) == (0, 0, [case.exchanges[0]])
    assert (second.moves, second.seconds, second.sent) == (1, 86401, list(case.exchanges[1:]))


def test_moves_without_a_request_between_are_one() -> None:
    """Also before the first request, and after the last one none."""
    calls = [move(1, 60), move(2, 0.5), move(4, 3600), move(5, 1), move(7)]
    stops = timeline(case_with([sent(3), sent(6)], calls))
    assert [(stop.moves, stop.seconds) for stop in stops] == [(2, 60.5), (2, 3601)]


@pytest.mark.parametrize(
    "call",
    [
        move(2, method="GET", body=None, url="http://target.test/_mock/clock"),
        move(2, method="POST", url="http://target.test/_mock/tokens"),
        sent(2, 409, url="http://target.test/_mock/clock/advance", body='{"seconds": 1}'),
        move(2, body="nothing that can be read"),
        move(2, body='{"seconds": "1"}'),
    ],
)
def test_other_calls_move_nothing(call: ExchangeRecord) -> None:
    """Nor does one that was refused, or cannot be read."""
    assert timeline(case_with([sent(1), sent(3)], [call])) == []


def test_many_requests_are_counted() -> None:
    """But for the first ones, and the one that decided."""
    exchanges = [sent(2 + number, 401) for number in range(10)] + [sent(20, deciding=True)]
    (stop,) = timeline(case_with(exchanges, [move(1)]))
    assert [record.answer.status for record in stop.named] == [401] * 6 + [200]
    assert stop.others == {401: 4}
