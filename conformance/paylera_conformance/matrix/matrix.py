"""The matrix of one process: planned, looked at an operation at a time, and handed to the cases."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from paylera_conformance.matrix.accepted import ACCEPTED, AcceptedRow
from paylera_conformance.matrix.calls import CallFactory
from paylera_conformance.matrix.cells import Cell, end_as
from paylera_conformance.matrix.effects import NO_EFFECT
from paylera_conformance.matrix.features import PLAIN, VALUES, Applies, Features, Round, Version, plan_rounds
from paylera_conformance.matrix.further import FURTHER_RULES, further_operations
from paylera_conformance.matrix.later import LaterLook
from paylera_conformance.matrix.look import Look
from paylera_conformance.matrix.operation import OperationLook
from paylera_conformance.matrix.population import Kind, Population, expired_kind
from paylera_conformance.matrix.rules import RULES, Rule
from paylera_conformance.matrix.second_round import DEAD, expect_dead
from paylera_conformance.model.case_results import CellNote
from paylera_conformance.model.outcomes import CaseEnd, NotOffered, Violation
from paylera_conformance.model.tokens import TokenState
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.settings import Mode
from paylera_fixtures.api.operations import BY_ID, Operation, Resource


class Matrix:
    """Looks at the cells that a process is asked for, an operation at a time.

    - `probe`: of the one namespace that all of it goes on in;
    - `wanted`: for each operation the names of the rules to be looked at, here or by another process;
    - `own`: the operations that are looked at here;
    - `dead`: the kinds of dead credentials that are looked at again here, whichever process looks at their operations;
    - `seed`: of the order, the features and the forms of changes;
    - `following`: in a run that waits, gives the probe of what is looked at in each of its sessions.
    """

    def __init__(
        self,
        probe: Probe,
        wanted: Mapping[Operation, Collection[str]],
        *,
        own: Collection[Operation],
        dead: Collection[str],
        seed: int,
        following: Callable[[str], Probe | None] = lambda _name: None,
    ) -> None:
        self._probe = probe
        self._wanted = wanted
        self._own = own
        self._dead = dead
        self._seed = seed
        self._makes = probe.settings.driver == "control" and probe.settings.mode is Mode.FULL
        self._draw = random.Random(seed)  # noqa: S311 - a choice of cases, not a secret
        self._cells: dict[Operation, dict[str, Cell]] = {}
        self._population = Population(probe, following)
        self._calls = CallFactory(probe, self._population, self._draw)
        self._broken: list[tuple[str, Violation]] = []
        self._further: dict[Operation, dict[str, Cell]] | None = None
        self._later: dict[str, Cell] | None = None
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
        if dead == "revoked":
            self._revoke_elsewhere()
        begin, proofs = len(self._probe.log), self._probe.proofs
        try:
            expect_dead(self._probe, self._population, DEAD[dead], self._draw)
        finally:
            looked = self._probe.log[begin:]
            probe.adopt(looked, proofs=self._probe.proofs - proofs, left_behind=[], by=self._probe)
            passed = self._population.passed_time(looked)
            probe.clock.evidence = self._probe.clock.evidence or passed
            probe.clock.instants = self._probe.clock.instants

    def look_later(self, probe: Probe, rule: str, operations: Sequence[Operation], wanted: Collection[str]) -> None:
        """End a case as a rule ended at the end of the run. Raises `CaseEnd`.

        The first such case looks at all of them.
        """
        begin = len(self._probe.log)
        if self._later is None:
            _ = self._rounds  # time is moved before anything else
            later = LaterLook(
                operations,
                wanted,
                probe=self._probe,
                calls=self._calls,
                population=self._population,
                draw=self._draw,
            )
            later.look()
            self._later = later.cells
        self._hand_over(probe, begin, self._later.values(), self._later[rule], rule)
        probe.clock.evidence = self._probe.clock.evidence
        probe.clock.instants = self._probe.clock.instants
        end_as(self._later[rule], f"{rule} was not looked at later")

    def _revoke_elsewhere(self) -> None:
        """Make the revoked credentials of the operations that another process looks at."""
        for operation in self._wanted.keys() - {*self._own}:
            for each in self._rounds[operation]:
                if "revoked" in each.rules:
                    with suppress(CaseEnd):
                        self._population.get(
                            replace(self._calls.kind_of(operation, each.features), state=TokenState.REVOKED)
                        )

    @cached_property
    def _rounds(self) -> Mapping[Operation, Sequence[Round]]:
        """The rounds of each operation. What is to have expired is made here, before anything else."""
        rounds = self._plan
        own = [each for each in rounds if each.operation in self._own]
        expiring = [each for each in (rounds if "expired" in self._dead else own) if "expired" in each.rules]
        kinds = {self._calls.kind_of(each.operation, each.features) for each in expiring}
        # Those that the operations which only the target names are looked at with.
        kinds |= {self._calls.kind_of(BY_ID[name], PLAIN) for name in ("list_customers", "list_actors")}
        self._population.expire({expired_kind(kind) for kind in kinds})
        if self._is_alone:
            with suppress(CaseEnd):
                self._release_after({self._calls.kind_of(each.operation, each.features) for each in own})
        return {operation: [each for each in rounds if each.operation is operation] for operation in self._wanted}

    @cached_property  # of its own: where nothing can be prepared, each case asks for it
    def _plan(self) -> Sequence[Round]:
        """The rounds of all operations, of which several processes have the same plan."""
        rules: dict[str, Applies] = {name: partial(self._applies, rule) for name, rule in RULES.items()}
        rules |= {name: partial(self._shows, row) for name, row in ACCEPTED.items()}
        sampled = [rule.name for rule in RULES.values() if rule.is_sampled]
        on_each: Mapping[str, Sequence[str]] = {}
        if self._is_alone:  # elsewhere what calls act on is found, and used up
            rules[NO_EFFECT] = lambda operation, _features: NO_EFFECT in self._wanted[operation]
            by_audience = ("service-as-admin", "customer-as-admin", "customer-writes")
            on_each = dict.fromkeys((*ACCEPTED, "no-token"), (*VALUES,)) | dict.fromkeys(by_audience, ("grants",))
            on_each = {**on_each, NO_EFFECT: ("key",)}
        operations = list(self._wanted)
        return plan_rounds(rules, operations, self._values, seed=self._seed, sampled=sampled, on_each=on_each)

    def _shows(self, row: AcceptedRow, operation: Operation, features: Features) -> bool:
        return row.name in self._wanted[operation] and row.on(operation) and row.applies(features)

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
        if self._is_alone and len(provisioner.versions().supported) == 1:
            with suppress(CaseEnd):  # by the only version there is a pin does not show
                self._population.release()
        versions = provisioner.versions()
        older = any(version < (versions.current or "") for version in versions.supported)
        has_actor = settings.driver == "control" or settings.known_actor is not None
        plain = {name: (getattr(PLAIN, name),) for name in VALUES}
        version = (Version.NONE, *[Version.CURRENT] * bool(versions.current), *[Version.OLDER] * older)
        values = {**plain, "version": version, "key": VALUES["key"], "head": VALUES["head"]}
        values |= {"actor": VALUES["actor"]} if has_actor else {}
        if self._makes:
            of_tokens, of_objects = ("audience", "grants", "history", "created"), ("own", "changed")
            values |= {name: VALUES[name] for name in (*of_tokens, *of_objects)}
            values |= {"live": VALUES["live"]} if provisioner.live_url else {}
        return values

    @property
    def _is_alone(self) -> bool:
        """Whether all can be made that is asked for, in a place that nobody else uses."""
        return self._makes and self._probe.provisioner.vanishes

    def _release_after(self, kinds: Iterable[Kind]) -> None:
        """Release two versions, each after tokens were made that must not go with it. Raises `CaseEnd`.

        So whoever pins the current one asks for another than the token's own.
        """
        ordered = sorted(kinds, key=str)
        for some in (ordered[::2], ordered[1::2]):
            for kind in some:
                with suppress(CaseEnd):
                    self._population.get(kind)
            self._population.release()

    # Operations

    def _look_at(self, operation: Operation) -> dict[str, Cell]:
        """Every wanted cell of an operation."""
        # The same in whichever order, and by whichever process, the operations are looked at.
        self._draw.seed(f"{self._seed} {operation}")
        self._probe.variation.restart(str(operation))
        looked = OperationLook(
            operation,
            self._wanted[operation],
            probe=self._probe,
            calls=self._calls,
            population=self._population,
            draw=self._draw,
            makes=self._is_alone,
        )
        looked.look(self._rounds[operation], self._values)
        self._broken += looked.broken
        if not self._probe.provisioner.vanishes:
            next(iter(looked.cells.values())).left_behind = self._forget_created()
        return looked.cells

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

    def _forget_created(self) -> list[str]:
        """Remove what was made for an operation, so that the next makes its own; gives what is left behind."""
        left = self._probe.remove_created(but=Resource.API_TOKEN)  # the population goes on with those that it made
        self._probe.forget_objects()
        self._population.forget_objects()
        return left
