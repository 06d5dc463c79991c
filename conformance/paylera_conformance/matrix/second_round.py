"""What is dead stays dead: refused credentials once more, many times in a row, on other operations, and much later."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from paylera_conformance.matrix.population import Kind, Population
from paylera_conformance.model.messages import FRESH_KEY, Request
from paylera_conformance.model.outcomes import Blocked, NotOffered
from paylera_conformance.model.tokens import Credential, TokenState
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal
from paylera_fixtures.api.examples import example
from paylera_fixtures.api.operations import BY_ID, OPERATIONS
from paylera_fixtures.vocabulary import Audience

_FORGERIES: Final = 120
"""So many tokens that nobody issued are tried: a server that lets one in a hundred pass is seen more often than not."""

_IN_A_ROW: Final = 40
"""So often one credential is tried at the least."""

_EVERY: Final = 10
"""After so many refusals somebody else is accepted."""

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
INSTANTS: Final = ((60, _HOUR), (_HOUR, 20 * _HOUR), (2 * _DAY, 20 * _DAY), (366 * _DAY, 800 * _DAY))
"""How much later it is looked once more: one after the other, each at an instant drawn from between these seconds."""

_OTHERS: Final = 70
"""So many other tokens are revoked before that: who keeps the last few revocations has forgotten the first."""

_READS: Final = [operation for operation in OPERATIONS if operation.is_list and operation.customer_may]
_USES: Final = (*_READS, BY_ID["create_customer"])
_ADMIN_USES: Final = (*(each for each in OPERATIONS if each.is_list and each.is_admin), BY_ID["create_actor"])


@dataclass(frozen=True)
class Dead:
    """A kind of credential that is refused for good.

    - `state`: that of the credentials of the population which are such; `None` where each is made up.
    """

    words: str
    clause: str
    refusal: Refusal
    state: TokenState | None = None


DEAD: Final[Mapping[str, Dead]] = {
    "unknown": Dead("a token that nobody issued", "token.unknown", refusals.INVALID),
    "revoked": Dead("a token that was revoked", "token.revoked", refusals.INVALID, TokenState.REVOKED),
    "expired": Dead("a secret whose grace has ended", "rotation.grace-ends", refusals.EXPIRED, TokenState.EXPIRED),
}


def expect_dead(probe: Probe, population: Population, dead: Dead, draw: random.Random) -> None:
    """The clause is that such credentials are refused however often they are tried, and however much later.

    Raises `Violation` with the first use that was not refused; `NotOffered` where there is none to try.
    """
    uses = _uses(population, dead, draw)
    other = Request("GET", _READS[0].path, probe.tokens.service)
    probe.require_accepted(other)
    for number, (kind, use) in enumerate(uses):
        _expect_refused(probe, kind, use, dead, f"{dead.words}, tried for the {number + 1}. time")
        if number % _EVERY == 0:
            probe.begin_comparison()
            probe.require_accepted(other)
    if probe.provisioner.vanishes:  # it is nobody else's time that is moved
        _let_things_happen(population, dead)
        for least, most in INSTANTS:
            seconds = draw.randint(least, most)
            try:
                probe.clock.advance(seconds)
            except Blocked:
                break  # its clock goes no further: at how many instants it was looked is told
            for kind, use in draw.sample(uses, min(len(uses), _EVERY)):
                _expect_refused(probe, kind, use, dead, f"{dead.words}, tried {timedelta(seconds=seconds)} later")
    probe.require_accepted(other)
    probe.proofs += 1


def _let_things_happen(population: Population, dead: Dead) -> None:
    """What must not bring a token back: many others that are revoked, and a new version."""
    if dead.state is TokenState.REVOKED:
        population.revoke_others(_OTHERS)
    with suppress(Blocked):
        population.release()


def _expect_refused(probe: Probe, kind: Kind, use: Request, dead: Dead, change: str) -> None:
    # An old secret of a token that was revoked is revoked and over: the guide does not say which of them is told.
    refusal = refusals.ANY_REFUSAL if kind.history.is_old else dead.refusal
    refusal.check(probe.send(use), change=change, hint="what has ended must stay ended, whatever happened since")


def _uses(population: Population, dead: Dead, draw: random.Random) -> list[tuple[Kind, Request]]:
    """Requests by every such credential that there is, one of them many times in a row, each with what that is."""
    if dead.state is None:
        forged = [population.unknown(live=False) for _ in range(_FORGERIES)]
        return [(Kind(), _use(Kind(), token, draw)) for token in (*forged, *[forged[0]] * _IN_A_ROW)]
    made = population.made(dead.state)
    if not made:
        raise NotOffered(f"there is no such credential here: {dead.words}")
    others = draw.sample(made, len(made))
    return [(kind, _use(kind, token, draw)) for kind, token in (*others, *[draw.choice(made)] * _IN_A_ROW)]


def _use(kind: Kind, token: Credential, draw: random.Random) -> Request:
    operation = draw.choice(_ADMIN_USES if kind.audience is Audience.ADMIN else _USES)
    request = Request(operation.method, operation.path, token, live=kind.live)
    return request if operation.is_read else request.with_key(FRESH_KEY).with_json(example(operation.id))
