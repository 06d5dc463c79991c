"""One changed call of the matrix: sent, judged, and kept with how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from paylera_conformance.matrix.calls import Call
from paylera_conformance.matrix.rules import Rule
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import Blocked, CaseEnd, NotOffered
from paylera_conformance.target.provisioner import Need


def end_of(check: Callable[[], None]) -> CaseEnd | None:
    """How a check ended; `None` where it held."""
    try:
        check()
    except CaseEnd as end:
        return end
    return None


@dataclass(frozen=True)
class Look:
    """One changed call, and how it ended."""

    end: CaseEnd | None
    exchanges: tuple[Exchange, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether the target accepted the changed call."""
        return any(exchange.response.ok for exchange in self.exchanges)


def look_at(rule: Rule, call: Call) -> Look:
    """Change an accepted call as a rule says, send it and judge the answer."""
    begin = len(call.population.asked)
    look = _send_changed(rule, call)
    kinds = call.population.asked[begin:]
    return replace(look, needs=tuple(need for kind in kinds for need in call.population.needs_of(kind)))


def _send_changed(rule: Rule, call: Call) -> Look:
    try:
        changed = rule.change(call)
    except Blocked as missing:
        return Look(NotOffered(missing.reason, exchange=missing.exchange) if rule.is_optional else missing)
    except CaseEnd as end:
        return Look(end)
    try:
        exchange = call.probe.send(changed)
        beside = rule.find_control(call, exchange)
        control = call.probe.send(beside) if beside else None
    except CaseEnd as end:
        return Look(end)
    exchanges = (exchange, control) if control else (exchange,)
    return Look(end_of(partial(rule.judge, call, *exchanges)), exchanges)
