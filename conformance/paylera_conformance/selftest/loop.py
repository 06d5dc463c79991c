"""Runs the collected suite many times in one pytest, each time against another variant of the fake."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from paylera_conformance.model.case_results import clause_results
from paylera_conformance.model.outcomes import Outcome
from paylera_conformance.selftest.verdicts import Breadth, VariantResult, violated
from paylera_conformance.target.control_api import ControlApi
from paylera_fixtures.mutants import Variant
from paylera_fixtures.vocabulary import readings_for


class VariantLoop:
    """A pytest plugin that takes the place of the test loop: every item once for each variant.

    - `emit`: called with each result as it is there;
    - `breadth`: how much of the suite runs against each.
    """

    def __init__(self, variants: Sequence[Variant], emit: Callable[[VariantResult], None], *, breadth: Breadth) -> None:
        self._variants = variants
        self._emit = emit
        self._breadth = breadth

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the items against each variant, in a namespace of its own."""
        if session.testsfailed:
            raise session.Interrupted("the suite cannot be collected")
        for variant in self._variants:
            items = _sample(session.items, variant) if self._breadth.samples(variant) else session.items
            self._emit(self._run(session, items, variant))
        return True

    def _run(self, session: pytest.Session, items: Sequence[pytest.Item], variant: Variant) -> VariantResult:
        from paylera_conformance.plugin import active_run  # noqa: PLC0415 - pytest must be the first to import it

        run = active_run(session.config)
        control = ControlApi(run.client, str(run.settings.control_url))
        world = control.post("/namespaces", asked(variant))
        base = run.settings
        run.point_at(
            replace(
                base.for_profile(variant.profile), url=world["url"], live_url=world["live_url"],
                control_url=world["control_url"], readings=readings_for(variant.profile, **variant.readings),
            )
        )  # fmt: skip
        started = time.monotonic()
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        outcomes = {result.id: result for result in clause_results(run.cases, variant.profile)}
        ran = control.at(str(world["control_url"])).get("/mutants").get("ran", {}).get(variant.id, 0)
        result = VariantResult(
            id=variant.id,
            violated=violated({clause: row.outcome for clause, row in outcomes.items()}),
            errors=_with(outcomes.values(), Outcome.ERROR),
            blocked=_with(outcomes.values(), Outcome.BLOCKED),
            ran=int(ran),
            requests=sum(case.requests for case in run.cases),
            seconds=round(time.monotonic() - started, 2),
            messages={row.id: row.message for row in outcomes.values() if row.outcome in _TOLD},
        )
        run.point_at(base)
        control.delete(f"/namespaces/{world['id']}")
        return result


def asked(variant: Variant) -> dict[str, Any]:
    """What a namespace is asked for in which a variant runs."""
    return {"mutants": [variant.id], "profile": variant.profile.value, "readings": dict(variant.readings)}


_TOLD: Final = frozenset({Outcome.FAIL, Outcome.WARN, Outcome.ERROR})


def _with(rows: Iterable[object], outcome: Outcome) -> tuple[str, ...]:
    return tuple(row.id for row in rows if row.outcome is outcome)  # type: ignore[attr-defined]


def _sample(items: Sequence[pytest.Item], variant: Variant) -> list[pytest.Item]:
    """Every case of the clauses that a variant may break, and the first case of each other."""
    from paylera_conformance.marker import MARKER

    seen: set[str] = set()
    chosen = []
    for item in items:
        mark = item.get_closest_marker(MARKER)
        clause = mark.args[0] if mark else ""
        if clause in variant.may or clause not in seen:
            chosen.append(item)
        seen.add(clause)
    return chosen
