"""Several processes behind one address: what one of them has learnt, all of them must know at once.

A process that keeps tokens in a cache of its own learns of the end of one late. So a token is used on many fresh
connections before it ends, and on as many at once afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe
from paylera_conformance.scenarios.token_uses import READS, READS_AS_CUSTOMER, TokenUse
from paylera_fixtures.api.operations import BY_ID
from paylera_fixtures.vocabulary import Audience

CONNECTIONS: Final = 24
"""So many fresh connections look: of two workers that are chosen by chance, one is missed once in eight million."""

USES: Final[Mapping[str, TokenUse]] = {
    "reads": READS,
    "changes": TokenUse("changes", lambda probe: probe.factory.request_for(BY_ID["update_customer"]), is_optional=True),
    "reads-as-customer": READS_AS_CUSTOMER,
    "reads-as-admin": TokenUse(
        "reads the Admin API",
        lambda probe: probe.factory.request_for(BY_ID["list_actors"]),
        Audience.ADMIN,
        is_optional=True,
    ),
}
"""What tokens are used for while the processes are compared: one may keep those of one audience, or of one route."""

_START_TOGETHER: Final = 60.0
"""Seconds that requests to be sent at the same moment wait for the last of them."""


_OVERLOADED: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""What stands before a server answers with one of these when too much comes at once (RFC 9110, 15.6.3 to 15.6.5)."""


def send_at_once(probe: Probe, request: Request, times: int) -> list[Exchange]:
    """Send one request several times at the same moment."""
    line = threading.Barrier(times)

    def send(_: int) -> Exchange:
        line.wait(_START_TOGETHER)
        return probe.send(request)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(send, range(times)))


def on_fresh_connections(probe: Probe, request: Request) -> list[Exchange]:
    """Send one request on many fresh connections at the same moment.

    What serves only so many at once may answer some with 502, 503 or 504: these are sent again, one after the other.
    Raises `Blocked` where they still are.
    """
    probe.connections += CONNECTIONS
    fresh = replace(request, fresh=True)
    answers = send_at_once(probe, fresh, CONNECTIONS)
    answers = [probe.send(fresh) if _is_overload(answer) else answer for answer in answers]
    overloaded = [answer for answer in answers if _is_overload(answer)]
    if overloaded:
        told = f"{describe(overloaded[0].response)} on {len(overloaded)} of {len(answers)} connections"
        raise Blocked(f"{told}: how these were to be answered is not to be told", exchange=overloaded[0])
    return answers


def _is_overload(answer: Exchange) -> bool:
    return answer.response.status in _OVERLOADED


def require_known_everywhere(probe: Probe, request: Request) -> None:
    """Use a token on every worker, so that each that keeps tokens has this one. Raises `Blocked`."""
    on_fresh_connections(probe, request)
    probe.require_accepted(request)


def expect_refused_everywhere(probe: Probe, request: Request, as_: Refusal, *, change: str, hint: str) -> None:
    """The clause is that a request is refused on every connection. Raises `Violation`."""
    answers = on_fresh_connections(probe, request)
    accepted = [answer for answer in answers if not as_.accepts(answer.response)]
    for answer in accepted[:1]:
        as_.check(answer, change=f"{change}; on {len(accepted)} of {len(answers)} connections", hint=hint)


def expect_accepted_everywhere(probe: Probe, request: Request, *, change: str, hint: str) -> None:
    """The clause is that a request is accepted on every connection. Raises `Violation`."""
    answers = on_fresh_connections(probe, request)
    refused = [answer for answer in answers if not answer.response.ok]
    probe.expect(
        (refused or answers)[0],
        "a 2xx on every connection",
        holds=not refused,
        got=f"{describe(refused[0].response)} on {len(refused)} of {len(answers)}" if refused else "",
        change=change,
        hint=hint,
    )
