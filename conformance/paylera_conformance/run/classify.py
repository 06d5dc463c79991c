"""From what ended a case to its outcome, and from that to what pytest understands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from paylera_conformance.model.case_results import CaseResult, outcome_at_level
from paylera_conformance.model.messages import Exchange
from paylera_conformance.model.outcomes import VIOLATED, CaseEnd, Deviation, NotOffered, Outcome, Violation
from paylera_conformance.probe.marks import PROBE, mark_of, mode_of
from paylera_conformance.probe.probe import Probe
from paylera_conformance.target.settings import Mode, Settings
from paylera_conformance.verdict.evidence import explain, headline, parts
from paylera_conformance.verdict.exchange_record import Evidence, calls_behind, record_evidence, records_of
from paylera_fixtures.api.operations import Operation
from paylera_fixtures.clauses import BY_ID, Level
from paylera_fixtures.redaction import Redactor

_LETTERS: Final = {Outcome.PASS: ".", Outcome.FAIL: "F", Outcome.WARN: "w", Outcome.ERROR: "E", Outcome.BLOCKED: "b"}
_CATEGORIES: Final = {Outcome.PASS: "passed", Outcome.FAIL: "failed", Outcome.ERROR: "error"}


class Trouble(CaseEnd):
    """The suite itself, or the way to the target, failed."""

    outcome = Outcome.ERROR


def mode_needed(item: pytest.Item) -> Mode:
    """The least mode of a case: its mark's, or what its operation or its kind of refusal takes, where that is more."""
    modes: list[Mode] = [mark_of(item).kwargs["mode"]]
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        if isinstance(value, Operation):
            modes.append(mode_of(value))
        elif isinstance(mode := getattr(value, "mode", None), Mode):
            modes.append(mode)
    return max(modes)


def classify(item: pytest.Item, call: pytest.CallInfo[None], settings: Settings, *, planned: int) -> CaseResult:
    """What came of a case.

    - `planned`: how many cases its clause has when nothing is deselected.

    Its exchanges are kept where a report or a state file is to be written; other runs stay quick.
    """
    mark = mark_of(item)
    clause = BY_ID[mark.args[0]]
    level = clause.level(settings.profile)
    end = _case_end(item, call)
    outcome = Outcome.PASS if end is None else outcome_at_level(end.outcome, level)
    probe = item.stash.get(PROBE, None)
    redactor = probe.redactor() if probe else Redactor(settings.secrets)
    is_kept = probe is not None and (settings.report or settings.state)
    evidence = _evidence_of(probe, redactor, end) if probe and is_kept else Evidence()
    return CaseResult(
        clause=clause.id,
        case=item.name,  # not by its node id, to which xdist adds the group
        outcome=outcome,
        headline="" if end is None else headline(end, redactor),
        message="" if end is None else explain(end, clause, level, redactor),
        dropped=isinstance(end, NotOffered) or (outcome is Outcome.INAPPLICABLE and mark.kwargs["each_operation"]),
        deviates=isinstance(end, Deviation),
        planned=planned,
        partial=any("::" in str(argument) for argument in item.config.args),
        requests=len(probe.log) if probe else 0,
        **parts(end, redactor),
        time_evidence=probe.clock.evidence if probe else "",
        instants=probe.clock.instants if probe else 0,
        connections=probe.connections if probe else 0,
        seconds=round(call.duration, 4),
        cell=probe.cell if probe else None,
        exchanges=evidence.exchanges,
        control_calls=evidence.control_calls,
        credentials=evidence.credentials,
    )


def _evidence_of(probe: Probe, redactor: Redactor, end: CaseEnd | None) -> Evidence:
    provisioner = probe.looked_by.provisioner
    asked: list[Exchange] = getattr(provisioner, "calls", [])  # an adapter may be any class
    calls = asked
    if probe.looked_by is not probe:
        # Several cases share it: each call is told once, and again with every case that did not pass and rests on it.
        new = asked[probe.looked_by.told_calls :]
        behind = calls_behind(asked[: probe.looked_by.told_calls], probe.log) if end else []
        calls, probe.looked_by.told_calls = [*behind, *new], len(asked)
    times = probe.looked_by.target_times
    times.read(asked)
    return record_evidence(probe.log, calls, redactor, deciding=end.exchange if end else None, times=times)


def judge_evidence(
    found: Iterable[tuple[str, Violation]], case: CaseResult, probe: Probe, settings: Settings
) -> list[CaseResult]:
    """What the exchanges of a case show against clauses, its own among them if it did not see that itself.

    - `found`: the clauses with what was seen, as `Contradictions` gives them.
    """
    redactor = probe.redactor()
    results = []
    for name, violation in found:
        clause = BY_ID[name]
        level = clause.level(settings.profile)
        if level is Level.OFF or (name == case.clause and case.outcome in VIOLATED):
            continue
        exchanges = [] if violation.exchange is None else [violation.exchange]
        results.append(
            CaseResult(
                clause=name,
                case=f"seen in {case.case}",
                outcome=outcome_at_level(violation.outcome, level),
                headline=headline(violation, redactor),
                message=explain(violation, clause, level, redactor),
                requests=0,
                **parts(violation, redactor),
                exchanges=records_of(exchanges, redactor, deciding=violation.exchange),
            )
        )
    return results


def _case_end(item: pytest.Item, call: pytest.CallInfo[None]) -> CaseEnd | None:
    """What ended a case; a case that passed without having proven anything has not passed."""
    if call.excinfo is None:
        probe = item.stash.get(PROBE, None)
        return None if probe is not None and probe.proofs else Trouble("the test asserted nothing that was proven")
    error = call.excinfo.value
    if isinstance(error, CaseEnd) and not (isinstance(error, Violation) and call.when != "call"):
        return error
    if isinstance(error, AssertionError) and call.when == "call":
        return Violation("what the test asserts", str(error))
    return Trouble(f"{type(error).__name__}: {error}")


def translate_report(report: pytest.TestReport, result: CaseResult) -> None:
    """Say the outcome in pytest's three words, so that `-x`, `--lf` and junit.xml do what their users expect."""
    if result.outcome is Outcome.PASS:
        return
    if result.outcome in {Outcome.FAIL, Outcome.ERROR}:
        report.outcome = "failed"
        report.longrepr = result.message
        return
    report.outcome = "skipped"
    report.longrepr = (str(report.fspath), report.location[1] or 0, f"{result.outcome}: {result.headline}")
    if result.outcome is Outcome.WARN:
        report.longrepr = result.message
        report.wasxfail = f"{result.clause}: {result.headline}"


def pytest_status(outcome: Outcome) -> tuple[str, str, str]:
    """The category, the letter and the word that pytest shows for a case."""
    return _CATEGORIES.get(outcome, outcome.value), _LETTERS.get(outcome, "-"), outcome.value.upper()
