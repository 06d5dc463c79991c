"""Questions about what was called: the mock's own call, answered without a lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, structs

from paylera_mock.control.request import ControlRequest
from paylera_mock.control.targets import check_method, check_route, check_token
from paylera_mock.core.typed_json import InvalidInputError
from paylera_mock.journal.verify import (
    CountRange,
    RequestPattern,
    RequestVerification,
    RetryPattern,
    Times,
    verify_calls,
    verify_order,
    verify_retries,
)


class VerifyBody(RequestPattern, kw_only=True):
    """One of three questions: a request and how many `times` it came; or `order` alone; or `retried` alone."""

    times: Times = CountRange(1)
    order: (
        Annotated[list[RequestPattern], Meta(min_length=1, max_length=100, description="a list of 1 to 100 steps")]
        | UnsetType
    ) = UNSET
    retried: RetryPattern | UnsetType = UNSET


def verify_requests(call: ControlRequest, body: VerifyBody) -> RequestVerification:
    """`POST C/verify`: whether a request came so often; or requests in an `order`; or one was `retried` as wanted.

    Raises `InvalidInputError` for members that do not go together, for a range in which no number is, and for a method,
    a route or a token that does not exist, about which every answer would be empty.
    """
    alone = next((name for name in ("order", "retried") if name in call.body), None)
    beside = next((name for name in call.body if name != alone), None)
    if alone and beside:
        raise InvalidInputError(beside, f"this does not go with `{alone}`: leave one of them out")
    for place, pattern in _patterns(body):
        check_method(f"{place}method", pattern.method)
        check_route(f"{place}route", pattern.route, [call.namespace])
        check_token(f"{place}token", pattern.token, [call.namespace])
    entries = call.namespace.journal.entries()
    if body.order is not UNSET:
        verification = verify_order(entries, body.order)
    elif body.retried is not UNSET:
        attempts = _range_of("retried.attempts", body.retried.attempts)
        verification = verify_retries(entries, body.retried, attempts)
    else:
        verification = verify_calls(entries, body, _range_of("times", body.times))
    return structs.replace(verification.without_secrets(), dropped=call.namespace.journal.dropped_count)


def _patterns(body: VerifyBody) -> Iterator[tuple[str, RequestPattern]]:
    """Every request that a question is about, with what its members' places begin with."""
    yield "", body
    for index, step in enumerate(body.order or ()):
        yield f"order[{index}].", step
    if body.retried is not UNSET:
        yield "retried.", body.retried


def _range_of(place: str, times: int | CountRange) -> CountRange:
    """How often something is to have come. Raises `InvalidInputError` for a range in which no number is."""
    if isinstance(times, int):
        return CountRange(times, times)
    if times.high is not UNSET and times.high < times.low:
        raise InvalidInputError(f"{place}.max", "this must not be less than min")
    return times
