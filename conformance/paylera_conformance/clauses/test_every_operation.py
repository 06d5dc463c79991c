"""Each refusal that the guide promises for every call, on every operation that the target has (guide, throughout)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import pytest

from paylera_conformance.matrix.accepted import ACCEPTED, AUDITED, REPLAYED, is_audited
from paylera_conformance.matrix.effects import NO_EFFECT
from paylera_conformance.matrix.further import FURTHER_RULES
from paylera_conformance.matrix.later import LATER
from paylera_conformance.matrix.matrix import Matrix
from paylera_conformance.matrix.named_url import look_at_named_url, named_url_cells
from paylera_conformance.matrix.parts import part_of
from paylera_conformance.matrix.rules import RULES, Rule
from paylera_conformance.matrix.second_round import DEAD
from paylera_conformance.probe.marks import cell_of, covers, mode_of, values_of
from paylera_conformance.probe.probe import Probe
from paylera_conformance.scenarios import openapi_requests
from paylera_fixtures.api.operations import OPERATIONS, Operation


def cells() -> Iterator[object]:
    """Every rule with each operation that it may say something of, and the clause that it is about."""
    for operation in OPERATIONS:
        rows = {rule.name: rule.clause for rule in RULES.values() if rule.on(operation)}
        rows |= {row.name: row.clause for row in ACCEPTED.values() if row.on(operation)}
        rows |= {AUDITED: "acting-as.audited"} if is_audited(operation) else {}
        rows |= {REPLAYED: "idempotency.replay"} if operation.key_when_creating else {}
        rows |= {} if operation.is_read else {NO_EFFECT: "credential.refusal-has-no-effect"}
        for name, clause in rows.items():
            yield pytest.param(name, operation, marks=_marks(clause, operation), id=f"{name}-{operation.id}")


def _marks(clause: str, operation: Operation) -> list[pytest.MarkDecorator]:
    return [covers(clause, each_operation=True), pytest.mark.xdist_group(operation.id)]


def _last(clause: str) -> list[pytest.MarkDecorator]:
    return [covers(clause, last=True), pytest.mark.xdist_group(OPERATIONS[0].id)]


_DRAWN: Final = pytest.mark.xdist_group(openapi_requests.GROUP)


@pytest.fixture(scope="session")
def matrices(
    request: pytest.FixtureRequest,
    paylera_shared_probes: Callable[[int], Probe],
    paylera_following_probe: Callable[[str], Probe | None],
    paylera_parts: int,
) -> Callable[[int], Matrix]:
    """Gives each part of the matrix: the cells that were selected, within the mode of the run."""
    items = request.session.items

    @cache
    def part(number: int) -> Matrix:
        probe = paylera_shared_probes(number)
        wanted: dict[Operation, list[str]] = {}
        for item in items:
            rule, operation = cell_of(item)
            if operation is not None and mode_of(operation) <= probe.settings.mode:
                wanted.setdefault(operation, []).append(rule)
        return Matrix(
            probe,
            wanted,
            own=[operation for operation in wanted if part_of(operation, paylera_parts) == number],
            dead=values_of(items, "dead") if number == 0 else (),
            seed=probe.settings.seed or 0,
            following=paylera_following_probe,
        )

    return part


@pytest.fixture
def matrix(request: pytest.FixtureRequest, matrices: Callable[[int], Matrix], paylera_parts: int) -> Matrix:
    """The part of the matrix that a case is in."""
    _, operation = cell_of(request.node)
    return matrices(0 if operation is None else part_of(operation, paylera_parts))


@pytest.mark.parametrize(("rule", "operation"), [*cells()])
def test_it_is_so_on_every_operation(rule: str, operation: Operation, matrix: Matrix, paylera_cell: Probe) -> None:
    """What the guide says of every call is so of this one."""
    matrix.conclude(paylera_cell, rule, operation)


@pytest.mark.parametrize(
    "name",
    [pytest.param(rule.name, marks=[covers(rule.clause, each_operation=True), _DRAWN]) for rule in FURTHER_RULES],
)
def test_it_is_so_on_operations_of_the_target(name: str, matrix: Matrix, paylera_cell: Probe) -> None:
    """On those, too, that the contract does not have: the target's document declares them, or the configuration."""
    matrix.conclude_further(paylera_cell, name)


@pytest.mark.parametrize(
    ("named", "operation"),
    [
        pytest.param(rule, operation, marks=covers(rule.clause, each_operation=True), id=f"{rule}-{operation.id}")
        for rule, operation in named_url_cells()
    ],
)
def test_it_is_so_at_the_named_url(
    named: Rule, operation: Operation, paylera_cell: Probe, paylera_shared_probe: Probe
) -> None:
    """Outside of the namespaces that a control API hands out, where it takes no token of the target's."""
    look_at_named_url(paylera_cell, paylera_shared_probe, named, operation)


@pytest.mark.parametrize("dead", [pytest.param(name, marks=_last(row.clause)) for name, row in DEAD.items()], ids=DEAD)
def test_what_is_dead_stays_dead(dead: str, matrix: Matrix, paylera_cell: Probe) -> None:
    """At the end of the run, many times, on other operations, and where time can be moved a year later."""
    matrix.look_again(paylera_cell, dead)


@pytest.mark.parametrize("row", [pytest.param(name, marks=_last(clause)) for name, clause in LATER.items()])
def test_it_is_so_later(row: str, matrix: Matrix, paylera_cell: Probe, request: pytest.FixtureRequest) -> None:
    """At the end of the run: many times in a row, after a release, and where time can be moved a year later."""
    mode = paylera_cell.settings.mode
    operations = [operation for operation in OPERATIONS if mode_of(operation) <= mode]
    matrix.look_later(paylera_cell, row, operations, wanted=values_of(request.session.items, "row"))
