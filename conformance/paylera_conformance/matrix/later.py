"""Rules once more at the end of a run: many times in a row, after a release, and where time can be moved a year later.

What is said of dead credentials is in `second_round`; here it is live ones that may not do what they are used for.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from paylera_conformance.matrix.accepted import DEFAULT, expect_default
from paylera_conformance.matrix.calls import Call, CallFactory
from paylera_conformance.matrix.cells import Cell, dropped
from paylera_conformance.matrix.features import PLAIN, Features, History
from paylera_conformance.matrix.look import end_of, look_at
from paylera_conformance.matrix.population import Population
from paylera_conformance.matrix.rules import RULES, Rule
from paylera_conformance.matrix.second_round import DEAD, INSTANTS
from paylera_conformance.model.messages import Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd, NotOffered, Violation
from paylera_conformance.model.tokens import Credential
from paylera_conformance.probe import refusals
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation
from paylera_fixtures.vocabulary import Audience

LATER_RULES: Final[Mapping[str, Rule]] = {
    name: rule for name, rule in RULES.items() if name not in {*DEAD, "revoked-in-grace"}
}
"""The rules that are broken by what is alive, by their names."""

NEW_SECRET: Final = "new-secret"  # noqa: S105 - the name of a row, not a secret
"""The row of rotation.new-works: what a rotation gave is good for ever."""

USED_BEFORE: Final = "used-before"
"""The row of revocation.immediate: a token that was used on an operation is refused there by the next request."""

LATER: Final[Mapping[str, str]] = {
    **{name: rule.clause for name, rule in LATER_RULES.items()},
    DEFAULT.name: DEFAULT.clause,
    NEW_SECRET: "rotation.new-works",
    USED_BEFORE: "revocation.immediate",
}
"""What is looked at later, by name, with its clause."""

_ONCE: Final = frozenset(
    {
        "no-token",
        "malformed",
        "in-query",
        "in-header",
        "other-environment",
        "unknown-version",
        "foreign-actor",
        "other-tenant-in-body",
    }
)
"""The rules that are not tried many times in a row here: it is not one token that each try is by."""

_REVOKED: Final = "the token was revoked by the request before"
_KEPT: Final = "what is kept of a decision, for each token and route, must go when the token is revoked"
_IN_A_ROW: Final = 31
_ATTEMPTS: Final = 4
"""So many operations are tried in search of one that the target has."""


class LaterLook:
    """Looks at rules on operations that are drawn. `wanted`: the names of the rows; `cells`: by these."""

    def __init__(
        self,
        operations: Sequence[Operation],
        wanted: Collection[str],
        *,
        probe: Probe,
        calls: CallFactory,
        population: Population,
        draw: random.Random,
    ) -> None:
        # Where objects are found rather than made, a later session of the run needs those that there are.
        self._operations = [each for each in operations if probe.provisioner.vanishes or not _uses_up(each)]
        self._probe = probe
        self._calls = calls
        self._population = population
        self._draw = draw
        self._wanted = wanted
        # Whoever looks at the default alone needs some call that is accepted.
        self._rules = [rule for name, rule in LATER_RULES.items() if name in wanted] or [LATER_RULES["no-token"]]
        self._makes_tokens = probe.settings.driver == "control" and probe.settings.mode is Mode.FULL
        self.cells = {name: Cell() for name in (*LATER_RULES, DEFAULT.name, NEW_SECRET, USED_BEFORE)}

    def look(self) -> None:
        """Look at every rule, now and at some later instants."""
        for rule in self._rules:
            self._look_at(rule, 1 if rule.name in _ONCE else _IN_A_ROW, "many times in a row")
        if USED_BEFORE in self._wanted and self._makes_tokens:
            for audience in (Audience.SERVICE, Audience.ADMIN):
                self._look_at_used(audience)
        if not self._probe.provisioner.vanishes:  # it is nobody else's time that is moved
            return
        with suppress(CaseEnd):
            self._population.release()
        for least, most in INSTANTS:
            seconds = self._draw.randint(least, most)
            try:
                self._probe.clock.advance(seconds)
            except Blocked:
                return  # its clock goes no further
            for rule in self._draw.sample(self._rules, len(self._rules)):
                self._look_at(rule, 1, "later")
            if NEW_SECRET in self._wanted and self._makes_tokens:
                self._look_at_new_secret()

    def _look_at(self, rule: Rule, times: int, when: str) -> None:
        """Look at a rule so many times on one operation. A cell that nothing can be looked at for drops out."""
        fitting = [
            operation
            for operation in self._operations
            if rule.on(operation) and rule.applies(self._probe, operation, PLAIN)
        ]
        end: CaseEnd = NotOffered("no operation is here of which this rule says anything")
        for operation in self._draw.sample(fitting, min(len(fitting), _ATTEMPTS)):
            try:
                self._look_on(rule, operation, times, when)
            except CaseEnd as missing:
                end = dropped(missing)
            else:
                return
        self.cells[rule.name].ends.append(end)

    def _look_on(self, rule: Rule, operation: Operation, times: int, when: str) -> None:
        """Look at a rule on one operation. Raises `CaseEnd` where its accepted call is not to be had."""
        call = self._calls.call(operation)
        self._probe.begin_comparison()
        before = [] if call.request.consumes else [self._probe.require_accepted(call.request)]
        cell = self.cells[rule.name]
        for _ in range(times):
            look = look_at(rule, call)
            if look.is_accepted and call.request.consumes:
                call = self._calls.call(operation)
            if not isinstance(look.end, Violation | None):
                raise look.end
            if isinstance(look.end, Violation):
                break
        after = self._probe.require_accepted(call.request)
        cell.ends.append(_on(operation, look.end))
        cell.exchanges += [*before, *look.exchanges, after]
        cell.features.append(when)
        self._look_at_default(call, when)

    def _look_at_default(self, call: Call, when: str) -> None:
        cell, accepted = self.cells[DEFAULT.name], self._probe.log[-1]
        cell.ends.append(end_of(partial(expect_default, call, accepted)))
        cell.exchanges.append(accepted)
        cell.features.append(when)

    def _look_at_new_secret(self) -> None:
        """Look whether the newest secret of a token that was rotated is still accepted, where another token is."""
        listing = BY_ID["list_customers"]
        cell, begin = self.cells[NEW_SECRET], len(self._probe.log)
        try:
            self._probe.require_accepted(self._calls.call(listing).request)
            exchange = self._probe.send(self._calls.call(listing, Features(history=History.ROTATED)).request)
        except CaseEnd as end:
            cell.ends.append(dropped(end))
            return
        hint = "the grace is the old secret's: the new one has no end"
        ended = Violation("a 2xx for the new secret, later", describe(exchange.response), hint=hint, exchange=exchange)
        cell.ends.append(None if exchange.response.ok else ended)
        cell.exchanges += self._probe.log[begin:]
        cell.features.append("later")

    def _look_at_used(self, audience: Audience) -> None:
        """Have a token do everything that can be done again, revoke it, and ask for the same once more."""
        cell, begin = self.cells[USED_BEFORE], len(self._probe.log)
        accepted: list[Request] = []
        try:
            token = self._population.make_to_be_revoked(audience)
            for operation in self._operations:
                if audience in operation.audiences and (operation.is_admin or audience is Audience.SERVICE):
                    accepted += self._accept_again(operation, token)
            self._population.revoke(token)
        except CaseEnd as end:
            cell.ends.append(dropped(end))
            return
        for request in accepted:
            exchange = self._probe.send(request)
            change = f"{request.operation}: {_REVOKED}"
            cell.ends.append(end_of(partial(refusals.INVALID.check, exchange, change=change, hint=_KEPT)))
        cell.exchanges += self._probe.log[begin:]
        cell.features.append("on each operation that it was used on")

    def _accept_again(self, operation: Operation, token: Credential) -> Sequence[Request]:
        """A request by a token that was accepted, and can be made again; none where there is no such."""
        if self._probe.tokens.needs_aal2(operation) or operation.id in {"rotate_api_token", "revoke_api_token"}:
            return ()
        try:
            request = self._calls.call(operation).request.by(token)
            self._probe.require_accepted(request)
        except CaseEnd:
            return ()
        return () if _uses_up(operation) else (request,)


def _uses_up(operation: Operation) -> bool:
    """Whether an accepted call uses up the object that it names."""
    return operation.has_parameter and operation.method in {"POST", "DELETE"}


def _on(operation: Operation, end: CaseEnd | None) -> CaseEnd | None:
    """The end of a look, with the operation named: a row of these is of several."""
    if not isinstance(end, Violation):
        return end
    return type(end)(end.wanted, end.got, change=f"{operation}: {end.change}", hint=end.hint, exchange=end.exchange)
