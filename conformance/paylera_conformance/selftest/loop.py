"""Runs the collected suite many times in one pytest, each time against another wrong or odd server."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest

from paylera_conformance.marker import MARKER
from paylera_conformance.model.case_results import clause_results, settle_deviations
from paylera_conformance.model.outcomes import VIOLATED, Outcome
from paylera_conformance.probe.marks import cell_of
from paylera_conformance.selftest.batches import Batch, results_of
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.verdicts import Breadth, MutantResult
from paylera_conformance.target.control_api import ControlApi
from paylera_fixtures.vocabulary import readings_for

_FREED_AFTER: Final = 20_000
"""Requests whose evidence may wait for the garbage collector, which looks seldom in a run: about 100 MB."""


class MutantLoop:
    """A pytest plugin that takes the place of the test loop: every item once for each mutant.

    - `batches`: what is in one server each;
    - `emit`: called with each result as it is there;
    - `breadth`: how much of the suite runs against each.
    """

    def __init__(self, batches: Iterable[Batch], emit: Callable[[MutantResult], None], *, breadth: Breadth) -> None:
        self._batches = batches
        self._emit = emit
        self._breadth = breadth
        self._collected: list[pytest.Item] = []
        self._kept = 0

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep the items in the order of the suite: a sample is the same whatever the order of a run."""
        self._collected.append(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the items against each server, in a namespace of its own."""
        if session.testsfailed:
            raise session.Interrupted("the suite cannot be collected")
        every = session.items
        for batch in self._batches:
            items = _cells_of(self._collected, batch) if batch[0].operation else every
            results = self._run(session, items, batch) if len(batch) > 1 else None
            for result in results or (self._run_alone(session, every, mutant) for mutant in batch):
                self._emit(result)
        return True

    def _run_alone(self, session: pytest.Session, every: Sequence[pytest.Item], mutant: Mutant) -> MutantResult:
        for items in _samples(self._collected, mutant) if self._breadth.samples(mutant) else [every]:
            result, _ = self._look_at(session, items, (mutant,))
            if set(mutant.breaks) <= set(result.violated):
                break
        return result

    def _run(self, session: pytest.Session, items: Sequence[pytest.Item], batch: Batch) -> list[MutantResult] | None:
        return results_of(batch, *self._look_at(session, items, batch))

    def _look_at(
        self, session: pytest.Session, items: Sequence[pytest.Item], batch: Batch
    ) -> tuple[MutantResult, list[int]]:
        """Run cases against one server: what came of them, and how often the code of each difference ran."""
        from paylera_conformance.plugin import active_run  # noqa: PLC0415 - pytest must be the first to import it

        run = active_run(session.config)
        session.items = [*items]  # cases that share requests look here for those that are to be run
        mutant = batch[0]
        control = ControlApi(run.probes.client, str(run.settings.control_url))
        namespace = control.post("/namespaces", namespace_request(batch))
        base = run.settings
        run.point_at(
            replace(
                base.for_profile(mutant.profile),
                **{name: namespace[name] for name in ("url", "live_url", "control_url")},
                readings=readings_for(mutant.profile, **mutant.readings),
            )
        )
        started = time.monotonic()
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        # A sample is judged by itself: that other cases did not run is no outcome.
        cases = [msgspec.structs.replace(case, planned=0) for case in run.cases]
        rows = clause_results(settle_deviations(cases), mutant.profile)
        counted = control.at(str(namespace["control_url"])).get("/mutants").get("ran", {})
        ran = [int(counted.get(mutant.id, 0)) for mutant in batch]
        result = MutantResult(
            id=mutant.id,
            violated=tuple(row.id for row in rows if row.outcome in VIOLATED),
            errors=tuple(row.id for row in rows if row.outcome is Outcome.ERROR),
            blocked=tuple(row.id for row in rows if row.outcome is Outcome.BLOCKED),
            ran=ran[0],
            requests=sum(case.new_requests for case in run.cases),
            seconds=round(time.monotonic() - started, 2),
            messages={row.id: row.message for row in rows if row.outcome in {*VIOLATED, Outcome.ERROR}},
        )
        run.point_at(base)
        self._free(session, result.requests)
        control.delete(f"/namespaces/{namespace['id']}")
        return result, ran

    def _free(self, session: pytest.Session, requests: int) -> None:
        """Have what was kept of a run freed, which would be gigabytes after some dozens of servers."""
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.stats.clear()  # pytest keeps every report, and with it the evidence
        self._kept += requests
        if self._kept > _FREED_AFTER:
            gc.collect()
            self._kept = 0


def namespace_request(batch: Batch) -> dict[str, Any]:
    """The body of `POST C/namespaces` for a namespace in which mutants run."""
    names = [mutant.id for mutant in batch]
    return {"mutants": names, "profile": batch[0].profile.value, "readings": batch[0].readings}


def _columns(items: Sequence[pytest.Item]) -> Mapping[str, list[pytest.Item]]:
    """The cells of the matrix by their operation, as method and path."""
    columns: dict[str, list[pytest.Item]] = {}
    for item in items:
        _, operation = cell_of(item)
        if operation is not None:
            columns.setdefault(str(operation), []).append(item)
    return columns


def _cells_of(items: Sequence[pytest.Item], holes: Batch) -> list[pytest.Item]:
    """Every cell of the operations of holes, and of another, which must be as they should."""
    columns = _columns(items)
    own = [str(hole.operation) for hole in holes]
    others = [name for name in columns if name not in own]
    other = random.Random(holes[0].id).sample(others, min(1, len(others)))  # noqa: S311 - a choice of cases
    return [item for name in (*own, *other) for item in columns[name]]


def _samples(items: Sequence[pytest.Item], mutant: Mutant) -> Iterator[list[pytest.Item]]:
    """Every case of the clauses that a mutant may violate, and one of each other: first such as stand alone.

    A cell of the matrix needs all that its operation is prepared with. So it comes into the first sample where its
    clause has no other case, and into the second, which is for what only shows beside other things.
    Of a hole, every cell of its operation and of another, which must be as they should.
    """
    if mutant.operation:
        yield _cells_of(items, (mutant,))
        return
    for ordered in (sorted(items, key=lambda item: cell_of(item)[1] is not None), items):
        first: dict[str, pytest.Item] = {}
        for item in ordered:
            first.setdefault(_clause_of(item), item)
        yield [item for item in items if _clause_of(item) in mutant.may_violate or first[_clause_of(item)] is item]


def _clause_of(item: pytest.Item) -> str:
    mark = item.get_closest_marker(MARKER)
    return str(mark.args[0]) if mark else ""
