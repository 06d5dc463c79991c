"""The matrix of one process: every rule on every operation, looked at round by round, each cell with its evidence.

The cells of a round share the accepted call that comes before them and after: what was refused for another reason than
the change, such as an outage, shows there too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final

from paylera_conformance.matrix.accepted import AUDITED, PINNED, expect_audited, expect_pinned, is_pinned
from paylera_conformance.matrix.besides import Besides, draw_besides
from paylera_conformance.matrix.calls import Call, CallFactory
from paylera_conformance.matrix.cells import Cell, end_as
from paylera_conformance.matrix.effects import NO_EFFECT, Effects, find_effects
from paylera_conformance.matrix.features import PLAIN, VALUES, Applies, Features, Round, Version, fit, plan_rounds
from paylera_conformance.matrix.further import FURTHER_RULES, further_operations
from paylera_conformance.matrix.look import Look, end_of, look_at
from paylera_conformance.matrix.named_url import absent_request
from paylera_conformance.matrix.population import Population, expired_kind
from paylera_conformance.matrix.promises import find_broken_promise
from paylera_conformance.matrix.rules import RULES, UNFIT, Rule
from paylera_conformance.matrix.second_round import DEAD, expect_dead
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.outcomes import Blocked, CaseEnd, NotOffered, Violation
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios.versions import release_version
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource

_ELSEWHERE: Final = 4
"""So many rules are looked at on each operation at the URL of the other environment."""


class Matrix:
    """Looks at the cells that a process is asked for, an operation at a time.

    - `probe`: of the one namespace that the whole matrix goes on in;
    - `wanted`: for each operation the names of the rules to be looked at;
    - `seed`: of the order, the features and the forms of changes;
    - `following`: in a run that waits, gives the probe of what is looked at in each of its sessions.
    """

    def __init__(
        self,
        probe: Probe,
        wanted: Mapping[Operation, Collection[str]],
        seed: int,
        following: Callable[[str], Probe | None] = lambda _name: None,
    ) -> None:
        self._probe = probe
        self._wanted = wanted
        self._seed = seed
        self._makes = probe.settings.driver == "control" and probe.settings.mode is Mode.FULL
        self._draw = random.Random(seed)  # noqa: S311 - a choice of cases, not a secret
        self._cells: dict[Operation, dict[str, Cell]] = {}
        self._population = Population(probe, following)
        self._calls = CallFactory(probe, self._population, self._draw)
        self._broken: list[tuple[str, Violation]] = []
        self._further: dict[Operation, dict[str, Cell]] | None = None
        self._told: set[int] = set()

    def conclude(self, probe: Probe, rule: str, operation: Operation) -> None:
        """End a case as its cell ended: `probe` gets the evidence. Raises `CaseEnd`.

        The first case of an operation looks at all its cells.
        """
        begin = len(self._probe.log)
        if operation not in self._cells:
            self._cells[operation] = self._look_at(operation)
        cells = self._cells[operation]
        cell = cells[rule]
        shared = self._hand_over(probe, begin, cells.values(), cell, rule)
        probe.seen, self._broken = self._broken, []
        probe.cell = CellNote(rule, str(operation), tuple(dict.fromkeys(cell.features)), shared)
        end_as(cell, f"{rule} says nothing of {operation} here")

    def conclude_further(self, probe: Probe, rule: str) -> None:
        """End a case as a rule ended on the operations that only the target names. Raises `CaseEnd`.

        The first such case looks at all of them.
        """
        begin = len(self._probe.log)
        if self._further is None:
            self._further = self._look_further()
        cells = {str(operation): looked[rule] for operation, looked in self._further.items() if rule in looked}
        told = Cell()
        for cell in cells.values():
            told.ends += cell.ends
            told.needs += cell.needs
            told.exchanges += cell.exchanges
        everything = [cell for looked in self._further.values() for cell in looked.values()]
        shared = self._hand_over(probe, begin, everything, told, rule)
        deciding = [name for name, cell in cells.items() if cell.end is told.end]
        if deciding:
            held = tuple(name for name, cell in cells.items() if cell.end is None and name != deciding[0])
            probe.cell = CellNote(rule, deciding[0], shared=shared, held=held)
        end_as(told, "the target names no operation besides the contract's of which this is said")

    def _hand_over(self, probe: Probe, begin: int, cells: Iterable[Cell], cell: Cell, rule: str) -> int:
        """Give a case the evidence of its cell; gives how many of its requests are counted with another already.

        - `begin`: of the log, when the case began: with the first of several goes what was sent to prepare `cells`.
        """
        told_with_cells = {id(exchange) for each in cells for exchange in each.exchanges}
        prepared = [exchange for exchange in self._probe.log[begin:] if id(exchange) not in told_with_cells]
        exchanges = [*prepared, *cell.exchanges]
        shared = sum(id(exchange) in self._told for exchange in exchanges)
        self._told.update(map(id, exchanges))
        probe.adopt(exchanges, proofs=cell.ends.count(None), left_behind=cell.left_behind, by=self._probe)
        probe.rests_on = cell.needs
        if rule == "expired":
            probe.clock.evidence = self._population.passed_time(cell.exchanges)
        return shared

    def look_again(self, probe: Probe, dead: str) -> None:
        """End a case as the second look at a kind of dead credential ended. Raises `CaseEnd`."""
        begin, proofs = len(self._probe.log), self._probe.proofs
        try:
            expect_dead(self._probe, self._population, DEAD[dead], self._draw)
        finally:
            looked = self._probe.log[begin:]
            probe.adopt(looked, proofs=self._probe.proofs - proofs, left_behind=[], by=self._probe)
            passed = self._population.passed_time(looked)
            probe.clock.evidence = self._probe.clock.evidence or passed
            probe.clock.instants = self._probe.clock.instants

    @cached_property
    def _rounds(self) -> Mapping[Operation, Sequence[Round]]:
        """The rounds of each operation. What is to have expired is made here, before anything else."""
        rules: dict[str, Applies] = {name: partial(self._applies, rule) for name, rule in RULES.items()}
        pin = self._values["version"][-1]  # an older one where there is one: by the current one a pin does not show
        rules[PINNED] = lambda operation, features: (
            PINNED in self._wanted[operation] and (features.version is pin and is_pinned(features))
        )
        sampled = [rule.name for rule in RULES.values() if rule.is_sampled]
        rounds = plan_rounds(rules, list(self._wanted), self._values, seed=self._seed, sampled=sampled)
        expiring = [each for each in rounds if "expired" in each.rules]
        kinds = {self._calls.kind_of(each.operation, each.features) for each in expiring}
        # Those that the operations which only the target names are looked at with.
        kinds |= {self._calls.kind_of(BY_ID[name], PLAIN) for name in ("list_customers", "list_actors")}
        self._population.expire({expired_kind(kind) for kind in kinds})
        return {operation: [each for each in rounds if each.operation is operation] for operation in self._wanted}

    def _applies(self, rule: Rule, operation: Operation, features: Features) -> bool:
        return (
            rule.name in self._wanted[operation]
            and rule.on(operation)
            and rule.applies(self._probe, operation, features)
        )

    @cached_property
    def _values(self) -> Mapping[str, Sequence[Any]]:
        """The features that are to be had at the target; tokens that are listed are too few for any but the plain ones.

        So they are where nothing may be revoked: what has ended is then on the list, or nowhere.
        """
        settings, provisioner = self._probe.settings, self._probe.provisioner
        if self._makes and provisioner.vanishes and len(provisioner.versions().supported) == 1:
            with suppress(Blocked):  # by the only version there is a pin does not show
                release_version(self._probe)
        versions = provisioner.versions()
        older = any(version < (versions.current or "") for version in versions.supported)
        has_actor = settings.driver == "control" or settings.known_actor is not None
        plain = {name: (getattr(PLAIN, name),) for name in VALUES}
        version = (Version.NONE, *[Version.CURRENT] * bool(versions.current), *[Version.OLDER] * older)
        values = {**plain, "version": version, "key": VALUES["key"], "head": VALUES["head"]}
        values |= {"actor": VALUES["actor"]} if has_actor else {}
        if self._makes:
            values |= {name: VALUES[name] for name in ("audience", "grants", "history")}
            values |= {"live": VALUES["live"]} if provisioner.live_url else {}
        return values

    # One operation

    def _look_at(self, operation: Operation) -> dict[str, Cell]:
        """Every wanted cell of an operation."""
        # The same in whichever order, and by whichever process, the operations are looked at.
        self._draw.seed(f"{self._seed} {operation}")
        self._probe.variation.restart(str(operation))
        cells = {name: Cell() for name in self._wanted[operation]}
        for planned in self._rounds[operation]:
            each = self._leave_waiting(planned, cells)
            if planned.rules and not each.rules:
                continue
            besides = draw_besides(operation, self._draw)
            # A call that the target need not accept is no baseline; the rules are then looked at with less besides.
            end = end_of(partial(self._go_round, each, cells, besides))
            if end is not None and besides:
                end = end_of(partial(self._go_round, each, cells))
            if end is not None and each.features != PLAIN:
                self._note_broken_promise(each)
                end = end_of(partial(self._go_round, replace(each, features=PLAIN), cells))
            if end is not None:
                for name in each.rules:
                    cells[name].needs += self._population.needs_of(self._calls.kind_of(each.operation, PLAIN))
                    cells[name].ends.append(end)
                    cells[name].exchanges += [end.exchange] if end.exchange else []
        self._look_at_other_environment(operation, cells)
        if AUDITED in cells:
            begin = len(self._probe.log)
            cells[AUDITED].ends.append(self._look_at_audit(operation))
            cells[AUDITED].exchanges += self._probe.log[begin:]
        if not self._probe.provisioner.vanishes:
            next(iter(cells.values())).left_behind = self._forget_created()
        return cells

    def _look_at_audit(self, operation: Operation) -> CaseEnd | None:
        """How the record of an accepted call was found, whose token and version are drawn."""
        drawn = {name: self._draw.choice(self._values[name]) for name in ("grants", "history", "version")}
        end = None
        for features in dict.fromkeys((fit(operation, Features(**drawn, actor=True)), Features(actor=True))):
            end = end_of(partial(self._expect_audited, operation, features))
            if end is None or isinstance(end, Violation):
                break
        return end

    def _expect_audited(self, operation: Operation, features: Features) -> None:
        expect_audited(self._calls.call(operation, features))

    def _look_further(self) -> dict[Operation, dict[str, Cell]]:
        """Every rule on each operation that only the target names."""
        _ = self._rounds  # time is moved before anything else
        found = {}
        for further in further_operations(self._probe):
            kind = self._calls.kind_of(further.operation, PLAIN)
            cells = found[further.operation] = {rule.name: Cell() for rule in FURTHER_RULES}
            try:
                call = self._calls.of(further.operation, further.request)
                self._probe.begin_comparison()
                looks = further.looks(call, FURTHER_RULES)
            except CaseEnd as end:
                looks = {name: Look(NotOffered(end.reason, exchange=end.exchange)) for name in cells}
            for name, look in looks.items():
                cells[name].ends.append(look.end)
                cells[name].exchanges += look.exchanges
                cells[name].needs += [*self._population.needs_of(kind), *look.needs]
        if not self._probe.provisioner.vanishes:
            self._forget_created()
        return found

    def _leave_waiting(self, each: Round, cells: Mapping[str, Cell]) -> Round:
        """The round without what is not due: to look in vain would use up what an accepted call acts on."""
        kind = expired_kind(self._calls.kind_of(each.operation, each.features))
        end = self._population.pending_end(kind) if "expired" in each.rules else None
        if end is None:
            return each
        cells["expired"].ends.append(end)
        return replace(each, rules=each.rules - {"expired"})

    def _note_broken_promise(self, each: Round) -> None:
        """Note it where a call is refused for a feature that the guide promises: it is another clause's."""

        def send_plain() -> None:
            self._probe.require_accepted(self._calls.call(each.operation).request)

        with suppress(CaseEnd):
            broken = find_broken_promise(self._probe, self._calls, each.operation, each.features, send_plain)
            self._broken += [broken] if broken else []

    def _go_round(self, each: Round, cells: Mapping[str, Cell], besides: Besides | None = None) -> None:
        """Look at the rules of a round. Raises `CaseEnd` where its accepted call is not to be had."""
        call = self._calls.call(each.operation, each.features, besides)
        self._probe.begin_comparison()
        before = [] if call.request.consumes else [self._probe.require_accepted(call.request)]
        groups = {
            is_unfit: [name for name in each.rules & RULES.keys() if (name in UNFIT) is is_unfit]
            for is_unfit in (True, False)
        }
        # What is refused must have had no effect, whichever rule refuses it: looked at when a rule is. The rules about
        # who asks have a clause of their own for that.
        effects = {
            is_unfit: Effects(call)
            for is_unfit, names in groups.items()
            if NO_EFFECT in cells and any(not cells[name].ends for name in names)
        }
        is_first = NO_EFFECT in cells and not cells[NO_EFFECT].ends
        looks: dict[str, Look] = {}
        for is_unfit in self._shuffled([True, False]):
            found, call = self._look_at_rules(call, groups[is_unfit], effects.get(is_unfit), besides)
            looks |= found
        try:
            after = self._probe.require_accepted(call.request)
        except CaseEnd:
            self._look_for_what_was_done(each, groups, cells, besides)
            raise
        for name, look in looks.items():
            cells[name].needs += [*self._population.needs_of(call.kind), *look.needs]
            cells[name].ends.append(look.end)
            cells[name].exchanges += [*before, *look.exchanges, after]
            cells[name].features.append(call.company)
        if is_first and after.request.key and after.request.method == "POST":
            self._look_at_replays(replace(call, request=after.request), cells, each.rules & UNFIT)
        if PINNED in each.rules and is_pinned(each.features):
            cells[PINNED].ends.append(end_of(partial(expect_pinned, after)))
            cells[PINNED].exchanges += [after]
        if True in effects:
            through = [name for name, look in looks.items() if look.is_accepted and name in UNFIT]
            cells[NO_EFFECT].ends.append(effects[True].judge(after, through))
            cells[NO_EFFECT].exchanges += effects[True].exchanges

    def _look_for_what_was_done(
        self, each: Round, groups: Mapping[bool, Sequence[str]], cells: Mapping[str, Cell], besides: Besides | None
    ) -> None:
        """Note what was refused and done all the same, where no accepted call is to be had after the refused ones."""
        for names in groups.values() if NO_EFFECT in cells else ():
            call = self._calls.call(each.operation, each.features, besides)
            effects = Effects(call)
            looks, _ = self._look_at_rules(call, names, effects, besides)
            if not effects.is_changed or any(look.is_accepted for look in looks.values()):
                continue
            call = self._calls.call(each.operation, each.features, besides)
            for name, look in find_effects(call, [RULES[name] for name in names]).items():
                cell = cells[NO_EFFECT if name in UNFIT else name]
                cell.ends.append(look.end)
                cell.exchanges += look.exchanges

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

    def _look_at_other_environment(self, operation: Operation, cells: Mapping[str, Cell]) -> None:
        """Look at some rules at the URL of the other environment, where what an operation acts on does not exist.

        What is refused here must be refused there. So a rule that does not come first here says nothing of it.
        """
        provisioner = self._probe.provisioner
        if operation.is_list or provisioner.live_url is None or not (self._makes and provisioner.vanishes):
            return
        names = sorted(cells.keys() & UNFIT)
        for name in self._draw.sample(names, min(len(names), _ELSEWHERE)):
            here, there = (self._look_at_absent(operation, name, live=live) for live in (False, True))
            if here.end is None and (there.end is None or isinstance(there.end, Violation)):
                cells[name].ends.append(there.end)
                cells[name].exchanges += [*here.exchanges, *there.exchanges]
                cells[name].features.append("the other environment")

    def _look_at_absent(self, operation: Operation, name: str, *, live: bool) -> Look:
        features = replace(PLAIN, live=live)
        try:
            kind = self._calls.kind_of(operation, features)
            request = replace(absent_request(operation, self._population.get(kind)), live=live)
            return look_at(RULES[name], self._calls.of(operation, request, features))
        except CaseEnd as end:
            return Look(end)

    def _look_at_replays(self, call: Call, cells: Mapping[str, Cell], rules: Collection[str]) -> None:
        """Look at rules on an accepted call that is sent again under its key: its answer is nobody else's."""
        replayed = replace(call, besides=", ".join(filter(None, (call.besides, "a replay"))))
        for name in self._shuffled(sorted(rules)):
            look = look_at(RULES[name], replayed)
            cells[name].ends.append(look.end)
            cells[name].exchanges += look.exchanges
            cells[name].features.append(replayed.company)

    def _forget_created(self) -> list[str]:
        """Remove what was made for an operation, so that the next makes its own; gives what is left behind."""
        left = self._probe.remove_created(but=Resource.API_TOKEN)  # the population goes on with those that it made
        self._probe.forget_objects()
        self._population.forget_objects()
        return left

    def _shuffled(self, values: Sequence[Any]) -> Sequence[Any]:
        return self._draw.sample(values, len(values))
