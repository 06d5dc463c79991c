"""Runs the collected suite many times in one pytest, each time against another wrong or odd server."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
import pytest

from paylera_conformance.model.case_results import clause_results, settle_deviations
from paylera_conformance.model.outcomes import VIOLATED, Outcome
from paylera_conformance.selftest.batches import Batch, declared_by, readings_of, results_of
from paylera_conformance.selftest.mutants import Mutant
from paylera_conformance.selftest.samples import cases_of_others, cases_that_may_see, cells_of, clause_of, sample_of
from paylera_conformance.selftest.verdicts import Breadth, MutantResult, judge_mutant
from paylera_conformance.target.control_api import ControlApi
from paylera_fixtures.vocabulary import readings_for

_FREED_AFTER: Final = 20_000
"""Requests whose evidence may wait for the garbage collector, which looks seldom in a run: about 100 MB."""


class MutantLoop:
    """A pytest plugin that takes the place of the test loop: some of the items for each mutant.

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
            if not self._breadth.samples(batch[0]):
                results = self._run_all(session, lambda _: every, batch)
            elif batch[0].operation:
                results = self._run_all(session, partial(cells_of, self._collected), batch)
            else:
                results = self._run_mutants(session, batch)
            for result in results:
                self._emit(result)
        return True

    def _run_all(
        self, session: pytest.Session, choose: Callable[[Batch], Sequence[pytest.Item]], batch: Batch
    ) -> Iterator[MutantResult]:
        """Run cases against a server that has all of a batch; where that tells too little of one, against it alone."""
        together = results_of(batch, *self._look_at(session, choose(batch), batch)) if len(batch) > 1 else []
        told = {result.id: result for result in together}
        for mutant in batch:
            yield told.get(mutant.id) or self._look_at(session, choose((mutant,)), (mutant,))[0]

    def _run_mutants(self, session: pytest.Session, batch: Batch) -> Iterator[MutantResult]:
        """Run against each what it is to be caught by, and against several at once a case of each other clause."""
        caught = [self._catch(session, mutant) for mutant in batch]
        others, suspects = self._look_at_others(session, batch)
        for mutant, result in zip(batch, caught, strict=True):
            if mutant.id in suspects or not judge_mutant(mutant, result).is_good:
                yield self._look_at(session, sample_of(self._collected, mutant), (mutant,))[0]
            else:
                yield msgspec.structs.replace(
                    result,
                    requests=result.requests + sum(other.requests for other in others) // len(batch),
                    seconds=round(result.seconds + sum(other.seconds for other in others) / len(batch), 2),
                )

    def _look_at_others(self, session: pytest.Session, batch: Batch) -> tuple[list[MutantResult], set[str]]:
        """Run a case of each clause against all that may not violate it: what came of that, and who may have."""
        results: list[MutantResult] = []
        suspects: set[str] = set()
        waiting = cases_of_others(self._collected, batch)
        while waiting:
            mutants, items = waiting.pop()
            result, _ = self._look_at(session, items, mutants)
            results.append(result)
            # A flaw that every answer has is told of whatever case meets it.
            if not {*result.violated, *result.errors} <= declared_by(mutants):
                suspects |= {mutant.id for mutant in mutants}
            unseen = [item for item in items if clause_of(item) in result.blocked]
            if unseen and len(mutants) > 1:  # one of them blocks these, and hides what the others do
                waiting += [((mutant,), unseen) for mutant in mutants]
        return results, suspects

    def _catch(self, session: pytest.Session, mutant: Mutant) -> MutantResult:
        """Run cases of the clauses that a mutant breaks, and more, until each was violated."""
        for items in cases_that_may_see(self._collected, mutant):
            result, _ = self._look_at(session, items, (mutant,), until_violated=True)
            if set(mutant.breaks) <= set(result.violated):
                break
        return result

    def _look_at(
        self, session: pytest.Session, items: Sequence[pytest.Item], batch: Batch, *, until_violated: bool = False
    ) -> tuple[MutantResult, list[int]]:
        """Run cases against one server: what came of them, and how often the code of each difference ran.

        - `until_violated`: no further case of a clause that was.
        """
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
                readings=readings_for(mutant.profile, **readings_of(batch)),
            )
        )
        started = time.monotonic()
        end = EndOfCases.from_parent(session, name="end")
        violated: set[str] = set()
        for item in items:
            if not (until_violated and clause_of(item) in violated):
                before = len(run.cases)
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=end)
                violated |= {case.clause for case in run.cases[before:] if case.outcome in VIOLATED}
        session.config.hook.pytest_runtest_protocol(item=end, nextitem=None)
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


class EndOfCases(pytest.Item):
    """Comes after each case, since which is the next is not known: what cases share goes on, until this one runs."""

    def runtest(self) -> None:
        """Do nothing: what cases shared is ended with it."""


def namespace_request(batch: Batch) -> dict[str, Any]:
    """The body of `POST C/namespaces` for a namespace in which mutants run."""
    names = [mutant.id for mutant in batch]
    return {"mutants": names, "profile": batch[0].profile.value, "readings": readings_of(batch)}
