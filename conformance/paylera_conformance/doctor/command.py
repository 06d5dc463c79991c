"""The command `doctor`: every check, then which clauses can be proven with the credentials that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final

from paylera_conformance.doctor.checks import CHECKS, ReadOnlyTarget, run_check
from paylera_conformance.http.client import Client, Pace
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.outcomes import CONFIG, TARGET, CaseEnd, ExitCode, Outcome, PreflightFinding
from paylera_conformance.rehearsal.recorder import RehearsedCase, rehearse
from paylera_conformance.rehearsal.stand_in import static_stand_in
from paylera_conformance.rehearsal.token_counts import describe_kind
from paylera_conformance.run.launch import settings_of
from paylera_conformance.run.preflight import target_finding
from paylera_conformance.target.settings import Settings
from paylera_fixtures.clauses import clauses_of
from paylera_fixtures.terminal import Line, print_lines

_PIPED_WIDTH: Final = 110
_NEEDS_SHOWN: Final = 3
_OPEN: Final = frozenset({Outcome.BLOCKED, Outcome.PENDING, Outcome.NOT_RUN, Outcome.ERROR})

_BASIS: Final = """\
By a rehearsal against the fake, with tokens that claim what yours claim; nothing of it was sent to the target. A clause
with ✓ can be proven with what is there; ? says what some of its cases lack."""


def examine_target(url: str | None, options: Mapping[str, Any]) -> int:
    """Print what is seen of the target; gives 0 where nothing is to be mended, else 13. Raises `ConfigError`."""
    settings = settings_of(url, options)
    findings: list[PreflightFinding] = []
    print_lines(_lines(settings, findings), width=_PIPED_WIDTH)
    return ExitCode.UNREACHABLE if findings else ExitCode.CONFORMANT


def _lines(settings: Settings, findings: list[PreflightFinding]) -> Iterator[Line]:
    """What is seen; each finding is added to `findings`."""
    yield Line(f"{settings.url}, {settings.environment}, profile {settings.profile}, driver {settings.driver}")
    pace = Pace(None if settings.is_loopback else settings.rps)
    with closing(Client(settings.client_settings("doctor"), pace=pace, limits=Limits(reads_only=True))) as client:
        target = ReadOnlyTarget(client, settings)
        yield from _check(target, findings)
    if not any(finding.exit_code for finding in findings):
        yield Line()
        yield Line(first=[("Clause by credential", "bold")])
        yield from (Line(first=row) for row in _BASIS.splitlines())
        # Where tokens are minted, each case has a namespace of its own, which lacks nothing.
        make = partial(static_stand_in, lacking=target.lacking) if settings.driver == "static" else None
        yield from list_clauses(settings, rehearse(settings, make=make).cases)
    yield Line()
    counts = {label: sum(finding.label == label for finding in findings) for label in (CONFIG, TARGET)}
    yield Line(
        f"To mend: {counts[CONFIG]} CONFIG (yours), {counts[TARGET]} TARGET (the server's). Exit 13."
        if findings
        else "Nothing to mend."
    )


def _check(target: ReadOnlyTarget, findings: list[PreflightFinding]) -> Iterator[Line]:
    """The lines of each check, until one finds that nothing can be looked at."""
    for title, check in CHECKS:
        yield Line()
        yield Line(first=[(title.capitalize(), "bold")])
        try:
            for seen in run_check(check, target):
                if isinstance(seen, PreflightFinding):
                    findings.append(seen)
                    yield _finding_line(seen)
                else:
                    yield Line(seen, first=[("  ✓ ", "green")])
        except CaseEnd as trouble:
            findings.append(target_finding(f"no answer came: {trouble.reason}; try again, then look there"))
            yield _finding_line(findings[-1])
        if any(finding.exit_code for finding in findings):
            return


def _finding_line(finding: PreflightFinding) -> Line:
    return Line(f"{finding.label}: {finding.text}", first=[("  ✗ ", "red")])


def list_clauses(settings: Settings, cases: Sequence[RehearsedCase]) -> Iterator[Line]:
    """For each clause whether it can be proven, by which tokens, and what is missing."""
    provable = 0
    clauses = clauses_of(settings.profile)
    for clause in clauses:
        rehearsed = [case for case in cases if case.result.clause == clause.id]
        still_open = [case for case in rehearsed if case.result.outcome in _OPEN]
        is_provable = not still_open and any(case.result.outcome is not Outcome.INAPPLICABLE for case in rehearsed)
        provable += is_provable
        roles = dict.fromkeys(role for case in rehearsed for role in case.used)
        sign, style = ("✓", "green") if is_provable else ("?", "yellow")
        yield Line(", ".join(roles) or "no token", first=[(f"  {sign} ", style), (f"{clause.id:<36}", "")])
        needs = dict.fromkeys(describe_kind(need, settings) for case in still_open for need in case.missing)
        unproven = still_open if still_open or is_provable else rehearsed
        lacks = [*needs, *dict.fromkeys(case.result.headline for case in unproven if not case.missing)]
        if len(lacks) > _NEEDS_SHOWN:
            more = f"and {len(lacks) - _NEEDS_SHOWN} more of that kind (`init` lists every token)"
            lacks = [*lacks[:_NEEDS_SHOWN], more]
        for lack in lacks:
            yield Line(lack, first="      missing: ")
    yield Line(f"{provable} of {len(clauses)} clauses can be proven with what is there")
