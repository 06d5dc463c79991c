"""One operation of the matrix, looked at round by round: each of its cells with its evidence.

The cells of a round share the accepted call that comes before them and after: what was refused for another reason than
the change, such as an outage, shows there too.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from paylera_conformance.matrix.accepted import (
    ACCEPTED,
    AUDITED,
    DEFAULT,
    ONE_CUSTOMER,
    ONE_TENANT,
    PINNED,
    PINNED_CURRENT,
    REPLAYED,
    expect_audited,
    expect_default,
    expect_pinned,
)
from paylera_conformance.matrix.besides import Besides, draw_besides
from paylera_conformance.matrix.calls import Call, CallFactory
from paylera_conformance.matrix.cells import Cell
from paylera_conformance.matrix.effects import NO_EFFECT, Effects, find_effects
from paylera_conformance.matrix.features import CHANGES, PLAIN, Features, Round, fit
from paylera_conformance.matrix.lists import ListedObjects
from paylera_conformance.matrix.look import Look, end_of, look_at
from paylera_conformance.matrix.named_url import absent_request
from paylera_conformance.matrix.population import Population, expired_kind
from paylera_conformance.matrix.promises import find_broken_promise
from paylera_conformance.matrix.rules import OF_REPLAYS, RULES, UNFIT
from paylera_conformance.model.messages import Exchange, Request
from paylera_conformance.model.outcomes import Blocked, CaseEnd, Violation
from paylera_conformance.probe.answers import find_id
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.refusals import describe
from paylera_conformance.scenarios.replays import REPEATED, expect_same_answer, expect_same_headers
from paylera_fixtures.api.operations import BY_ID, Operation

_IN_OTHER_ENVIRONMENT: Final = 8
"""So many rules are looked at on each operation at the URL of the other environment."""


_PAUSES: Final = 0.1
"""The share of rounds in which time passes: each is one more request, to the control API."""

_LONGEST_PAUSE: Final = 300
"""Seconds; over all rounds no more than some hours, within which a secret in its grace stays in it."""


class OperationLook:
    """Looks at the wanted cells of one operation.

    - `wanted`: the names of the rows;
    - `draw`: chooses the order of rules, the forms of changes, and what stands besides;
    - `makes`: whether tokens and objects of any kind can be made, in a place that nobody else uses;
    - `broken`: violations of other clauses that came to light, by the ids of these.
    """

    def __init__(
        self,
        operation: Operation,
        wanted: Collection[str],
        *,
        probe: Probe,
        calls: CallFactory,
        population: Population,
        draw: random.Random,
        makes: bool,
    ) -> None:
        self._operation = operation
        self._probe = probe
        self._calls = calls
        self._population = population
        self._draw = draw
        self._makes = makes
        self._listed = ListedObjects(probe, population, calls, operation)
        self._has_replayed = False
        self.cells = {name: Cell() for name in wanted}
        self.broken: list[tuple[str, Violation]] = []

    def look(self, rounds: Sequence[Round], values: Mapping[str, Sequence[Any]]) -> None:
        """Look at every cell.

        - `values`: of each feature those that are to be had at the target.
        """
        for planned in rounds:
            each = self._leave_waiting(planned)
            if planned.rules and not each.rules:
                continue
            # A call that the target need not accept is no baseline; the rules are then looked at with less besides.
            for besides in (*draw_besides(self._operation, self._draw), None):
                end = end_of(partial(self._go_round, each, besides))
                if end is None:
                    break
            if end is not None and each.features != PLAIN:
                self._note_broken_promise(each)
                end = end_of(partial(self._go_round, replace(each, features=PLAIN)))
            if end is not None:
                for name in each.rules:
                    self.cells[name].needs += self._population.needs_of(self._calls.kind_of(self._operation, PLAIN))
                    self.cells[name].ends.append(end)
                    self.cells[name].exchanges += [end.exchange] if end.exchange else []
        self._look_at_other_environment()
        if AUDITED in self.cells:
            begin = len(self._probe.log)
            self.cells[AUDITED].ends.append(self._look_at_audit(values))
            self.cells[AUDITED].exchanges += self._probe.log[begin:]

    def _leave_waiting(self, each: Round) -> Round:
        """The round without what is not due: to look in vain would use up what an accepted call acts on."""
        kind = expired_kind(self._calls.kind_of(each.operation, each.features))
        end = self._population.pending_end(kind) if "expired" in each.rules else None
        if end is None:
            return each
        self.cells["expired"].ends.append(end)
        return replace(each, rules=each.rules - {"expired"})

    def _note_broken_promise(self, each: Round) -> None:
        """Note it where a call is refused for a feature that the guide promises: it is another clause's."""

        def send_plain() -> None:
            self._probe.require_accepted(self._calls.call(each.operation).request)

        with suppress(CaseEnd):
            broken = find_broken_promise(self._probe, self._calls, each.operation, each.features, send_plain)
            self.broken += [broken] if broken else []

    # One round

    def _go_round(self, each: Round, besides: Besides | None = None) -> None:
        """Look at the rules of a round. Raises `CaseEnd` where its accepted call is not to be had."""
        cells = self.cells
        call = self._calls.call(each.operation, each.features, besides)
        self._probe.begin_comparison()
        before = [] if call.request.consumes else [self._probe.require_accepted(self._control_of(call))]
        self._let_time_pass()
        names = self._rules_of(each)
        groups = {is_unfit: [name for name in names if (name in UNFIT) is is_unfit] for is_unfit in (True, False)}
        # What is refused must have had no effect, whichever rule refuses it. The rules about who asks have a clause of
        # their own for that.
        effects = {is_unfit: Effects(call) for is_unfit, names in groups.items() if NO_EFFECT in cells and names}
        looks: dict[str, Look] = {}
        for is_unfit in self._shuffled([True, False]):
            found, call = self._look_at_rules(call, groups[is_unfit], effects.get(is_unfit), besides)
            looks |= found
        try:
            after = self._probe.require_accepted(call.request)
        except CaseEnd:
            self._look_for_what_was_done(each, groups, besides)
            raise
        for name, look in looks.items():
            cells[name].needs += [*self._population.needs_of(call.kind), *look.needs]
            cells[name].ends.append(look.end)
            cells[name].exchanges += [*before, *look.exchanges, after]
            cells[name].features.append(call.company)
        if not self._has_replayed and after.request.key and after.request.method == "POST":
            self._has_replayed = True
            self._look_at_replays(replace(call, request=after.request), after, each.rules & OF_REPLAYS)
        for name in sorted(each.rules & ACCEPTED.keys()):
            if ACCEPTED[name].applies(each.features):
                self._look_at_accepted(name, call, after)
        if True in effects:
            through = [name for name, look in looks.items() if look.is_accepted and name in UNFIT]
            cells[NO_EFFECT].ends.append(effects[True].judge(after, through))
            cells[NO_EFFECT].exchanges += effects[True].exchanges
            refused = [name for name in groups[True] if name not in through]
            # What was accepted has changed it: whether a refused one would have is looked at by itself.
            self._note_done(each, refused if through and effects[True].is_changed else (), besides)

    def _let_time_pass(self) -> None:
        """Now and then let time pass before the changed calls: that an accepted one was just there tells nothing."""
        if self._makes and self._draw.random() < _PAUSES:
            with suppress(Blocked):  # its clock cannot be moved
                self._probe.provisioner.advance(self._draw.randint(1, _LONGEST_PAUSE))

    def _control_of(self, call: Call) -> Request:
        """The accepted call that comes first; a change is another one, so that what a refused one does would show."""
        is_change = self._operation.method == "PATCH"
        return call.request.with_json(self._probe.factory.body_for(self._operation)) if is_change else call.request

    def _rules_of(self, each: Round) -> Sequence[str]:
        """The rules of a round; one that is about effects needs some that refuse for who asks."""
        names = each.rules & RULES.keys()
        if NO_EFFECT in each.rules:
            fitting = [name for name in sorted(self.cells.keys() & UNFIT) if self._applies(name, each)]
            # What a token may do is mostly looked at last, and so the likeliest to be looked at too late.
            names |= {"scope", self._draw.choice(fitting)} & {*fitting} if fitting else set()
        return sorted(names)

    def _applies(self, name: str, each: Round) -> bool:
        return RULES[name].applies(self._probe, each.operation, each.features) and not RULES[name].is_optional

    def _look_at_rules(
        self, call: Call, names: Sequence[str], effects: Effects | None, besides: Besides | None
    ) -> tuple[dict[str, Look], Call]:
        """What came of rules on a call; and the call, which is another one where a rule's used up what it acts on."""
        looks = {}
        if effects:
            effects.note_before()
        for name in self._shuffled(sorted(names)):
            looks[name] = look = look_at(RULES[name], call)
            if look.is_accepted and call.request.consumes:
                call = self._calls.call(call.operation, call.features, besides)
        if effects:
            effects.note_after()
            others = [RULES[name] for name in looks if name not in UNFIT]
            if others and effects.is_changed and not any(look.is_accepted for look in looks.values()):
                looks.update(find_effects(call, others))
        return looks, call

    def _look_for_what_was_done(
        self, each: Round, groups: Mapping[bool, Sequence[str]], besides: Besides | None
    ) -> None:
        """Note what was refused and done all the same, where no accepted call is to be had after the refused ones."""
        for names in groups.values() if NO_EFFECT in self.cells else ():
            call = self._calls.call(each.operation, each.features, besides)
            effects = Effects(call)
            looks, _ = self._look_at_rules(call, names, effects, besides)
            if not effects.is_changed or any(look.is_accepted for look in looks.values()):
                continue
            self._note_done(each, names, besides)

    def _note_done(self, each: Round, names: Sequence[str], besides: Besides | None) -> None:
        """Note which of some rules refuse a call that is done all the same. Raises `CaseEnd` where there is none."""
        if not names:
            return
        call = self._calls.call(each.operation, each.features, besides)
        for name, look in find_effects(call, [RULES[name] for name in names]).items():
            cell = self.cells[NO_EFFECT if name in UNFIT else name]
            cell.ends.append(look.end)
            cell.exchanges += look.exchanges

    def _look_at_replays(self, call: Call, first: Exchange, rules: Collection[str]) -> None:
        """Look at rules on an accepted call that is sent again under its key: its answer is nobody else's."""
        replayed = replace(call, besides=", ".join(filter(None, (call.besides, "a replay"))))
        for name in self._shuffled(sorted(rules)):
            look = look_at(RULES[name], replayed)
            self.cells[name].ends.append(look.end)
            self.cells[name].exchanges += look.exchanges
            self.cells[name].features.append(replayed.company)
        if REPLAYED in self.cells:
            begin = len(self._probe.log)
            self.cells[REPLAYED].ends.append(end_of(partial(self._expect_kept, call, first)))
            self.cells[REPLAYED].exchanges += [first, *self._probe.log[begin:]]

    def _expect_kept(self, call: Call, first: Exchange) -> None:
        """The clause is that an answer is given again, though what it tells of was changed. Raises `Violation`.

        What the repeated request has done, and another one under its key, are the business of clauses of their own.
        """
        made, reading = find_id(first.response.json, self._operation.resource), f"get_{self._operation.resource}"
        if made and reading in CHANGES and self._operation.id.startswith("create_"):
            with suppress(CaseEnd):
                self._calls.change(BY_ID[reading], Request("GET", BY_ID[reading].concrete(quote(made, safe=""))))
        effects = Effects(call)
        effects.note_before()
        again = self._probe.send(call.request)
        effects.note_after()
        if effects.is_changed and again.response.ok:
            hint = "look the key up before the effect"
            self.broken.append(("idempotency.replay-has-no-effect", effects.violation(REPEATED, hint)))
        expect_same_answer(self._probe, first, again)
        expect_same_headers(self._probe, first, again)
        self._look_at_another_body(call)

    def _look_at_another_body(self, call: Call) -> None:
        """Note it where another body is served under a used key; one that is refused may lack something else."""
        if call.operation.has_parameter or call.request.body is None:
            return
        other = self._probe.send(call.request.with_json(self._probe.factory.body_for(call.operation)))
        if other.response.ok and other.request.body != call.request.body:
            wanted, change = "422 idempotency.body_mismatch", "another body, under a key that was used"
            got, hint = describe(other.response), "compare a digest of the whole body, on every operation"
            violation = Violation(wanted, got, change=change, hint=hint, exchange=other)
            self.broken.append(("idempotency.body-mismatch", violation))

    def _look_at_accepted(self, name: str, call: Call, accepted: Exchange) -> None:
        """Look at what an accepted call shows besides its answer."""
        if name in {ONE_TENANT.name, ONE_CUSTOMER.name} and not self._makes:
            return
        begin = len(self._probe.log)
        end = end_of(partial(self._expect_of_accepted, name, call, accepted))
        self.cells[name].ends.append(end)
        self.cells[name].exchanges += [*self._probe.log[begin:], accepted]
        self.cells[name].features.append(call.company)

    def _expect_of_accepted(self, name: str, call: Call, accepted: Exchange) -> None:
        if name in {PINNED.name, PINNED_CURRENT.name}:
            expect_pinned(accepted)
            if name == PINNED.name and self._operation.is_read:  # what was kept for one version is not the other's
                expect_pinned(self._probe.require_accepted(self._calls.pinned_to_current(call.request)))
        elif name == DEFAULT.name:
            expect_default(call, accepted)
        elif name == ONE_TENANT.name:
            self._listed.expect_one_tenant(call, accepted)
        else:
            self._listed.expect_one_customer(call, accepted)
            missing = self._listed.find_missing(call, accepted)
            self.broken += [("audience.customer-reads-own", missing)] if missing else []

    # Beside the rounds

    def _look_at_audit(self, values: Mapping[str, Sequence[Any]]) -> CaseEnd | None:
        """How the record of an accepted call was found, whose token and version are drawn."""
        drawn = {name: self._draw.choice(values[name]) for name in ("grants", "history", "created", "version")}
        end = None
        for features in dict.fromkeys((fit(self._operation, Features(**drawn, actor=True)), Features(actor=True))):
            end = end_of(partial(self._expect_audited, features))
            if end is None or isinstance(end, Violation):
                break
        return end

    def _expect_audited(self, features: Features) -> None:
        expect_audited(self._calls.call(self._operation, features))

    def _look_at_other_environment(self) -> None:
        """Look at some rules at the URL of the other environment, where what an operation acts on does not exist.

        What is refused here must be refused there. So a rule that does not come first here says nothing of it.
        """
        if self._operation.is_list or self._probe.provisioner.live_url is None or not self._makes:
            return
        names = sorted(self.cells.keys() & RULES.keys())
        for name in self._draw.sample(names, min(len(names), _IN_OTHER_ENVIRONMENT)):
            here, there = (self._look_at_absent(name, live=live) for live in (False, True))
            if here.end is None and (there.end is None or isinstance(there.end, Violation)):
                self.cells[name].ends.append(there.end)
                self.cells[name].exchanges += [*here.exchanges, *there.exchanges]
                self.cells[name].features.append("the other environment")

    def _look_at_absent(self, name: str, *, live: bool) -> Look:
        features = replace(PLAIN, live=live)
        try:
            kind = self._calls.kind_of(self._operation, features)
            request = replace(absent_request(self._operation, self._population.get(kind)), live=live)
            return look_at(RULES[name], self._calls.of(self._operation, request, features))
        except CaseEnd as end:
            return Look(end)

    def _shuffled(self, values: Sequence[Any]) -> Sequence[Any]:
        return self._draw.sample(values, len(values))
