"""Verbs for clauses that say what an answer holds, or that a change makes no difference.

What such a clause rests on is no part of it: where that is missing the case is blocked, and another clause fails.
"""

from __future__ import annotations

from dataclasses import replace

from paylera_conformance.model.messages import FRESH_KEY, Exchange, Request
from paylera_conformance.model.outcomes import Blocked, Violation
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import Refusal, describe


def proven(probe: Probe, request: Request) -> Exchange:
    """A request that is accepted, and refused without its credential, so that its answer tells something.

    Raises `Blocked` where either is not so.
    """
    bare = _bare(probe, request)
    exchange = probe.control(request)
    _count(probe, bare)
    return exchange


def accepts_like(probe: Probe, changed: Request, *, control: Request, change: str, hint: str = "") -> Exchange:
    """The clause is that `control` with one change is accepted as well. Both may use up an object of their own.

    Raises `Violation` where it is refused and the control is not; `Blocked` where both are, or where the same is
    accepted without credential.
    """
    exchange = probe.send(changed)
    if not exchange.response.ok:
        probe.control(control)
        raise Violation("a 2xx", describe(exchange.response), change=change, hint=hint, exchange=exchange)
    # Afterwards, since what it is refused may have happened all the same.
    _count(probe, _bare(probe, changed))
    return exchange


def refused_somehow(probe: Probe, changed: Request, *, control: Request, change: str, see: str) -> Exchange:
    """A refusal, for whatever reason, that another clause asks for: `see`. Raises `Blocked` where there is none."""
    try:
        return probe.refuses(changed, control=control, as_=refusals.ANY_REFUSAL, change=change)
    except Violation as other:
        raise Blocked(
            f"{change}: this was answered {other.got}, so there is no refusal to look at (see {see})",
            exchange=other.exchange,
        ) from None


def refusal_of(probe: Probe, request: Request, *, change: str, see: str) -> Refusal:
    """How a request is refused, as what another is to be refused like. Raises `Blocked` where it is not."""
    exchange = probe.send(request)
    if not exchange.response.refused:
        raise Blocked(
            f"{change}: this was answered {describe(exchange.response)}, so there is no refusal to go by (see {see})",
            exchange=exchange,
        )
    problems = () if exchange.response.problem is None else (exchange.response.problem,)
    return Refusal(frozenset({exchange.response.status}), problems, needs_problem=False)


def _bare(probe: Probe, request: Request) -> Exchange:
    # Under a key of its own: a server that keeps answers for strangers too must not find this one in its way.
    key = None if request.key is None else FRESH_KEY
    return probe.send(replace(request.without_token(), key=key, consumes=False))


def _count(probe: Probe, bare: Exchange) -> None:
    if not refusals.MISSING.accepts(bare.response):
        raise Blocked(
            f"{bare.request} without credential was answered {describe(bare.response)}, not {refusals.MISSING}: "
            "that it is accepted with one proves nothing (see credential.missing)",
            exchange=bare,
        )
    probe.proofs += 1
