"""How much is too much: what answers say of it, and the refusal (Rate limits page)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import pytest

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.probe import recording
from paylera_conformance.probe.marks import covers
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import RATE_LIMITED
from paylera_conformance.scenarios.changes import ABSENT_ID
from paylera_conformance.scenarios.further_cases import drop_where_blocked
from paylera_conformance.scenarios.problem_checks import expect_media_type, expect_members
from paylera_conformance.scenarios.versions import is_supported
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import Header

LIST: Final = BY_ID["list_customers"]
LIMITED: Final = (LIST, BY_ID["list_webhook_endpoints"])
"""One of each group of routes that may be read."""

RATE_HEADERS: Final = (Header.RATE_LIMIT, Header.RATE_REMAINING, Header.RATE_RESET)

EPOCH_AT_LEAST: Final = 1_000_000_000
"""A number below is no time since 1970 but a count of seconds to wait."""

MOST: Final = 1000
"""Requests by which the suite tries to get over a limit, at the most."""

LONG_WINDOW: Final = 120
"""Seconds after which nothing that was sent before should count any more."""

WINDOW: Final = 1.0
"""Seconds of the shortest window there can be: limits are given by the second (reference, Rate limits)."""


def read(probe: Probe) -> Exchange:
    """The answer to an accepted read."""
    return probe.require_proven(probe.factory.request_for(LIST))


def refuse(probe: Probe) -> Exchange:
    """The refusal of a known token, whose tenant is charged for it."""
    return probe.send(ABSENT_ID.apply(probe, read(probe).request))


# No answer to a request without a good token: there is no tenant whose quota it could tell.
@covers("rate-limit.headers")
@pytest.mark.parametrize("get", [read, refuse], ids=["read", "refusal"])
def test_answers_say_how_much_is_left(probe: Probe, get: Callable[[Probe], Exchange]) -> None:
    """A client can slow down before it is refused, whatever it is answered."""
    expect_rate_headers(probe, get(probe))


@covers("rate-limit.headers", mode=Mode.SANDBOX)
def test_writes_say_how_much_is_left(probe: Probe) -> None:
    """Writes have a limit of their own."""
    expect_rate_headers(probe, probe.require_proven(probe.factory.request_for(BY_ID["create_customer"])))


def expect_rate_headers(probe: Probe, exchange: Exchange) -> None:
    """The three headers are there, whole numbers, and make sense together."""
    numbers = {name: read_whole_number(exchange, name) for name in RATE_HEADERS}
    absent = [name for name, number in numbers.items() if number is None]
    probe.expect(exchange, "whole numbers in all three", holds=not absent, got=f"none in {', '.join(absent)}")
    limit, left, reset = (number or 0 for number in numbers.values())
    wanted = f"{Header.RATE_REMAINING} from 0 to {Header.RATE_LIMIT}"
    probe.expect(exchange, wanted, holds=0 <= left <= limit, got=f"{left} of {limit}")
    probe.expect(
        exchange,
        f"{Header.RATE_RESET} in seconds since 1970",
        holds=reset >= EPOCH_AT_LEAST,
        got=reset,
        hint="it is the instant of the refill, not the time until then",
    )


def read_whole_number(exchange: Exchange, name: str) -> int | None:
    """A header's value where it is a whole number that is not negative."""
    value = exchange.response.header(name) or ""
    return int(value) if value.isascii() and value.isdigit() else None


@covers("rate-limit.refusal", mode=Mode.FULL)
def test_too_much_is_refused_with_the_time_to_wait(probe: Probe) -> None:
    """A client that is told how long to wait need not guess, and is served once it has waited."""
    probe.provisioner.enforce_rate_limits()
    expect_limited(probe, most_limited_request(probe, LIMITED))


@covers("rate-limit.refusal", mode=Mode.FULL, each_operation=True)
def test_too_many_writes_are_refused_too(probe: Probe) -> None:
    """They have a limit of their own, and may be let through by what counts reads; changes make nothing."""
    with drop_where_blocked():
        probe.provisioner.enforce_rate_limits()
        expect_limited(probe, most_limited_request(probe, [BY_ID["update_customer"]]))


def expect_limited(probe: Probe, request: Request) -> None:
    """Too many of an accepted request are refused as the clause says, until it has waited. Raises `Violation`."""
    refusal = send_until_refused(probe, request)
    change = "one request more than the limit"
    RATE_LIMITED.check(refusal, change=change)
    note_other_flaws(probe, refusal)
    wait = read_whole_number(refusal, Header.RETRY_AFTER)
    probe.expect(
        refusal,
        f"{Header.RETRY_AFTER} in whole seconds",
        holds=wait is not None,
        got=refusal.response.header(Header.RETRY_AFTER),
        change=change,
    )
    expect_served_after(probe, request, wait or 0)


def note_other_flaws(probe: Probe, refusal: Exchange) -> None:
    """What other clauses say of every error, this one included, which is too dear to be had for each of them."""
    for clause, expect in OF_EVERY_ERROR.items():
        try:
            expect(probe, refusal)
        except Violation as violation:
            probe.seen.append((clause, violation))


def expect_echo(probe: Probe, error: Exchange) -> None:
    """An error names a supported version (clause version.echo). Raises `Violation`."""
    echo = error.response.header(Header.VERSION)
    wanted = f"{Header.VERSION} with a supported version"
    probe.expect(error, wanted, holds=is_supported(probe, echo), got=echo or "no such header")


OF_EVERY_ERROR: Final = {
    "problem.members-everywhere": expect_members,
    "problem.media-type": expect_media_type,
    "version.echo": expect_echo,
    "rate-limit.headers": expect_rate_headers,
}
"""What is looked at in a 429, by the clause that says so of every answer or error."""


def most_limited_request(probe: Probe, operations: Iterable[Operation]) -> Request:
    """An accepted request of the group of routes that has the lowest limit, since that is used up soonest."""
    by_limit: dict[int, Request] = {}
    for operation in operations:
        request = probe.factory.request_for(operation)
        limit = read_whole_number(probe.send(request), Header.RATE_LIMIT)
        if limit is not None:
            by_limit.setdefault(limit, request)
    if not by_limit:
        raise Blocked(f"no answer says the limit in {Header.RATE_LIMIT} (see rate-limit.headers)")
    return probe.require_proven(by_limit[min(by_limit)]).request


def send_until_refused(probe: Probe, request: Request) -> Exchange:
    """Send a request until it is no longer accepted.

    Where time stands still the limit is exact; else a window may end while it is used up. Raises `Violation` where
    more were accepted than the limit lets in the time they took, `Blocked` where they were not sent fast enough to
    tell.
    """
    stands_still = probe.provisioner.stands_still
    if stands_still:
        probe.provisioner.advance(LONG_WINDOW)
    started = recording.stopwatch()
    limit = read_whole_number(probe.send(request), Header.RATE_LIMIT) or 0
    beyond = limit if stands_still else 2 * limit
    for _ in range(min(beyond, MOST)):
        exchange = probe.send(request, wait_on_429=False)
        if not exchange.response.ok:
            return exchange
    if beyond > MOST or not (stands_still or recording.stopwatch() - started < WINDOW):
        raise Blocked(f"the limit of {limit} was not passed: the suite does not send that fast (see --rps)")
    raise Violation(
        "429 rate_limit.exceeded",
        f"{beyond + 1} accepted",
        change=f"more requests than the limit of {limit} lets",
        exchange=probe.log[-1],
    )


def expect_served_after(probe: Probe, request: Request, seconds: int) -> None:
    """The same request is accepted again after the wait: that it came too often was its only flaw."""
    if probe.provisioner.stands_still:
        probe.provisioner.advance(seconds)
        again = probe.send(request, wait_on_429=False)
        probe.expect(
            again,
            "no 429 after the wait that was told",
            holds=not RATE_LIMITED.accepts(again.response),
            change=f"the same request {seconds} s later",
        )
    probe.require_accepted(request)
    probe.proofs += 1
